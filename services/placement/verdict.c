#include "verdict_judge.h"

#include "base/str.h"
#include "candidates_index.h"
#include "candidates_sharing.h"

/* The request with a rule left out: what then fits was refused by that rule. */
struct relaxed {
    const char *rule, *reason;
    struct candidates_walker *walker;
};

struct verdicts {
    struct arena *arena;
    const struct candidates_scope *scope;
    const struct candidates_plan *plan;
    struct candidates_walker *walker;
    struct relaxed relaxed[4];
    size_t relaxed_count;
    struct judge judge;
    struct candidates_sharers *sharers;
    struct candidates_index *index; /* NULL: not needed yet. */
};

/* --- Does it fit? */

struct search {
    const struct mirror_tree *user; /* NULL: any will do. */
    bool found, used;
};

static bool
take_first(void *owner, const struct candidate *c)
{
    struct search *search = owner;

    search->found = true;
    for (size_t i = 0; i < c->mappings_count; i++)
        search->used = search->used || c->mappings[i].provider->tree == search->user;
    return false;
}

static bool
fits(struct candidates_walker *w, const struct mirror_tree *t, bool *ret_complete)
{
    struct search search = { 0 };

    *ret_complete = candidates_walk_tree(w, t, take_first, &search);
    return search.found;
}

/* Is there a candidate at 'anchor' that uses 'user'? Its levels are tried one by one, so that many candidates without it cost nothing. */
static bool
is_used_at(struct verdicts *v, const struct mirror_tree *anchor, const struct mirror_tree *user,
           bool *complete)
{
    struct search search = { .user = user };

    for (size_t n = 0; n < v->plan->levels_count && !search.used; n++)
        *complete =
            candidates_walk_using(v->walker, anchor, user, n, take_first, &search) && *complete;
    return search.used;
}

/* Mostly the first candidate has a provider of the tree itself. */
static bool
serves_itself(struct verdicts *v, const struct mirror_tree *t, bool *complete)
{
    struct search search = { .user = t };

    *complete = candidates_walk_tree(v->walker, t, take_first, &search);
    return search.used || (search.found && is_used_at(v, t, t, complete));
}

static bool
shares_with(const struct mirror_tree *t, const struct mirror_tree *other)
{
    for (uint32_t i = 0; i < t->count; i++) {
        for (uint32_t n = 0; t->members[i]->sharing && n < t->members[i]->aggregates_count; n++) {
            for (uint32_t k = 0; k < other->count; k++) {
                if (mirror_in_aggregate(other->members[k], t->members[i]->aggregates[n]))
                    return true;
            }
        }
    }
    return false;
}

/* Is it a share that some other tree's candidates use? */
static bool
serves_others(struct verdicts *v, const struct mirror_tree *t, bool *complete)
{
    if (v->index == NULL)
        v->index = candidates_index(v->scope, v->plan, v->arena);
    for (size_t i = candidates_index_next(v->index, 0); i < v->scope->trees_count;
         i = candidates_index_next(v->index, i + 1)) {
        const struct mirror_tree *anchor = v->scope->trees[i];

        if (anchor != t && shares_with(t, anchor) && is_used_at(v, anchor, t, complete))
            return true;
    }
    return false;
}

/* Each group could be served, all of them cannot: by which rule about several of them? */
static void
judge_together(struct verdicts *v, struct verdict *ret)
{
    bool complete;

    if (!judge_totals(&v->judge, ret))
        return;
    for (size_t i = 0; i < v->relaxed_count; i++) {
        if (fits(v->relaxed[i].walker, v->judge.tree, &complete)) {
            judge_refuse(&v->judge, ret, v->relaxed[i].rule, NULL, NULL, "%s",
                         v->relaxed[i].reason);
            return;
        }
    }
    judge_refuse(&v->judge, ret, "together", NULL, NULL,
                 "its providers can serve each resource and group alone, not all of them together");
}

static void
find_rule(struct verdicts *v, struct verdict *ret)
{
    if (!judge_root(&v->judge, ret))
        return;
    for (size_t i = 0; i < v->plan->request->groups_count; i++) {
        if (!judge_group(&v->judge, ret, &v->plan->groups[i]))
            return;
    }
    judge_together(v, ret);
}

static void
speak_of(struct verdicts *v, const struct mirror_tree *t, bool text)
{
    uint64_t can;

    v->judge.text = text;
    v->judge.tree = t;
    v->judge.root = mirror_root(t->members[0]);
    v->judge.shared = candidates_sharers_of(v->sharers, t, &v->judge.shared_count, &can);
}

static void
refuse_bound(struct verdicts *v, struct verdict *ret)
{
    judge_refuse(&v->judge, ret, "bound", NULL, NULL,
                 "so many combinations of its providers do not fit that the search was given up");
}

/* It never had of that class. */
static bool
is_foreign(const struct verdict *v)
{
    return v->class_name != NULL && v->group != NULL && v->provider == NULL;
}

static bool
has_share(const struct mirror_tree *t)
{
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->members[i]->sharing)
            return true;
    }
    return false;
}

void
verdict_at(struct verdicts *v, const struct mirror_tree *t, bool text, struct verdict *ret)
{
    bool complete;

    *ret = (struct verdict){ 0 };
    if (fits(v->walker, t, &complete))
        return;
    speak_of(v, t, text);
    if (complete)
        find_rule(v, ret);
    else
        refuse_bound(v, ret);
}

void
verdict_of(struct verdicts *v, const struct mirror_tree *t, bool text, struct verdict *ret)
{
    bool complete, share = has_share(t), others = false;

    *ret = (struct verdict){ 0 };
    if (serves_itself(v, t, &complete) || (share && serves_others(v, t, &complete)))
        return;
    speak_of(v, t, text);
    if (!complete) {
        refuse_bound(v, ret);
        return;
    }
    others = fits(v->walker, t, &complete);
    if (others)
        judge_refuse(&v->judge, ret, "together", NULL, NULL,
                     "only others that share with it can serve the request");
    else
        find_rule(v, ret);
    if (share && is_foreign(ret))
        judge_shares(&v->judge, ret);
}

void
verdicts_again(struct verdicts *v)
{
    candidates_walker_grant(v->walker);
    for (size_t i = 0; i < v->relaxed_count; i++)
        candidates_walker_grant(v->relaxed[i].walker);
}

/* --- Setting up */

static void
relax(struct verdicts *v, const char *rule, const char *reason, bool policy, bool subtree,
      bool required)
{
    static const struct candidates_options options = { .nested = true };
    struct candidates_plan *plan = arena_memdup(v->arena, v->plan, sizeof(*plan));
    struct request *request = arena_memdup(v->arena, plan->request, sizeof(*request));

    if (policy)
        request->isolate = false;
    if (subtree)
        request->same_subtrees_count = 0;
    plan->request = request;
    plan->groups =
        arena_memdup(v->arena, plan->groups, (request->groups_count + 1) * sizeof(*plan->groups));
    for (size_t i = 0; required && i < request->groups_count; i++) {
        struct request_group *g = arena_memdup(v->arena, plan->groups[i].request, sizeof(*g));

        if (g->suffix[0] == '\0')
            g->required_count = 0;
        plan->groups[i].request = g;
    }
    v->relaxed[v->relaxed_count++] =
        (struct relaxed){ rule, reason, candidates_walker(v->scope, plan, &options) };
}

struct verdicts *
verdicts_new(const struct candidates_scope *scope, const struct candidates_plan *plan,
             struct arena *a)
{
    static const struct candidates_options options = { .nested = true };
    struct verdicts *v = ARENA_NEW(a, struct verdicts);
    bool isolate = plan->request->isolate && plan->suffixed > 1;
    bool subtree = plan->request->same_subtrees_count > 0;

    v->arena = a;
    v->judge.arena = a;
    v->judge.plan = plan;
    v->scope = scope;
    v->plan = plan;
    v->walker = candidates_walker(scope, plan, &options);
    v->sharers = candidates_sharers(scope, NULL, a);
    if (isolate)
        relax(v, "group_policy", "its groups cannot each have a provider of their own", true, false,
              false);
    if (subtree)
        relax(v, "same_subtree",
              "the providers that may serve those groups do not stand below one of them", false,
              true, false);
    if (isolate && subtree)
        relax(v, "same_subtree", "group_policy and same_subtree cannot both be kept", true, true,
              false);
    relax(v, "required", "the providers that have room lack the traits together", true, true, true);
    return v;
}

/* A group without resources stands for a provider that has some traits. */
static bool
may_stand_for(const struct verdicts *v, const struct mirror_provider *p)
{
    for (size_t g = 0; g < v->plan->request->groups_count; g++) {
        const struct plan_group *group = &v->plan->groups[g];

        if (group->request->wants_count == 0 && plan_has_traits(group, p) &&
            !plan_has_forbidden(group, p))
            return true;
    }
    return false;
}

bool
verdict_concerns(const struct verdicts *v, const struct mirror_tree *t)
{
    for (uint32_t i = 0; i < t->count; i++) {
        for (size_t g = 0; g < v->plan->request->groups_count; g++) {
            const struct plan_group *group = &v->plan->groups[g];

            for (size_t k = 0; k < group->request->wants_count; k++) {
                if (mirror_stock(t->members[i], group->class_ids[k]) != NULL)
                    return true;
            }
        }
    }
    for (uint32_t i = 0; i < t->count; i++) {
        if (may_stand_for(v, t->members[i]))
            return true;
    }
    return t->members[0]->stocks_count == 0;
}
