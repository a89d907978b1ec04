#include "simulate_moves.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/map.h"
#include "base/str.h"
#include "candidates_plan.h"

#define LISTED 100 /* Consumers and hosts of the answer. */

struct gathering {
    struct arena *arena;
    struct simulation_changes *changes;
    const struct moves_of_row *rows;
    size_t count;
    struct map *providers; /* By number as text: those that the rows name. */
    struct map *demands;   /* By what is wanted, as text: their place + 1. */
    size_t demands_capacity;
};

/* --- Providers */

static bool
is_drained(const struct simulation_changes *c, const struct mirror_tree *t)
{
    return c->drained_count > 0 && bsearch(&t, c->drained, c->drained_count, sizeof(*c->drained),
                                           simulation_compare) != NULL;
}

static const char *
number(struct arena *a, int64_t id)
{
    return arena_printf(a, "%lld", (long long)id);
}

/* The drained trees' providers, each once. */
static struct texts
drained_providers(struct arena *a, const struct simulation_changes *c)
{
    struct texts ids = { 0 };
    size_t capacity = 0;

    for (size_t i = 0; i < c->drained_count; i++) {
        if (i > 0 && c->drained[i] == c->drained[i - 1])
            continue;
        for (uint32_t k = 0; k < c->drained[i]->count; k++)
            *ARRAY_PUSH(a, ids.items, ids.count, capacity) =
                number(a, c->drained[i]->members[k]->id);
    }
    return ids;
}

static void
find_providers(struct gathering *g, const struct mirror_fork *fork)
{
    for (size_t i = 0; i < g->count; i++)
        map_set(g->providers, number(g->arena, g->rows[i].provider_id), NULL);
    for (size_t i = 0; i < fork->trees_count; i++) {
        for (uint32_t k = 0; k < fork->trees[i]->count; k++) {
            char id[24];

            snprintf(id, sizeof(id), "%lld", (long long)fork->trees[i]->members[k]->id);
            if (map_has(g->providers, id))
                map_set(g->providers, id, fork->trees[i]->members[k]);
        }
    }
}

static const struct mirror_provider *
provider_of(const struct gathering *g, const struct moves_of_row *row)
{
    return map_get(g->providers, number(g->arena, row->provider_id));
}

/* --- What one consumer wants: rows [first, end). */

/* A group for each provider that it leaves; what a root gave may come of several. */
static struct request_group *
group_for(struct gathering *g, struct request *r, const struct mirror_provider *p)
{
    const char *suffix = p->parent == NULL ? "" : arena_printf(g->arena, "_%lld", (long long)p->id);
    struct request_group *group;

    for (size_t i = 0; i < r->groups_count; i++) {
        if (str_equal(r->groups[i].suffix, suffix))
            return &r->groups[i];
    }
    group = ARRAY_PUSH(g->arena, r->groups, r->groups_count, r->groups_capacity);
    group->suffix = suffix;
    return group;
}

static void
add_want(struct gathering *g, struct request *r, int **class_ids, size_t most,
         const struct mirror_provider *p, const struct moves_of_row *row)
{
    struct request_group *group = group_for(g, r, p);
    size_t at = (size_t)(group - r->groups), i = 0;

    if (class_ids[at] == NULL)
        class_ids[at] = ARENA_ARRAY(g->arena, int, most);
    while (i < group->wants_count && class_ids[at][i] != row->class_id)
        i++;
    if (i == group->wants_count) {
        *ARRAY_PUSH(g->arena, group->wants, group->wants_count, group->wants_capacity) =
            (struct request_want){ row->class_name, 0 };
        class_ids[at][i] = row->class_id;
    }
    group->wants[i].amount += row->used; /* Roots of several drained hosts. */
}

/* Alike are those that want the same amounts in the same groups, and leave the same behind. */
static const char *
key_of(struct gathering *g, const struct request *r, const struct mirror_provider **kept,
       size_t kept_count)
{
    _cleanup_(str_done) struct str key = { 0 };

    for (size_t i = 0; i < r->groups_count; i++) {
        str_add(&key, r->groups[i].suffix[0] == '\0' ? "|" : "|_");
        for (size_t k = 0; k < r->groups[i].wants_count; k++)
            str_addf(&key, "%s=%lld,", r->groups[i].wants[k].class_name,
                     (long long)r->groups[i].wants[k].amount);
    }
    for (size_t i = 0; i < kept_count; i++)
        str_addf(&key, "@%lld", (long long)kept[i]->id);
    return arena_strdup(g->arena, str_text(&key));
}

static struct simulation_demand *
demand_of(struct gathering *g, struct request *r, int *const *class_ids,
          const struct mirror_provider **kept, size_t kept_count)
{
    const char *key = key_of(g, r, kept, kept_count);
    uintptr_t at = (uintptr_t)map_get(g->demands, key);
    struct simulation_demand *d;

    if (at > 0)
        return &g->changes->demands[at - 1];
    d = ARRAY_PUSH(g->arena, g->changes->demands, g->changes->demands_count, g->demands_capacity);
    d->plan = candidates_plan_of(r, class_ids, g->arena);
    d->kept = kept;
    d->kept_count = kept_count;
    map_set(g->demands, key, (void *)g->changes->demands_count);
    return d;
}

static void
add_consumer(struct gathering *g, size_t first, size_t end)
{
    struct request *r = ARENA_NEW(g->arena, struct request);
    int **class_ids = ARENA_ARRAY(g->arena, int *, end - first);
    const struct mirror_provider **kept =
        ARENA_ARRAY(g->arena, const struct mirror_provider *, end - first);
    const struct mirror_provider *leaves = NULL;
    struct simulation_demand *d;
    size_t kept_count = 0;

    for (size_t i = first; i < end; i++) {
        const struct mirror_provider *p = provider_of(g, &g->rows[i]);

        if (p == NULL)
            continue; /* It has come since the mirror was forked. */
        if (is_drained(g->changes, p->tree)) {
            leaves = p;
            add_want(g, r, class_ids, end - first, p, &g->rows[i]);
        } else if (kept_count == 0 || kept[kept_count - 1] != p) {
            kept[kept_count++] = p;
        }
    }
    if (leaves == NULL)
        return;
    d = demand_of(g, r, class_ids, kept, kept_count);
    *ARRAY_PUSH(g->arena, d->moves, d->count, d->capacity) =
        (struct simulation_move){ g->rows[first].consumer_uuid, g->rows[first].project_id,
                                  g->rows[first].type, mirror_root(leaves)->name, SIZE_MAX };
}

int
simulate_find_moves(struct call *call, const struct mirror_fork *fork,
                    struct simulation_changes *changes, struct fault *f)
{
    struct gathering g = { .arena = call->arena, .changes = changes };
    struct texts ids = drained_providers(call->arena, changes);
    struct moves_of_row *rows;

    if (ids.count == 0)
        return 0;
    if (moves_of(call->db, &ids, &rows, &g.count, f) < 0)
        return -1;
    g.rows = rows;
    g.providers = map_new(NULL);
    g.demands = map_new(NULL);
    find_providers(&g, fork);
    for (size_t first = 0, end; first < g.count; first = end) {
        for (end = first;
             end < g.count && str_equal(g.rows[end].consumer_uuid, g.rows[first].consumer_uuid);)
            end++;
        add_consumer(&g, first, end);
    }
    map_free(g.providers);
    map_free(g.demands);
    return 0;
}

/* --- The answer */

static void
write_wants(struct jsonw *w, const struct simulation_demand *d)
{
    jsonw_object(w, "resources");
    for (size_t i = 0; i < d->plan->totals_count; i++) {
        const struct plan_total *total = &d->plan->totals[i];

        jsonw_int(w, plan_class_name(d->plan, total->class_id), total->amount);
    }
    jsonw_end(w);
}

static void
write_stuck(struct jsonw *w, const struct simulation_changes *c)
{
    size_t left = LISTED;

    jsonw_array(w, "stuck");
    for (size_t i = 0; i < c->demands_count; i++) {
        const struct simulation_demand *d = &c->demands[i];

        for (size_t k = d->placed; k < d->count && left > 0; k++, left--) {
            jsonw_object(w, NULL);
            jsonw_text(w, "consumer_uuid", d->moves[k].consumer);
            jsonw_text(w, "consumer_type", d->moves[k].type);
            jsonw_text(w, "project_id", d->moves[k].project);
            jsonw_text(w, "host", d->moves[k].host);
            write_wants(w, d);
            jsonw_object(w, "refused");
            for (size_t n = 0; n < d->refused.count; n++)
                jsonw_int(w, d->refused.items[n].rule, d->refused.items[n].count);
            jsonw_end(w);
            jsonw_end(w);
        }
    }
    jsonw_end(w);
}

/* Where the placed went, those that take the most first. */
struct target {
    size_t at;
    int64_t count;
};

static int
compare(const void *a, const void *b)
{
    const struct target *x = a, *y = b;

    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return x->at < y->at ? -1 : x->at > y->at;
}

static int
compare_places(const void *a, const void *b)
{
    const struct target *x = a, *y = b;

    return x->at < y->at ? -1 : x->at > y->at;
}

static size_t
gather_targets(const struct simulation_changes *c, struct target *targets)
{
    size_t count = 0, kept = 0;

    for (size_t i = 0; i < c->demands_count; i++) {
        for (size_t k = 0; k < c->demands[i].placed; k++)
            targets[count++] = (struct target){ c->demands[i].moves[k].at, 1 };
    }
    qsort(targets, count, sizeof(*targets), compare_places);
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && targets[kept - 1].at == targets[i].at)
            targets[kept - 1].count++;
        else
            targets[kept++] = targets[i];
    }
    qsort(targets, kept, sizeof(*targets), compare);
    return kept;
}

static void
write_targets(struct jsonw *w, const struct mirror_fork *fork, const struct simulation_changes *c,
              int64_t moved)
{
    struct arena *a = arena_new();
    struct target *targets = ARENA_ARRAY(a, struct target, (size_t)moved + 1);
    size_t count = gather_targets(c, targets);

    jsonw_array(w, "hosts");
    for (size_t i = 0; i < MIN(count, (size_t)LISTED); i++) {
        bool added = targets[i].at >= fork->trees_count;
        const struct mirror_provider *root =
            added ? NULL : mirror_root(fork->trees[targets[i].at]->members[0]);

        jsonw_object(w, NULL);
        jsonw_text(w, "uuid", added ? NULL : root->uuid);
        jsonw_text(w, "name", added ? "(added)" : root->name);
        jsonw_int(w, "consumers", targets[i].count);
        jsonw_end(w);
    }
    jsonw_end(w);
    arena_free(a);
}

struct sum {
    const char *class_name;
    int64_t amount;
};

/* All that is in use there, by class. */
static void
write_displaced(struct jsonw *w, const struct simulation_changes *c)
{
    struct arena *a = arena_new();
    struct sum *sums = NULL;
    size_t count = 0, capacity = 0;

    for (size_t i = 0; i < c->demands_count; i++) {
        const struct simulation_demand *d = &c->demands[i];

        for (size_t k = 0; k < d->plan->totals_count; k++) {
            const char *name = plan_class_name(d->plan, d->plan->totals[k].class_id);
            size_t at = 0;

            while (at < count && !str_equal(sums[at].class_name, name))
                at++;
            if (at == count)
                *ARRAY_PUSH(a, sums, count, capacity) = (struct sum){ name, 0 };
            sums[at].amount += d->plan->totals[k].amount * (int64_t)d->count;
        }
    }
    jsonw_object(w, "displaced");
    for (size_t i = 0; i < count; i++)
        jsonw_int(w, sums[i].class_name, sums[i].amount);
    jsonw_end(w);
    arena_free(a);
}

void
simulate_write_moves(struct jsonw *w, const struct mirror_fork *fork,
                     const struct simulation_changes *c, const struct simulation_outcome *o)
{
    write_displaced(w, c);
    jsonw_object(w, "moved");
    jsonw_int(w, "consumers", o->moved + o->stuck);
    jsonw_int(w, "placed", o->moved);
    write_targets(w, fork, c, o->moved);
    write_stuck(w, c);
    jsonw_end(w);
}
