/* Why a tree of providers cannot serve a request: the first rule that refuses it, what was wanted and what was there. Whether it can is the
 * walk's to say (candidates.h), so that an explanation and the candidates never disagree. */
#pragma once

#include "candidates.h"

struct verdict {
    /* "in_tree", "root_required", "required", "member_of", a resource class, "group_policy", "same_subtree", "together", "bound"; NULL: it
     * fits. */
    const char *rule;
    const char *group; /* Suffix of the group it is about; NULL: of no single one. */
    const struct mirror_provider *provider; /* That came nearest; NULL: of no single one. */
    const char *reason;                     /* For people; NULL unless asked for, or if it fits. */
    const char *class_name;                 /* NULL: no resource's fault. */
    int64_t wanted;
    double available;
};

/* Everything that is needed for one tree after the other. Lives in the arena, valid while the mirror is held. */
struct verdicts;
struct verdicts *verdicts_new(const struct candidates_scope *scope,
                              const struct candidates_plan *plan, struct arena *a);

/* 'text': also the reason, in the arena. */
void verdict_of(struct verdicts *v, const struct mirror_tree *t, bool text, struct verdict *ret);

/* False: the tree has nothing to do with the request, such as a share of disks that no tree of the request is near. */
bool verdict_concerns(const struct verdicts *v, const struct mirror_tree *t);
