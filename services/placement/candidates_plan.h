/* The plan, as the files behind candidates.h share it: the groups with their names looked up, and the levels of the walk over them. */
#pragma once

#include "candidates.h"

/* What one pick of a provider serves: all wants of a group with a suffix, or one want of the group without. */
struct plan_level {
    size_t group, first, count; /* The group's wants [first, first + count). */
    bool suffixed;
    bool ends; /* The group's last. */
};

struct candidates_plan {
    const struct request *request;
    struct arena *arena;
    struct plan_group *groups; /* As request->groups. */
    struct plan_any root_required, root_forbidden;
    struct plan_any *subtrees; /* Indexes of groups, as request->same_subtrees. */
    struct plan_level *levels; /* Group by group. */
    size_t levels_count;
    size_t max_picks; /* Of one candidate. */
    size_t suffixed;  /* Groups. */
    size_t plain;     /* The group without a suffix, or SIZE_MAX. */
    struct plan_total {
        int class_id;
        int64_t amount;
    } * totals; /* What all groups want together. */
    size_t totals_count;
    int64_t *needs; /* By level and total: what that level and those after it want together. */
};

/* The name of a class that some group wants. */
const char *plan_class_name(const struct candidates_plan *plan, int class_id);

size_t plan_total_at(const struct candidates_plan *plan, int class_id);

static inline int64_t
plan_need(const struct candidates_plan *plan, size_t level, size_t total)
{
    return plan->needs[level * plan->totals_count + total];
}

/* Is 't', or a copy of it, the tree that the group must come from? */
static inline bool
plan_in_tree(const struct plan_group *g, const struct mirror_tree *t)
{
    return g->in_tree != NULL && g->in_tree->root_id == t->root_id;
}

static inline bool
plan_any_has(const struct plan_any *any, int value)
{
    for (size_t i = 0; i < any->count; i++) {
        if (any->ids[i] == value)
            return true;
    }
    return false;
}
