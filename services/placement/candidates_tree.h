/* A tree of providers and those that share with it, as the walk looks at them: who may serve which level, found out when it is first asked; and
 * whether that can work out for all levels together. What the walk would find out only at the end of every branch is seen here at once. */
#pragma once

#include "candidates_picks.h"

struct candidates_tree {
    const struct candidates_plan *plan;
    const struct mirror_tree *tree;
    const struct mirror_provider *root;
    const struct mirror_provider *const *shared;
    uint64_t shared_can;
    size_t shared_count, providers; /* The tree's members, then those that share with it. */
    size_t pinned;                  /* This level must be served by 'pin'; SIZE_MAX: none. */
    const struct mirror_tree *pin;
    uint64_t *known, *may; /* By level, a bit for each provider. */
    size_t words, capacity;
    size_t *owner; /* Scratch of the matching. */
    bool *tried;
    size_t providers_capacity;
};

/* False: no candidate. 'shared_can' is from candidates_sharers_of(). 'x' is made again for each tree; its arrays grow in the plan's arena. */
bool candidates_tree_make(struct candidates_tree *x, const struct candidates_plan *plan,
                          const struct mirror_tree *t, const struct mirror_provider *const *shared,
                          size_t shared_count, uint64_t shared_can);

/* Looks further ahead than the walk does, at a price: could each level from this one on still be served beside what is picked? */
bool candidates_tree_open(struct candidates_tree *x, const struct picks *k, size_t level);

/* Could the groups of each same_subtree still come below one of their providers? */
bool candidates_tree_subtrees(struct candidates_tree *x, const struct picks *k, size_t level);

/* A member's place in its tree. */
size_t candidates_tree_place(const struct candidates_tree *x, const struct mirror_provider *p);

bool candidates_tree_judge(struct candidates_tree *x, size_t level, size_t provider);

static inline const struct mirror_provider *
candidates_tree_provider(const struct candidates_tree *x, size_t i)
{
    return i < x->tree->count ? x->tree->members[i] : x->shared[i - x->tree->count];
}

/* May the provider alone serve the level, if nothing else is asked of it? */
static inline bool
candidates_tree_may(struct candidates_tree *x, size_t level, size_t provider)
{
    size_t word = level * x->words + provider / 64;

    if ((x->known[word] >> (provider % 64) & 1) != 0)
        return (x->may[word] >> (provider % 64) & 1) != 0;
    return candidates_tree_judge(x, level, provider);
}
