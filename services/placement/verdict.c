#include "verdict.h"

#include <math.h>

#include "base/str.h"
#include "candidates_plan.h"
#include "candidates_sharing.h"

/* The request with a rule left out: what then fits was refused by that rule. */
struct relaxed {
    const char *rule, *reason;
    struct candidates_walker *walker;
};

struct verdicts {
    struct arena *arena;
    const struct candidates_scope *scope;
    const struct candidates_plan *plan;
    struct candidates_walker *walker;
    struct relaxed relaxed[4];
    size_t relaxed_count;
    bool text;
    const struct mirror_tree *tree; /* Of which is spoken, ... */
    const struct mirror_provider *root;
    const struct mirror_provider *const *shared; /* ... and who shares with it. */
    size_t shared_count;
    struct candidates_sharers *sharers;
};

static size_t
providers_count(const struct verdicts *v)
{
    return v->tree->count + v->shared_count;
}

static const struct mirror_provider *
provider_at(const struct verdicts *v, size_t i)
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

/* Refuses, with a reason that begins with the group and the provider where there are several to speak of. */
_printf_(6, 7) static bool refuse(struct verdicts *v, struct verdict *ret, const char *rule,
                                  const struct plan_group *g, const struct mirror_provider *p,
                                  const char *format, ...)
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
refuse_stock(struct verdicts *v, struct verdict *ret, const struct plan_group *g,
             const struct request_want *want, const struct mirror_provider *p,
             const struct mirror_stock *s)
{
    const char *name = want->class_name;
    long long wanted = (long long)want->amount;

    ret->class_name = name;
    ret->wanted = want->amount;
    ret->available = s == NULL ? 0 : stock_room(s) - (double)s->used;
    if (s == NULL)
        return refuse(v, ret, name, g, p, "%s: wanted %lld, there is no inventory of it", name,
                      wanted);
    if ((double)(s->used + want->amount) > stock_room(s))
        return refuse(v, ret, name, g, p, "%s: wanted %lld, %s", name, wanted,
                      v->text ? stock_text(v->arena, s) : "");
    if (want->amount > s->max_unit)
        return refuse(v, ret, name, g, p, "%s: wanted %lld, one consumer may have %lld at most",
                      name, wanted, (long long)s->max_unit);
    if (want->amount < s->min_unit)
        return refuse(v, ret, name, g, p, "%s: wanted %lld, one consumer must take %lld at least",
                      name, wanted, (long long)s->min_unit);
    return refuse(v, ret, name, g, p, "%s: wanted %lld, which is no multiple of %lld", name, wanted,
                  (long long)s->step_size);
}

/* --- Traits and aggregates of one provider */

static const char *
names_of(struct verdicts *v, const struct texts *names)
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
judge_forbidden(struct verdicts *v, struct verdict *ret, const struct plan_group *g,
                const struct mirror_provider *p)
{
    for (size_t i = 0; i < g->forbidden.count; i++) {
        if (mirror_has_trait(p, g->forbidden.ids[i]))
            return refuse(v, ret, "required", g, p, "it has the trait %s, which is excluded",
                          g->request->forbidden.items[i]);
    }
    return true;
}

static bool
judge_required(struct verdicts *v, struct verdict *ret, const struct plan_group *g,
               const struct mirror_provider *p)
{
    for (size_t i = 0; i < g->request->required_count; i++) {
        if (!has_one(&g->required[i], p))
            return refuse(v, ret, "required", g, p, "it lacks the trait %s",
                          names_of(v, &g->request->required[i]));
    }
    return true;
}

/* 'stands_for': the root, whose aggregates span its tree for the group without a suffix; or the provider itself. */
static bool
judge_aggregates(struct verdicts *v, struct verdict *ret, const struct plan_group *g,
                 const struct mirror_provider *p, const struct mirror_provider *stands_for)
{
    if (plan_in_forbidden(g, p) || plan_in_forbidden(g, stands_for))
        return refuse(v, ret, "member_of", g, p, "it is in an aggregate that is excluded");
    if (!plan_in_aggregates(g, p) && !plan_in_aggregates(g, stands_for))
        return refuse(v, ret, "member_of", g, p, "it is in none of the aggregates asked for");
    return true;
}

/* --- The group without a suffix: each resource from any provider */

/* Is it that a provider that has the resource may not serve at all? 'ret' says why the last one may not. */
static bool
may_serve(struct verdicts *v, struct verdict *ret, const struct plan_group *g,
          const struct mirror_provider *p)
{
    bool shared = p->tree != v->tree;

    if (shared && g->request->in_tree != NULL)
        return refuse(v, ret, "in_tree", g, p, "it is not of the tree asked for");
    return judge_forbidden(v, ret, g, p) && judge_aggregates(v, ret, g, p, shared ? p : v->root);
}

static bool
judge_want(struct verdicts *v, struct verdict *ret, const struct plan_group *g, size_t want)
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
judge_plain(struct verdicts *v, struct verdict *ret, const struct plan_group *g)
{
    if (g->request->in_tree != NULL && g->in_tree != v->tree)
        return refuse(v, ret, "in_tree", g, NULL, "another host was asked for");
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
            return refuse(v, ret, "required", g, NULL, "it lacks the trait %s",
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
judge_one(struct verdicts *v, struct verdict *ret, const struct plan_group *g,
          const struct mirror_provider *p, int *ret_stage)
{
    *ret_stage = 0;
    if (g->request->in_tree != NULL && p->tree != g->in_tree)
        return refuse(v, ret, "in_tree", g, p, "it is not of the tree asked for");
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
refuse_classes(struct verdicts *v, struct verdict *ret, const struct plan_group *g)
{
    for (size_t i = 0; i < g->request->wants_count; i++) {
        bool found = false;

        for (size_t k = 0; !found && k < providers_count(v); k++)
            found = mirror_stock(provider_at(v, k), g->class_ids[i]) != NULL;
        if (!found)
            return refuse_stock(v, ret, g, &g->request->wants[i], NULL, NULL);
    }
    return refuse(v, ret, "together", g, NULL,
                  "no single provider has an inventory of all that the group wants");
}

static bool
judge_suffixed(struct verdicts *v, struct verdict *ret, const struct plan_group *g)
{
    struct verdict nearest = { 0 };
    int far = -1, stage;
    bool complete = false;

    if (g->request->wants_count + g->request->required_count + g->request->member_of_count == 0)
        return refuse(v, ret, "together", g, NULL, "it asks for nothing, which nobody serves");
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

/* --- All groups together */

static bool
judge_root(struct verdicts *v, struct verdict *ret)
{
    const struct candidates_plan *plan = v->plan;

    for (size_t i = 0; i < plan->root_required.count; i++) {
        if (!mirror_has_trait(v->root, plan->root_required.ids[i]))
            return refuse(v, ret, "root_required", NULL, v->root, "it lacks the trait %s",
                          plan->request->root_required.items[i]);
    }
    for (size_t i = 0; i < plan->root_forbidden.count; i++) {
        if (mirror_has_trait(v->root, plan->root_forbidden.ids[i]))
            return refuse(v, ret, "root_required", NULL, v->root,
                          "it has the trait %s, which is excluded",
                          plan->request->root_forbidden.items[i]);
    }
    return true;
}

static const char *
class_name_of(const struct verdicts *v, int class_id)
{
    for (size_t i = 0; i < v->plan->request->groups_count; i++) {
        const struct plan_group *g = &v->plan->groups[i];

        for (size_t k = 0; k < g->request->wants_count; k++) {
            if (g->class_ids[k] == class_id)
                return g->request->wants[k].class_name;
        }
    }
    return "";
}

static bool
judge_totals(struct verdicts *v, struct verdict *ret)
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
        ret->class_name = class_name_of(v, total->class_id);
        ret->wanted = total->amount;
        ret->available = left;
        return refuse(v, ret, ret->class_name, NULL, NULL,
                      "%s: all groups together want %lld, available %.1f", ret->class_name,
                      (long long)total->amount, left);
    }
    return true;
}

static bool
take_first(void *owner, const struct candidate *c)
{
    (void)c;
    *(bool *)owner = true;
    return false;
}

static bool
fits(struct candidates_walker *w, const struct mirror_tree *t, bool *ret_complete)
{
    bool found = false;

    *ret_complete = candidates_walk_tree(w, t, take_first, &found);
    return found;
}

/* Each group could be served, all of them cannot: by which rule about several of them? */
static void
judge_together(struct verdicts *v, struct verdict *ret)
{
    bool complete;

    if (!judge_totals(v, ret))
        return;
    for (size_t i = 0; i < v->relaxed_count; i++) {
        if (fits(v->relaxed[i].walker, v->tree, &complete)) {
            refuse(v, ret, v->relaxed[i].rule, NULL, NULL, "%s", v->relaxed[i].reason);
            return;
        }
    }
    refuse(v, ret, "together", NULL, NULL,
           "its providers can serve each resource and group alone, not all of them together");
}

void
verdict_of(struct verdicts *v, const struct mirror_tree *t, bool text, struct verdict *ret)
{
    bool complete;
    uint64_t can;

    *ret = (struct verdict){ 0 };
    if (fits(v->walker, t, &complete))
        return;
    v->text = text;
    v->tree = t;
    v->root = mirror_root(t->members[0]);
    v->shared = candidates_sharers_of(v->sharers, t, &v->shared_count, &can);
    if (!complete) {
        refuse(v, ret, "bound", NULL, NULL,
               "so many combinations of its providers do not fit that the search was given up");
        return;
    }
    if (!judge_root(v, ret))
        return;
    for (size_t i = 0; i < v->plan->request->groups_count; i++) {
        const struct plan_group *g = &v->plan->groups[i];

        if (!(g->request->suffix[0] == '\0' ? judge_plain(v, ret, g) : judge_suffixed(v, ret, g)))
            return;
    }
    judge_together(v, ret);
}

/* --- Setting up */

static void
relax(struct verdicts *v, const char *rule, const char *reason, bool policy, bool subtree,
      bool required)
{
    static const struct candidates_options options = { .nested = true };
    struct candidates_plan *plan = arena_memdup(v->arena, v->plan, sizeof(*plan));
    struct request *request = arena_memdup(v->arena, plan->request, sizeof(*request));

    if (policy)
        request->isolate = false;
    if (subtree)
        request->same_subtrees_count = 0;
    plan->request = request;
    plan->groups =
        arena_memdup(v->arena, plan->groups, (request->groups_count + 1) * sizeof(*plan->groups));
    for (size_t i = 0; required && i < request->groups_count; i++) {
        struct request_group *g = arena_memdup(v->arena, plan->groups[i].request, sizeof(*g));

        if (g->suffix[0] == '\0')
            g->required_count = 0;
        plan->groups[i].request = g;
    }
    v->relaxed[v->relaxed_count++] =
        (struct relaxed){ rule, reason, candidates_walker(v->scope, plan, &options) };
}

struct verdicts *
verdicts_new(const struct candidates_scope *scope, const struct candidates_plan *plan,
             struct arena *a)
{
    static const struct candidates_options options = { .nested = true };
    struct verdicts *v = ARENA_NEW(a, struct verdicts);
    bool isolate = plan->request->isolate && plan->suffixed > 1;
    bool subtree = plan->request->same_subtrees_count > 0;

    v->arena = a;
    v->scope = scope;
    v->plan = plan;
    v->walker = candidates_walker(scope, plan, &options);
    v->sharers = candidates_sharers(scope, NULL, a);
    if (isolate)
        relax(v, "group_policy", "its groups cannot each have a provider of their own", true, false,
              false);
    if (subtree)
        relax(v, "same_subtree",
              "the providers that may serve those groups do not stand below one of them", false,
              true, false);
    if (isolate && subtree)
        relax(v, "same_subtree", "group_policy and same_subtree cannot both be kept", true, true,
              false);
    relax(v, "required", "the providers that have room lack the traits together", true, true, true);
    return v;
}

bool
verdict_concerns(const struct verdicts *v, const struct mirror_tree *t)
{
    for (uint32_t i = 0; i < t->count; i++) {
        for (size_t g = 0; g < v->plan->request->groups_count; g++) {
            const struct plan_group *group = &v->plan->groups[g];

            for (size_t k = 0; k < group->request->wants_count; k++) {
                if (mirror_stock(t->members[i], group->class_ids[k]) != NULL)
                    return true;
            }
        }
    }
    return t->members[0]->stocks_count == 0;
}
