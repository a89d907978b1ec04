/* A few shards, each a mutex, a table of chains and a list in order of use. The digest is uniform, so its
 * own bytes choose shard and chain. An entry is counted by reference: the cache holds one, and each arena
 * that was given the context another, so a hit copies nothing. */
#include "token_cache.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "../base/list.h"
#include "../base/memory.h"

#define SHARDS 8

struct entry {
    struct list by_use, by_digest;
    atomic_uint references;
    unsigned char digest[TOKEN_DIGEST];
    struct auth_context *context;
    uint64_t keys, revocations;
};

struct shard {
    pthread_mutex_t lock;
    struct list by_use GUARDED_BY(lock); /* The one used last first. */
    struct list *chains GUARDED_BY(lock);
    size_t count GUARDED_BY(lock);
};

struct token_cache {
    struct shard shards[SHARDS];
    size_t shard_size, chains_count; /* The latter a power of two. */
    EVP_MD *sha256;
};

static void
entry_release(void *object)
{
    struct entry *e = object;

    if (atomic_fetch_sub(&e->references, 1) != 1)
        return;
    free(e->context);
    free(e);
}

struct token_cache *
token_cache_new(size_t size)
{
    struct token_cache *c = memory_calloc(1, sizeof(*c));

    c->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (c->sha256 == NULL)
        abort(); /* A libcrypto without SHA-256: nothing can be verified. */
    c->shard_size = MAX(size / SHARDS, (size_t)1);
    c->chains_count = 1;
    while (c->chains_count < c->shard_size)
        c->chains_count *= 2;
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *s = &c->shards[i];

        pthread_mutex_init(&s->lock, NULL);
        list_init(&s->by_use);
        s->chains = memory_calloc(c->chains_count, sizeof(*s->chains));
        for (size_t j = 0; j < c->chains_count; j++)
            list_init(&s->chains[j]);
    }
    return c;
}

static void
drop(struct shard *s, struct entry *e)
{
    list_remove(&e->by_use);
    list_remove(&e->by_digest);
    s->count--;
    entry_release(e);
}

void
token_cache_free(struct token_cache *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *s = &c->shards[i];

        while (!list_empty(&s->by_use))
            drop(s, LIST_FIRST(&s->by_use, struct entry, by_use));
        free(s->chains);
        pthread_mutex_destroy(&s->lock);
    }
    EVP_MD_free(c->sha256);
    free(c);
}

void
token_cache_digest(const struct token_cache *c, const char *token, size_t size,
                   unsigned char ret[TOKEN_DIGEST])
{
    /* The digest was fetched once: looking it up by name costs more than computing it. */
    if (EVP_Digest(token, size, ret, NULL, c->sha256, NULL) != 1)
        abort();
}

static struct shard *
shard_of(struct token_cache *c, const unsigned char *digest)
{
    return &c->shards[digest[0] % SHARDS];
}

static struct entry *
find(const struct token_cache *c, struct shard *s, const unsigned char *digest,
     struct list **ret_chain)
{
    struct entry *e;
    size_t number;

    memcpy(&number, digest + 8, sizeof(number));
    *ret_chain = &s->chains[number & (c->chains_count - 1)];
    LIST_EACH (e, *ret_chain, struct entry, by_digest) {
        if (memcmp(e->digest, digest, TOKEN_DIGEST) == 0)
            return e;
    }
    return NULL;
}

bool
token_cache_get(struct token_cache *c, const unsigned char digest[TOKEN_DIGEST],
                struct arena *arena, struct token_cached *ret)
{
    struct shard *s = shard_of(c, digest);
    struct list *chain;
    struct entry *e;

    pthread_mutex_lock(&s->lock);
    e = find(c, s, digest, &chain);
    if (e != NULL) {
        list_remove(&e->by_use);
        list_prepend(&s->by_use, &e->by_use);
        atomic_fetch_add(&e->references, 1);
        *ret = (struct token_cached){ e->context, e->keys, e->revocations };
    }
    pthread_mutex_unlock(&s->lock);
    if (e == NULL)
        return false;
    arena_defer(arena, entry_release, e);
    return true;
}

void
token_cache_put(struct token_cache *c, const unsigned char digest[TOKEN_DIGEST],
                const struct token_cached *entry)
{
    struct shard *s = shard_of(c, digest);
    struct entry *e = memory_calloc(1, sizeof(*e)), *old;
    struct list *chain;

    memcpy(e->digest, digest, TOKEN_DIGEST);
    e->context = auth_context_dup(entry->context);
    e->keys = entry->keys;
    e->revocations = entry->revocations;
    atomic_store(&e->references, 1);

    pthread_mutex_lock(&s->lock);
    old = find(c, s, digest, &chain);
    if (old != NULL)
        drop(s, old);
    else if (s->count == c->shard_size)
        drop(s, LIST_ITEM(s->by_use.prev, struct entry, by_use));
    list_prepend(&s->by_use, &e->by_use);
    list_prepend(chain, &e->by_digest);
    s->count++;
    pthread_mutex_unlock(&s->lock);
}

void
token_cache_touch(struct token_cache *c, const unsigned char digest[TOKEN_DIGEST],
                  uint64_t revocations)
{
    struct shard *s = shard_of(c, digest);
    struct list *chain;
    struct entry *e;

    pthread_mutex_lock(&s->lock);
    e = find(c, s, digest, &chain);
    if (e != NULL)
        e->revocations = MAX(e->revocations, revocations);
    pthread_mutex_unlock(&s->lock);
}

void
token_cache_remove(struct token_cache *c, const unsigned char digest[TOKEN_DIGEST])
{
    struct shard *s = shard_of(c, digest);
    struct list *chain;
    struct entry *e;

    pthread_mutex_lock(&s->lock);
    e = find(c, s, digest, &chain);
    if (e != NULL)
        drop(s, e);
    pthread_mutex_unlock(&s->lock);
}

size_t
token_cache_count(struct token_cache *c)
{
    size_t count = 0;

    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&c->shards[i].lock);
        count += c->shards[i].count;
        pthread_mutex_unlock(&c->shards[i].lock);
    }
    return count;
}
