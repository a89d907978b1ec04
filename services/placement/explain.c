/* GET /OS-VIRGA/explain: the same question as for candidates, of one group; the answer says of each tree of providers (a host,
 * most often) whether it fits, or else the first rule that refuses it, what was wanted and what was there. */
#include "base/array.h"
#include "base/str.h"
#include "candidates.h"
#include "reply.h"

static const struct query_key keys[] = {
    { "resources", 0, false }, { "required", 0, false }, { "member_of", 0, false },
    { "in_tree", 0, false },   { "limit", 0, false },    { "marker", 0, false },
    { NULL, 0, false },
};

/* Why a tree does not fit. */
struct verdict {
    const char *rule; /* "in_tree", "member_of", "required", or a resource class; NULL: it fits. */
    const char *reason;
    const char *class_name; /* NULL: no resource's fault. */
    int64_t wanted;
    double available;
};

struct counted {
    const char *rule;
    int64_t count;
};

struct explainer {
    struct arena *arena;
    const struct mirror *m;
    const struct plan_group *g;
    const struct mirror_provider **shared;
    size_t shared_count;
    struct counted *counts;
    size_t counts_count, counts_capacity;
};

/* --- Rules, in the order of asking */

static bool
serves(const struct plan_group *g, const struct mirror_tree *t, const struct mirror_provider *root,
       const struct mirror_provider *p)
{
    bool shared = p->tree != t;

    return !plan_has_forbidden(g, p) &&
           (plan_in_aggregates(g, p) || (!shared && plan_in_aggregates(g, root))) &&
           !plan_in_forbidden(g, p) && !(shared && g->request->in_tree != NULL);
}

/* A number as people write it: no fraction where there is none to say. */
static const char *
number(struct arena *a, double value)
{
    return arena_printf(a, value == (double)(int64_t)value ? "%.0f" : "%.1f", value);
}

/* "4 available of 32 (16.0 x 2, 28 used)", with the reservation where there is one. */
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

static void
refuse_stock(struct explainer *x, const struct request_want *want, const struct mirror_stock *s,
             struct verdict *v)
{
    long long wanted = (long long)want->amount;

    *v = (struct verdict){ .rule = want->class_name,
                           .class_name = want->class_name,
                           .wanted = want->amount,
                           .available = s == NULL ? 0 : stock_room(s) - (double)s->used };
    if (s == NULL)
        v->reason = arena_printf(x->arena, "%s: wanted %lld, there is no inventory of it",
                                 want->class_name, wanted);
    else if ((double)(s->used + want->amount) > stock_room(s))
        v->reason = arena_printf(x->arena, "%s: wanted %lld, %s", want->class_name, wanted,
                                 stock_text(x->arena, s));
    else if (want->amount > s->max_unit)
        v->reason = arena_printf(x->arena, "%s: wanted %lld, one consumer may have %lld at most",
                                 want->class_name, wanted, (long long)s->max_unit);
    else if (want->amount < s->min_unit)
        v->reason = arena_printf(x->arena, "%s: wanted %lld, one consumer must take %lld at least",
                                 want->class_name, wanted, (long long)s->min_unit);
    else
        v->reason = arena_printf(x->arena, "%s: wanted %lld, which is no multiple of %lld",
                                 want->class_name, wanted, (long long)s->step_size);
}

/* Is there a provider for this resource? If not: what the one that has most of it says. */
static bool
judge_want(struct explainer *x, const struct mirror_tree *t, const struct mirror_provider *root,
           size_t want, struct verdict *v)
{
    const struct mirror_stock *best = NULL;
    size_t members = t->count;

    for (size_t i = 0; i < members + x->shared_count; i++) {
        const struct mirror_provider *p = i < members ? t->members[i] : x->shared[i - members];
        const struct mirror_stock *s = mirror_stock(p, x->g->class_ids[want]);

        if (s == NULL || !serves(x->g, t, root, p))
            continue;
        if (stock_fits(s, x->g->request->wants[want].amount))
            return true;
        if (best == NULL || stock_room(s) - (double)s->used > stock_room(best) - (double)best->used)
            best = s;
    }
    refuse_stock(x, &x->g->request->wants[want], best, v);
    return false;
}

static bool
anyone_has(struct explainer *x, const struct mirror_tree *t, const struct plan_any *any)
{
    size_t members = t->count;

    for (size_t i = 0; i < members + x->shared_count; i++) {
        const struct mirror_provider *p = i < members ? t->members[i] : x->shared[i - members];

        for (size_t k = 0; k < any->count; k++) {
            if (mirror_has_trait(p, any->ids[k]))
                return true;
        }
    }
    return false;
}

static void
judge(struct explainer *x, const struct mirror_tree *t, struct verdict *v)
{
    const struct mirror_provider *root = mirror_root(t->members[0]);
    const struct plan_group *g = x->g;

    *v = (struct verdict){ 0 };
    if (g->request->in_tree != NULL && g->in_tree != t) {
        *v = (struct verdict){ .rule = "in_tree", .reason = "another host was asked for" };
        return;
    }
    if (plan_in_forbidden(g, root) || (t->count == 1 && !plan_in_aggregates(g, root))) {
        *v = (struct verdict){ .rule = "member_of",
                               .reason = plan_in_forbidden(g, root)
                                             ? "it is in an aggregate that is excluded"
                                             : "it is in none of the aggregates asked for" };
        return;
    }
    for (size_t i = 0; i < g->forbidden.count; i++) {
        if (t->count == 1 && mirror_has_trait(root, g->forbidden.ids[i])) {
            *v = (struct verdict){ .rule = "required",
                                   .reason = arena_printf(x->arena,
                                                          "it has the trait %s, which is excluded",
                                                          g->request->forbidden.items[i]) };
            return;
        }
    }
    for (size_t i = 0; i < g->request->required_count; i++) {
        if (!anyone_has(x, t, &g->required[i])) {
            *v = (struct verdict){ .rule = "required",
                                   .reason = arena_printf(x->arena, "it lacks the trait %s%s",
                                                          g->request->required[i].items[0],
                                                          g->request->required[i].count > 1
                                                              ? " (or another of the list)"
                                                              : "") };
            return;
        }
    }
    for (size_t i = 0; i < g->request->wants_count; i++) {
        if (!judge_want(x, t, root, i, v))
            return;
    }
}

/* --- The answer */

static void
count_rule(struct explainer *x, const char *rule)
{
    size_t i = 0;

    while (i < x->counts_count && !str_equal(x->counts[i].rule, rule))
        i++;
    if (i == x->counts_count)
        *ARRAY_PUSH(x->arena, x->counts, x->counts_count, x->counts_capacity) =
            (struct counted){ .rule = rule };
    x->counts[i].count++;
}

static void
write_verdict(struct jsonw *w, const struct mirror_provider *root, const struct verdict *v)
{
    jsonw_object(w, NULL);
    jsonw_text(w, "uuid", root->uuid);
    jsonw_text(w, "name", root->name);
    jsonw_text(w, "reason", v->reason);
    jsonw_text(w, "rule", v->rule);
    jsonw_text(w, "resource_class", v->class_name);
    if (v->class_name == NULL) {
        jsonw_null(w, "wanted");
        jsonw_null(w, "available");
    } else {
        jsonw_int(w, "wanted", v->wanted);
        jsonw_double(w, "available", v->available);
    }
    jsonw_end(w);
}

/* Those that have nothing to do with the request, such as a share of disks that no tree of the request is near, are left out. */
static bool
concerns(const struct plan_group *g, const struct mirror_tree *t)
{
    for (uint32_t i = 0; i < t->count; i++) {
        for (size_t k = 0; k < g->request->wants_count; k++) {
            if (mirror_stock(t->members[i], g->class_ids[k]) != NULL)
                return true;
        }
    }
    return t->members[0]->stocks_count == 0;
}

static int
write_all(struct call *call, const struct mirror *m, const struct request_group *request,
          int64_t limit, struct fault *f)
{
    struct explainer x = { .arena = call->arena, .m = m };
    const struct mirror_provider *marker = NULL;
    size_t count, sharing;
    struct mirror_tree *const *trees = mirror_trees(m, &count);
    struct candidates_scope scope = candidates_scope(m);
    struct plan_group g;
    struct jsonw *w;

    if (plan_group_make(m, request, call->arena, &g, f) < 0)
        return -1;
    if (call_query(call, "marker") != NULL) {
        marker = mirror_find(m, call_query(call, "marker"));
        if (marker == NULL)
            return fault_raise(
                f, FAULT_INVALID,
                "Invalid query string parameters: there is no provider '%.100s' (marker)",
                call_query(call, "marker"));
    }
    mirror_sharing(m, &sharing);
    x.g = &g;
    x.shared = ARENA_ARRAY(call->arena, const struct mirror_provider *, sharing + 1);
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_array(w, "providers");
    for (size_t i = 0; i < count; i++) {
        struct verdict v;

        if (!concerns(&g, trees[i]))
            continue;
        x.shared_count = sharing == 0 ? 0 : candidates_sharing(&scope, trees[i], x.shared);
        judge(&x, trees[i], &v);
        count_rule(&x, v.rule == NULL ? "fits" : v.rule);
        if (limit == 0 || (marker != NULL && trees[i]->root_id <= marker->root_id))
            continue;
        write_verdict(w, mirror_root(trees[i]->members[0]), &v);
        limit--;
    }
    jsonw_end(w);
    jsonw_object(w, "counts");
    for (size_t i = 0; i < x.counts_count; i++)
        jsonw_int(w, x.counts[i].rule, x.counts[i].count);
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

int
explain(struct call *call, struct fault *f)
{
    const char *text = call_query(call, "limit");
    struct mirror *m = placement_of(call)->mirror;
    struct request_group request;
    int64_t limit = -1;
    int r;

    if (query_check(call, keys, f) < 0 || request_parse_group(call, NULL, &request, f) < 0)
        return -1;
    if (request.wants_count == 0)
        return fault_raise_code(f, FAULT_INVALID, CODE_QUERY_MISSING,
                                "There must be a resources parameter.");
    if (text != NULL && str_to_int64(text, 1, INT64_MAX, &limit) < 0)
        return fault_raise(
            f, FAULT_INVALID,
            "Invalid query string parameters: '%.100s' does not match '^[1-9][0-9]*$'", text);
    if (mirror_read(m, call->db, f) < 0)
        return -1;
    r = write_all(call, m, &request, limit, f);
    mirror_done(m);
    return r;
}
