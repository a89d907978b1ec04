#include "candidates_tree.h"

#include <math.h>

#define NOBODY SIZE_MAX

/* --- One provider and one level */

static bool
has_room(const struct plan_group *g, const struct plan_level *l, const struct mirror_provider *p)
{
    for (size_t i = l->first; i < l->first + l->count; i++) {
        const struct mirror_stock *s = mirror_stock(p, g->class_ids[i]);

        if (s == NULL || !stock_fits(s, g->request->wants[i].amount))
            return false;
    }
    return true;
}

/* All of a group with a suffix. */
static bool
serves_all(const struct plan_group *g, const struct mirror_provider *p)
{
    if (g->request->in_tree != NULL && !plan_in_tree(g, p->tree))
        return false;
    /* A group that wants nothing and asks for nothing, but at most against something, is served by nobody, upstream. */
    if (g->request->wants_count + g->request->required_count + g->request->member_of_count == 0)
        return false;
    return plan_has_traits(g, p) && !plan_has_forbidden(g, p) && plan_in_aggregates(g, p) &&
           !plan_in_forbidden(g, p);
}

/* One resource of the group without a suffix. An aggregate on the root spans the tree. */
static bool
serves_one(const struct candidates_tree *x, const struct plan_group *g,
           const struct mirror_provider *p)
{
    bool shared = p->tree != x->tree;

    if (plan_has_forbidden(g, p))
        return false;
    if (g->request->in_tree != NULL && (shared || !plan_in_tree(g, x->tree)))
        return false;
    if (!plan_in_aggregates(g, p) && (shared || !plan_in_aggregates(g, x->root)))
        return false;
    return !plan_in_forbidden(g, p) && !plan_in_forbidden(g, x->root);
}

bool
candidates_tree_judge(struct candidates_tree *x, size_t level, size_t provider)
{
    const struct plan_level *l = &x->plan->levels[level];
    const struct plan_group *g = &x->plan->groups[l->group];
    const struct mirror_provider *p = candidates_tree_provider(x, provider);
    size_t word = level * x->words + provider / 64;
    uint64_t bit = UINT64_C(1) << (provider % 64);
    bool may = (x->pinned != level || p->tree == x->pin) && has_room(g, l, p) &&
               (l->suffixed ? serves_all(g, p) : serves_one(x, g, p));

    x->known[word] |= bit;
    if (may)
        x->may[word] |= bit;
    return may;
}

/* --- Each group from another provider: a matching of groups and providers, found by augmenting paths. 'owner' is by provider. */

static bool
augment(struct candidates_tree *x, const struct picks *k, size_t level)
{
    for (size_t i = 0; i < x->providers; i++) {
        if (x->tried[i] || !candidates_tree_may(x, level, i) ||
            !picks_may(k, &x->plan->levels[level], candidates_tree_provider(x, i)))
            continue;
        x->tried[i] = true;
        if (x->owner[i] == NOBODY || augment(x, k, x->owner[i])) {
            x->owner[i] = level;
            return true;
        }
    }
    return false;
}

static bool
can_isolate(struct candidates_tree *x, const struct picks *k, size_t level)
{
    for (size_t i = 0; i < x->providers; i++)
        x->owner[i] = NOBODY;
    for (; level < x->plan->levels_count; level++) {
        if (!x->plan->levels[level].suffixed)
            continue;
        memset(x->tried, 0, x->providers * sizeof(*x->tried));
        if (!augment(x, k, level))
            return false;
    }
    return true;
}

/* --- All levels together must not want more of a class than there is. */

/* What the provider could give of it, to those that it may serve. */
static int64_t
can_give(struct candidates_tree *x, const struct picks *k, size_t level, size_t provider,
         int class_id)
{
    const struct mirror_provider *p = candidates_tree_provider(x, provider);
    const struct mirror_stock *s = mirror_stock(p, class_id);

    for (; s != NULL && level < x->plan->levels_count; level++) {
        const struct plan_level *l = &x->plan->levels[level];
        const struct plan_group *g = &x->plan->groups[l->group];

        for (size_t i = l->first; i < l->first + l->count; i++) {
            if (g->class_ids[i] == class_id && candidates_tree_may(x, level, provider) &&
                picks_may(k, l, p))
                return picks_left(k, p, s);
        }
    }
    return 0;
}

static bool
has_enough(struct candidates_tree *x, const struct picks *k, size_t level)
{
    for (size_t t = 0; t < x->plan->totals_count; t++) {
        int64_t need = plan_need(x->plan, level, t);

        for (size_t i = 0; i < x->providers && need > 0; i++)
            need -= can_give(x, k, level, i, x->plan->totals[t].class_id);
        if (need > 0)
            return false;
    }
    return true;
}

static bool
has_somebody(struct candidates_tree *x, const struct picks *k, size_t level)
{
    bool shared = level >= 63 || (x->shared_can >> level & 1) != 0;
    size_t providers = shared ? x->providers : x->tree->count;

    for (size_t i = 0; i < providers; i++) {
        if (candidates_tree_may(x, level, i) &&
            picks_may(k, &x->plan->levels[level], candidates_tree_provider(x, i)))
            return true;
    }
    return false;
}

static bool
each_has_somebody(struct candidates_tree *x, const struct picks *k, size_t level)
{
    for (; level < x->plan->levels_count; level++) {
        if (!has_somebody(x, k, level))
            return false;
    }
    return true;
}

bool
candidates_tree_open(struct candidates_tree *x, const struct picks *k, size_t level)
{
    return each_has_somebody(x, k, level) && has_enough(x, k, level) &&
           (!x->plan->request->isolate || can_isolate(x, k, level));
}

/* --- Subtrees */

size_t
candidates_tree_place(const struct candidates_tree *x, const struct mirror_provider *p)
{
    size_t low = 0, high = x->tree->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (x->tree->members[middle]->id < p->id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* May 'top', or one above it, serve one of the groups that are to come? */
static bool
may_top(struct candidates_tree *x, const struct plan_any *groups, size_t level,
        const struct mirror_provider *top)
{
    bool own = top->tree == x->tree;

    for (; level < x->plan->levels_count; level++) {
        if (!plan_any_has(groups, (int)x->plan->levels[level].group))
            continue;
        if (!own)
            return true; /* Of another tree's providers only those that share are known here. */
        for (const struct mirror_provider *p = top; p != NULL; p = p->parent) {
            if (candidates_tree_may(x, level, candidates_tree_place(x, p)))
                return true;
        }
    }
    return false;
}

bool
candidates_tree_subtrees(struct candidates_tree *x, const struct picks *k, size_t level)
{
    for (size_t i = 0; i < x->plan->request->same_subtrees_count; i++) {
        struct picks_subtree s = picks_subtree(k, &x->plan->subtrees[i]);

        if (!s.begun || s.found)
            continue;
        if (s.top == NULL || !may_top(x, &x->plan->subtrees[i], level, s.top))
            return false;
    }
    return true;
}

/* --- Making it */

static void
reserve(struct candidates_tree *x)
{
    size_t bits;

    x->words = (x->providers + 63) / 64;
    bits = x->words * x->plan->levels_count;
    if (bits > x->capacity) {
        x->capacity = bits * 2;
        x->known = ARENA_ARRAY(x->plan->arena, uint64_t, x->capacity);
        x->may = ARENA_ARRAY(x->plan->arena, uint64_t, x->capacity);
    }
    memset(x->known, 0, bits * sizeof(*x->known));
    memset(x->may, 0, bits * sizeof(*x->may));
    if (x->providers > x->providers_capacity) {
        x->providers_capacity = x->providers * 2;
        x->owner = ARENA_ARRAY(x->plan->arena, size_t, x->providers_capacity);
        x->tried = ARENA_ARRAY(x->plan->arena, bool, x->providers_capacity);
    }
}

bool
candidates_tree_make(struct candidates_tree *x, const struct candidates_plan *plan,
                     const struct mirror_tree *t, const struct mirror_provider *const *shared,
                     size_t shared_count, uint64_t shared_can)
{
    struct picks none = { .plan = plan, .nested = true };

    x->plan = plan;
    x->tree = t;
    x->root = mirror_root(t->members[0]);
    x->shared = shared;
    x->shared_count = shared_count;
    x->shared_can = shared_can;
    x->providers = t->count + shared_count;
    reserve(x);
    if (plan->suffixed == 0) /* For the rest the walk of the one group is as quick. */
        return each_has_somebody(x, &none, 0);
    return candidates_tree_open(x, &none, 0);
}
