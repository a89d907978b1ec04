#include "candidates_sharing.h"

#include "base/array.h"

struct candidates_sharers {
    struct arena *arena;
    struct mirror_provider **all;
    size_t count;
    size_t *
        starts; /* By aggregate: where its sharers begin in 'by_aggregate'. One more than there are aggregates. */
    size_t *by_aggregate; /* Places in 'all', ascending in each aggregate. */
    size_t aggregates;
    uint64_t *can;  /* By aggregate: levels that some of its sharers could serve. */
    uint32_t *seen; /* By place: in which turn it was found. */
    uint32_t turn;
    const struct mirror_provider **found;
    size_t found_count;
    uint64_t found_can;
    int32_t *
        last; /* Aggregates of the tree that 'found' is for: the next one has the same, more often than not. */
    size_t last_count, last_capacity;
    bool last_whole; /* None was left out for being of that tree itself. */
};

/* --- Whom to keep */

/* May it serve the level at all, standing outside the tree? */
static bool
could_serve(const struct candidates_plan *plan, const struct plan_level *l,
            const struct mirror_provider *p)
{
    const struct plan_group *g = &plan->groups[l->group];

    for (size_t i = l->first; i < l->first + l->count; i++) {
        const struct mirror_stock *s = mirror_stock(p, g->class_ids[i]);

        if (s == NULL || !stock_fits(s, g->request->wants[i].amount))
            return false;
    }
    if (g->request->in_tree != NULL && (!l->suffixed || !plan_in_tree(g, p->tree)))
        return false;
    return !plan_has_forbidden(g, p) && plan_in_aggregates(g, p) && !plan_in_forbidden(g, p) &&
           (!l->suffixed || plan_has_traits(g, p));
}

/* The levels that it could serve, of the first 64; the last bit stands for all after them, too. */
static uint64_t
levels_of(const struct candidates_plan *plan, const struct mirror_provider *p)
{
    uint64_t levels = 0;

    for (size_t n = 0; plan != NULL && n < plan->levels_count; n++) {
        if (could_serve(plan, &plan->levels[n], p))
            levels |= UINT64_C(1) << MIN(n, (size_t)63);
    }
    return plan == NULL ? UINT64_MAX : levels;
}

/* --- By aggregate */

static void
put_by_aggregate(struct candidates_sharers *s, const uint64_t *levels)
{
    size_t *next;

    for (size_t i = 0; i < s->count; i++) {
        for (uint32_t k = 0; k < s->all[i]->aggregates_count; k++)
            s->aggregates = MAX(s->aggregates, (size_t)s->all[i]->aggregates[k] + 1);
    }
    s->starts = ARENA_ARRAY(s->arena, size_t, s->aggregates + 1);
    for (size_t i = 0; i < s->count; i++) {
        for (uint32_t k = 0; k < s->all[i]->aggregates_count; k++)
            s->starts[s->all[i]->aggregates[k] + 1]++;
    }
    for (size_t i = 0; i < s->aggregates; i++)
        s->starts[i + 1] += s->starts[i];
    s->by_aggregate = ARENA_ARRAY(s->arena, size_t, s->starts[s->aggregates] + 1);
    s->can = ARENA_ARRAY(s->arena, uint64_t, s->aggregates + 1);
    next = arena_memdup(s->arena, s->starts, (s->aggregates + 1) * sizeof(*next));
    for (size_t i = 0; i < s->count; i++) {
        for (uint32_t k = 0; k < s->all[i]->aggregates_count; k++) {
            s->by_aggregate[next[s->all[i]->aggregates[k]]++] = i;
            s->can[s->all[i]->aggregates[k]] |= levels[i];
        }
    }
}

struct candidates_sharers *
candidates_sharers(const struct candidates_scope *scope, const struct candidates_plan *plan,
                   struct arena *a)
{
    struct candidates_sharers *s = ARENA_NEW(a, struct candidates_sharers);
    uint64_t *levels;

    s->arena = a;
    if (scope->sharing_count == 0)
        return s;
    s->all = ARENA_ARRAY(a, struct mirror_provider *, scope->sharing_count);
    levels = ARENA_ARRAY(a, uint64_t, scope->sharing_count);
    for (size_t i = 0; i < scope->sharing_count; i++) {
        levels[s->count] = levels_of(plan, scope->sharing[i]);
        if (levels[s->count] != 0)
            s->all[s->count++] = scope->sharing[i];
    }
    put_by_aggregate(s, levels);
    s->seen = ARENA_ARRAY(a, uint32_t, s->count + 1);
    s->found = ARENA_ARRAY(a, const struct mirror_provider *, s->count + 1);
    return s;
}

struct mirror_provider *const *
candidates_sharers_all(const struct candidates_sharers *s, size_t *ret_count)
{
    *ret_count = s->count;
    return s->all;
}

/* --- Of a tree */

static void
add_aggregate(struct candidates_sharers *s, size_t aggregate, const struct mirror_tree *t)
{
    s->found_can |= s->can[aggregate];
    for (size_t i = s->starts[aggregate]; i < s->starts[aggregate + 1]; i++) {
        size_t at = s->by_aggregate[i];

        s->last_whole = s->last_whole && s->all[at]->tree != t;
        if (s->seen[at] == s->turn || s->all[at]->tree == t)
            continue;
        s->seen[at] = s->turn;
        s->found[s->found_count++] = s->all[at];
    }
}

static bool
is_as_last(const struct candidates_sharers *s, const struct mirror_tree *t)
{
    size_t at = 0;

    for (uint32_t i = 0; s->last_whole && i < t->count; i++) {
        const struct mirror_provider *p = t->members[i];

        if (p->sharing || at + p->aggregates_count > s->last_count ||
            (p->aggregates_count > 0 &&
             memcmp(s->last + at, p->aggregates, p->aggregates_count * sizeof(*s->last)) != 0))
            return false;
        at += p->aggregates_count;
    }
    return s->last_whole && at == s->last_count;
}

static void
remember(struct candidates_sharers *s, const struct mirror_tree *t)
{
    s->last_count = 0;
    s->last_whole = true;
    for (uint32_t i = 0; i < t->count; i++) {
        for (uint32_t k = 0; k < t->members[i]->aggregates_count; k++)
            *ARRAY_PUSH(s->arena, s->last, s->last_count, s->last_capacity) =
                t->members[i]->aggregates[k];
    }
}

const struct mirror_provider *const *
candidates_sharers_of(struct candidates_sharers *s, const struct mirror_tree *t, size_t *ret_count,
                      uint64_t *ret_can)
{
    if (s->count == 0) {
        *ret_count = 0;
        *ret_can = 0;
        return NULL;
    }
    if (!is_as_last(s, t)) {
        remember(s, t);
        s->turn++;
        s->found_count = 0;
        s->found_can = 0;
        for (size_t i = 0; i < s->last_count; i++) {
            if ((size_t)s->last[i] < s->aggregates)
                add_aggregate(s, (size_t)s->last[i], t);
        }
    }
    *ret_count = s->found_count;
    *ret_can = s->found_can;
    return s->found;
}
