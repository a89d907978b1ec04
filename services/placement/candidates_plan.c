/* Names into numbers, and the rules about one provider. */
#include "candidates_plan.h"
#include "base/str.h"

double
stock_room(const struct mirror_stock *s)
{
    return (double)(s->total - s->reserved) * s->allocation_ratio;
}

bool
stock_fits(const struct mirror_stock *s, int64_t amount)
{
    return amount >= s->min_unit && amount <= s->max_unit && amount % s->step_size == 0 &&
           (double)(s->used + amount) <= stock_room(s);
}

static bool
has_any(const struct plan_any *any, const struct mirror_provider *p,
        bool (*has)(const struct mirror_provider *p, int id))
{
    for (size_t i = 0; i < any->count; i++) {
        if (any->ids[i] >= 0 && has(p, any->ids[i]))
            return true;
    }
    return false;
}

bool
plan_has_traits(const struct plan_group *g, const struct mirror_provider *p)
{
    for (size_t i = 0; i < g->request->required_count; i++) {
        if (!has_any(&g->required[i], p, mirror_has_trait))
            return false;
    }
    return true;
}

bool
plan_has_forbidden(const struct plan_group *g, const struct mirror_provider *p)
{
    return has_any(&g->forbidden, p, mirror_has_trait);
}

bool
plan_in_aggregates(const struct plan_group *g, const struct mirror_provider *p)
{
    for (size_t i = 0; i < g->request->member_of_count; i++) {
        if (!has_any(&g->member_of[i], p, mirror_in_aggregate))
            return false;
    }
    return true;
}

bool
plan_in_forbidden(const struct plan_group *g, const struct mirror_provider *p)
{
    return has_any(&g->forbidden_aggregates, p, mirror_in_aggregate);
}

/* --- Looking up */

static int
traits_of(const struct mirror *m, const struct texts *names, struct arena *a, struct plan_any *ret,
          struct fault *f)
{
    ret->ids = ARENA_ARRAY(a, int, names->count + 1);
    ret->count = names->count;
    for (size_t i = 0; i < names->count; i++) {
        ret->ids[i] = mirror_trait_id(m, names->items[i]);
        if (ret->ids[i] < 0)
            return fault_raise(f, FAULT_INVALID, "No such trait(s): %.255s.", names->items[i]);
    }
    return 0;
}

/* Aggregates are whatever UUIDs somebody put: an unknown one has no members. */
static void
aggregates_of(const struct mirror *m, const struct texts *uuids, struct arena *a,
              struct plan_any *ret)
{
    ret->ids = ARENA_ARRAY(a, int, uuids->count + 1);
    ret->count = uuids->count;
    for (size_t i = 0; i < uuids->count; i++)
        ret->ids[i] = mirror_aggregate_id(m, uuids->items[i]);
}

int
plan_group_make(const struct mirror *m, const struct request_group *g, struct arena *a,
                struct plan_group *ret, struct fault *f)
{
    const struct mirror_provider *p;

    *ret = (struct plan_group){ .request = g };
    ret->class_ids = ARENA_ARRAY(a, int, g->wants_count + 1);
    ret->required = ARENA_ARRAY(a, struct plan_any, g->required_count + 1);
    ret->member_of = ARENA_ARRAY(a, struct plan_any, g->member_of_count + 1);
    for (size_t i = 0; i < g->wants_count; i++) {
        ret->class_ids[i] = mirror_class_id(m, g->wants[i].class_name);
        if (ret->class_ids[i] < 0)
            return fault_raise(
                f, FAULT_INVALID,
                "Invalid resource class in resources parameter: No such resource class %.255s.",
                g->wants[i].class_name);
    }
    for (size_t i = 0; i < g->required_count; i++) {
        if (traits_of(m, &g->required[i], a, &ret->required[i], f) < 0)
            return -1;
    }
    if (traits_of(m, &g->forbidden, a, &ret->forbidden, f) < 0)
        return -1;
    for (size_t i = 0; i < g->member_of_count; i++)
        aggregates_of(m, &g->member_of[i], a, &ret->member_of[i]);
    aggregates_of(m, &g->forbidden_aggregates, a, &ret->forbidden_aggregates);
    p = g->in_tree == NULL ? NULL : mirror_find(m, g->in_tree);
    ret->in_tree = p == NULL ? NULL : p->tree;
    return 0;
}

static int
group_index(const struct request *r, const char *suffix)
{
    for (size_t i = 0; i < r->groups_count; i++) {
        if (str_equal(r->groups[i].suffix, suffix))
            return (int)i;
    }
    return -1;
}

const char *
plan_class_name(const struct candidates_plan *plan, int class_id)
{
    for (size_t i = 0; i < plan->request->groups_count; i++) {
        const struct plan_group *g = &plan->groups[i];

        for (size_t k = 0; k < g->request->wants_count; k++) {
            if (g->class_ids[k] == class_id)
                return g->request->wants[k].class_name;
        }
    }
    return "";
}

size_t
plan_total_at(const struct candidates_plan *plan, int class_id)
{
    size_t i = 0;

    while (i < plan->totals_count && plan->totals[i].class_id != class_id)
        i++;
    return i;
}

/* Amounts are bounded by what fits one inventory; more than an int64_t holds is more than there is anyway. */
static int64_t
add_up(int64_t a, int64_t b)
{
    return a > INT64_MAX - b ? INT64_MAX : a + b;
}

static void
add_total(struct candidates_plan *plan, int class_id, int64_t amount)
{
    size_t i = plan_total_at(plan, class_id);

    if (i == plan->totals_count)
        plan->totals[plan->totals_count++] = (struct plan_total){ .class_id = class_id };
    plan->totals[i].amount = add_up(plan->totals[i].amount, amount);
}

static void
sum_up(struct candidates_plan *plan)
{
    plan->totals = ARENA_ARRAY(plan->arena, struct plan_total, plan->max_picks + 1);
    plan->plain = SIZE_MAX;
    for (size_t i = 0; i < plan->request->groups_count; i++) {
        const struct plan_group *g = &plan->groups[i];

        if (g->request->suffix[0] != '\0')
            plan->suffixed++;
        else
            plan->plain = i;
        for (size_t k = 0; k < g->request->wants_count; k++)
            add_total(plan, g->class_ids[k], g->request->wants[k].amount);
    }
}

static void
add_levels(struct candidates_plan *plan, size_t group)
{
    size_t wants = plan->groups[group].request->wants_count;

    if (group != plan->plain) {
        plan->levels[plan->levels_count++] = (struct plan_level){ group, 0, wants, true, true };
        return;
    }
    for (size_t i = 0; i < wants; i++)
        plan->levels[plan->levels_count++] =
            (struct plan_level){ group, i, 1, false, i + 1 == wants };
}

static void
level_out(struct candidates_plan *plan)
{
    plan->levels = ARENA_ARRAY(plan->arena, struct plan_level, plan->max_picks + 1);
    for (size_t i = 0; i < plan->request->groups_count; i++)
        add_levels(plan, i);
    plan->needs =
        ARENA_ARRAY(plan->arena, int64_t, (plan->levels_count + 1) * (plan->totals_count + 1));
    for (size_t n = plan->levels_count; n-- > 0;) {
        const struct plan_level *l = &plan->levels[n];
        const struct plan_group *g = &plan->groups[l->group];
        int64_t *needs = &plan->needs[n * plan->totals_count];

        memcpy(needs, needs + plan->totals_count, plan->totals_count * sizeof(*needs));
        for (size_t i = l->first; i < l->first + l->count; i++) {
            int64_t *need = &needs[plan_total_at(plan, g->class_ids[i])];

            *need = add_up(*need, g->request->wants[i].amount);
        }
    }
}

static struct candidates_plan *
new_plan(const struct request *r, struct arena *a)
{
    struct candidates_plan *plan = ARENA_NEW(a, struct candidates_plan);

    plan->request = r;
    plan->arena = a;
    plan->groups = ARENA_ARRAY(a, struct plan_group, r->groups_count + 1);
    plan->subtrees = ARENA_ARRAY(a, struct plan_any, r->same_subtrees_count + 1);
    for (size_t i = 0; i < r->groups_count; i++)
        plan->max_picks += MAX(r->groups[i].wants_count, (size_t)1);
    return plan;
}

struct candidates_plan *
candidates_plan_of(const struct request *r, int *const *class_ids, struct arena *a)
{
    struct candidates_plan *plan = new_plan(r, a);

    for (size_t i = 0; i < r->groups_count; i++)
        plan->groups[i] =
            (struct plan_group){ .request = &r->groups[i], .class_ids = class_ids[i] };
    sum_up(plan);
    level_out(plan);
    return plan;
}

int
candidates_plan(const struct mirror *m, const struct request *r, struct arena *a,
                struct candidates_plan **ret, struct fault *f)
{
    struct candidates_plan *plan = new_plan(r, a);

    for (size_t i = 0; i < r->groups_count; i++) {
        if (plan_group_make(m, &r->groups[i], a, &plan->groups[i], f) < 0)
            return -1;
    }
    sum_up(plan);
    level_out(plan);
    if (traits_of(m, &r->root_required, a, &plan->root_required, f) < 0 ||
        traits_of(m, &r->root_forbidden, a, &plan->root_forbidden, f) < 0)
        return -1;
    for (size_t i = 0; i < r->same_subtrees_count; i++) {
        struct plan_any *any = &plan->subtrees[i];

        any->count = r->same_subtrees[i].count;
        any->ids = ARENA_ARRAY(a, int, any->count + 1);
        for (size_t k = 0; k < any->count; k++)
            any->ids[k] = group_index(r, r->same_subtrees[i].items[k]);
    }
    *ret = plan;
    return 0;
}
