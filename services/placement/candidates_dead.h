/* Dead ends: states of the walk from which no candidate came, so that no state like it is gone into again.
 *
 * What decides whether the levels to come can be served is not which providers were picked, but what they left: who may still serve which
 * level, and how much of what is still wanted is left there. Two states are alike if they agree in that for some pairing of their
 * providers; with same_subtree, for one that keeps parents and children together. So of sixteen equal NUMA cells it is no matter which two are full; and where one of ten
 * thousand equal hosts is a dead end as a whole, all are. A state is kept as 128 bits of a keyed hash that does not depend on the
 * providers' order: sums over providers, and over children of their parents. */
#pragma once

#include "candidates_tree.h"

struct dead_ends;

#define DEAD_ENDS_LEVELS 512 /* Of a plan, at most. */

/* For one plan, any number of trees. Lives in the plan's arena. */
struct dead_ends *dead_ends_new(const struct candidates_plan *plan);
void dead_ends_enter(struct dead_ends *d); /* Another tree comes. */

struct dead_state {
    uint64_t a, b;
};

struct dead_state dead_ends_state(struct dead_ends *d, struct candidates_tree *x,
                                  const struct picks *k, size_t level);

bool dead_ends_any(const struct dead_ends *d);
bool dead_ends_has(const struct dead_ends *d, const struct dead_state *s);
void dead_ends_add(struct dead_ends *d, const struct dead_state *s); /* Up to a number of them. */
