/* Verified tokens, found by the SHA-256 of their text: no token is kept in memory. For authenticator.c.
 *
 * Bounded: when a shard is full, the entry that was not used for longest goes. Thread-safe. */
#pragma once

#include "context.h"

#define TOKEN_DIGEST 32

struct token_cache;

/* Room for about 'size' tokens. */
struct token_cache *token_cache_new(size_t size);
void token_cache_free(struct token_cache *c);

void token_cache_digest(const struct token_cache *c, const char *token, size_t size,
                        unsigned char ret[TOKEN_DIGEST]);

/* An entry as long as the holder keeps it; it outlives its place in the cache. */
struct token_cached {
    const struct auth_context *context;
    uint64_t keys;        /* Generation of the keyring under which it was verified. */
    uint64_t revocations; /* Generation of the revocations that it was last compared with. */
};

/* True: '*ret' is held until 'arena' ends. */
bool token_cache_get(struct token_cache *c, const unsigned char digest[TOKEN_DIGEST],
                     struct arena *arena, struct token_cached *ret);

/* Copies the context. Replaces what was there. */
void token_cache_put(struct token_cache *c, const unsigned char digest[TOKEN_DIGEST],
                     const struct token_cached *entry);

/* Notes that the entry was compared with newer revocations, and none matched. */
void token_cache_touch(struct token_cache *c, const unsigned char digest[TOKEN_DIGEST],
                       uint64_t revocations);
void token_cache_remove(struct token_cache *c, const unsigned char digest[TOKEN_DIGEST]);
size_t token_cache_count(struct token_cache *c);
