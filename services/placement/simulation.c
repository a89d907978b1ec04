#include "simulation.h"

#include <math.h>
#include <stdlib.h>

#include "base/str.h"
#include "candidates_plan.h"
#include "verdict.h"

/* More than there is of anything; keeps sums in range whatever the ratios are. */
#define MOST INT64_C(1000000000000)

struct pass {
    const struct simulation_changes *changes;
    struct candidates_scope scope;
    const struct mirror_tree **sharing_originals; /* Trees that share, and their copies. */
    struct mirror_tree **sharing_copies;
    size_t sharing_count;
    struct candidates_walker *walker;
    struct verdicts *verdicts;
    struct arena *tree; /* Of the tree whose turn it is. */
    struct arena *arena;
    struct simulation_outcome *outcome;
};

/* --- Changes */

int
simulation_compare(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t) * (const struct mirror_tree *const *)a,
              y = (uintptr_t) * (const struct mirror_tree *const *)b;

    return x < y ? -1 : x > y;
}

static bool
has(const struct mirror_tree **trees, size_t count, const struct mirror_tree *t)
{
    return count > 0 && bsearch(&t, trees, count, sizeof(*trees), simulation_compare) != NULL;
}

static bool
is_drained(const struct pass *p, const struct mirror_tree *t)
{
    return p->changes != NULL && has(p->changes->drained, p->changes->drained_count, t);
}

static void
change_ratios(const struct pass *p, const struct mirror_tree *original, struct mirror_stock *s)
{
    for (size_t i = 0; p->changes != NULL && i < p->changes->ratios_count; i++) {
        const struct simulation_ratio *r = &p->changes->ratios[i];

        if (r->class_id == s->class_id &&
            (r->trees == NULL || has(r->trees, r->trees_count, original)))
            s->allocation_ratio = r->ratio;
    }
}

/* --- Copies. Names, traits and aggregates stay the fork's. */

static struct mirror_tree *
copy_tree(const struct pass *p, const struct mirror_tree *t, bool unused, struct arena *a)
{
    struct mirror_tree *copy = arena_memdup(a, t, sizeof(*t));

    copy->members = ARENA_ARRAY(a, struct mirror_provider *, t->count);
    for (uint32_t i = 0; i < t->count; i++) {
        struct mirror_provider *q = arena_memdup(a, t->members[i], sizeof(*q));

        q->tree = copy;
        q->stocks = q->stocks_count == 0
                        ? NULL
                        : arena_memdup(a, q->stocks, q->stocks_count * sizeof(*q->stocks));
        for (uint32_t k = 0; k < q->stocks_count; k++) {
            if (unused)
                q->stocks[k].used = 0;
            change_ratios(p, t, &q->stocks[k]);
        }
        copy->members[i] = q;
    }
    for (uint32_t i = 0; i < t->count; i++) {
        for (uint32_t k = 0; k < t->count; k++) {
            if (t->members[i]->parent == t->members[k])
                copy->members[i]->parent = copy->members[k];
        }
    }
    return copy;
}

/* Sharing providers give to many trees: one copy each, for the whole pass. */
static void
copy_sharing(struct pass *p, const struct mirror_fork *fork)
{
    struct mirror_provider **sharing =
        ARENA_ARRAY(p->arena, struct mirror_provider *, fork->sharing_count + 1);

    p->sharing_originals =
        ARENA_ARRAY(p->arena, const struct mirror_tree *, fork->sharing_count + 1);
    p->sharing_copies = ARENA_ARRAY(p->arena, struct mirror_tree *, fork->sharing_count + 1);
    for (size_t i = 0; i < fork->sharing_count; i++) {
        const struct mirror_tree *t = fork->sharing[i]->tree;
        size_t at = 0;

        if (is_drained(p, t))
            continue;
        while (at < p->sharing_count && p->sharing_originals[at] != t)
            at++;
        if (at == p->sharing_count) {
            p->sharing_originals[at] = t;
            p->sharing_copies[at] = copy_tree(p, t, false, p->arena);
            p->sharing_count++;
        }
        for (uint32_t k = 0; k < t->count; k++) {
            if (t->members[k] == fork->sharing[i])
                sharing[p->scope.sharing_count++] = p->sharing_copies[at]->members[k];
        }
    }
    p->scope.sharing = sharing;
}

static struct mirror_tree *
own_copy(const struct pass *p, const struct mirror_tree *t)
{
    for (size_t i = 0; i < p->sharing_count; i++) {
        if (p->sharing_originals[i] == t)
            return p->sharing_copies[i];
    }
    return copy_tree(p, t, false, p->tree);
}

/* --- Filling */

/* As often as the candidate fits. All that the picks point at is a copy of ours. */
static bool
take(void *owner, const struct candidate *c)
{
    int64_t *taken = owner, times = MOST;

    for (size_t i = 0; i < c->picks_count; i++) {
        const struct mirror_stock *s = mirror_stock(c->picks[i].provider, c->picks[i].class_id);
        double left = floor((stock_room(s) - (double)s->used) / (double)c->picks[i].amount);

        if (left < (double)times)
            times = left < 1 ? 1 : (int64_t)left;
    }
    for (size_t i = 0; i < c->picks_count; i++) {
        struct mirror_stock *s =
            (struct mirror_stock *)(uintptr_t)mirror_stock(c->picks[i].provider,
                                                           c->picks[i].class_id);
        int64_t more;

        if (__builtin_mul_overflow(times, c->picks[i].amount, &more) || more > INT64_MAX / 4)
            more = INT64_MAX / 4; /* Full; and sums with it stay in range. */
        s->used = MIN(s->used, INT64_MAX / 4) + more;
    }
    *taken = times;
    return false;
}

static int64_t
fill(struct pass *p, const struct mirror_tree *t)
{
    int64_t all = 0;

    for (;;) {
        int64_t taken = 0;

        candidates_walk_tree(p->walker, t, take, &taken);
        if (taken == 0)
            return all;
        all = MIN(all + taken, MOST);
        if (all == MOST)
            return all;
    }
}

/* It never had of that class: it is no host for this request, so nothing ran out there. */
static bool
is_foreign(const struct verdict *v)
{
    return v->class_name != NULL && v->group != NULL && v->provider == NULL;
}

static void
note(struct pass *p, const struct mirror_tree *t, bool added, int64_t taken)
{
    const struct mirror_provider *root = mirror_root(t->members[0]);
    struct simulation_outcome *o = p->outcome;
    struct verdict v;
    bool foreign;

    verdict_at(p->verdicts, t, o->reasons_count < SIMULATION_REASONS, &v);
    foreign = taken == 0 && is_foreign(&v);
    o->hosts += !foreign;
    o->hosts_used += taken > 0;
    o->fits = MIN(o->fits + taken, MOST);
    if (v.rule == NULL)
        return;
    verdict_counts_add(&o->refused, p->arena, foreign ? "no_inventory" : v.rule, 1);
    if (v.class_name != NULL && !foreign)
        verdict_counts_add(&o->exhausted, p->arena, v.class_name, 1);
    if (v.reason != NULL)
        o->reasons[o->reasons_count++] =
            (struct simulation_reason){ added ? NULL : arena_strdup(p->arena, root->uuid),
                                        added ? "(added)" : arena_strdup(p->arena, root->name),
                                        v.rule, v.reason };
}

static void
add_hosts(struct pass *p, const struct simulation_hosts *h)
{
    for (int64_t i = 0; i < h->count; i++) {
        const struct mirror_tree *t;

        arena_reset(p->tree);
        t = copy_tree(p, h->like, true, p->tree);
        if (verdict_concerns(p->verdicts, t))
            note(p, t, true, fill(p, t));
    }
}

void
simulation_run(const struct mirror_fork *fork, const struct candidates_plan *plan,
               const struct simulation_changes *changes, struct arena *a,
               struct simulation_outcome *ret)
{
    static const struct candidates_options options = { .nested = true };
    struct pass p = { .changes = changes, .arena = a, .tree = arena_new(), .outcome = ret };

    *ret = (struct simulation_outcome){ 0 };
    copy_sharing(&p, fork);
    p.walker = candidates_walker(&p.scope, plan, &options);
    p.verdicts = verdicts_new(&p.scope, plan, a);
    for (size_t i = 0; i < fork->trees_count; i++) {
        const struct mirror_tree *t = fork->trees[i];

        if (is_drained(&p, t) || !verdict_concerns(p.verdicts, t))
            continue;
        arena_reset(p.tree);
        t = own_copy(&p, t);
        note(&p, t, false, fill(&p, t));
    }
    for (size_t i = 0; changes != NULL && i < changes->hosts_count; i++)
        add_hosts(&p, &changes->hosts[i]);
    arena_free(p.tree);
}
