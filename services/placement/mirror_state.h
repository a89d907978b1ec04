/* What the mirror's own files share: the state, and its change by one provider. Nothing here locks or does I/O. */
#pragma once

#include "base/map.h"
#include "mirror.h"
#include "mirror_index.h"
#include "mirror_names.h"
#include "service.h"

struct mirror_state {
    struct mirror_provider **providers; /* By number. */
    size_t providers_count, providers_capacity;
    struct mirror_tree **trees; /* By number of the root. */
    size_t trees_count, trees_capacity;
    struct mirror_provider **sharing;
    size_t sharing_count, sharing_capacity;
    struct map *by_uuid;
    struct mirror_names classes, traits, aggregates;
    int sharing_trait; /* Number of MISC_SHARES_VIA_AGGREGATE. */
    struct mirror_index index;
    uint64_t epoch;               /* Number of the newest fork. */
    size_t forks;                 /* That are in use. */
    struct mirror_tree **retired; /* Trees, with their providers, that only forks still have. */
    size_t retired_count, retired_capacity;
};

void mirror_state_init(struct mirror_state *s);
void mirror_state_done(struct mirror_state *s);

/* Takes in the rows of one read: first all that are there, then their trees, then the end of those that are gone, so that no
 * pointer is left to one. False: the rows are newer than others that they refer to, whose change the next read brings. */
bool mirror_state_apply(struct mirror_state *s, const struct mirror_state_row *rows, size_t count);

/* Frees what only forks had, now that there are none. */
void mirror_state_reclaim(struct mirror_state *s);

/* 'fresh' takes the place of 'old': what forks of 'old' have stays alive in 'fresh'. */
void mirror_state_succeed(struct mirror_state *old, struct mirror_state *fresh);

/* --- mirror_tree.c: trees, and their copies when a fork has the original. */

/* Where the tree, or the provider, of that number is or would be. */
size_t mirror_state_find_tree(const struct mirror_state *s, int64_t root_id);
size_t mirror_state_find(const struct mirror_state *s, int64_t id);

/* 'p', or its copy: what may be changed. With it the whole tree. */
struct mirror_provider *mirror_tree_own(struct mirror_state *s, struct mirror_provider *p);

void mirror_tree_enter(struct mirror_state *s, struct mirror_provider *p); /* By p->root_id. */
/* Returns how many are left in the tree that stood below it. An empty tree ends. */
size_t mirror_tree_leave(struct mirror_state *s, struct mirror_provider *p);

void mirror_tree_free(struct mirror_tree *t, bool members);
void mirror_provider_free(struct mirror_provider *p);

/* Makes room at 'at' in an array of 'count' pointers, or closes it; returns the array. */
void *mirror_gap_open(void *items, size_t at, size_t count, size_t *capacity);
void mirror_gap_close(void *items, size_t at, size_t count);
