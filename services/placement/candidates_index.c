#include "candidates_index.h"

#include "base/array.h"
#include "candidates_plan.h"
#include "mirror_index.h"

/* One of these must be in a tree's kind. */
struct condition {
    const int *ids;
    size_t count;
};

struct conditions {
    const struct mirror_kinds *kinds;
    struct condition *items;
    size_t count, capacity;
    struct condition *forbidden; /* In no tree of one provider. */
    size_t forbidden_count, forbidden_capacity;
    uint8_t *verdicts; /* By kind: 0 not asked yet, 1 passes, 2 fails. */
};

struct need {
    const struct mirror_index_class *class;
    int32_t amount;
};

struct candidates_index {
    const struct mirror_index *index; /* NULL: every tree is worth it. */
    size_t trees_count;
    struct conditions traits, aggregates;
    struct need *needs;
    size_t needs_count, needs_capacity;
    size_t only; /* The one tree that may anchor, or SIZE_MAX. */
};

/* --- What sharing providers might do instead */

static bool
shared_has(const struct candidates_scope *scope, const struct condition *c,
           bool (*has)(const struct mirror_provider *p, int id))
{
    for (size_t i = 0; i < scope->sharing_count; i++) {
        for (size_t k = 0; k < c->count; k++) {
            if (has(scope->sharing[i], c->ids[k]))
                return true;
        }
    }
    return false;
}

static bool
has_class(const struct mirror_provider *p, int class_id)
{
    return mirror_stock(p, class_id) != NULL;
}

/* Must one of the tree's own providers serve a part of the group? */
static bool
needs_tree(const struct candidates_scope *scope, const struct plan_group *g)
{
    if (scope->sharing_count == 0)
        return true;
    for (size_t i = 0; i < g->request->wants_count; i++) {
        if (!shared_has(scope, &(struct condition){ &g->class_ids[i], 1 }, has_class))
            return true;
    }
    return false;
}

/* --- Gathering */

static void
require(struct arena *a, struct conditions *c, const int *ids, size_t count)
{
    *ARRAY_PUSH(a, c->items, c->count, c->capacity) = (struct condition){ ids, count };
}

static void
forbid(struct arena *a, struct conditions *c, const struct plan_any *any)
{
    if (any->count > 0)
        *ARRAY_PUSH(a, c->forbidden, c->forbidden_count, c->forbidden_capacity) =
            (struct condition){ any->ids, any->count };
}

static void
need(struct candidates_index *x, struct arena *a, int class_id, int64_t amount)
{
    const struct mirror_index *index = x->index;
    size_t at = 0;

    amount = MIN(amount, INT32_MAX);
    while (at < index->classes_count && index->classes[at].class_id != class_id)
        at++;
    if (at == index->classes_count)
        return; /* One of the later classes: its being there is in the kind. */
    *ARRAY_PUSH(a, x->needs, x->needs_count, x->needs_capacity) =
        (struct need){ &index->classes[at], (int32_t)amount };
}

static void
add_group(struct candidates_index *x, const struct candidates_scope *scope,
          const struct plan_group *g, struct arena *a)
{
    bool own = needs_tree(scope, g);

    for (size_t i = 0; i < g->request->wants_count; i++) {
        struct condition c = { ARENA_NEW(a, int), 1 };

        if (shared_has(scope, &(struct condition){ &g->class_ids[i], 1 }, has_class))
            continue;
        *(int *)(uintptr_t)c.ids = MIRROR_KIND_CLASS(g->class_ids[i]);
        require(a, &x->traits, c.ids, 1);
        need(x, a, g->class_ids[i], g->request->wants[i].amount);
    }
    for (size_t i = 0; i < g->request->required_count; i++) {
        if (!shared_has(scope, &(struct condition){ g->required[i].ids, g->required[i].count },
                        mirror_has_trait))
            require(a, &x->traits, g->required[i].ids, g->required[i].count);
    }
    if (!own)
        return;
    for (size_t i = 0; i < g->request->member_of_count; i++)
        require(a, &x->aggregates, g->member_of[i].ids, g->member_of[i].count);
    forbid(a, &x->traits, &g->forbidden);
    forbid(a, &x->aggregates, &g->forbidden_aggregates);
}

/* A tree that shares nothing serves nobody but itself. */
static void
add_in_tree(struct candidates_index *x, const struct candidates_scope *scope,
            const struct plan_group *g)
{
    if (g->in_tree == NULL)
        return;
    for (uint32_t i = 0; g->request->suffix[0] != '\0' && i < g->in_tree->count; i++) {
        if (g->in_tree->members[i]->sharing)
            return;
    }
    for (size_t low = 0, high = scope->trees_count; low < high;) {
        size_t middle = low + (high - low) / 2;

        if (scope->trees[middle] == g->in_tree)
            x->only = middle;
        if (scope->trees[middle]->root_id < g->in_tree->root_id)
            low = middle + 1;
        else
            high = middle;
    }
}

struct candidates_index *
candidates_index(const struct candidates_scope *scope, const struct candidates_plan *plan,
                 struct arena *a)
{
    struct candidates_index *x = ARENA_NEW(a, struct candidates_index);

    *x = (struct candidates_index){ .index = scope->index,
                                    .trees_count = scope->trees_count,
                                    .only = SIZE_MAX };
    for (size_t i = 0; i < plan->request->groups_count; i++)
        add_in_tree(x, scope, &plan->groups[i]);
    if (x->index == NULL)
        return x;
    x->traits.kinds = &x->index->traits;
    x->aggregates.kinds = &x->index->aggregates;
    for (size_t i = 0; i < plan->request->groups_count; i++)
        add_group(x, scope, &plan->groups[i], a);
    for (size_t i = 0; i < plan->root_required.count; i++)
        require(a, &x->traits, &plan->root_required.ids[i], 1);
    x->traits.verdicts = arena_alloc(a, x->traits.kinds->count + 1);
    x->aggregates.verdicts = arena_alloc(a, x->aggregates.kinds->count + 1);
    return x;
}

/* --- Asking */

static bool
has_one(const struct mirror_kind *k, const struct condition *c)
{
    for (size_t i = 0; i < c->count; i++) {
        if (c->ids[i] >= 0 && mirror_kind_has(k, c->ids[i]))
            return true;
    }
    return false;
}

static bool
judge(const struct conditions *c, const struct mirror_kind *k)
{
    for (size_t i = 0; i < c->count; i++) {
        if (!has_one(k, &c->items[i]))
            return false;
    }
    for (size_t i = 0; k->single && i < c->forbidden_count; i++) {
        if (has_one(k, &c->forbidden[i]))
            return false;
    }
    return true;
}

static bool
passes(const struct conditions *c, uint32_t kind)
{
    uint8_t *verdict = &c->verdicts[kind];

    if (*verdict == 0)
        *verdict = judge(c, &c->kinds->items[kind]) ? 1 : 2;
    return *verdict == 1;
}

static bool
block_has_room(const struct candidates_index *x, size_t block)
{
    for (size_t i = 0; i < x->needs_count; i++) {
        if (x->needs[i].class->most[block] < x->needs[i].amount)
            return false;
    }
    return true;
}

static bool
has_room(const struct candidates_index *x, size_t at)
{
    for (size_t i = 0; i < x->needs_count; i++) {
        if (x->needs[i].class->give[at] < x->needs[i].amount)
            return false;
    }
    return true;
}

static size_t
next(const struct candidates_index *x, size_t at)
{
    while (at < x->trees_count) {
        size_t end = MIN((at / MIRROR_INDEX_BLOCK + 1) * MIRROR_INDEX_BLOCK, x->trees_count);

        if (!block_has_room(x, at / MIRROR_INDEX_BLOCK)) {
            at = end;
            continue;
        }
        for (; at < end; at++) {
            if (has_room(x, at) && passes(&x->traits, x->index->trait_kinds[at]) &&
                passes(&x->aggregates, x->index->aggregate_kinds[at]))
                return at;
        }
    }
    return at;
}

size_t
candidates_index_next(const struct candidates_index *x, size_t at)
{
    if (x->only != SIZE_MAX)
        return at <= x->only ? x->only : x->trees_count;
    return x->index == NULL ? at : next(x, at);
}
