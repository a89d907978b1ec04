#include "candidates_tree.h"

#include <math.h>

#include "candidates_walk.h"

#define NOBODY SIZE_MAX

/* One tree on its way. */
struct look {
    struct candidates_tree *x;
    const struct candidates_plan *plan;
    const struct mirror_tree *tree;
    const struct mirror_provider *const *shared;
    size_t providers;
};

static const struct mirror_provider *
provider(const struct look *l, size_t i)
{
    return i < l->tree->count ? l->tree->members[i] : l->shared[i - l->tree->count];
}

static bool
is_suffixed(const struct look *l, size_t group)
{
    return l->plan->groups[group].request->suffix[0] != '\0';
}

/* May 'p' alone serve the group, if nothing else is asked of it? */
static bool
may_serve(const struct plan_group *g, const struct mirror_provider *p)
{
    if (g->request->in_tree != NULL && p->tree != g->in_tree)
        return false;
    /* A group that wants nothing and asks for nothing, but at most against something, is served by nobody, upstream. */
    if (g->request->wants_count + g->request->required_count + g->request->member_of_count == 0)
        return false;
    for (size_t i = 0; i < g->request->wants_count; i++) {
        const struct mirror_stock *s = mirror_stock(p, g->class_ids[i]);

        if (s == NULL || !stock_fits(s, g->request->wants[i].amount))
            return false;
    }
    return plan_has_traits(g, p) && !plan_has_forbidden(g, p) && plan_in_aggregates(g, p) &&
           !plan_in_forbidden(g, p);
}

static bool
mark(struct look *l, size_t group)
{
    uint64_t *bits = &l->x->bits[group * l->x->words], any = 0;

    memset(bits, 0, l->x->words * sizeof(*bits));
    for (size_t i = 0; i < l->providers; i++) {
        if (may_serve(&l->plan->groups[group], provider(l, i)))
            bits[i / 64] |= UINT64_C(1) << (i % 64);
    }
    for (size_t i = 0; i < l->x->words; i++)
        any |= bits[i];
    return any != 0;
}

/* --- Each group from another provider: a matching of groups and providers, found by augmenting paths. 'owner' is by provider. */

static bool
augment(struct look *l, size_t *owner, size_t group)
{
    for (size_t i = 0; i < l->providers; i++) {
        if (!candidates_tree_may(l->x, group, i) || l->x->tried[i])
            continue;
        l->x->tried[i] = true;
        if (owner[i] == NOBODY || augment(l, owner, owner[i])) {
            owner[i] = group;
            return true;
        }
    }
    return false;
}

static bool
can_isolate(struct look *l)
{
    size_t *owner = l->x->owner;

    for (size_t i = 0; i < l->providers; i++)
        owner[i] = NOBODY;
    for (size_t g = 0; g < l->plan->request->groups_count; g++) {
        if (!is_suffixed(l, g))
            continue;
        memset(l->x->tried, 0, l->providers * sizeof(*l->x->tried));
        if (!augment(l, owner, g))
            return false;
    }
    return true;
}

/* --- All groups together must not want more of a class than there is. */

static bool
has_enough(const struct look *l, int class_id, int64_t wanted)
{
    double left = 0;

    for (size_t i = 0; i < l->providers && left < (double)wanted; i++) {
        const struct mirror_stock *s = mirror_stock(provider(l, i), class_id);

        if (s != NULL)
            left += fmax(0, floor(stock_room(s) - (double)s->used));
    }
    return left >= (double)wanted;
}

static bool
has_enough_of_all(const struct look *l)
{
    for (size_t i = 0; i < l->plan->totals_count; i++) {
        if (!has_enough(l, l->plan->totals[i].class_id, l->plan->totals[i].amount))
            return false;
    }
    return true;
}

static void
reserve(struct candidates_tree *x, const struct candidates_plan *plan, size_t providers)
{
    size_t bits;

    x->words = (providers + 63) / 64;
    bits = x->words * plan->request->groups_count;
    if (bits > x->capacity) {
        x->capacity = bits * 2;
        x->bits = ARENA_ARRAY(plan->arena, uint64_t, x->capacity);
    }
    if (providers > x->providers_capacity) {
        x->providers_capacity = providers * 2;
        x->owner = ARENA_ARRAY(plan->arena, size_t, x->providers_capacity);
        x->tried = ARENA_ARRAY(plan->arena, bool, x->providers_capacity);
    }
}

bool
candidates_tree_make(struct candidates_tree *x, const struct candidates_plan *plan,
                     const struct mirror_tree *t, const struct mirror_provider *const *shared,
                     size_t shared_count)
{
    struct look l = {
        .x = x, .plan = plan, .tree = t, .shared = shared, .providers = t->count + shared_count
    };

    if (plan->suffixed == 0)
        return true; /* The walk of the one group is as quick. */
    reserve(x, plan, l.providers);
    for (size_t g = 0; g < plan->request->groups_count; g++) {
        if (is_suffixed(&l, g) && !mark(&l, g))
            return false;
    }
    return has_enough_of_all(&l) && (!plan->request->isolate || can_isolate(&l));
}
