/* Before a tree is walked: who of it may serve which group with a suffix, and whether that can work out for all groups together. What the
 * walk would find out only at the end of every branch is seen here at once. */
#pragma once

#include "candidates.h"

struct candidates_tree {
    uint64_t *
        bits; /* By group, a bit for each provider: the tree's members, then those that share with it. */
    size_t words, capacity;
    size_t *owner; /* Scratch of the matching. */
    bool *tried;
    size_t providers_capacity;
};

/* False: no candidate. 'x' is made again for each tree; its arrays grow in the plan's arena. */
bool candidates_tree_make(struct candidates_tree *x, const struct candidates_plan *plan,
                          const struct mirror_tree *t, const struct mirror_provider *const *shared,
                          size_t shared_count);

static inline bool
candidates_tree_may(const struct candidates_tree *x, size_t group, size_t provider)
{
    return (x->bits[group * x->words + provider / 64] >> (provider % 64) & 1) != 0;
}
