/* The walk: groups, then the resources of the group without a suffix, each a level of one recursion; picks are a stack. */
#include "candidates_walk.h"
#include "base/map.h"
#include "base/str.h"

#define DEFAULT_MAX_STEPS UINT64_C(20000000)

/* A pick on the stack: for which group. A group without resources has one with amount 0. */
struct step {
    const struct mirror_provider *provider;
    int class_id;
    int64_t amount;
    size_t group;
};

struct walk {
    const struct mirror *m;
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
    struct map *
        shared_only; /* Candidates of sharing providers alone: the same ones show at several anchors. */
    uint64_t left; /* Steps. */
    bool over;
};

static void walk_group(struct walk *w, size_t group);

/* --- Rules about several picks together */

/* Does the amount fit beside what the walk has picked of the same inventory for other groups? */
static bool
fits_beside(const struct walk *w, const struct mirror_provider *p, const struct mirror_stock *s,
            int64_t amount)
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
is_flat(const struct walk *w, const struct mirror_provider *p)
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
is_isolated(const struct walk *w, const struct mirror_provider *p)
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
is_one_subtree(const struct walk *w, const struct plan_any *groups)
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
has_traits_together(const struct walk *w, size_t group)
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
is_repeated(struct walk *w)
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
all_shared(const struct walk *w)
{
    for (size_t i = 0; i < w->steps_count; i++) {
        if (!w->steps[i].provider->sharing)
            return false;
    }
    return true;
}

static void
hand_out(struct walk *w)
{
    struct candidate c = { .picks = w->picks, .mappings = w->mappings };

    for (size_t i = 0; i < w->plan->request->same_subtrees_count; i++) {
        if (!is_one_subtree(w, &w->plan->subtrees[i]))
            return;
    }
    if (all_shared(w) && is_repeated(w))
        return;
    for (size_t i = 0; i < w->steps_count; i++) {
        if (w->steps[i].amount > 0)
            add_pick(&c, w->picks, &w->steps[i]);
        add_mapping(&c, w->mappings, w->plan->groups[w->steps[i].group].request->suffix,
                    w->steps[i].provider);
    }
    w->over = !w->take(w->owner, &c);
}

/* --- Levels */

static bool
spend(struct walk *w)
{
    if (w->left == 0)
        w->over = true;
    else
        w->left--;
    return !w->over;
}

static void
push(struct walk *w, const struct mirror_provider *p, int class_id, int64_t amount, size_t group)
{
    w->steps[w->steps_count++] = (struct step){ p, class_id, amount, group };
}

/* Of the group without a suffix: may 'p' serve one of its resources? An aggregate on the root spans the tree. */
static bool
serves(const struct walk *w, const struct plan_group *g, const struct mirror_provider *p)
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
walk_want(struct walk *w, size_t group, size_t want)
{
    const struct plan_group *g = &w->plan->groups[group];
    size_t members = w->tree->count;

    if (want == g->request->wants_count) {
        if (has_traits_together(w, group))
            walk_group(w, group + 1);
        return;
    }
    for (size_t i = 0; i < members + w->shared_count && !w->over; i++) {
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

/* A group with a suffix: may 'p' alone serve it? Then its picks are on the stack. */
static bool
push_all(struct walk *w, size_t group, const struct mirror_provider *p)
{
    const struct plan_group *g = &w->plan->groups[group];

    if (g->request->in_tree != NULL && p->tree != g->in_tree)
        return false;
    if (!plan_has_traits(g, p) || plan_has_forbidden(g, p) || !plan_in_aggregates(g, p) ||
        plan_in_forbidden(g, p))
        return false;
    if (!is_isolated(w, p) || !is_flat(w, p))
        return false;
    /* A group that wants nothing and asks for nothing, but at most against something, is served by nobody, upstream. */
    if (g->request->wants_count + g->request->required_count + g->request->member_of_count == 0)
        return false;
    for (size_t i = 0; i < g->request->wants_count; i++) {
        const struct mirror_stock *s = mirror_stock(p, g->class_ids[i]);
        int64_t amount = g->request->wants[i].amount;

        if (s == NULL || !stock_fits(s, amount) || !fits_beside(w, p, s, amount))
            return false;
    }
    for (size_t i = 0; i < g->request->wants_count; i++)
        push(w, p, g->class_ids[i], g->request->wants[i].amount, group);
    if (g->request->wants_count == 0)
        push(w, p, -1, 0, group);
    return true;
}

static void
walk_group(struct walk *w, size_t group)
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
    for (size_t i = 0; i < members + w->shared_count && !w->over; i++) {
        const struct mirror_provider *p =
            i < members ? w->tree->members[i] : w->shared[i - members];

        if (!spend(w) || !push_all(w, group, p))
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
candidates_sharing(const struct mirror *m, const struct mirror_tree *t,
                   const struct mirror_provider **ret)
{
    size_t all_count, count = 0;
    struct mirror_provider *const *all = mirror_sharing(m, &all_count);

    for (size_t i = 0; i < all_count; i++) {
        bool shares = false;

        for (uint32_t k = 0; all[i]->tree != t && !shares && k < t->count; k++)
            shares = share_aggregate(all[i], t->members[k]);
        if (shares)
            ret[count++] = all[i];
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

void
candidates_walk(const struct mirror *m, const struct candidates_plan *plan,
                const struct candidates_options *options,
                bool (*take)(void *owner, const struct candidate *c), void *owner)
{
    struct walk w = { .m = m,
                      .plan = plan,
                      .options = options,
                      .take = take,
                      .owner = owner,
                      .left = options->max_steps > 0 ? options->max_steps : DEFAULT_MAX_STEPS };
    size_t count, sharing;
    struct mirror_tree *const *trees = mirror_trees(m, &count);

    if (is_impossible(plan))
        return;
    mirror_sharing(m, &sharing);
    w.shared = ARENA_ARRAY(plan->arena, const struct mirror_provider *, sharing + 1);
    w.steps = ARENA_ARRAY(plan->arena, struct step, plan->max_picks + 1);
    w.picks = ARENA_ARRAY(plan->arena, struct candidate_pick, plan->max_picks + 1);
    w.mappings = ARENA_ARRAY(plan->arena, struct candidate_mapping, plan->max_picks + 1);
    w.shared_only = map_new(NULL);
    for (size_t i = 0; i < count && !w.over; i++) {
        w.tree = trees[i];
        w.root = mirror_root(w.tree->members[0]);
        if (!may_anchor(plan, w.root))
            continue;
        w.shared_count = sharing == 0 ? 0 : candidates_sharing(m, w.tree, w.shared);
        walk_group(&w, 0);
    }
    map_free(w.shared_only);
}
