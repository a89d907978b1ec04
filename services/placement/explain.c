/* GET /OS-VIRGA/explain: any query that GET /allocation_candidates takes, at its latest microversion; the answer says how many trees of providers (hosts,
 * most often) each rule refuses, and then of each tree, by pages, whether it fits or why it does not. "limit" is of the page. */
#include "base/str.h"
#include "candidates.h"
#include "paging.h"
#include "reply.h"
#include "verdict.h"
#include "verdict_counts.h"

/* "limit" and "marker" are of the page, "rule" narrows it; all else is the request. */
static bool
is_own(const char *name)
{
    return str_equal(name, "limit") || str_equal(name, "marker") || str_equal(name, "rule");
}

static int
parse(struct call *call, struct request *ret, struct fault *f)
{
    struct http_pair *pairs =
        ARENA_ARRAY(call->arena, struct http_pair, call->request->query_count + 1);
    size_t count = 0;

    for (size_t i = 0; i < call->request->query_count; i++) {
        if (!is_own(call->request->query[i].name))
            pairs[count++] = call->request->query[i];
    }
    return request_parse_pairs(call, pairs, count, ret, f);
}

/* --- Counts */

static const char *
rule_of(const struct verdict *v)
{
    return v->rule == NULL ? "fits" : v->rule;
}

static void
write_counts(struct jsonw *w, struct arena *a, struct verdicts *verdicts,
             const struct candidates_scope *scope)
{
    struct verdict_counts counts = { 0 };
    struct verdict v;

    for (size_t i = 0; i < scope->trees_count; i++) {
        if (!verdict_concerns(verdicts, scope->trees[i]))
            continue;
        verdict_of(verdicts, scope->trees[i], false, &v);
        verdict_counts_add(&counts, a, rule_of(&v), 1);
    }
    jsonw_object(w, "counts");
    for (size_t i = 0; i < counts.count; i++)
        jsonw_int(w, counts.items[i].rule, counts.items[i].count);
    jsonw_end(w);
}

/* --- The page */

static void
write_verdict(struct jsonw *w, const struct mirror_provider *root, const struct verdict *v)
{
    jsonw_object(w, NULL);
    jsonw_text(w, "uuid", root->uuid);
    jsonw_text(w, "name", root->name);
    jsonw_text(w, "reason", v->reason);
    jsonw_text(w, "rule", v->rule);
    jsonw_text(w, "group", v->group);
    jsonw_text(w, "resource_provider_uuid", v->provider == NULL ? NULL : v->provider->uuid);
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

static void
write_page(struct jsonw *w, struct verdicts *verdicts, const struct candidates_scope *scope,
           const char *rule, int64_t after, int64_t limit)
{
    const char *next = NULL;
    size_t i = 0;

    jsonw_array(w, "providers");
    while (i < scope->trees_count && scope->trees[i]->root_id <= after)
        i++;
    for (; i < scope->trees_count && limit > 0; i++) {
        const struct mirror_tree *t = scope->trees[i];
        struct verdict v;

        if (!verdict_concerns(verdicts, t))
            continue;
        verdict_of(verdicts, t, rule == NULL, &v);
        if (rule != NULL && !str_equal(rule, rule_of(&v)))
            continue;
        if (rule != NULL)
            verdict_of(verdicts, t, true, &v);
        write_verdict(w, mirror_root(t->members[0]), &v);
        next = mirror_root(t->members[0])->uuid;
        limit--;
    }
    jsonw_end(w);
    paging_next(w, i < scope->trees_count ? next : NULL);
}

static int
write_all(struct call *call, const struct mirror *m, const struct request *request, int64_t limit,
          struct fault *f)
{
    const char *text = query_last(call, "marker");
    struct candidates_scope scope = candidates_scope(m);
    const struct mirror_provider *marker = NULL;
    struct candidates_plan *plan;
    struct verdicts *verdicts;
    struct jsonw *w;

    if (candidates_plan(m, request, call->arena, &plan, f) < 0)
        return -1;
    if (text != NULL && (marker = mirror_find(m, text)) == NULL)
        return fault_raise(
            f, FAULT_INVALID,
            "Invalid query string parameters: there is no provider '%.100s' (marker)", text);
    verdicts = verdicts_new(&scope, plan, call->arena);
    w = call_json(call);
    jsonw_object(w, NULL);
    write_counts(w, call->arena, verdicts, &scope);
    verdicts_again(verdicts);
    write_page(w, verdicts, &scope, query_last(call, "rule"), marker == NULL ? 0 : marker->root_id,
               limit);
    jsonw_end(w);
    return 0;
}

int
explain(struct call *call, struct fault *f)
{
    struct mirror *m = placement_of(call)->mirror;
    struct request request;
    int64_t limit;
    int r;

    if (parse(call, &request, f) < 0 || paging_limit(call, &limit, f) < 0 ||
        mirror_read(m, call->db, f) < 0)
        return -1;
    r = write_all(call, m, &request, limit, f);
    mirror_done(m);
    return r;
}
