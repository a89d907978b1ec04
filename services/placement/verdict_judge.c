#include "verdict_judge.h"

#include <math.h>

#include "base/str.h"

static size_t
providers_count(const struct judge *v)
{
    return v->tree->count + v->shared_count;
}

static const struct mirror_provider *
provider_at(const struct judge *v, size_t i)
{
    return i < v->tree->count ? v->tree->members[i] : v->shared[i - v->tree->count];
}

/* --- Saying it */

/* A number as people write it: no fraction where there is none to say. */
static const char *
number(struct arena *a, double value)
{
    return arena_printf(a, value == (double)(int64_t)value ? "%.0f" : "%.1f", value);
}

/* "available 4.0 of 32 (16.0 x 2, 28 used)", with the reservation where there is one. */
static const char *
stock_text(struct arena *a, const struct mirror_stock *s)
{
    const char *total = s->reserved == 0
                            ? arena_printf(a, "%lld", (long long)s->total)
                            : arena_printf(a, "(%lld - %lld reserved)", (long long)s->total,
                                           (long long)s->reserved);

    return arena_printf(a, "available %.1f of %s (%.1f x %s, %lld used)",
                        stock_room(s) - (double)s->used, number(a, stock_room(s)),
                        s->allocation_ratio, total, (long long)s->used);
}

bool
judge_refuse(struct judge *v, struct verdict *ret, const char *rule, const struct plan_group *g,
             const struct mirror_provider *p, const char *format, ...)
{
    const char *who = "", *which = "", *suffix = g == NULL ? "" : g->request->suffix;
    va_list args;

    ret->rule = rule;
    ret->group = g == NULL ? NULL : suffix;
    ret->provider = p;
    if (!v->text)
        return false;
    if (suffix[0] != '\0')
        which = arena_printf(v->arena, "group %s: ", suffix);
    if (p != NULL && providers_count(v) > 1)
        who = arena_printf(v->arena, "%s: ", p->name);
    va_start(args, format);
    ret->reason =
        arena_printf(v->arena, "%s%s%s", which, who, arena_vprintf(v->arena, format, args));
    va_end(args);
    return false;
}

static bool
refuse_stock(struct judge *v, struct verdict *ret, const struct plan_group *g,
             const struct request_want *want, const struct mirror_provider *p,
             const struct mirror_stock *s)
{
    const char *name = want->class_name;
    long long wanted = (long long)want->amount;

    ret->class_name = name;
    ret->wanted = want->amount;
    ret->available = s == NULL ? 0 : stock_room(s) - (double)s->used;
    if (s == NULL)
        return judge_refuse(v, ret, name, g, p, "%s: wanted %lld, there is no inventory of it",
                            name, wanted);
    if ((double)(s->used + want->amount) > stock_room(s))
        return judge_refuse(v, ret, name, g, p, "%s: wanted %lld, %s", name, wanted,
                            v->text ? stock_text(v->arena, s) : "");
    if (want->amount > s->max_unit)
        return judge_refuse(v, ret, name, g, p,
                            "%s: wanted %lld, one consumer may have %lld at most", name, wanted,
                            (long long)s->max_unit);
    if (want->amount < s->min_unit)
        return judge_refuse(v, ret, name, g, p,
                            "%s: wanted %lld, one consumer must take %lld at least", name, wanted,
                            (long long)s->min_unit);
    return judge_refuse(v, ret, name, g, p, "%s: wanted %lld, which is no multiple of %lld", name,
                        wanted, (long long)s->step_size);
}

/* --- Traits and aggregates of one provider */

static const char *
names_of(struct judge *v, const struct texts *names)
{
    const char *text = names->items[0];

    for (size_t i = 1; v->text && i < names->count; i++)
        text = arena_printf(v->arena, "%s%s%s", text, i + 1 == names->count ? " or " : ", ",
                            names->items[i]);
    return text;
}

static bool
has_one(const struct plan_any *any, const struct mirror_provider *p)
{
    for (size_t i = 0; i < any->count; i++) {
        if (mirror_has_trait(p, any->ids[i]))
            return true;
    }
    return false;
}

static bool
judge_forbidden(struct judge *v, struct verdict *ret, const struct plan_group *g,
                const struct mirror_provider *p)
{
    for (size_t i = 0; i < g->forbidden.count; i++) {
        if (mirror_has_trait(p, g->forbidden.ids[i]))
            return judge_refuse(v, ret, "required", g, p, "it has the trait %s, which is excluded",
                                g->request->forbidden.items[i]);
    }
    return true;
}

static bool
judge_required(struct judge *v, struct verdict *ret, const struct plan_group *g,
               const struct mirror_provider *p)
{
    for (size_t i = 0; i < g->request->required_count; i++) {
        if (!has_one(&g->required[i], p))
            return judge_refuse(v, ret, "required", g, p, "it lacks the trait %s",
                                names_of(v, &g->request->required[i]));
    }
    return true;
}

/* 'stands_for': the root, whose aggregates span its tree for the group without a suffix; or the provider itself. */
static bool
judge_aggregates(struct judge *v, struct verdict *ret, const struct plan_group *g,
                 const struct mirror_provider *p, const struct mirror_provider *stands_for)
{
    if (plan_in_forbidden(g, p) || plan_in_forbidden(g, stands_for))
        return judge_refuse(v, ret, "member_of", g, p, "it is in an aggregate that is excluded");
    if (!plan_in_aggregates(g, p) && !plan_in_aggregates(g, stands_for))
        return judge_refuse(v, ret, "member_of", g, p, "it is in none of the aggregates asked for");
    return true;
}

/* --- The group without a suffix: each resource from any provider */

/* Is it that a provider that has the resource may not serve at all? 'ret' says why the last one may not. */
static bool
may_serve(struct judge *v, struct verdict *ret, const struct plan_group *g,
          const struct mirror_provider *p)
{
    bool shared = p->tree != v->tree;

    if (shared && g->request->in_tree != NULL)
        return judge_refuse(v, ret, "in_tree", g, p, "it is not of the tree asked for");
    return judge_forbidden(v, ret, g, p) && judge_aggregates(v, ret, g, p, shared ? p : v->root);
}

static bool
judge_want(struct judge *v, struct verdict *ret, const struct plan_group *g, size_t want)
{
    const struct request_want *w = &g->request->wants[want];
    const struct mirror_provider *best = NULL;
    const struct mirror_stock *best_stock = NULL;
    struct verdict other = { 0 };

    for (size_t i = 0; i < providers_count(v); i++) {
        const struct mirror_provider *p = provider_at(v, i);
        const struct mirror_stock *s = mirror_stock(p, g->class_ids[want]);

        if (s == NULL || !may_serve(v, &other, g, p))
            continue;
        if (stock_fits(s, w->amount))
            return true;
        if (best == NULL ||
            stock_room(s) - (double)s->used > stock_room(best_stock) - (double)best_stock->used) {
            best = p;
            best_stock = s;
        }
    }
    if (best == NULL && other.rule != NULL) {
        *ret = other;
        return false;
    }
    return refuse_stock(v, ret, g, w, best, best_stock);
}

static bool
judge_plain(struct judge *v, struct verdict *ret, const struct plan_group *g)
{
    if (g->request->in_tree != NULL && !plan_in_tree(g, v->tree))
        return judge_refuse(v, ret, "in_tree", g, NULL, "another host was asked for");
    if (plan_in_forbidden(g, v->root) || providers_count(v) == 1) {
        if (!judge_aggregates(v, ret, g, v->root, v->root))
            return false;
    }
    if (providers_count(v) == 1 && !judge_forbidden(v, ret, g, v->root))
        return false;
    for (size_t i = 0; i < g->request->required_count; i++) {
        bool found = false;

        for (size_t k = 0; !found && k < providers_count(v); k++)
            found = has_one(&g->required[i], provider_at(v, k));
        if (!found)
            return judge_refuse(v, ret, "required", g, NULL, "it lacks the trait %s",
                                names_of(v, &g->request->required[i]));
    }
    for (size_t i = 0; i < g->request->wants_count; i++) {
        if (!judge_want(v, ret, g, i))
            return false;
    }
    return true;
}

/* --- A group with a suffix: all from one provider */

/* 'ret_stage': how far it came. */
static bool
judge_one(struct judge *v, struct verdict *ret, const struct plan_group *g,
          const struct mirror_provider *p, int *ret_stage)
{
    *ret_stage = 0;
    if (g->request->in_tree != NULL && !plan_in_tree(g, p->tree))
        return judge_refuse(v, ret, "in_tree", g, p, "it is not of the tree asked for");
    *ret_stage = 1;
    if (!judge_required(v, ret, g, p) || !judge_forbidden(v, ret, g, p))
        return false;
    *ret_stage = 2;
    if (!judge_aggregates(v, ret, g, p, p))
        return false;
    for (size_t i = 0; i < g->request->wants_count; i++) {
        const struct mirror_stock *s = mirror_stock(p, g->class_ids[i]);

        *ret_stage = 3 + (int)i;
        if (s == NULL || !stock_fits(s, g->request->wants[i].amount))
            return refuse_stock(v, ret, g, &g->request->wants[i], p, s);
    }
    return true;
}

static bool
has_all_classes(const struct plan_group *g, const struct mirror_provider *p)
{
    for (size_t i = 0; i < g->request->wants_count; i++) {
        if (mirror_stock(p, g->class_ids[i]) == NULL)
            return false;
    }
    return true;
}

/* No provider has all the classes: then the first that nobody has, or that they are apart. */
static bool
refuse_classes(struct judge *v, struct verdict *ret, const struct plan_group *g)
{
    for (size_t i = 0; i < g->request->wants_count; i++) {
        bool found = false;

        for (size_t k = 0; !found && k < providers_count(v); k++)
            found = mirror_stock(provider_at(v, k), g->class_ids[i]) != NULL;
        if (!found)
            return refuse_stock(v, ret, g, &g->request->wants[i], NULL, NULL);
    }
    return judge_refuse(v, ret, "together", g, NULL,
                        "no single provider has an inventory of all that the group wants");
}

static bool
judge_suffixed(struct judge *v, struct verdict *ret, const struct plan_group *g)
{
    struct verdict nearest = { 0 };
    int far = -1, stage;
    bool complete = false;

    if (g->request->wants_count + g->request->required_count + g->request->member_of_count == 0)
        return judge_refuse(v, ret, "together", g, NULL,
                            "it asks for nothing, which nobody serves");
    for (size_t i = 0; i < providers_count(v); i++) {
        struct verdict one = { 0 };

        if (!has_all_classes(g, provider_at(v, i)))
            continue;
        complete = true;
        if (judge_one(v, &one, g, provider_at(v, i), &stage))
            return true;
        if (stage > far || (stage == far && one.available > nearest.available)) {
            far = stage;
            nearest = one;
        }
    }
    if (!complete)
        return refuse_classes(v, ret, g);
    *ret = nearest;
    return false;
}

bool
judge_group(struct judge *v, struct verdict *ret, const struct plan_group *g)
{
    return g->request->suffix[0] == '\0' ? judge_plain(v, ret, g) : judge_suffixed(v, ret, g);
}

/* --- All groups together */

bool
judge_root(struct judge *v, struct verdict *ret)
{
    const struct candidates_plan *plan = v->plan;

    for (size_t i = 0; i < plan->root_required.count; i++) {
        if (!mirror_has_trait(v->root, plan->root_required.ids[i]))
            return judge_refuse(v, ret, "root_required", NULL, v->root, "it lacks the trait %s",
                                plan->request->root_required.items[i]);
    }
    for (size_t i = 0; i < plan->root_forbidden.count; i++) {
        if (mirror_has_trait(v->root, plan->root_forbidden.ids[i]))
            return judge_refuse(v, ret, "root_required", NULL, v->root,
                                "it has the trait %s, which is excluded",
                                plan->request->root_forbidden.items[i]);
    }
    return true;
}

bool
judge_totals(struct judge *v, struct verdict *ret)
{
    for (size_t i = 0; i < v->plan->totals_count; i++) {
        const struct plan_total *total = &v->plan->totals[i];
        double left = 0;

        for (size_t k = 0; k < providers_count(v); k++) {
            const struct mirror_stock *s = mirror_stock(provider_at(v, k), total->class_id);

            left += s == NULL ? 0 : fmax(0, floor(stock_room(s) - (double)s->used));
        }
        if (left >= (double)total->amount)
            continue;
        ret->class_name = plan_class_name(v->plan, total->class_id);
        ret->wanted = total->amount;
        ret->available = left;
        return judge_refuse(v, ret, ret->class_name, NULL, NULL,
                            "%s: all groups together want %lld, available %.1f", ret->class_name,
                            (long long)total->amount, left);
    }
    return true;
}

/* --- A share of something */

/* What has an inventory of a part of the request, and shares it: what is wrong with that part? */
static bool
judge_share(struct judge *v, struct verdict *ret, const struct mirror_provider *p)
{
    for (size_t n = 0; n < v->plan->levels_count; n++) {
        const struct plan_level *l = &v->plan->levels[n];
        const struct plan_group *g = &v->plan->groups[l->group];
        const struct mirror_stock *s;
        int stage;

        if (l->suffixed) {
            if (has_all_classes(g, p) && !judge_one(v, ret, g, p, &stage))
                return false;
            continue;
        }
        s = mirror_stock(p, g->class_ids[l->first]);
        if (s == NULL)
            continue;
        if (!may_serve(v, ret, g, p))
            return false;
        if (!stock_fits(s, g->request->wants[l->first].amount))
            return refuse_stock(v, ret, g, &g->request->wants[l->first], p, s);
    }
    return true;
}

void
judge_shares(struct judge *v, struct verdict *ret)
{
    *ret = (struct verdict){ 0 };
    for (uint32_t i = 0; i < v->tree->count; i++) {
        if (v->tree->members[i]->sharing && !judge_share(v, ret, v->tree->members[i]))
            return;
    }
    judge_refuse(v, ret, "together", NULL, NULL,
                 "of those that it shares with none has room for the rest of it");
}
