/* Candidates: where a request would fit, found in the mirror one at a time.
 *
 * Each tree of providers is an anchor: its own providers, and those that share with it through an aggregate, may serve the
 * request. A walk over the groups and their resources picks a provider for each and gives up a branch at the first rule that it breaks,
 * so what was found is handed out at once and nothing is kept: memory is one candidate's, and time grows with the number asked
 * for as long as there is room. The meaning of each parameter is upstream's (placement/objects/allocation_candidate.py). */
#pragma once

#include "mirror.h"
#include "request.h"

/* One amount of one class from one provider. */
struct candidate_pick {
    const struct mirror_provider *provider;
    int class_id;
    int64_t amount;
};

/* Which provider (of several for the group without a suffix) serves a group. */
struct candidate_mapping {
    const char *suffix;
    const struct mirror_provider *provider;
};

struct candidate {
    const struct candidate_pick *picks; /* Each provider and class once. */
    size_t picks_count;
    const struct candidate_mapping *mappings; /* By group; each pair once. */
    size_t mappings_count;
};

struct candidates_options {
    bool nested; /* From 1.29: several providers of one tree may serve. */
    /* How many will be taken, 0: all. Then trees take turns, so that the few are of many hosts and not all of the first: each gives one, those
     * that have more up to four, and so on. */
    int64_t limit;
    /* 0: a built-in bound on steps of the walk that lead to nothing, against requests whose every branch fails at its end. */
    uint64_t max_steps;
    bool
        careful; /* Looks ahead from the first step on, not only where it finds nothing for long: for tests. */
};

/* Where to look: the mirror, or a fork of it. */
struct candidates_scope {
    struct mirror_tree *const *trees;
    struct mirror_provider *const *sharing;
    const struct mirror_index *index; /* NULL: each tree is walked. */
    size_t trees_count, sharing_count;
};
struct candidates_scope candidates_scope(const struct mirror *m);

/* A request with its names looked up in a mirror. Lives in the arena; valid while the mirror is held. */
struct candidates_plan;

/* FAULT_INVALID: an unknown class or trait, in upstream's words. */
int candidates_plan(const struct mirror *m, const struct request *r, struct arena *a,
                    struct candidates_plan **ret, struct fault *f);

/* The same of groups that name nothing to be looked up but classes, by number: 'class_ids' is by group and want. */
struct candidates_plan *candidates_plan_of(const struct request *r, int *const *class_ids,
                                           struct arena *a);

/* Calls take() with each candidate until it returns false. The candidate is the walk's own: copy what is to stay. Returns false if the walk
 * was given up at the bound, so that there may be more. */
bool candidates_walk(const struct mirror *m, const struct candidates_plan *plan,
                     const struct candidates_options *options,
                     bool (*take)(void *owner, const struct candidate *c), void *owner);

/* The same for one tree, as often as one likes; nothing is left out for having been found at another tree. Lives in the plan's arena.
 * Returns false if the walk was given up at the bound. */
struct candidates_walker;
struct candidates_walker *candidates_walker(const struct candidates_scope *scope,
                                            const struct candidates_plan *plan,
                                            const struct candidates_options *options);
void candidates_walker_grant(struct candidates_walker *w); /* All its steps anew. */
bool candidates_walk_tree(struct candidates_walker *w, const struct mirror_tree *t,
                          bool (*take)(void *owner, const struct candidate *c), void *owner);

/* The same, of candidates in which a provider of 'user' serves that level of the plan (candidates_plan.h). */
bool candidates_walk_using(struct candidates_walker *w, const struct mirror_tree *t,
                           const struct mirror_tree *user, size_t level,
                           bool (*take)(void *owner, const struct candidate *c), void *owner);

/* --- The rules about one provider, for lists and explanations too. */

/* Room for more of a class, after ratio and reservation: what may be used, used or not. */
double stock_room(const struct mirror_stock *s);
bool stock_fits(const struct mirror_stock *s, int64_t amount);

/* A group with its names looked up. */
struct plan_any {
    int *ids; /* -1: a name that nothing has. */
    size_t count;
};
struct plan_group {
    const struct request_group *request;
    int *class_ids; /* As request->wants. */
    struct plan_any *required, *member_of;
    struct plan_any forbidden, forbidden_aggregates;
    const struct mirror_tree
        *in_tree; /* Where request->in_tree is; NULL: nowhere, or not asked for. */
};
int plan_group_make(const struct mirror *m, const struct request_group *g, struct arena *a,
                    struct plan_group *ret, struct fault *f);

bool plan_has_traits(const struct plan_group *g,
                     const struct mirror_provider *p); /* All that are required. */
bool plan_has_forbidden(const struct plan_group *g, const struct mirror_provider *p);
bool plan_in_aggregates(const struct plan_group *g, const struct mirror_provider *p);
bool plan_in_forbidden(const struct plan_group *g, const struct mirror_provider *p);
