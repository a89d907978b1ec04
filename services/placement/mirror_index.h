/* The index of trees: of each tree, in the order of mirror_trees(), what decides most often whether a request can fit, in arrays that are read from end to end.
 *
 *   give    of each resource class, the most that one provider of the tree could still give; and the largest of each 64 trees,
 *           so that a run of full hosts is passed over in one step
 *   kind    the set of traits and classes that its providers have, and the set of aggregates that they are in. Equal sets are one kind:
 *           ten thousand hosts are of few kinds, so whether traits suffice is asked once for each kind
 *
 * What passes may still not fit (candidates_walk.c decides); what does not pass cannot. Nothing here locks. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map;
struct mirror_tree;

#define MIRROR_INDEX_BLOCK 64
#define MIRROR_INDEX_CLASSES 32 /* The first that are met; of others only whether a tree has any. */

/* A class among the items of a kind. Traits are their own number. */
#define MIRROR_KIND_CLASS(id) ((int32_t)((id) | 0x40000000))

struct mirror_kind {
    int32_t *items; /* Ascending. */
    uint32_t count, users;
    bool single; /* Trees of one provider. */
};

struct mirror_kinds {
    struct mirror_kind *items;
    size_t count, capacity;
    struct map *known; /* Their items as text, to their number + 1. */
    uint32_t *spare;   /* Numbers without users. */
    size_t spare_count, spare_capacity;
};

struct mirror_index_class {
    int32_t class_id;
    int32_t *give; /* -1: none of it. */
    int32_t *most; /* Of each block. */
};

struct mirror_index {
    struct mirror_index_class classes[MIRROR_INDEX_CLASSES];
    size_t classes_count;
    struct mirror_kinds traits, aggregates;
    uint32_t *trait_kinds, *aggregate_kinds; /* By tree. */
    size_t count, capacity;                  /* Trees. */
};

void mirror_index_done(struct mirror_index *x);

/* A tree comes at 'at', without anything yet; or the one there goes. */
void mirror_index_open(struct mirror_index *x, size_t at);
void mirror_index_close(struct mirror_index *x, size_t at);

/* Notes what the tree at 'at' is now. */
void mirror_index_put(struct mirror_index *x, size_t at, const struct mirror_tree *t);

bool mirror_kind_has(const struct mirror_kind *k, int32_t item);
