#include "candidates_dead.h"

#include "base/random.h"

#define FIRST_SLOTS 1024
#define MAX_SLOTS (1 << 18)

struct dead_ends {
    const struct candidates_plan *plan;
    uint64_t key;
    struct dead_state *slots; /* Open addressing; both zero: free. */
    size_t slots_count, used;
    const struct mirror_tree
        *tree; /* The members' order, each after those below it, is of this one. */
    size_t *order;
    struct dead_state *below; /* By member: the sum of those below it. */
    size_t members_capacity;
};

/* --- Hashing */

static uint64_t
stir(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* In order. */
static void
absorb(struct dead_state *s, uint64_t x)
{
    s->a = stir(s->a ^ x) + UINT64_C(0x9e3779b97f4a7c15);
    s->b = stir(s->b + x * UINT64_C(0xd6e8feb86659fd93)) ^ s->a;
}

/* In no order. */
static void
join(struct dead_state *sum, const struct dead_state *s)
{
    sum->a += stir(s->a ^ s->b);
    sum->b += stir(s->b + UINT64_C(0xa0761d6478bd642f)) ^ (s->a >> 1);
}

static bool
is_zero(const struct dead_state *s)
{
    return (s->a | s->b) == 0;
}

/* --- One provider: what it could still do. Zero: nothing. */

static bool
wants_class(const struct candidates_plan *plan, const struct plan_level *l, int class_id)
{
    const struct plan_group *g = &plan->groups[l->group];

    for (size_t i = l->first; i < l->first + l->count; i++) {
        if (g->class_ids[i] == class_id)
            return true;
    }
    return false;
}

/* What is left, up to what could be wanted, of each class that a level wants which it may serve. */
static void
absorb_left(const struct dead_ends *d, struct dead_state *s, const struct picks *k,
            const struct mirror_provider *p, size_t level, const uint64_t *may)
{
    for (size_t t = 0; t < d->plan->totals_count; t++) {
        int class_id = d->plan->totals[t].class_id;
        bool wanted = false;

        for (size_t n = level; n < d->plan->levels_count && !wanted; n++)
            wanted = (may[n / 64] >> (n % 64) & 1) != 0 &&
                     wants_class(d->plan, &d->plan->levels[n], class_id);
        if (wanted) {
            absorb(s, t + 1);
            absorb(s, (uint64_t)MIN(picks_left(k, p, mirror_stock(p, class_id)),
                                    plan_need(d->plan, level, t)));
        }
    }
}

/* Traits that the group without a suffix still lacks. */
static void
absorb_traits(const struct dead_ends *d, struct dead_state *s, const struct picks *k,
              const struct mirror_provider *p)
{
    const struct plan_group *g = &d->plan->groups[d->plan->plain];

    for (size_t r = 0; r < g->request->required_count; r++) {
        bool has = p == NULL; /* Of nobody: which they are. */

        for (size_t i = 0; p != NULL && i < g->required[r].count; i++)
            has = has || mirror_has_trait(p, g->required[r].ids[i]);
        if (has && !picks_have_trait(k, d->plan->plain, &g->required[r]))
            absorb(s, ~(uint64_t)r);
    }
}

static struct dead_state
state_of_provider(const struct dead_ends *d, struct candidates_tree *x, const struct picks *k,
                  size_t level, size_t provider)
{
    const struct mirror_provider *p = candidates_tree_provider(x, provider);
    uint64_t may[DEAD_ENDS_LEVELS / 64] = { 0 };
    struct dead_state s = { 0 };
    bool plain = false;

    for (size_t n = level; n < d->plan->levels_count; n++) {
        if (!candidates_tree_may(x, n, provider) || !picks_may(k, &d->plan->levels[n], p))
            continue;
        may[n / 64] |= UINT64_C(1) << (n % 64);
        plain = plain || !d->plan->levels[n].suffixed;
        absorb(&s, d->key + n);
    }
    if (is_zero(&s))
        return s;
    absorb_left(d, &s, k, p, level, may);
    if (plain)
        absorb_traits(d, &s, k, p);
    return s;
}

/* --- All providers */

static size_t
depth(const struct mirror_provider *p)
{
    size_t n = 0;

    while ((p = p->parent) != NULL)
        n++;
    return n;
}

/* Sorts the tree's members by depth, deepest first. */
static void
put_in_order(struct dead_ends *d, const struct mirror_tree *t)
{
    size_t at = 0, deepest = 0;

    if (d->tree == t)
        return;
    d->tree = t;
    if (t->count > d->members_capacity) {
        d->members_capacity = t->count * 2;
        d->order = ARENA_ARRAY(d->plan->arena, size_t, d->members_capacity);
        d->below = ARENA_ARRAY(d->plan->arena, struct dead_state, d->members_capacity);
    }
    for (size_t i = 0; i < t->count; i++)
        deepest = MAX(deepest, depth(t->members[i]));
    for (size_t deep = deepest + 1; deep-- > 0;) {
        for (size_t i = 0; i < t->count; i++) {
            if (depth(t->members[i]) == deep)
                d->order[at++] = i;
        }
    }
}

/* Of groups that shall have a common top: what the picked ones leave to those to come, where 'p' is that top; NULL: where it is of another tree. */
static void
absorb_subtrees(const struct dead_ends *d, struct dead_state *s, const struct candidates_tree *x,
                const struct picks *k, size_t level, const struct mirror_provider *p)
{
    for (size_t i = 0; i < d->plan->request->same_subtrees_count; i++) {
        const struct plan_any *groups = &d->plan->subtrees[i];
        struct picks_subtree subtree;
        bool to_come = false;

        for (size_t n = level; n < d->plan->levels_count && !to_come; n++)
            to_come = plan_any_has(groups, (int)d->plan->levels[n].group);
        if (!to_come)
            continue;
        subtree = picks_subtree(k, groups);
        if (!subtree.begun || subtree.top == NULL)
            continue;
        if (subtree.top == p || (p == NULL && subtree.top->tree != x->tree)) {
            absorb(s, (i << 1 | subtree.found) + UINT64_C(0x100000000));
            absorb(s, p == NULL ? (uint64_t)subtree.top->id : 0);
        }
    }
}

static struct dead_state
state_of_tree(struct dead_ends *d, struct candidates_tree *x, const struct picks *k, size_t level)
{
    struct dead_state sum = { 0 };

    put_in_order(d, x->tree);
    memset(d->below, 0, x->tree->count * sizeof(*d->below));
    for (size_t n = 0; n < x->tree->count; n++) {
        size_t at = d->order[n];
        const struct mirror_provider *p = x->tree->members[at];
        struct dead_state s = state_of_provider(d, x, k, level, at);

        absorb_subtrees(d, &s, x, k, level, p);
        if (is_zero(&s) && is_zero(&d->below[at]))
            continue;
        absorb(&s, d->below[at].a);
        absorb(&s, d->below[at].b);
        join(p->parent == NULL ? &sum : &d->below[candidates_tree_place(x, p->parent)], &s);
    }
    return sum;
}

struct dead_state
dead_ends_state(struct dead_ends *d, struct candidates_tree *x, const struct picks *k, size_t level)
{
    bool structured = d->plan->request->same_subtrees_count > 0;
    struct dead_state sum = { 0 }, whole = { d->key, ~d->key };

    if (structured)
        sum = state_of_tree(d, x, k, level);
    for (size_t i = structured ? x->tree->count : 0; i < x->providers; i++) {
        const struct mirror_provider *p = candidates_tree_provider(x, i);
        struct dead_state s = state_of_provider(d, x, k, level, i);

        if (is_zero(&s))
            continue;
        /* How those that share stand to each other is not looked at: they are like themselves alone. */
        if ((structured || !k->nested) && p->tree != x->tree)
            absorb(&s, (uint64_t)p->id);
        join(&sum, &s);
    }
    absorb(&whole, level);
    absorb(&whole, sum.a);
    absorb(&whole, sum.b);
    if (d->plan->plain != SIZE_MAX && level < d->plan->levels_count)
        absorb_traits(d, &whole, k, NULL);
    if (structured)
        absorb_subtrees(d, &whole, x, k, level, NULL);
    return whole;
}

/* --- The table */

struct dead_ends *
dead_ends_new(const struct candidates_plan *plan)
{
    struct dead_ends *d = ARENA_NEW(plan->arena, struct dead_ends);

    d->plan = plan;
    d->key = random_uint64();
    return d;
}

void
dead_ends_enter(struct dead_ends *d)
{
    d->tree = NULL;
}

bool
dead_ends_any(const struct dead_ends *d)
{
    return d->used > 0;
}

static struct dead_state *
slot_of(const struct dead_ends *d, const struct dead_state *s)
{
    size_t at = s->a & (d->slots_count - 1);

    while (!is_zero(&d->slots[at]) && (d->slots[at].a != s->a || d->slots[at].b != s->b))
        at = (at + 1) & (d->slots_count - 1);
    return &d->slots[at];
}

bool
dead_ends_has(const struct dead_ends *d, const struct dead_state *s)
{
    return d->slots_count > 0 && !is_zero(slot_of(d, s));
}

static void
grow(struct dead_ends *d)
{
    struct dead_state *old = d->slots;
    size_t count = d->slots_count;

    d->slots_count = count == 0 ? FIRST_SLOTS : count * 2;
    d->slots = ARENA_ARRAY(d->plan->arena, struct dead_state, d->slots_count);
    for (size_t i = 0; i < count; i++) {
        if (!is_zero(&old[i]))
            *slot_of(d, &old[i]) = old[i];
    }
}

void
dead_ends_add(struct dead_ends *d, const struct dead_state *s)
{
    struct dead_state *slot;

    if (d->used * 2 >= d->slots_count) {
        if (d->slots_count >= MAX_SLOTS)
            return;
        grow(d);
    }
    slot = slot_of(d, s);
    d->used += is_zero(slot);
    *slot = *s;
}
