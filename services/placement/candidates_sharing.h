/* Who shares with a tree, found through the tree's aggregates: what is looked at is that tree's, not all that share. */
#pragma once

#include "candidates_plan.h"

/* Lives in the arena; valid while the mirror is held. */
struct candidates_sharers;

/* 'plan' NULL: all that share. Else those that could serve some part of it. */
struct candidates_sharers *candidates_sharers(const struct candidates_scope *scope,
                                              const struct candidates_plan *plan, struct arena *a);

/* All that are kept. */
struct mirror_provider *const *candidates_sharers_all(const struct candidates_sharers *s,
                                                      size_t *ret_count);

/* Those outside the tree that share with it, in no order; the array is valid until the next call. 'ret_can': the levels of the plan, of the first 63, that
 * some of them could serve; a level that is not among them is served by none. */
const struct mirror_provider *const *candidates_sharers_of(struct candidates_sharers *s,
                                                           const struct mirror_tree *t,
                                                           size_t *ret_count, uint64_t *ret_can);
