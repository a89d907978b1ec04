/* A hash map from text to pointer, on the heap. Keys are copied; values belong to the caller, or to the
 * map when it was given a function that frees them. Hashed with SipHash under a per-process key, so a
 * client that chooses keys cannot make it slow. Not thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map;

struct map *map_new(void (*free_value)(void *value)); /* NULL: values are not freed. */
void map_free(struct map *m);
void *map_get(const struct map *m, const char *key); /* NULL: absent. */
bool map_has(const struct map *m, const char *key);
void map_set(struct map *m, const char *key, void *value); /* Replaces, and frees the old value. */
bool map_remove(struct map *m, const char *key);
size_t map_count(const struct map *m);
void map_clear(struct map *m);

/* Walks in no particular order: struct map_at at = { 0 }; while (map_next(m, &at)) use(at.key, at.value);
 * The current entry may be removed on the way, nothing else changed. */
struct map_at {
    size_t index;
    const char *key;
    void *value;
};
bool map_next(const struct map *m, struct map_at *at);

/* The hash itself, SipHash-2-4 under the key (k0, k1): for what needs one outside a map. */
uint64_t map_hash(const void *data, size_t size, uint64_t k0, uint64_t k1);
