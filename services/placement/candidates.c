/* GET /allocation_candidates: each candidate is written as the walk finds it; of the trees they touch, summaries follow. */
#include "candidates.h"

#include "base/array.h"
#include "base/log.h"
#include "base/map.h"
#include "base/str.h"
#include "reply.h"

struct writer {
    struct call *call;
    const struct mirror *m;
    const struct request *request;
    struct jsonw *w;
    int64_t left;     /* Candidates; -1: any number. */
    bool cut;         /* The last of them is one too many, and is not written. */
    struct map *seen; /* Numbers of the providers (1.28 and before) or roots to be summed up. */
    const struct mirror_provider **summed;
    size_t summed_count, summed_capacity;
};

/* --- One candidate */

static bool
first_of(const struct candidate *c, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (c->picks[i].provider == c->picks[at].provider)
            return false;
    }
    return true;
}

static void
write_resources(struct writer *x, const struct candidate *c, const struct mirror_provider *p)
{
    jsonw_object(x->w, "resources");
    for (size_t i = 0; i < c->picks_count; i++) {
        if (c->picks[i].provider == p)
            jsonw_int(x->w, mirror_class_name(x->m, c->picks[i].class_id), c->picks[i].amount);
    }
    jsonw_end(x->w);
}

/* From 1.12 an object by provider; a list before. */
static void
write_allocations(struct writer *x, const struct candidate *c)
{
    bool by_uuid = call_at_least(x->call, 1, 12);

    if (by_uuid)
        jsonw_object(x->w, "allocations");
    else
        jsonw_array(x->w, "allocations");
    for (size_t i = 0; i < c->picks_count; i++) {
        const struct mirror_provider *p = c->picks[i].provider;

        if (!first_of(c, i))
            continue;
        jsonw_object(x->w, by_uuid ? p->uuid : NULL);
        if (!by_uuid) {
            jsonw_object(x->w, "resource_provider");
            jsonw_text(x->w, "uuid", p->uuid);
            jsonw_end(x->w);
        }
        write_resources(x, c, p);
        jsonw_end(x->w);
    }
    jsonw_end(x->w);
}

static void
write_mappings(struct writer *x, const struct candidate *c)
{
    jsonw_object(x->w, "mappings");
    for (size_t i = 0; i < c->mappings_count; i++) { /* The walk goes group by group. */
        if (i == 0 || !str_equal(c->mappings[i].suffix, c->mappings[i - 1].suffix))
            jsonw_array(x->w, c->mappings[i].suffix);
        jsonw_text(x->w, NULL, c->mappings[i].provider->uuid);
        if (i + 1 == c->mappings_count ||
            !str_equal(c->mappings[i].suffix, c->mappings[i + 1].suffix))
            jsonw_end(x->w);
    }
    jsonw_end(x->w);
}

/* Remembers whom the summaries must have: trees by their roots, or, before trees were known, the providers themselves. */
static void
remember(struct writer *x, const struct mirror_provider *p)
{
    const struct mirror_provider *key = call_at_least(x->call, 1, 29) ? mirror_root(p) : p;

    if (x->summed_count > 0 && x->summed[x->summed_count - 1] == key)
        return;
    if (map_has(x->seen, key->uuid))
        return;
    map_set(x->seen, key->uuid, x);
    *ARRAY_PUSH(x->call->arena, x->summed, x->summed_count, x->summed_capacity) = key;
}

static bool
take(void *owner, const struct candidate *c)
{
    struct writer *x = owner;

    if (x->cut && x->left == 1) {
        x->left = 0;
        return false;
    }
    jsonw_object(x->w, NULL);
    write_allocations(x, c);
    if (call_at_least(x->call, 1, 34))
        write_mappings(x, c);
    jsonw_end(x->w);
    for (size_t i = 0; i < c->picks_count; i++)
        remember(x, c->picks[i].provider);
    if (x->left > 0)
        x->left--;
    return x->left != 0;
}

/* --- Summaries */

static bool
is_requested(const struct writer *x, int class_id)
{
    for (size_t i = 0; i < x->request->groups_count; i++) {
        for (size_t k = 0; k < x->request->groups[i].wants_count; k++) {
            if (str_equal(x->request->groups[i].wants[k].class_name,
                          mirror_class_name(x->m, class_id)))
                return true;
        }
    }
    return false;
}

static void
write_stocks(struct writer *x, const struct mirror_provider *p)
{
    bool all = call_at_least(x->call, 1, 27);

    jsonw_object(x->w, "resources");
    for (uint32_t i = 0; i < p->stocks_count; i++) {
        const struct mirror_stock *s = &p->stocks[i];

        if (!all && !is_requested(x, s->class_id))
            continue;
        jsonw_object(x->w, mirror_class_name(x->m, s->class_id));
        jsonw_int(x->w, "capacity", (int64_t)stock_room(s));
        jsonw_int(x->w, "used", s->used);
        jsonw_end(x->w);
    }
    jsonw_end(x->w);
}

static void
write_summary(struct writer *x, const struct mirror_provider *p)
{
    jsonw_object(x->w, p->uuid);
    write_stocks(x, p);
    if (call_at_least(x->call, 1, 17)) {
        jsonw_array(x->w, "traits");
        for (uint32_t i = 0; i < p->traits_count; i++) {
            if (mirror_trait_name(x->m, p->traits[i]) != NULL)
                jsonw_text(x->w, NULL, mirror_trait_name(x->m, p->traits[i]));
        }
        jsonw_end(x->w);
    }
    if (call_at_least(x->call, 1, 29)) {
        jsonw_text(x->w, "parent_provider_uuid", p->parent == NULL ? NULL : p->parent->uuid);
        jsonw_text(x->w, "root_provider_uuid", mirror_root(p)->uuid);
    }
    jsonw_end(x->w);
}

static void
write_summaries(struct writer *x)
{
    jsonw_object(x->w, "provider_summaries");
    for (size_t i = 0; i < x->summed_count; i++) {
        const struct mirror_tree *t = x->summed[i]->tree;

        if (!call_at_least(x->call, 1, 29)) {
            write_summary(x, x->summed[i]);
            continue;
        }
        for (uint32_t k = 0; k < t->count; k++)
            write_summary(x, t->members[k]);
    }
    jsonw_end(x->w);
}

/* --- The operation */

/* An answer that may lack candidates says so, where a client that knows nothing of it is not disturbed. */
static void
tell_incomplete(struct call *call, const struct writer *x, bool given_up)
{
    struct placement *p = placement_of(call);

    if (given_up) {
        atomic_fetch_add(&p->given_up, 1);
        log_warn("candidates.given_up summaries=%zu", x->summed_count);
        call_header(call, "Virga-Incomplete", "bound");
    } else if (x->cut && x->left == 0) {
        call_header(call, "Virga-Incomplete", "max_allocation_candidates");
    }
}

static int
search(struct call *call, const struct mirror *m, const struct request *request, struct fault *f)
{
    struct candidates_options options = { .nested = call_at_least(call, 1, 29),
                                          .limit = request->limit };
    int64_t most = placement_of(call)->config->max_allocation_candidates;
    struct writer x = {
        .call = call, .m = m, .request = request, .left = request->limit > 0 ? request->limit : -1
    };
    struct candidates_plan *plan;
    bool complete;

    if (candidates_plan(m, request, call->arena, &plan, f) < 0)
        return -1;
    if (most >= 0 && (x.left < 0 || x.left > most)) {
        x.left = most + 1;
        x.cut = true;
    }
    x.w = reply_json(call, 0);
    x.seen = map_new(NULL);
    jsonw_object(x.w, NULL);
    jsonw_array(x.w, "allocation_requests");
    complete = candidates_walk(m, plan, &options, take, &x);
    jsonw_end(x.w);
    write_summaries(&x);
    jsonw_end(x.w);
    map_free(x.seen);
    tell_incomplete(call, &x, !complete);
    return 0;
}

int
candidates_list(struct call *call, struct fault *f)
{
    struct mirror *m = placement_of(call)->mirror;
    struct request request;
    int r;

    if (reply_check_accept(call, f) < 0 || request_parse(call, &request, f) < 0 ||
        mirror_read(m, call->db, f) < 0)
        return -1;
    r = search(call, m, &request, f);
    mirror_done(m);
    return r;
}
