/* Other places for what drained hosts run. The largest go first, as long as there is most room. Consumers that want the same are one demand, whose search
 * goes on where the last one found its place: nothing is given back on the way, so a tree that refused one refuses the next. */
#include <stdlib.h>

#include "base/array.h"
#include "candidates_plan.h"
#include "simulation_pass.h"
#include "verdict.h"

/* So many demands without a place are told what refuses them. */
#define EXPLAINED 10

static const struct candidates_options options = { .nested = true };

/* --- The largest first */

struct room {
    int class_id;
    double free;
};

struct sized {
    struct simulation_demand *demand;
    double share; /* The most of what is free of a class that one of them wants. */
};

static double
free_of(const struct pass *p, int class_id)
{
    double sum = 0;

    for (size_t i = 0; i < p->fork->trees_count; i++) {
        const struct mirror_tree *t = pass_original(p, i);

        for (uint32_t k = 0; t != NULL && k < t->count; k++) {
            const struct mirror_stock *s = mirror_stock(t->members[k], class_id);

            sum += s == NULL ? 0 : MAX(stock_room(s) - (double)s->used, 0.0);
        }
    }
    return sum;
}

static double
share_of(struct pass *p, struct room **rooms, size_t *count, size_t *capacity,
         const struct plan_total *total)
{
    size_t i = 0;

    while (i < *count && (*rooms)[i].class_id != total->class_id)
        i++;
    if (i == *count)
        *ARRAY_PUSH(p->arena, *rooms, *count, *capacity) =
            (struct room){ total->class_id, free_of(p, total->class_id) };
    return (double)total->amount / MAX((*rooms)[i].free, 1.0);
}

static int
compare(const void *a, const void *b)
{
    const struct sized *x = a, *y = b;

    if (x->share < y->share || x->share > y->share)
        return x->share < y->share ? 1 : -1;
    return x->demand < y->demand ? -1 : x->demand > y->demand;
}

static struct sized *
by_size(struct pass *p)
{
    const struct simulation_changes *changes = p->changes;
    struct sized *all = ARENA_ARRAY(p->arena, struct sized, changes->demands_count);
    size_t count = 0, capacity = 0;
    struct room *rooms = NULL;

    for (size_t i = 0; i < changes->demands_count; i++) {
        const struct candidates_plan *plan = changes->demands[i].plan;

        all[i].demand = &changes->demands[i];
        for (size_t k = 0; k < plan->totals_count; k++)
            all[i].share =
                MAX(all[i].share, share_of(p, &rooms, &count, &capacity, &plan->totals[k]));
    }
    qsort(all, changes->demands_count, sizeof(*all), compare);
    return all;
}

/* --- Where */

/* What stays must be within the tree's reach. */
static bool
reaches(const struct mirror_tree *t, const struct mirror_provider *kept)
{
    if (kept->tree == t)
        return true;
    for (uint32_t i = 0; kept->sharing && i < kept->aggregates_count; i++) {
        for (uint32_t k = 0; k < t->count; k++) {
            if (mirror_in_aggregate(t->members[k], kept->aggregates[i]))
                return true;
        }
    }
    return false;
}

static bool
may_take(const struct simulation_demand *d, const struct mirror_tree *t)
{
    for (size_t i = 0; t != NULL && i < d->kept_count; i++) {
        if (!reaches(t, d->kept[i]))
            return false;
    }
    return t != NULL;
}

struct taking {
    int64_t most, taken;
};

static bool
take(void *owner, const struct candidate *c)
{
    struct taking *x = owner;

    x->taken = x->most == 0 ? 1 : pass_take(c, x->most); /* 0: only whether there is one. */
    return false;
}

/* As many of the demand as the tree takes. */
static void
place_at(struct pass *p, struct candidates_walker *w, struct simulation_demand *d, size_t at)
{
    struct taking x = { 0 };

    candidates_walk_tree(w, pass_tree(p, at), take, &x);
    if (x.taken == 0)
        return;
    pass_keep(p, at);
    while (d->placed < d->count) {
        x = (struct taking){ .most = (int64_t)(d->count - d->placed) };
        candidates_walk_tree(w, pass_tree(p, at), take, &x);
        if (x.taken == 0)
            return;
        while (x.taken-- > 0)
            d->moves[d->placed++].at = at;
    }
}

static void
note_refusals(struct pass *p, struct simulation_demand *d)
{
    struct verdicts *verdicts = verdicts_new(&p->scope, d->plan, p->arena);

    for (size_t i = 0; i < p->trees_count; i++) {
        const struct mirror_tree *t = pass_original(p, i);
        struct verdict v;

        if (t == NULL || !verdict_concerns(verdicts, t))
            continue;
        verdict_at(verdicts, pass_tree(p, i), false, &v);
        if (!may_take(d, t))
            v.rule = "kept"; /* It may fit, but away from what stays. */
        verdict_counts_add(&d->refused, p->arena, v.rule == NULL ? "fits" : v.rule, 1);
    }
}

void
pass_move(struct pass *p, struct simulation_outcome *o)
{
    struct sized *all = by_size(p);
    size_t explained = 0;

    p->kept = ARENA_ARRAY(p->arena, struct mirror_tree *, p->trees_count + 1);
    for (size_t i = 0; i < p->changes->demands_count; i++) {
        struct simulation_demand *d = all[i].demand;
        struct candidates_walker *w = candidates_walker(&p->scope, d->plan, &options);

        for (size_t at = 0; at < p->trees_count && d->placed < d->count; at++) {
            if (may_take(d, pass_original(p, at)))
                place_at(p, w, d, at);
        }
        o->moved += (int64_t)d->placed;
        o->stuck += (int64_t)(d->count - d->placed);
        if (d->placed < d->count && explained++ < EXPLAINED)
            note_refusals(p, d);
    }
}
