/* What the walk has picked so far, as a stack, and the rules about several picks together. */
#pragma once

#include "candidates_plan.h"

/* A group without resources has one with amount 0. */
struct pick {
    const struct mirror_provider *provider;
    int class_id; /* -1: no resource. */
    int64_t amount;
    size_t group;
};

struct picks {
    const struct candidates_plan *plan;
    bool nested; /* From 1.29. Before, a candidate uses one provider of a tree only. */
    struct pick *items;
    size_t count;
};

/* May 'p', which alone may serve the level, serve it beside what is picked? */
bool picks_may(const struct picks *k, const struct plan_level *l, const struct mirror_provider *p);

void picks_push(struct picks *k, const struct plan_level *l, const struct mirror_provider *p);

/* How much the inventory could still give to one consumer. */
int64_t picks_left(const struct picks *k, const struct mirror_provider *p,
                   const struct mirror_stock *s);

/* Has one of the group's providers one of these traits? */
bool picks_have_trait(const struct picks *k, size_t group, const struct plan_any *traits);

/* Of groups that shall be below one of their providers: how things stand. */
struct picks_subtree {
    bool begun; /* A group of them is picked. */
    const struct mirror_provider
        *top;   /* The nearest that all picked are below, or are; NULL: there is none. */
    bool found; /* It is one of the picked. */
};
struct picks_subtree picks_subtree(const struct picks *k, const struct plan_any *groups);
