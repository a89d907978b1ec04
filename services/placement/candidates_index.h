/* Which trees are worth a walk: the plan's conditions that the mirror's index can answer. Those that some sharing provider might fulfil
 * in a tree's place are left out. */
#pragma once

#include "candidates.h"

struct candidates_index;

/* Lives in the arena; valid while the mirror is held. */
struct candidates_index *candidates_index(const struct candidates_scope *scope,
                                          const struct candidates_plan *plan, struct arena *a);

/* The first tree from 'at' on that may serve the plan; the number of trees: none. */
size_t candidates_index_next(const struct candidates_index *x, size_t at);
