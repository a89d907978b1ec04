#include "candidates_picks.h"

#include <math.h>

int64_t
picks_left(const struct picks *k, const struct mirror_provider *p, const struct mirror_stock *s)
{
    double room = floor(stock_room(s)) - (double)s->used;
    int64_t left = room < 0 ? 0 : room < (double)s->max_unit ? (int64_t)room : s->max_unit;

    for (size_t i = 0; i < k->count; i++) {
        if (k->items[i].provider == p && k->items[i].class_id == s->class_id)
            left -= k->items[i].amount;
    }
    return left;
}

static bool
is_flat(const struct picks *k, const struct mirror_provider *p)
{
    for (size_t i = 0; !k->nested && i < k->count; i++) {
        if (k->items[i].provider != p && k->items[i].provider->tree == p->tree)
            return false;
    }
    return true;
}

static bool
is_isolated(const struct picks *k, const struct plan_level *l, const struct mirror_provider *p)
{
    if (!k->plan->request->isolate || !l->suffixed)
        return true;
    for (size_t i = 0; i < k->count; i++) {
        if (k->items[i].provider == p &&
            k->plan->groups[k->items[i].group].request->suffix[0] != '\0')
            return false;
    }
    return true;
}

bool
picks_may(const struct picks *k, const struct plan_level *l, const struct mirror_provider *p)
{
    const struct plan_group *g = &k->plan->groups[l->group];

    if (k->count == 0)
        return true;
    if (!is_isolated(k, l, p) || !is_flat(k, p))
        return false;
    for (size_t i = l->first; i < l->first + l->count; i++) {
        if (picks_left(k, p, mirror_stock(p, g->class_ids[i])) < g->request->wants[i].amount)
            return false;
    }
    return true;
}

void
picks_push(struct picks *k, const struct plan_level *l, const struct mirror_provider *p)
{
    const struct plan_group *g = &k->plan->groups[l->group];

    for (size_t i = l->first; i < l->first + l->count; i++)
        k->items[k->count++] =
            (struct pick){ p, g->class_ids[i], g->request->wants[i].amount, l->group };
    if (l->count == 0)
        k->items[k->count++] = (struct pick){ p, -1, 0, l->group };
}

bool
picks_have_trait(const struct picks *k, size_t group, const struct plan_any *traits)
{
    for (size_t i = 0; i < k->count; i++) {
        for (size_t n = 0; k->items[i].group == group && n < traits->count; n++) {
            if (mirror_has_trait(k->items[i].provider, traits->ids[n]))
                return true;
        }
    }
    return false;
}

/* --- Subtrees */

static bool
is_below(const struct mirror_provider *p, const struct mirror_provider *ancestor)
{
    for (; p != NULL; p = p->parent) {
        if (p == ancestor)
            return true;
    }
    return false;
}

struct picks_subtree
picks_subtree(const struct picks *k, const struct plan_any *groups)
{
    struct picks_subtree s = { 0 };

    for (size_t i = 0; i < k->count; i++) {
        const struct mirror_provider *p = k->items[i].provider;

        if (!plan_any_has(groups, (int)k->items[i].group))
            continue;
        if (!s.begun)
            s = (struct picks_subtree){ true, p, true };
        if (s.found && !is_below(p, s.top))
            s.found = false;
        while (s.top != NULL && !is_below(p, s.top))
            s.top = s.top->parent;
        s.found = s.found || s.top == p;
    }
    return s;
}
