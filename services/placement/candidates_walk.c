/* The walk: groups, then the resources of the group without a suffix, each a level of one recursion; picks are a stack. */
#include "candidates_walk.h"

#include "base/array.h"
#include "base/map.h"
#include "base/str.h"
#include "candidates_index.h"
#include "candidates_tree.h"

#define DEFAULT_MAX_STEPS UINT64_C(20000000)
/* Of one tree that has given nothing yet: it must not cost those after it their turn. */
#define TREE_MAX_STEPS UINT64_C(1000000)
#define MORE_EACH_ROUND 4

/* A pick on the stack: for which group. A group without resources has one with amount 0. */
struct step {
    const struct mirror_provider *provider;
    int class_id;
    int64_t amount;
    size_t group;
};

struct candidates_walker {
    const struct candidates_scope *scope;
    const struct candidates_plan *plan;
    const struct candidates_options *options;
    bool (*take)(void *owner, const struct candidate *c);
    void *owner;
    const struct mirror_tree *tree;        /* The anchor, ... */
    const struct mirror_provider *root;    /* ... its root, ... */
    const struct mirror_provider **shared; /* ... and who shares with it. */
    size_t shared_count;
    struct step *steps;
    size_t steps_count;
    struct candidate_pick *picks;
    struct candidate_mapping *mappings;
    struct candidates_tree eligible;
    struct map *
        shared_only; /* Candidates of sharing providers alone: the same ones show at several anchors. NULL: no matter. */
    uint64_t left, tree_left; /* Steps. */
    uint64_t skip, found,
        most; /* Of this tree: handed out in rounds before, found in this one, and how many may be. */
    bool tree_over, over;
};

static void walk_group(struct candidates_walker *w, size_t group);

/* --- Rules about several picks together */

/* Does the amount fit beside what the walk has picked of the same inventory for other groups? */
static bool
fits_beside(const struct candidates_walker *w, const struct mirror_provider *p,
            const struct mirror_stock *s, int64_t amount)
{
    int64_t picked = 0;

    for (size_t i = 0; i < w->steps_count; i++) {
        if (w->steps[i].provider == p && w->steps[i].class_id == s->class_id)
            picked += w->steps[i].amount;
    }
    return picked == 0 ||
           (picked + amount <= s->max_unit && (double)(s->used + picked + amount) <= stock_room(s));
}

/* Before 1.29 a candidate uses one provider of a tree only. */
static bool
is_flat(const struct candidates_walker *w, const struct mirror_provider *p)
{
    if (w->options->nested)
        return true;
    for (size_t i = 0; i < w->steps_count; i++) {
        if (w->steps[i].provider != p && w->steps[i].provider->tree == p->tree)
            return false;
    }
    return true;
}

static bool
is_isolated(const struct candidates_walker *w, const struct mirror_provider *p)
{
    if (!w->plan->request->isolate)
        return true;
    for (size_t i = 0; i < w->steps_count; i++) {
        if (w->steps[i].provider == p &&
            w->plan->groups[w->steps[i].group].request->suffix[0] != '\0')
            return false;
    }
    return true;
}

static bool
is_below(const struct mirror_provider *p, const struct mirror_provider *ancestor)
{
    for (; p != NULL; p = p->parent) {
        if (p == ancestor)
            return true;
    }
    return false;
}

static bool
any_has(const struct plan_any *any, int value)
{
    for (size_t i = 0; i < any->count; i++) {
        if (any->ids[i] == value)
            return true;
    }
    return false;
}

/* All providers of the groups stand below one of them. */
static bool
is_one_subtree(const struct candidates_walker *w, const struct plan_any *groups)
{
    for (size_t top = 0; top < w->steps_count; top++) {
        bool all = any_has(groups, (int)w->steps[top].group);

        for (size_t i = 0; all && i < w->steps_count; i++)
            all = !any_has(groups, (int)w->steps[i].group) ||
                  is_below(w->steps[i].provider, w->steps[top].provider);
        if (all)
            return true;
    }
    return false;
}

/* The group without a suffix: what its providers have together. */
static bool
has_traits_together(const struct candidates_walker *w, size_t group)
{
    const struct plan_group *g = &w->plan->groups[group];

    for (size_t r = 0; r < g->request->required_count; r++) {
        bool found = false;

        for (size_t i = 0; !found && i < w->steps_count; i++) {
            for (size_t k = 0; w->steps[i].group == group && k < g->required[r].count; k++)
                found = found || mirror_has_trait(w->steps[i].provider, g->required[r].ids[k]);
        }
        if (!found)
            return false;
    }
    return true;
}

/* --- A whole candidate */

static void
add_pick(struct candidate *c, struct candidate_pick *picks, const struct step *s)
{
    for (size_t i = 0; i < c->picks_count; i++) {
        if (picks[i].provider == s->provider && picks[i].class_id == s->class_id) {
            picks[i].amount += s->amount;
            return;
        }
    }
    picks[c->picks_count++] = (struct candidate_pick){ s->provider, s->class_id, s->amount };
}

static void
add_mapping(struct candidate *c, struct candidate_mapping *mappings, const char *suffix,
            const struct mirror_provider *p)
{
    for (size_t i = 0; i < c->mappings_count; i++) {
        if (mappings[i].provider == p && str_equal(mappings[i].suffix, suffix))
            return;
    }
    mappings[c->mappings_count++] = (struct candidate_mapping){ suffix, p };
}

/* Has this candidate been handed out at another anchor? */
static bool
is_repeated(struct candidates_walker *w)
{
    struct str key = { 0 };
    bool repeated;

    for (size_t i = 0; i < w->steps_count; i++)
        str_addf(&key, "%zu:%d:%s;", w->steps[i].group, w->steps[i].class_id,
                 w->steps[i].provider->uuid);
    repeated = map_has(w->shared_only, str_text(&key));
    if (!repeated)
        map_set(w->shared_only, str_text(&key), w);
    str_done(&key);
    return repeated;
}

/* A provider that does not share serves its own tree only, so its candidates show once. */
static bool
all_shared(const struct candidates_walker *w)
{
    for (size_t i = 0; i < w->steps_count; i++) {
        if (!w->steps[i].provider->sharing)
            return false;
    }
    return true;
}

static void
hand_out(struct candidates_walker *w)
{
    struct candidate c = { .picks = w->picks, .mappings = w->mappings };

    for (size_t i = 0; i < w->plan->request->same_subtrees_count; i++) {
        if (!is_one_subtree(w, &w->plan->subtrees[i]))
            return;
    }
    w->tree_left = w->left;
    w->found++;
    if (w->most > 0 && w->found > w->most)
        w->tree_over = true;
    if (w->tree_over || w->found <= w->skip)
        return;
    if (w->shared_only != NULL && all_shared(w) && is_repeated(w))
        return;
    for (size_t i = 0; i < w->steps_count; i++) {
        if (w->steps[i].amount > 0)
            add_pick(&c, w->picks, &w->steps[i]);
        add_mapping(&c, w->mappings, w->plan->groups[w->steps[i].group].request->suffix,
                    w->steps[i].provider);
    }
    w->over = !w->take(w->owner, &c);
    w->tree_over = w->over;
}

/* --- Levels */

static bool
spend(struct candidates_walker *w)
{
    if (w->left == 0)
        w->over = true;
    else
        w->left--;
    if (w->tree_left == 0)
        w->tree_over = true;
    else
        w->tree_left--;
    w->tree_over = w->tree_over || w->over;
    return !w->tree_over;
}

static void
push(struct candidates_walker *w, const struct mirror_provider *p, int class_id, int64_t amount,
     size_t group)
{
    w->steps[w->steps_count++] = (struct step){ p, class_id, amount, group };
}

/* Of the group without a suffix: may 'p' serve one of its resources? An aggregate on the root spans the tree. */
static bool
serves(const struct candidates_walker *w, const struct plan_group *g,
       const struct mirror_provider *p)
{
    bool shared = p->tree != w->tree;

    if (plan_has_forbidden(g, p))
        return false;
    if (g->request->in_tree != NULL && (shared || g->in_tree != w->tree))
        return false;
    if (!plan_in_aggregates(g, p) && (shared || !plan_in_aggregates(g, w->root)))
        return false;
    return !plan_in_forbidden(g, p) && !plan_in_forbidden(g, w->root);
}

/* Resource number 'want' of the group without a suffix, from any provider that serves the anchor. */
static void
walk_want(struct candidates_walker *w, size_t group, size_t want)
{
    const struct plan_group *g = &w->plan->groups[group];
    size_t members = w->tree->count;

    if (want == g->request->wants_count) {
        if (has_traits_together(w, group))
            walk_group(w, group + 1);
        return;
    }
    for (size_t i = 0; i < members + w->shared_count && !w->tree_over; i++) {
        const struct mirror_provider *p =
            i < members ? w->tree->members[i] : w->shared[i - members];
        const struct mirror_stock *s = mirror_stock(p, g->class_ids[want]);
        int64_t amount = g->request->wants[want].amount;

        if (!spend(w) || s == NULL || !stock_fits(s, amount) || !serves(w, g, p) ||
            !fits_beside(w, p, s, amount) || !is_flat(w, p))
            continue;
        push(w, p, s->class_id, amount, group);
        walk_want(w, group, want + 1);
        w->steps_count--;
    }
}

/* A group with a suffix, and a provider that alone may serve it: also beside what is picked? Then its picks are on the stack. */
static bool
push_all(struct candidates_walker *w, size_t group, const struct mirror_provider *p)
{
    const struct plan_group *g = &w->plan->groups[group];

    if (!is_isolated(w, p) || !is_flat(w, p))
        return false;
    for (size_t i = 0; i < g->request->wants_count; i++) {
        if (!fits_beside(w, p, mirror_stock(p, g->class_ids[i]), g->request->wants[i].amount))
            return false;
    }
    for (size_t i = 0; i < g->request->wants_count; i++)
        push(w, p, g->class_ids[i], g->request->wants[i].amount, group);
    if (g->request->wants_count == 0)
        push(w, p, -1, 0, group);
    return true;
}

static void
walk_group(struct candidates_walker *w, size_t group)
{
    size_t members = w->tree->count, before = w->steps_count;

    if (group == w->plan->request->groups_count) {
        hand_out(w);
        return;
    }
    if (w->plan->groups[group].request->suffix[0] == '\0') {
        walk_want(w, group, 0);
        return;
    }
    for (size_t i = 0; i < members + w->shared_count && !w->tree_over; i++) {
        const struct mirror_provider *p =
            i < members ? w->tree->members[i] : w->shared[i - members];

        if (!candidates_tree_may(&w->eligible, group, i) || !spend(w) || !push_all(w, group, p))
            continue;
        walk_group(w, group + 1);
        w->steps_count = before;
    }
}

/* --- Anchors */

static bool
share_aggregate(const struct mirror_provider *a, const struct mirror_provider *b)
{
    for (uint32_t i = 0; i < a->aggregates_count; i++) {
        if (mirror_in_aggregate(b, a->aggregates[i]))
            return true;
    }
    return false;
}

size_t
candidates_sharing(const struct candidates_scope *scope, const struct mirror_tree *t,
                   const struct mirror_provider **ret)
{
    size_t count = 0;

    for (size_t i = 0; i < scope->sharing_count; i++) {
        const struct mirror_provider *p = scope->sharing[i];
        bool shares = false;

        for (uint32_t k = 0; p->tree != t && !shares && k < t->count; k++)
            shares = share_aggregate(p, t->members[k]);
        if (shares)
            ret[count++] = p;
    }
    return count;
}

static bool
may_anchor(const struct candidates_plan *plan, const struct mirror_provider *root)
{
    for (size_t i = 0; i < plan->root_required.count; i++) {
        if (!mirror_has_trait(root, plan->root_required.ids[i]))
            return false;
    }
    for (size_t i = 0; i < plan->root_forbidden.count; i++) {
        if (mirror_has_trait(root, plan->root_forbidden.ids[i]))
            return false;
    }
    return true;
}

/* A provider that does not exist, or an aggregate that nobody is in, leaves nothing. */
static bool
is_impossible(const struct candidates_plan *plan)
{
    for (size_t i = 0; i < plan->request->groups_count; i++) {
        if (plan->request->groups[i].in_tree != NULL && plan->groups[i].in_tree == NULL)
            return true;
    }
    return false;
}

struct candidates_scope
candidates_scope(const struct mirror *m)
{
    struct candidates_scope s = { .index = mirror_index(m) };

    s.trees = mirror_trees(m, &s.trees_count);
    s.sharing = mirror_sharing(m, &s.sharing_count);
    return s;
}

struct candidates_walker *
candidates_walker(const struct candidates_scope *scope, const struct candidates_plan *plan,
                  const struct candidates_options *options)
{
    struct arena *a = plan->arena;
    struct candidates_walker *w = ARENA_NEW(a, struct candidates_walker);

    w->scope = scope;
    w->plan = plan;
    w->options = options;
    w->left = options->max_steps > 0 ? options->max_steps : DEFAULT_MAX_STEPS;
    w->shared = ARENA_ARRAY(a, const struct mirror_provider *, scope->sharing_count + 1);
    w->steps = ARENA_ARRAY(a, struct step, plan->max_picks + 1);
    w->picks = ARENA_ARRAY(a, struct candidate_pick, plan->max_picks + 1);
    w->mappings = ARENA_ARRAY(a, struct candidate_mapping, plan->max_picks + 1);
    return w;
}

/* Returns whether the tree has more than it gave. */
static bool
walk_tree(struct candidates_walker *w, const struct mirror_tree *t, uint64_t skip, uint64_t most)
{
    w->tree = t;
    w->root = mirror_root(t->members[0]);
    w->skip = skip;
    w->most = most;
    w->found = 0;
    w->tree_left = MIN(w->left, TREE_MAX_STEPS);
    w->tree_over = w->over;
    if (w->over || !may_anchor(w->plan, w->root))
        return false;
    w->shared_count = w->scope->sharing_count == 0 ? 0 : candidates_sharing(w->scope, t, w->shared);
    if (!candidates_tree_make(&w->eligible, w->plan, t, w->shared, w->shared_count))
        return false;
    walk_group(w, 0);
    return most > 0 && w->found > most;
}

bool
candidates_walk_tree(struct candidates_walker *w, const struct mirror_tree *t,
                     bool (*take)(void *owner, const struct candidate *c), void *owner)
{
    if (is_impossible(w->plan))
        return true;
    w->take = take;
    w->owner = owner;
    w->over = false;
    w->left = w->options->max_steps > 0 ? w->options->max_steps : TREE_MAX_STEPS;
    walk_tree(w, t, 0, 0);
    return w->left > 0 && w->tree_left > 0;
}

/* Trees that have more than they have given. */
struct open_trees {
    const struct mirror_tree **items;
    size_t count, capacity;
};

static void
walk_round(struct candidates_walker *w, struct open_trees *open, uint64_t skip, uint64_t most)
{
    size_t kept = 0;

    for (size_t i = 0; i < open->count && !w->over; i++) {
        if (walk_tree(w, open->items[i], skip, most))
            open->items[kept++] = open->items[i];
    }
    open->count = kept;
}

void
candidates_walk(const struct mirror *m, const struct candidates_plan *plan,
                const struct candidates_options *options,
                bool (*take)(void *owner, const struct candidate *c), void *owner)
{
    struct candidates_scope scope = candidates_scope(m);
    const struct candidates_index *index = candidates_index(&scope, plan, plan->arena);
    struct candidates_walker *w = candidates_walker(&scope, plan, options);
    struct open_trees open = { 0 };
    uint64_t most = options->limit > 0;

    if (is_impossible(plan))
        return;
    w->take = take;
    w->owner = owner;
    w->shared_only = map_new(NULL);
    for (size_t i = candidates_index_next(index, 0); i < scope.trees_count && !w->over;
         i = candidates_index_next(index, i + 1)) {
        if (walk_tree(w, scope.trees[i], 0, most))
            *ARRAY_PUSH(plan->arena, open.items, open.count, open.capacity) = scope.trees[i];
    }
    while (open.count > 0 && !w->over) {
        walk_round(w, &open, most, most * MORE_EACH_ROUND);
        most *= MORE_EACH_ROUND;
    }
    map_free(w->shared_only);
}
