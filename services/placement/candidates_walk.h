/* The plan, as the two halves of candidates.h share it. */
#pragma once

#include "candidates.h"

struct candidates_plan {
    const struct request *request;
    struct arena *arena;
    struct plan_group *groups; /* As request->groups. */
    struct plan_any root_required, root_forbidden;
    struct plan_any *subtrees; /* Indexes of groups, as request->same_subtrees. */
    size_t max_picks;          /* Of one candidate. */
    size_t suffixed;           /* Groups. */
    struct plan_total {
        int class_id;
        int64_t amount;
    } * totals; /* What all groups want together. */
    size_t totals_count;
};
