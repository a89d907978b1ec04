#include "passwords.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

struct password_hasher {
    pthread_mutex_t mutex;
    pthread_cond_t freed;
    unsigned free_slots GUARDED_BY(mutex);
    struct password_scheme scheme;
    char *decoy; /* What an unknown user's password is compared with. */
};

struct password_hasher *
password_hasher_new(const struct password_scheme *scheme, unsigned concurrency)
{
    struct password_hasher *h = calloc(1, sizeof(*h));
    struct arena *a = arena_new();
    struct fault f = { 0 };
    char *decoy = NULL;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    if (h == NULL)
        abort();
    pthread_mutex_init(&h->mutex, NULL);
    pthread_cond_init(&h->freed, NULL);
    h->free_slots = concurrency > 0 ? concurrency : processors > 0 ? (unsigned)processors : 1;
    h->scheme = *scheme;
    if (password_hash(h, a, "nobody's password", &decoy, &f) == 0)
        h->decoy = strdup(decoy);
    arena_free(a);
    return h;
}

void
password_hasher_free(struct password_hasher *h)
{
    if (h == NULL)
        return;
    free(h->decoy);
    pthread_cond_destroy(&h->freed);
    pthread_mutex_destroy(&h->mutex);
    free(h);
}

static void
take_slot(struct password_hasher *h)
{
    pthread_mutex_lock(&h->mutex);
    while (h->free_slots == 0)
        pthread_cond_wait(&h->freed, &h->mutex);
    h->free_slots--;
    pthread_mutex_unlock(&h->mutex);
}

static void
give_slot(struct password_hasher *h)
{
    pthread_mutex_lock(&h->mutex);
    h->free_slots++;
    pthread_cond_signal(&h->freed);
    pthread_mutex_unlock(&h->mutex);
}

int
password_hash(struct password_hasher *h, struct arena *a, const char *password, char **ret,
              struct fault *f)
{
    int r;

    take_slot(h);
    r = password_scheme_hash(&h->scheme, a, password, ret, f);
    give_slot(h);
    return r;
}

bool
password_verify(struct password_hasher *h, const char *password, const char *hash)
{
    struct arena *a = arena_new();
    const char *against = hash == NULL ? h->decoy : hash;
    bool same;

    take_slot(h);
    same = against != NULL && password_scheme_verify(a, password, against) && hash != NULL;
    give_slot(h);
    arena_free(a);
    return same;
}

bool
password_outdated(const struct password_hasher *h, const char *hash)
{
    return password_scheme_outdated(&h->scheme, hash);
}
