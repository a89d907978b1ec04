/* The walk: a level for each group with a suffix and for each resource of the group without, all of one recursion; picks are a stack. Where it finds nothing
 * for long it looks ahead before each level, and keeps what turned out to be dead ends (candidates_dead.h). */
#include "base/array.h"
#include "base/map.h"
#include "base/str.h"
#include "candidates_dead.h"
#include "candidates_index.h"
#include "candidates_sharing.h"
#include "candidates_tree.h"

/* Steps that lead to nothing: of all trees; and of one, which must not cost those after it their turn. */
#define MAX_STEPS UINT64_C(20000000)
#define TREE_MAX_STEPS UINT64_C(200000)
/* So many, and the walk looks ahead; each look costs about as much as so many. */
#define EASY_STEPS 512
#define LOOK_STEPS 32
#define MORE_EACH_ROUND 4

struct candidates_walker {
    const struct candidates_scope *scope;
    const struct candidates_plan *plan;
    const struct candidates_options *options;
    bool (*take)(void *owner, const struct candidate *c);
    void *owner;
    struct candidates_sharers *sharers;
    struct candidates_tree anchor;
    struct dead_ends *dead;
    struct picks picks;
    struct candidate_pick *candidate_picks;
    struct candidate_mapping *mappings;
    struct map *
        shared_only; /* Candidates of sharing providers alone: the same ones show at several anchors. NULL: no matter. */
    uint64_t left;      /* Steps in vain, of those that are granted. */
    uint64_t tree_left; /* Of this tree the same, ... */
    uint64_t skip, found,
        most; /* ... candidates handed out in rounds before, found in this one, and how many may be. */
    bool tree_over, over;
    bool given_up; /* Some tree was left before its end, for want of steps. */
};

/* --- A whole candidate */

static void
add_pick(struct candidate *c, struct candidate_pick *picks, const struct pick *s)
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

    for (size_t i = 0; i < w->picks.count; i++)
        str_addf(&key, "%zu:%d:%s;", w->picks.items[i].group, w->picks.items[i].class_id,
                 w->picks.items[i].provider->uuid);
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
    for (size_t i = 0; i < w->picks.count; i++) {
        if (!w->picks.items[i].provider->sharing)
            return false;
    }
    return true;
}

static void
hand_out(struct candidates_walker *w)
{
    struct candidate c = { .picks = w->candidate_picks, .mappings = w->mappings };

    w->left += TREE_MAX_STEPS - w->tree_left; /* They led to this one. */
    w->tree_left = TREE_MAX_STEPS;
    w->found++;
    if (w->most > 0 && w->found > w->most)
        w->tree_over = true;
    if (w->tree_over || w->found <= w->skip)
        return;
    if (w->shared_only != NULL && all_shared(w) && is_repeated(w))
        return;
    for (size_t i = 0; i < w->picks.count; i++) {
        const struct pick *pick = &w->picks.items[i];

        if (pick->amount > 0)
            add_pick(&c, w->candidate_picks, pick);
        add_mapping(&c, w->mappings, w->plan->groups[pick->group].request->suffix, pick->provider);
    }
    w->over = !w->take(w->owner, &c);
    w->tree_over = w->over;
}

/* --- Levels */

static void
spend(struct candidates_walker *w, uint64_t steps)
{
    if (w->left < steps)
        w->over = w->given_up = true;
    else
        w->left -= steps;
    if (w->tree_left < steps)
        w->tree_over = w->given_up = true;
    else
        w->tree_left -= steps;
    w->tree_over = w->tree_over || w->over;
}

/* Has it gone on in vain for so long that looking ahead pays? */
static bool
is_hard(const struct candidates_walker *w)
{
    return (w->options->careful || w->tree_left + EASY_STEPS < TREE_MAX_STEPS) &&
           w->plan->levels_count <= DEAD_ENDS_LEVELS;
}

static bool
is_dead(struct candidates_walker *w, size_t level)
{
    struct dead_state s;

    spend(w, LOOK_STEPS);
    if (!candidates_tree_open(&w->anchor, &w->picks, level))
        return true;
    s = dead_ends_state(w->dead, &w->anchor, &w->picks, level);
    return dead_ends_has(w->dead, &s);
}

static void
note_dead(struct candidates_walker *w, size_t level)
{
    struct dead_state s = dead_ends_state(w->dead, &w->anchor, &w->picks, level);

    dead_ends_add(w->dead, &s);
}

/* The group without a suffix: what its providers have together. */
static bool
has_traits_together(const struct candidates_walker *w, size_t group)
{
    const struct plan_group *g = &w->plan->groups[group];

    for (size_t r = 0; r < g->request->required_count; r++) {
        if (!picks_have_trait(&w->picks, group, &g->required[r]))
            return false;
    }
    return true;
}

/* Do the rules that speak of several picks still hold, after those of this level? */
static bool
holds(struct candidates_walker *w, const struct plan_level *l, size_t next)
{
    if (!l->suffixed)
        return !l->ends || has_traits_together(w, l->group);
    return w->plan->request->same_subtrees_count == 0 ||
           candidates_tree_subtrees(&w->anchor, &w->picks, next);
}

static void
walk(struct candidates_walker *w, size_t level)
{
    const struct plan_level *l = &w->plan->levels[level];
    size_t before = w->picks.count;
    uint64_t found = w->found;

    if (level == w->plan->levels_count) {
        hand_out(w);
        return;
    }
    if (is_hard(w) && is_dead(w, level))
        return;
    for (size_t i = 0; i < w->anchor.providers && !w->tree_over; i++) {
        const struct mirror_provider *p = candidates_tree_provider(&w->anchor, i);

        if (!candidates_tree_may(&w->anchor, level, i))
            continue;
        spend(w, 1);
        if (w->tree_over || !picks_may(&w->picks, l, p))
            continue;
        picks_push(&w->picks, l, p);
        if (holds(w, l, level + 1))
            walk(w, level + 1);
        w->picks.count = before;
    }
    if (w->found == found && !w->tree_over && is_hard(w))
        note_dead(w, level);
}

/* --- Anchors */

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

void
candidates_walker_grant(struct candidates_walker *w)
{
    w->left = w->options->max_steps > 0 ? w->options->max_steps : MAX_STEPS;
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
    candidates_walker_grant(w);
    w->sharers = candidates_sharers(scope, plan, a);
    w->dead = dead_ends_new(plan);
    w->anchor.pinned = SIZE_MAX;
    w->picks = (struct picks){ plan, options->nested,
                               ARENA_ARRAY(a, struct pick, plan->max_picks + 1), 0 };
    w->candidate_picks = ARENA_ARRAY(a, struct candidate_pick, plan->max_picks + 1);
    w->mappings = ARENA_ARRAY(a, struct candidate_mapping, plan->max_picks + 1);
    return w;
}

/* Returns whether the tree has more than it gave. */
static bool
walk_tree(struct candidates_walker *w, const struct mirror_tree *t, uint64_t skip, uint64_t most)
{
    const struct mirror_provider *const *shared;
    size_t shared_count;
    uint64_t can;

    w->skip = skip;
    w->most = most;
    w->found = 0;
    w->tree_left = TREE_MAX_STEPS;
    w->tree_over = w->over;
    if (w->over || !may_anchor(w->plan, mirror_root(t->members[0])))
        return false;
    shared = candidates_sharers_of(w->sharers, t, &shared_count, &can);
    dead_ends_enter(w->dead);
    if (!candidates_tree_make(&w->anchor, w->plan, t, shared, shared_count, can) ||
        (dead_ends_any(w->dead) && is_dead(w, 0)))
        return false;
    walk(w, 0);
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
    w->over = w->given_up = false;
    walk_tree(w, t, 0, 0);
    return !w->given_up;
}

bool
candidates_walk_using(struct candidates_walker *w, const struct mirror_tree *t,
                      const struct mirror_tree *user, size_t level,
                      bool (*take)(void *owner, const struct candidate *c), void *owner)
{
    bool complete;

    w->anchor.pinned = level;
    w->anchor.pin = user;
    complete = candidates_walk_tree(w, t, take, owner);
    w->anchor.pinned = SIZE_MAX;
    return complete;
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

bool
candidates_walk(const struct mirror *m, const struct candidates_plan *plan,
                const struct candidates_options *options,
                bool (*take)(void *owner, const struct candidate *c), void *owner)
{
    struct candidates_scope scope = candidates_scope(m);
    struct candidates_walker *w = candidates_walker(&scope, plan, options);
    const struct candidates_index *index;
    struct open_trees open = { 0 };
    uint64_t most = options->limit > 0;

    if (is_impossible(plan))
        return true;
    scope.sharing = candidates_sharers_all(w->sharers, &scope.sharing_count);
    index = candidates_index(&scope, plan, plan->arena);
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
    return !w->given_up;
}
