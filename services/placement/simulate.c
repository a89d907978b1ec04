/* POST /OS-VIRGA/simulate: how many of a flavor fit, now and after changes that are only thought of. Nothing is written, and what it reads is a
 * fork of the mirror, so other readers and claims go on meanwhile. */
#include <pthread.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/map.h"
#include "base/str.h"
#include "candidates_plan.h"
#include "inventories.h"
#include "reply.h"
#include "simulate_moves.h"

/* One at a time: a pass over 100,000 hosts is a tenth of a second of one processor, and the others are for requests. */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

struct question {
    struct call *call;
    const struct simulate_request *in;
    struct request request;
    struct inventory_in **inventories; /* By in->add; NULL: like another. */
    size_t *inventories_counts;
    struct candidates_plan *plan;
    struct simulation_changes changes;
    struct mirror_fork fork;
};

/* --- What the body says. Nothing is looked up. */

static int
parse_flavor(struct question *q, struct fault *f)
{
    const struct simulate_flavor *flavor = q->in->flavor;
    struct arena *a = q->call->arena;
    struct request_group *g = ARENA_NEW(a, struct request_group);
    const char *name;
    json_t *value;

    g->suffix = "";
    json_object_foreach((json_t *)(uintptr_t)flavor->resources, name, value)
    {
        if (!json_is_integer(value) || json_integer_value(value) < 1 ||
            json_integer_value(value) > INT32_MAX)
            return fault_raise(f, FAULT_INVALID,
                               "flavor.resources.%.100s must be an integer from 1 to 2147483647",
                               name);
        *ARRAY_PUSH(a, g->wants, g->wants_count, g->wants_capacity) =
            (struct request_want){ arena_strdup(a, name), json_integer_value(value) };
    }
    if (g->wants_count == 0)
        return fault_raise(f, FAULT_INVALID, "flavor.resources must name a resource class");
    for (size_t i = 0; i < flavor->required.count; i++)
        *ARRAY_PUSH(a, g->required, g->required_count, g->required_capacity) =
            (struct texts){ &flavor->required.items[i], 1 };
    g->forbidden = flavor->forbidden;
    q->request.groups = g;
    q->request.groups_count = 1;
    return 0;
}

static int
parse_request(struct question *q, struct fault *f)
{
    const struct simulate_request *in = q->in;

    if ((in->flavor == NULL) == (in->query == NULL))
        return fault_raise(f, FAULT_INVALID, "there must be one of flavor and query");
    return in->flavor != NULL ? parse_flavor(q, f)
                              : request_parse_text(q->call, in->query, &q->request, f);
}

static int
parse_hosts(struct question *q, struct fault *f)
{
    struct arena *a = q->call->arena;

    q->inventories = ARENA_ARRAY(a, struct inventory_in *, q->in->add_count + 1);
    q->inventories_counts = ARENA_ARRAY(a, size_t, q->in->add_count + 1);
    for (size_t i = 0; i < q->in->add_count; i++) {
        const struct simulate_hosts *h = &q->in->add[i];

        if ((h->like == NULL) == (h->inventories == NULL))
            return fault_raise(f, FAULT_INVALID, "add[%zu] must have one of like and inventories",
                               i);
        if (h->like != NULL && h->traits.count > 0)
            return fault_raise(f, FAULT_INVALID,
                               "add[%zu].traits are those of the host that it is like", i);
        if (h->inventories != NULL &&
            inventories_parse(q->call, h->inventories, "inventories", &q->inventories[i],
                              &q->inventories_counts[i], f) < 0)
            return -1;
    }
    return 0;
}

/* --- What the mirror knows, while it is held. */

static int
find_class(const struct mirror *m, const char *name, int *ret, struct fault *f)
{
    *ret = mirror_class_id(m, name);
    if (*ret < 0)
        return fault_raise(f, FAULT_INVALID, "No such resource class %.255s.", name);
    return 0;
}

static int
compare_int(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return x < y ? -1 : x > y;
}

/* A host of one provider that has what add[i] says. */
static int
make_host(struct question *q, const struct mirror *m, size_t i, struct fault *f)
{
    const struct simulate_hosts *h = &q->in->add[i];
    struct arena *a = q->call->arena;
    struct mirror_provider *p = ARENA_NEW(a, struct mirror_provider);
    struct mirror_tree *t = ARENA_NEW(a, struct mirror_tree);
    static char name[] = "(added)";

    p->id = p->root_id = t->root_id = INT64_MAX;
    p->name = name;
    p->tree = t;
    t->members = ARENA_ARRAY(a, struct mirror_provider *, 1);
    t->members[0] = p;
    t->count = 1;
    p->stocks = ARENA_ARRAY(a, struct mirror_stock, q->inventories_counts[i] + 1);
    for (size_t k = 0; k < q->inventories_counts[i]; k++) {
        const struct inventory_in *x = &q->inventories[i][k];
        struct mirror_stock *s = &p->stocks[p->stocks_count++];
        int class_id = 0;

        if (find_class(m, x->class_name, &class_id, f) < 0)
            return -1;
        *s = (struct mirror_stock){ class_id,    x->total,     x->reserved, x->min_unit,
                                    x->max_unit, x->step_size, 0,           x->allocation_ratio };
    }
    p->traits = ARENA_ARRAY(a, int32_t, h->traits.count + 1);
    for (size_t k = 0; k < h->traits.count; k++) {
        int id = mirror_trait_id(m, h->traits.items[k]);

        if (id < 0)
            return fault_raise(f, FAULT_INVALID, "No such trait(s): %.255s.", h->traits.items[k]);
        p->traits[p->traits_count++] = id;
    }
    qsort(p->traits, p->traits_count, sizeof(*p->traits), compare_int);
    q->changes.hosts[i] = (struct simulation_hosts){ h->number, t };
    return 0;
}

static int
look_up(struct question *q, const struct mirror *m, struct fault *f)
{
    struct arena *a = q->call->arena;

    if (candidates_plan(m, &q->request, a, &q->plan, f) < 0)
        return -1;
    q->changes.ratios_count = q->in->ratios_count;
    q->changes.ratios = ARENA_ARRAY(a, struct simulation_ratio, q->in->ratios_count + 1);
    for (size_t i = 0; i < q->in->ratios_count; i++) {
        q->changes.ratios[i].ratio = q->in->ratios[i].allocation_ratio;
        if (find_class(m, q->in->ratios[i].resource_class, &q->changes.ratios[i].class_id, f) < 0)
            return -1;
    }
    q->changes.hosts_count = q->in->add_count;
    q->changes.hosts = ARENA_ARRAY(a, struct simulation_hosts, q->in->add_count + 1);
    for (size_t i = 0; i < q->in->add_count; i++) {
        if (q->in->add[i].like == NULL && make_host(q, m, i, f) < 0)
            return -1;
    }
    return 0;
}

/* --- Hosts by name or UUID, in the fork. */

static void
learn(struct map *known, const struct texts *names)
{
    for (size_t i = 0; i < names->count; i++)
        map_set(known, names->items[i], NULL);
}

static const struct mirror_tree *
host_of(const struct map *known, const char *name, struct fault *f)
{
    const struct mirror_tree *t = map_get(known, name);

    if (t == NULL)
        (void)fault_raise(f, FAULT_INVALID, "There is no resource provider '%.255s'.", name);
    return t;
}

static int
trees_of(struct question *q, const struct map *known, const struct texts *names,
         const struct mirror_tree ***ret, size_t *ret_count, struct fault *f)
{
    const struct mirror_tree **trees =
        ARENA_ARRAY(q->call->arena, const struct mirror_tree *, names->count + 1);

    for (size_t i = 0; i < names->count; i++) {
        trees[i] = host_of(known, names->items[i], f);
        if (trees[i] == NULL)
            return -1;
    }
    qsort(trees, names->count, sizeof(*trees), simulation_compare);
    *ret = trees;
    *ret_count = names->count;
    return 0;
}

static int
place_names(struct question *q, const struct map *known, struct fault *f)
{
    for (size_t i = 0; i < q->in->ratios_count; i++) {
        const struct simulate_ratio *r = &q->in->ratios[i];
        struct simulation_ratio *x = &q->changes.ratios[i];

        if (field_given(&r->set, SIMULATE_RATIO_F_HOSTS) &&
            trees_of(q, known, &r->hosts, &x->trees, &x->trees_count, f) < 0)
            return -1;
    }
    for (size_t i = 0; i < q->in->add_count; i++) {
        const struct mirror_tree *t;

        if (q->in->add[i].like == NULL)
            continue;
        t = host_of(known, q->in->add[i].like, f);
        if (t == NULL)
            return -1;
        q->changes.hosts[i] = (struct simulation_hosts){ q->in->add[i].number, t };
    }
    return trees_of(q, known, &q->in->drain, &q->changes.drained, &q->changes.drained_count, f);
}

static int
find_hosts(struct question *q, struct fault *f)
{
    struct map *known = map_new(NULL);
    int r;

    learn(known, &q->in->drain);
    for (size_t i = 0; i < q->in->ratios_count; i++)
        learn(known, &q->in->ratios[i].hosts);
    for (size_t i = 0; i < q->in->add_count; i++) {
        if (q->in->add[i].like != NULL)
            map_set(known, q->in->add[i].like, NULL);
    }
    for (size_t i = 0; map_count(known) > 0 && i < q->fork.trees_count; i++) {
        struct mirror_tree *t = q->fork.trees[i];

        for (uint32_t k = 0; k < t->count; k++) {
            if (map_has(known, t->members[k]->uuid))
                map_set(known, t->members[k]->uuid, t);
            if (map_has(known, t->members[k]->name))
                map_set(known, t->members[k]->name, t);
        }
    }
    r = place_names(q, known, f);
    map_free(known);
    return r;
}

/* --- The answer */

static void
write_outcome(struct jsonw *w, const char *key, const struct simulation_outcome *o)
{
    jsonw_object(w, key);
    jsonw_int(w, "fits", o->fits);
    jsonw_int(w, "hosts", o->hosts);
    jsonw_int(w, "hosts_used", o->hosts_used);
    jsonw_text(w, "runs_out", verdict_counts_first(&o->exhausted));
    jsonw_object(w, "refused");
    for (size_t i = 0; i < o->refused.count; i++)
        jsonw_int(w, o->refused.items[i].rule, o->refused.items[i].count);
    jsonw_end(w);
    jsonw_array(w, "providers");
    for (size_t i = 0; i < o->reasons_count; i++) {
        jsonw_object(w, NULL);
        jsonw_text(w, "uuid", o->reasons[i].uuid);
        jsonw_text(w, "name", o->reasons[i].name);
        jsonw_text(w, "rule", o->reasons[i].rule);
        jsonw_text(w, "reason", o->reasons[i].reason);
        jsonw_end(w);
    }
    jsonw_end(w);
    jsonw_end(w);
}

static void
answer(struct question *q)
{
    const struct simulate_request *in = q->in;
    struct simulation_outcome now, then;
    struct jsonw *w = call_json(q->call);

    simulation_run(&q->fork, q->plan, NULL, q->call->arena, &now);
    simulation_run(&q->fork, q->plan, &q->changes, q->call->arena, &then);
    jsonw_object(w, NULL);
    if (field_given(&in->set, SIMULATE_REQUEST_F_WANTED)) {
        jsonw_int(w, "count", in->wanted);
        jsonw_bool(w, "fits", then.fits >= in->wanted);
    }
    write_outcome(w, "now", &now);
    write_outcome(w, "then", &then);
    simulate_write_moves(w, &q->fork, &q->changes, &then);
    jsonw_end(w);
}

static int
run(struct question *q, struct mirror *m, struct fault *f)
{
    int r;

    if (mirror_fork(m, q->call->db, &q->fork, f) < 0)
        return -1;
    r = look_up(q, m, f);
    mirror_done(m);
    if (r >= 0)
        r = find_hosts(q, f);
    if (r >= 0)
        r = simulate_find_moves(q->call, &q->fork, &q->changes, f);
    if (r >= 0)
        answer(q);
    mirror_fork_done(m, &q->fork);
    return r;
}

int
simulate(struct call *call, const struct simulate_request *in, struct fault *f)
{
    struct question q = { .call = call, .in = in };
    int r;

    if (reply_check_accept(call, f) < 0 || parse_request(&q, f) < 0 || parse_hosts(&q, f) < 0)
        return -1;
    pthread_mutex_lock(&turn);
    r = run(&q, placement_of(call)->mirror, f);
    pthread_mutex_unlock(&turn);
    return r;
}
