#include "passwords.h"

#include <crypt.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <unistd.h>

#include "base/random.h"
#include "base/str.h"

struct password_hasher {
    pthread_mutex_t mutex;
    pthread_cond_t freed;
    unsigned free_slots GUARDED_BY(mutex);
    unsigned rounds;
    char *decoy; /* What an unknown user's password is compared with. */
};

/* bcrypt reads 72 bytes, and crypt(3) takes 511. What is longer goes in as the 64 characters of its SHA-384, so that no byte is ignored. */
static const char *
shortened(struct arena *a, const char *password)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    if (strlen(password) <= 72)
        return password;
    if (EVP_Digest(password, strlen(password), digest, &size, EVP_sha384(), NULL) != 1)
        abort();
    return str_base64(a, digest, size);
}

static bool
is_bcrypt(const char *hash)
{
    return str_starts(hash, "$2");
}

struct password_hasher *
password_hasher_new(unsigned rounds, unsigned concurrency)
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
    h->rounds = rounds;
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
    struct crypt_data *data = ARENA_NEW(a, struct crypt_data);
    char salt[CRYPT_GENSALT_OUTPUT_SIZE];
    char seed[16];
    const char *hash;

    random_bytes(seed, sizeof(seed));
    if (crypt_gensalt_rn("$2b$", h->rounds, seed, sizeof(seed), salt, sizeof(salt)) == NULL)
        return fault_raise_cause(f, "crypt_gensalt: %m");
    take_slot(h);
    hash = crypt_rn(shortened(a, password), salt, data, sizeof(*data));
    give_slot(h);
    if (hash == NULL)
        return fault_raise_cause(f, "crypt: %m");
    *ret = arena_strdup(a, hash);
    explicit_bzero(data, sizeof(*data));
    return 0;
}

bool
password_verify(struct password_hasher *h, const char *password, const char *hash)
{
    struct arena *a = arena_new();
    struct crypt_data *data = ARENA_NEW(a, struct crypt_data);
    const char *against = hash == NULL ? h->decoy : hash;
    const char *made;
    bool same;

    take_slot(h);
    made = against == NULL ? NULL
                           : crypt_rn(is_bcrypt(against) ? shortened(a, password) : password,
                                      against, data, sizeof(*data));
    give_slot(h);
    same = made != NULL && str_equal_secret(made, against) && hash != NULL;
    explicit_bzero(data, sizeof(*data));
    arena_free(a);
    return same;
}
