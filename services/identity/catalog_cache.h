/* Rendered catalogues, so that showing a token asks nobody: the text of each project's, as good as the generation it was made under. What a
 * token says of its application credential is kept in another one of these.
 *
 * Whatever the catalogue is made of, a change of it begins a new generation (catalog_cache_invalidate): here by the change itself
 * once it is committed, and for changes made by other daemons by watch.c. Bounded; thread-safe. */
#pragma once

#include "base/arena.h"
#include "base/str.h"

struct catalog_cache;

struct catalog_cache *catalog_cache_new(void);
void catalog_cache_free(struct catalog_cache *c);

/* The text of 'key' (a project's id, or "") as JSON, valid as long as the arena; NULL: it has to be made. */
const char *catalog_cache_get(struct catalog_cache *c, const char *key, struct arena *a,
                              size_t *ret_size);

/* Ask for the generation before reading the database: what was read under one that is over is not kept. */
uint64_t catalog_cache_generation(struct catalog_cache *c);
void catalog_cache_put(struct catalog_cache *c, const char *key, uint64_t generation,
                       const char *text, size_t size);
void catalog_cache_invalidate(struct catalog_cache *c);
