#include "catalog_cache.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/map.h"
#include "base/memory.h"

enum { TEXTS_MAX = 512, TEXT_MAX = 64 * 1024 };

struct text {
    atomic_uint references; /* The map's, and one of each arena that was given it. */
    size_t size;
    char data[];
};

struct catalog_cache {
    _Atomic uint64_t generation;
    pthread_mutex_t lock;
    struct map *texts GUARDED_BY(lock);
    uint64_t of GUARDED_BY(lock); /* The generation that all of 'texts' are of. */
};

static void
release(void *object)
{
    struct text *t = object;

    if (atomic_fetch_sub(&t->references, 1) == 1)
        free(t);
}

struct catalog_cache *
catalog_cache_new(void)
{
    struct catalog_cache *c = memory_calloc(1, sizeof(*c));

    pthread_mutex_init(&c->lock, NULL);
    c->texts = map_new(release);
    return c;
}

void
catalog_cache_free(struct catalog_cache *c)
{
    if (c == NULL)
        return;
    map_free(c->texts);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

uint64_t
catalog_cache_generation(struct catalog_cache *c)
{
    return atomic_load(&c->generation);
}

void
catalog_cache_invalidate(struct catalog_cache *c)
{
    atomic_fetch_add(&c->generation, 1);
}

const char *
catalog_cache_get(struct catalog_cache *c, const char *key, struct arena *a, size_t *ret_size)
{
    struct text *t = NULL;

    pthread_mutex_lock(&c->lock);
    if (c->of == atomic_load(&c->generation))
        t = map_get(c->texts, key);
    if (t != NULL)
        atomic_fetch_add(&t->references, 1);
    pthread_mutex_unlock(&c->lock);
    if (t == NULL)
        return NULL;
    arena_defer(a, release, t);
    *ret_size = t->size;
    return t->data;
}

/* When it is full it begins anew: cheaper than knowing who was asked for last, and rare. */
void
catalog_cache_put(struct catalog_cache *c, const char *key, uint64_t generation, const char *text,
                  size_t size)
{
    struct text *t;

    if (size > TEXT_MAX)
        return;
    t = memory_alloc(sizeof(*t) + size + 1);
    atomic_init(&t->references, 1);
    t->size = size;
    memcpy(t->data, text, size);
    t->data[size] = '\0';
    pthread_mutex_lock(&c->lock);
    if (generation != atomic_load(&c->generation)) {
        pthread_mutex_unlock(&c->lock);
        free(t);
        return;
    }
    if (c->of != generation || map_count(c->texts) >= TEXTS_MAX) {
        map_clear(c->texts);
        c->of = generation;
    }
    map_set(c->texts, key, t);
    pthread_mutex_unlock(&c->lock);
}
