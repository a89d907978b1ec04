/* Why a tree of providers cannot serve a request: the first rule that refuses it, what was wanted and what was there. Whether it can is the
 * walk's to say (candidates.h), so that an explanation and the candidates never disagree: a tree fits if and only if one of its providers is in
 * some candidate, be it of another tree that it shares with. */
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

/* The same of the tree as the place where the request is served, be it by others alone that share with it. */
void verdict_at(struct verdicts *v, const struct mirror_tree *t, bool text, struct verdict *ret);

/* Before another pass over the trees: all the steps of its walks anew. */
void verdicts_again(struct verdicts *v);

/* False: the tree has nothing to do with the request and is in no candidate, such as a share of disks that no tree of the request is near. */
bool verdict_concerns(const struct verdicts *v, const struct mirror_tree *t);
