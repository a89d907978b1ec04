#include "simulation_pass.h"

#include <math.h>
#include <stdlib.h>

#include "base/str.h"
#include "candidates_plan.h"
#include "verdict.h"

/* More than there is of anything; keeps sums in range whatever the ratios are. */
#define MOST INT64_C(1000000000000)

struct filling {
    struct pass pass;
    struct candidates_walker *walker;
    struct verdicts *verdicts;
    struct candidate_pick *picks; /* Room for one candidate's; NULL: its groups are not isolated. */
    struct simulation_outcome *outcome;
};

/* --- Changes */

int
simulation_compare(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t) * (const struct mirror_tree *const *)a,
              y = (uintptr_t) * (const struct mirror_tree *const *)b;

    return x < y ? -1 : x > y;
}

static bool
has(const struct mirror_tree **trees, size_t count, const struct mirror_tree *t)
{
    return count > 0 && bsearch(&t, trees, count, sizeof(*trees), simulation_compare) != NULL;
}

static bool
is_drained(const struct pass *p, const struct mirror_tree *t)
{
    return p->changes != NULL && has(p->changes->drained, p->changes->drained_count, t);
}

static void
change_ratios(const struct pass *p, const struct mirror_tree *original, struct mirror_stock *s)
{
    for (size_t i = 0; p->changes != NULL && i < p->changes->ratios_count; i++) {
        const struct simulation_ratio *r = &p->changes->ratios[i];

        if (r->class_id == s->class_id &&
            (r->trees == NULL || has(r->trees, r->trees_count, original)))
            s->allocation_ratio = r->ratio;
    }
}

/* --- Copies. Names, traits and aggregates stay the fork's. */

static struct mirror_tree *
copy_tree(const struct pass *p, const struct mirror_tree *t, bool unused, struct arena *a)
{
    struct mirror_tree *copy = arena_memdup(a, t, sizeof(*t));

    if (unused)
        copy->root_id = INT64_MAX; /* Another host, not the one that it is like. */
    copy->members = ARENA_ARRAY(a, struct mirror_provider *, t->count);
    for (uint32_t i = 0; i < t->count; i++) {
        struct mirror_provider *q = arena_memdup(a, t->members[i], sizeof(*q));

        q->tree = copy;
        q->stocks = q->stocks_count == 0
                        ? NULL
                        : arena_memdup(a, q->stocks, q->stocks_count * sizeof(*q->stocks));
        for (uint32_t k = 0; k < q->stocks_count; k++) {
            if (unused)
                q->stocks[k].used = 0;
            change_ratios(p, t, &q->stocks[k]);
        }
        copy->members[i] = q;
    }
    for (uint32_t i = 0; i < t->count; i++) {
        for (uint32_t k = 0; k < t->count; k++) {
            if (t->members[i]->parent == t->members[k])
                copy->members[i]->parent = copy->members[k];
        }
    }
    return copy;
}

/* Sharing providers give to many trees: one copy each, for the whole pass. */
static void
copy_sharing(struct pass *p, const struct mirror_fork *fork)
{
    struct mirror_provider **sharing =
        ARENA_ARRAY(p->arena, struct mirror_provider *, fork->sharing_count + 1);

    p->sharing_originals =
        ARENA_ARRAY(p->arena, const struct mirror_tree *, fork->sharing_count + 1);
    p->sharing_copies = ARENA_ARRAY(p->arena, struct mirror_tree *, fork->sharing_count + 1);
    for (size_t i = 0; i < fork->sharing_count; i++) {
        const struct mirror_tree *t = fork->sharing[i]->tree;
        size_t at = 0;

        if (is_drained(p, t))
            continue;
        while (at < p->sharing_count && p->sharing_originals[at] != t)
            at++;
        if (at == p->sharing_count) {
            p->sharing_originals[at] = t;
            p->sharing_copies[at] = copy_tree(p, t, false, p->arena);
            p->sharing_count++;
        }
        for (uint32_t k = 0; k < t->count; k++) {
            if (t->members[k] == fork->sharing[i])
                sharing[p->scope.sharing_count++] = p->sharing_copies[at]->members[k];
        }
    }
    p->scope.sharing = sharing;
}

static struct mirror_tree *
shared_copy(const struct pass *p, const struct mirror_tree *t)
{
    for (size_t i = 0; i < p->sharing_count; i++) {
        if (p->sharing_originals[i] == t)
            return p->sharing_copies[i];
    }
    return NULL;
}

/* --- Trees by number */

static const struct mirror_tree *
added_like(const struct pass *p, size_t at)
{
    for (size_t i = 0; i < p->changes->hosts_count; i++) {
        if (at < (size_t)p->changes->hosts[i].count)
            return p->changes->hosts[i].like;
        at -= (size_t)p->changes->hosts[i].count;
    }
    return NULL;
}

const struct mirror_tree *
pass_original(const struct pass *p, size_t at)
{
    if (at >= p->fork->trees_count)
        return added_like(p, at - p->fork->trees_count);
    return is_drained(p, p->fork->trees[at]) ? NULL : p->fork->trees[at];
}

static struct mirror_tree *
make_tree(struct pass *p, size_t at, struct arena *a)
{
    const struct mirror_tree *t = pass_original(p, at);
    bool added = at >= p->fork->trees_count;
    struct mirror_tree *shared = added ? NULL : shared_copy(p, t);

    return shared != NULL ? shared : copy_tree(p, t, added, a);
}

struct mirror_tree *
pass_tree(struct pass *p, size_t at)
{
    if (p->kept != NULL && p->kept[at] != NULL)
        return p->kept[at];
    arena_reset(p->tree);
    return make_tree(p, at, p->tree);
}

void
pass_keep(struct pass *p, size_t at)
{
    if (p->kept[at] == NULL)
        p->kept[at] = make_tree(p, at, p->arena);
}

/* --- Filling */

int64_t
pass_take(const struct candidate *c, int64_t most)
{
    int64_t times = most;

    for (size_t i = 0; i < c->picks_count; i++) {
        const struct mirror_stock *s = mirror_stock(c->picks[i].provider, c->picks[i].class_id);
        double left = floor((stock_room(s) - (double)s->used) / (double)c->picks[i].amount);

        if (left < (double)times)
            times = left < 1 ? 1 : (int64_t)left;
    }
    for (size_t i = 0; i < c->picks_count; i++) {
        struct mirror_stock *s =
            (struct mirror_stock *)(uintptr_t)mirror_stock(c->picks[i].provider,
                                                           c->picks[i].class_id);
        int64_t more;

        if (__builtin_mul_overflow(times, c->picks[i].amount, &more) || more > INT64_MAX / 4)
            more = INT64_MAX / 4; /* Full; and sums with it stay in range. */
        s->used = MIN(s->used, INT64_MAX / 4) + more;
    }
    return times;
}

static bool
take(void *owner, const struct candidate *c)
{
    *(int64_t *)owner = pass_take(c, MOST);
    return false;
}

/* With isolated groups the first candidate, taken as often as it fits, empties the first providers and leaves the others without a partner. So of the
 * first candidates the one is taken, once, that leaves most. */
#define COMPARED 64
#define SEVERAL 32

struct best {
    struct candidate_pick *picks;
    size_t count;
    double least, sum; /* How often it fits, by its scarcest pick and by all. */
    int left;
};

static bool
compare(void *owner, const struct candidate *c)
{
    struct best *best = owner;
    double least = HUGE_VAL, sum = 0;

    for (size_t i = 0; i < c->picks_count; i++) {
        const struct mirror_stock *s = mirror_stock(c->picks[i].provider, c->picks[i].class_id);
        double left = floor((stock_room(s) - (double)s->used) / (double)c->picks[i].amount);

        least = fmin(least, left);
        sum += left;
    }
    if (best->count == 0 || least > best->least || (least >= best->least && sum > best->sum)) {
        memcpy(best->picks, c->picks, c->picks_count * sizeof(*c->picks));
        best->count = c->picks_count;
        best->least = least;
        best->sum = sum;
    }
    return --best->left > 0;
}

static int64_t
take_best(struct filling *x, const struct mirror_tree *t)
{
    struct best best = { .picks = x->picks, .left = COMPARED };

    candidates_walk_tree(x->walker, t, compare, &best);
    if (best.count == 0)
        return 0;
    /* Where it fits very often, several at a time: else a ratio without end would not end. */
    return pass_take(&(struct candidate){ .picks = best.picks, .picks_count = best.count },
                     best.least < SEVERAL ? 1
                                          : (int64_t)fmin(best.least / SEVERAL * 2, (double)MOST));
}

static int64_t
fill(struct filling *x, const struct mirror_tree *t)
{
    int64_t all = 0;

    for (;;) {
        int64_t taken = 0;

        if (x->picks != NULL)
            taken = take_best(x, t);
        else
            candidates_walk_tree(x->walker, t, take, &taken);
        if (taken == 0)
            return all;
        all = MIN(all + taken, MOST);
        if (all == MOST)
            return all;
    }
}

/* It never had of that class: it is no host for this request, so nothing ran out there. */
static bool
is_foreign(const struct verdict *v)
{
    return v->class_name != NULL && v->group != NULL && v->provider == NULL;
}

static void
note(struct filling *x, const struct mirror_tree *t, bool added, int64_t taken)
{
    const struct mirror_provider *root = mirror_root(t->members[0]);
    struct simulation_outcome *o = x->outcome;
    struct arena *a = x->pass.arena;
    struct verdict v;
    bool foreign;

    verdict_at(x->verdicts, t, o->reasons_count < SIMULATION_REASONS, &v);
    foreign = taken == 0 && is_foreign(&v);
    o->hosts += !foreign;
    o->hosts_used += taken > 0;
    o->fits = MIN(o->fits + taken, MOST);
    if (v.rule == NULL)
        return;
    verdict_counts_add(&o->refused, a, foreign ? "no_inventory" : v.rule, 1);
    if (v.class_name != NULL && !foreign)
        verdict_counts_add(&o->exhausted, a, v.class_name, 1);
    if (v.reason != NULL)
        o->reasons[o->reasons_count++] =
            (struct simulation_reason){ added ? NULL : arena_strdup(a, root->uuid),
                                        added ? "(added)" : arena_strdup(a, root->name), v.rule,
                                        v.reason };
}

static void
fill_all(struct filling *x)
{
    struct pass *p = &x->pass;

    for (size_t i = 0; i < p->trees_count; i++) {
        const struct mirror_tree *t = pass_original(p, i);

        if (t == NULL || !verdict_concerns(x->verdicts, t))
            continue;
        t = pass_tree(p, i);
        note(x, t, i >= p->fork->trees_count, fill(x, t));
    }
}

void
simulation_run(const struct mirror_fork *fork, const struct candidates_plan *plan,
               struct simulation_changes *changes, struct arena *a, struct simulation_outcome *ret)
{
    static const struct candidates_options options = { .nested = true };
    struct filling x = {
        .outcome = ret,
        .pass = { .fork = fork, .changes = changes, .arena = a, .tree = arena_new() },
    };
    struct pass *p = &x.pass;

    *ret = (struct simulation_outcome){ 0 };
    copy_sharing(p, fork);
    p->trees_count = fork->trees_count;
    for (size_t i = 0; changes != NULL && i < changes->hosts_count; i++)
        p->trees_count += (size_t)changes->hosts[i].count;
    if (changes != NULL && changes->demands_count > 0)
        pass_move(p, ret);
    x.walker = candidates_walker(&p->scope, plan, &options);
    x.verdicts = verdicts_new(&p->scope, plan, a);
    if (plan->request->isolate && plan->suffixed > 1)
        x.picks = ARENA_ARRAY(a, struct candidate_pick, plan->max_picks + 1);
    fill_all(&x);
    arena_free(p->tree);
}
