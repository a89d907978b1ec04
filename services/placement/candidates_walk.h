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
};
