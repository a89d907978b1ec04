/* What refuses a request at a tree, rule by rule: each function finds the first fault of its kind, says in 'ret' what it is and returns false; true: none. */
#pragma once

#include "candidates_plan.h"
#include "verdict.h"

struct judge {
    struct arena *arena;
    const struct candidates_plan *plan;
    bool text;                      /* Also the reason, for people. */
    const struct mirror_tree *tree; /* Of which is spoken, ... */
    const struct mirror_provider *root;
    const struct mirror_provider *const *shared; /* ... and who shares with it. */
    size_t shared_count;
};

/* Refuses, with a reason that begins with the group and the provider where there are several to speak of. */
bool judge_refuse(struct judge *v, struct verdict *ret, const char *rule,
                  const struct plan_group *g, const struct mirror_provider *p, const char *format,
                  ...) _printf_(6, 7);

bool judge_root(struct judge *v, struct verdict *ret);
bool judge_group(struct judge *v, struct verdict *ret, const struct plan_group *g);
bool judge_totals(struct judge *v, struct verdict *ret); /* All groups together. */

/* Of a tree that is no host for the request but shares a part of it: always refuses. */
void judge_shares(struct judge *v, struct verdict *ret);
