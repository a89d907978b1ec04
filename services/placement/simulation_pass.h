/* One pass of a simulation over the trees of a fork, as its two halves share it: moving what drained hosts run, and filling what is left. */
#pragma once

#include "simulation.h"

struct pass {
    const struct mirror_fork *fork;
    const struct simulation_changes *changes; /* NULL: none. */
    struct candidates_scope scope;
    const struct mirror_tree **sharing_originals; /* Trees that share, and their copies. */
    struct mirror_tree **sharing_copies;
    size_t sharing_count;
    size_t trees_count; /* The fork's, and after them those that are added. */
    struct mirror_tree *
        *kept;          /* By number of tree: a copy that something was moved to; NULL: as it is. */
    struct arena *tree; /* Of the tree whose turn it is. */
    struct arena *arena;
};

/* The tree of that number before anything is changed of it; NULL: it is drained. */
const struct mirror_tree *pass_original(const struct pass *p, size_t at);

/* Its copy with the changes, to be filled: good until the next call, unless it is kept. */
struct mirror_tree *pass_tree(struct pass *p, size_t at);
void pass_keep(struct pass *p, size_t at);

/* Takes a candidate as often as it fits, but at most 'most' times; returns how often. All that its picks point at is a copy. */
int64_t pass_take(const struct candidate *c, int64_t most);

/* Finds a place for each of the changes' demands, the largest first: simulation_moves.c. */
void pass_move(struct pass *p, struct simulation_outcome *o);
