#include "digest.h"

#include <assert.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdbool.h>

#include "base/memory.h"

enum { BUFFERS = 4, SMALL = 256 * 1024, KINDS = 2 };

/* One kind of checksum, and the thread that works it out. */
struct worker {
    struct digest *digest;
    EVP_MD_CTX *context;
    pthread_t thread;
    unsigned long done; /* Buffers taken in so far. */
    bool running;
};

struct digest {
    pthread_mutex_t mutex; /* Guards 'done', 'filled', 'sizes', 'ended'. */
    pthread_cond_t changed;
    char *data;
    size_t sizes[BUFFERS];
    unsigned long filled;
    bool ended;
    struct worker workers[KINDS];
};

static char *
buffer_at(struct digest *d, unsigned long index)
{
    return d->data + index % BUFFERS * DIGEST_BUFFER;
}

static void *
work(void *object)
{
    struct worker *w = object;
    struct digest *d = w->digest;

    pthread_mutex_lock(&d->mutex);
    for (;;) {
        size_t size;

        while (w->done == d->filled && !d->ended)
            pthread_cond_wait(&d->changed, &d->mutex);
        if (w->done == d->filled)
            break;
        size = d->sizes[w->done % BUFFERS];
        pthread_mutex_unlock(&d->mutex);
        EVP_DigestUpdate(w->context, buffer_at(d, w->done), size);
        pthread_mutex_lock(&d->mutex);
        w->done++;
        pthread_cond_broadcast(&d->changed);
    }
    pthread_mutex_unlock(&d->mutex);
    return NULL;
}

struct digest *
digest_new(void)
{
    struct digest *d = memory_calloc(1, sizeof(*d));
    const EVP_MD *kinds[KINDS] = { EVP_md5(), EVP_sha512() };

    pthread_mutex_init(&d->mutex, NULL);
    pthread_cond_init(&d->changed, NULL);
    d->data = memory_alloc((size_t)BUFFERS * DIGEST_BUFFER);
    for (int i = 0; i < KINDS; i++) {
        d->workers[i].digest = d;
        d->workers[i].context = EVP_MD_CTX_new();
        if (d->workers[i].context == NULL ||
            EVP_DigestInit_ex(d->workers[i].context, kinds[i], NULL) != 1)
            memory_exhausted(0);
    }
    return d;
}

static void
end(struct digest *d)
{
    pthread_mutex_lock(&d->mutex);
    d->ended = true;
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->mutex);
    for (int i = 0; i < KINDS; i++) {
        if (d->workers[i].running)
            pthread_join(d->workers[i].thread, NULL);
        d->workers[i].running = false;
    }
}

void
digest_freep(struct digest **at)
{
    struct digest *d = *at;

    if (d == NULL)
        return;
    end(d);
    for (int i = 0; i < KINDS; i++)
        EVP_MD_CTX_free(d->workers[i].context);
    pthread_cond_destroy(&d->changed);
    pthread_mutex_destroy(&d->mutex);
    free(d->data);
    free(d);
}

static unsigned long
slowest(const struct digest *d)
{
    unsigned long least = d->filled;

    for (int i = 0; i < KINDS; i++)
        least = MIN(least, d->workers[i].done);
    return least;
}

char *
digest_buffer(struct digest *d)
{
    pthread_mutex_lock(&d->mutex);
    while (d->filled - slowest(d) == BUFFERS)
        pthread_cond_wait(&d->changed, &d->mutex);
    pthread_mutex_unlock(&d->mutex);
    return buffer_at(d, d->filled);
}

/* Small images, and systems without a thread to spare: right here. */
static void
take_in_here(struct digest *d, struct worker *w, size_t size)
{
    EVP_DigestUpdate(w->context, buffer_at(d, d->filled), size);
    w->done++;
}

void
digest_submit(struct digest *d, size_t size)
{
    bool small = d->filled == 0 && size <= SMALL;

    assert(size <= DIGEST_BUFFER);
    for (int i = 0; i < KINDS; i++) {
        struct worker *w = &d->workers[i];

        if (!small && !w->running)
            w->running = pthread_create(&w->thread, NULL, work, w) == 0;
        if (!w->running)
            take_in_here(d, w, size);
    }
    pthread_mutex_lock(&d->mutex);
    d->sizes[d->filled++ % BUFFERS] = size;
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->mutex);
}

static void
write_hex(EVP_MD_CTX *context, char *ret)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    EVP_DigestFinal_ex(context, bytes, &size);
    for (unsigned i = 0; i < size; i++)
        snprintf(ret + 2 * (size_t)i, 3, "%02x", bytes[i]);
}

void
digest_finish(struct digest *d, struct digests *ret)
{
    end(d);
    write_hex(d->workers[0].context, ret->md5);
    write_hex(d->workers[1].context, ret->sha512);
}
