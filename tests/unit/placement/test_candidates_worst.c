/* The walk's worst cases: trees of many equal children, and groups of which only the last cannot be served. Each must end within few steps, not
 * after every combination; and what is passed over on the way must be nothing: a plain enumeration of small random trees, by the rules
 * and nothing else, finds the same. */
#include <time.h>

#include "base/map.h"
#include "base/str.h"
#include "tests/unit/placement/mirror_lab.h"

/* numa0 to numa15 below "host": VCPU 3 each; below each a port (SRIOV_NET_VF 1) and a card (VGPU 1). The last NUMA cell has a trait.
 * "packed", "twin": seven children with VCPU 3 each. "odd": sixteen of which no two are equal (in memory). */
static const char setup_sql[] =
    "INSERT INTO trait (name) VALUES ('CUSTOM_LAST'), ('CUSTOM_CELL');"
    "INSERT INTO provider (id, uuid, name, parent_id, root_id) OVERRIDING SYSTEM VALUE"
    "  SELECT id, gen_random_uuid(), name, CASE WHEN parent <> id THEN parent END, root FROM ("
    "    SELECT 1 AS id, 'host' AS name, 1 AS parent, 1 AS root"
    "    UNION ALL SELECT 100 + n, 'numa' || n, 1, 1 FROM generate_series(0, 15) n"
    "    UNION ALL SELECT 200 + n, 'port' || n, 100 + n, 1 FROM generate_series(0, 15) n"
    "    UNION ALL SELECT 300 + n, 'card' || n, 100 + n, 1 FROM generate_series(0, 15) n"
    "    UNION ALL SELECT 1000, 'packed', 1000, 1000"
    "    UNION ALL SELECT 1001 + n, 'p' || n, 1000, 1000 FROM generate_series(0, 6) n"
    "    UNION ALL SELECT 3000, 'twin', 3000, 3000"
    "    UNION ALL SELECT 3001 + n, 't' || n, 3000, 3000 FROM generate_series(0, 6) n"
    "    UNION ALL SELECT 2000, 'odd', 2000, 2000"
    "    UNION ALL SELECT 2001 + n, 'o' || n, 2000, 2000 FROM generate_series(0, 15) n) x;"
    "INSERT INTO inventory SELECT id, 0, 3, 0, 1, 3, 1, 1.0, 0 FROM provider"
    "  WHERE id BETWEEN 100 AND 115 OR id BETWEEN 1001 AND 1007 OR id BETWEEN 3001 AND 3007;"
    "INSERT INTO inventory SELECT id, 4, 1, 0, 1, 1, 1, 1.0, 0 FROM provider WHERE id BETWEEN 200 "
    "AND 215;"
    "INSERT INTO inventory SELECT id, 10, 1, 0, 1, 1, 1, 1.0, 0 FROM provider WHERE id BETWEEN 300 "
    "AND 315;"
    "INSERT INTO inventory SELECT id, 0, 100, 0, 1, 100, 1, 1.0, 100 - 3 - (id - 2000) % 3 FROM "
    "provider WHERE id BETWEEN 2001 AND 2016;"
    "INSERT INTO inventory SELECT id, 1, 100 + id, 0, 1, 5000, 1, 1.0, 0 FROM provider WHERE id "
    "BETWEEN 2001 AND 2016;"
    "SELECT setseed(0.25);"
    "INSERT INTO provider (id, uuid, name, parent_id, root_id) OVERRIDING SYSTEM VALUE"
    "  SELECT 10000 + t * 10 + n, gen_random_uuid(), 'r' || t || '.' || n,"
    "    CASE WHEN n > 0 THEN 10000 + t * 10 + floor(random() * LEAST(n, 3)) END, 10000 + t * 10"
    "  FROM generate_series(0, 29) t, generate_series(0, 5) n WHERE n <= 3 + t % 3;"
    "INSERT INTO inventory SELECT p.id, c, total, 0, 1, total - (p.id % 2), 1, 1.0, 0"
    "  FROM provider p, (VALUES (0, 4), (4, 2), (10, 1)) x (c, total) WHERE p.id >= 10000 AND "
    "random() < 0.5;"
    "DELETE FROM inventory WHERE max_unit = 0;"
    "INSERT INTO provider_aggregate SELECT id, '00000000-0000-0000-0000-00000000000' || (id / 10 % "
    "3)"
    "  FROM provider WHERE id >= 10000 AND (id / 10 % 2 = 0 OR random() < 0.2);"
    "INSERT INTO provider_trait SELECT p.id, t.id FROM provider p, trait t WHERE p.id >= 10000 AND "
    "("
    "  t.name LIKE 'CUSTOM_%' AND random() < 0.3 OR"
    "  t.name = 'MISC_SHARES_VIA_AGGREGATE' AND p.id BETWEEN 10270 AND 10299 AND random() < 0.5);"
    "INSERT INTO provider_trait SELECT p.id, t.id FROM provider p, trait t WHERE"
    "  t.name = 'CUSTOM_LAST' AND p.id IN (115, 1007, 2016) OR"
    "  t.name = 'CUSTOM_CELL' AND p.id BETWEEN 100 AND 115;";

static int
setup(void **state)
{
    struct fault f = { 0 };

    (void)state;
    lab_open(setup_sql);
    assert_ok(mirror_read(mirror, &db, &f));
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    mirror_done(mirror);
    lab_close();
    return 0;
}

static const struct mirror_tree *
tree_of(const char *name)
{
    size_t count;
    struct mirror_tree *const *trees = mirror_trees(mirror, &count);

    for (size_t i = 0; i < count; i++) {
        if (str_equal(mirror_root(trees[i]->members[0])->name, name))
            return trees[i];
    }
    fail_msg("no %s", name);
    return NULL;
}

/* "resources1=VCPU:2&resources2=VCPU:2&..." */
static const char *
groups(struct arena *a, unsigned first, unsigned count, const char *resources)
{
    const char *text = "";

    for (unsigned i = first; i < first + count; i++)
        text = arena_printf(a, "%s&resources%u=%s", text, i, resources);
    return text + 1;
}

static bool
take_first(void *owner, const struct candidate *c)
{
    (void)c;
    ++*(int *)owner;
    return false;
}

static int64_t
now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

static void
test_ends(void **state)
{
    struct arena *a = arena_new();
    const struct {
        const char *name, *tree, *query;
        int found;
    } cases[] = {
        { "a pair too many", "packed",
          arena_printf(a, "%s&group_policy=none", groups(a, 1, 8, "VCPU:2")), 0 },
        { "pairs that just fit", "packed",
          arena_printf(a, "%s&group_policy=none", groups(a, 1, 7, "VCPU:2")), 1 },
        { "the last one's only choice is taken", "packed",
          arena_printf(a,
                       "%s&resources8=VCPU:2&required8=CUSTOM_LAST&resources9=VCPU:2&required9="
                       "CUSTOM_LAST&group_policy=none",
                       groups(a, 1, 5, "VCPU:1")),
          0 },
        { "a pair too many of sixteen cells", "host",
          arena_printf(a, "%s&group_policy=none", groups(a, 1, 17, "VCPU:2")), 0 },
        { "eight devices under no common cell", "host",
          arena_printf(a, "%s&%s&group_policy=none&same_subtree=1,2,3,4,5,6,7,8",
                       groups(a, 1, 4, "SRIOV_NET_VF:1"), groups(a, 5, 4, "VGPU:1")),
          0 },
        { "the same, isolated", "host",
          arena_printf(a, "%s&%s&group_policy=isolate&same_subtree=1,2,3,4,5,6,7,8",
                       groups(a, 1, 4, "SRIOV_NET_VF:1"), groups(a, 5, 4, "VGPU:1")),
          0 },
        { "ports and cards of one cell each, and one pair of two cells", "host",
          arena_printf(a,
                       "%s&%s&resources9=VGPU:1&required10=CUSTOM_CELL&required11=CUSTOM_LAST&"
                       "resources12=SRIOV_NET_VF:1&group_policy=none&same_subtree=9,10&"
                       "same_subtree=12,11&same_subtree=11,9,8",
                       groups(a, 1, 4, "VCPU:1"), groups(a, 5, 4, "VGPU:1")),
          0 },
        { "eight isolated cells, and the last one's only choice is wanted twice", "host",
          arena_printf(a,
                       "%s&resources8=VCPU:1&required8=CUSTOM_LAST&resources9=VCPU:1&required9="
                       "CUSTOM_LAST&group_policy=isolate",
                       groups(a, 1, 7, "VCPU:1")),
          0 },
        { "isolated pairs of a cell and its card, of which the last cannot be", "host",
          arena_printf(a,
                       "%s&%s&required20=CUSTOM_LAST&required21=CUSTOM_CELL,!CUSTOM_LAST&"
                       "group_policy=isolate&same_subtree=1,11&same_subtree=2,12&"
                       "same_subtree=3,13&same_subtree=4,14&same_subtree=20,21",
                       groups(a, 1, 4, "VCPU:1"), groups(a, 11, 4, "VGPU:1")),
          0 },
        { "isolated pairs of a cell and its card", "host",
          arena_printf(a,
                       "%s&%s&group_policy=isolate&same_subtree=1,11&same_subtree=2,12&"
                       "same_subtree=3,13&same_subtree=4,14",
                       groups(a, 1, 4, "VCPU:1"), groups(a, 11, 4, "VGPU:1")),
          1 },
        { "resources that are there, traits that are not together", "host",
          "resources=VCPU:1,SRIOV_NET_VF:1,VGPU:1&required=CUSTOM_LAST,HW_CPU_X86_AVX2", 0 },
        { "children of which no two are equal", "odd",
          arena_printf(a, "%s&group_policy=none", groups(a, 1, 18, "VCPU:3")), 0 },
        { "the same with a size more", "odd",
          arena_printf(a, "%s&%s&group_policy=none", groups(a, 1, 4, "VCPU:3,MEMORY_MB:7"),
                       groups(a, 5, 12, "VCPU:4,MEMORY_MB:9")),
          0 },
        { "eight groups of the unequal, and a choice that is taken", "odd",
          arena_printf(a,
                       "%s&resources8=VCPU:3&required8=CUSTOM_LAST&resources9=VCPU:3&required9="
                       "CUSTOM_LAST&group_policy=none",
                       groups(a, 1, 6, "VCPU:2")),
          0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct candidates_options options = { .nested = true };
        struct candidates_scope scope = candidates_scope(mirror);
        struct candidates_walker *w =
            candidates_walker(&scope, plan_of(a, cases[i].query), &options);
        int64_t began = now_us();
        int found = 0;
        bool complete = candidates_walk_tree(w, tree_of(cases[i].tree), take_first, &found);

        print_message("%-70s %8lld us\n", cases[i].name, (long long)(now_us() - began));
        if (!complete || found != cases[i].found)
            fail_msg("%s: %s, %d found", cases[i].name, complete ? "complete" : "given up", found);
    }
    arena_free(a);
}

/* What was a dead end once is known at once, at this tree and at any that is like it. */
static void
test_once(void **state)
{
    struct arena *a = arena_new();
    struct candidates_options options = { .nested = true };
    struct candidates_scope scope = candidates_scope(mirror);
    const char *query = arena_printf(a, "%s&group_policy=none", groups(a, 1, 8, "VCPU:2"));
    struct candidates_walker *w = candidates_walker(&scope, plan_of(a, query), &options);
    int found = 0;

    (void)state;
    options.max_steps = 100;
    candidates_walker_grant(w);
    assert_false(candidates_walk_tree(w, tree_of("packed"), take_first, &found));
    options.max_steps = 100000;
    candidates_walker_grant(w);
    assert_true(candidates_walk_tree(w, tree_of("packed"), take_first, &found));
    options.max_steps = 100;
    candidates_walker_grant(w);
    assert_true(candidates_walk_tree(w, tree_of("packed"), take_first, &found));
    assert_int_equal(found, 0);
    candidates_walker_grant(w);
    assert_true(candidates_walk_tree(w, tree_of("twin"), take_first, &found));
    assert_int_equal(found, 0);
    arena_free(a);
}

/* --- Nothing is passed over: against an enumeration without any foresight. */

struct plain_pick {
    const struct mirror_provider *p;
    const struct plan_group *g;
    int class_id;
    int64_t amount;
};

struct plainly {
    const struct candidates_plan *plan;
    const struct mirror_tree *tree;
    const struct mirror_provider *serving[64];
    size_t serving_count;
    struct plain_pick picks[32];
    size_t count;
    struct map *keys;
};

static bool
is_below(const struct mirror_provider *p, const struct mirror_provider *top)
{
    while (p != NULL && p != top)
        p = p->parent;
    return p != NULL;
}

static bool
is_subtree(const struct plainly *x, const struct plan_any *groups)
{
    for (size_t t = 0; t < x->count; t++) {
        bool all = plan_any_has(groups, (int)(x->picks[t].g - x->plan->groups));

        for (size_t i = 0; all && i < x->count; i++)
            all = !plan_any_has(groups, (int)(x->picks[i].g - x->plan->groups)) ||
                  is_below(x->picks[i].p, x->picks[t].p);
        if (all)
            return true;
    }
    return false;
}

static bool
is_candidate(const struct plainly *x)
{
    for (size_t i = 0; i < x->count; i++) {
        const struct plain_pick *a = &x->picks[i];
        const struct mirror_stock *s = mirror_stock(a->p, a->class_id);
        int64_t sum = 0;
        size_t same = 0;

        for (size_t k = 0; k < x->count; k++) {
            const struct plain_pick *b = &x->picks[k];

            if (b->p == a->p && b->class_id == a->class_id) {
                sum += b->amount;
                same++;
            }
            if (x->plan->request->isolate && b->p == a->p && b->g != a->g &&
                a->g->request->suffix[0] != 0 && b->g->request->suffix[0] != 0)
                return false;
        }
        if (s != NULL &&
            (sum > (same > 1 ? s->max_unit : INT64_MAX) || (double)(s->used + sum) > stock_room(s)))
            return false;
    }
    for (size_t g = 0; g < x->plan->request->groups_count; g++) {
        const struct plan_group *group = &x->plan->groups[g];

        for (size_t r = 0; group->request->suffix[0] == 0 && r < group->request->required_count;
             r++) {
            bool has = false;

            for (size_t i = 0; i < x->count; i++) {
                for (size_t k = 0; x->picks[i].g == group && k < group->required[r].count; k++)
                    has = has || mirror_has_trait(x->picks[i].p, group->required[r].ids[k]);
            }
            if (!has)
                return false;
        }
    }
    for (size_t i = 0; i < x->plan->request->same_subtrees_count; i++) {
        if (!is_subtree(x, &x->plan->subtrees[i]))
            return false;
    }
    return true;
}

/* What a client sees of a candidate. */
static bool
take_key(void *owner, const struct candidate *c)
{
    struct map *keys = owner;
    struct str key = { 0 };

    for (size_t i = 0; i < c->mappings_count; i++)
        str_addf(&key, "%s>%lld ", c->mappings[i].suffix, (long long)c->mappings[i].provider->id);
    for (size_t i = 0; i < c->picks_count; i++)
        str_addf(&key, "%lld:%d=%lld ", (long long)c->picks[i].provider->id, c->picks[i].class_id,
                 (long long)c->picks[i].amount);
    map_set(keys, str_text(&key), keys);
    str_done(&key);
    return true;
}

static void
note(struct plainly *x)
{
    struct candidate_mapping mappings[32];
    struct candidate_pick picks[32];
    struct candidate c = { .picks = picks, .mappings = mappings };

    for (size_t i = 0; i < x->count; i++) {
        const struct plain_pick *a = &x->picks[i];
        const char *suffix = a->g->request->suffix;
        size_t m = 0, k = 0;

        while (m < c.mappings_count &&
               (mappings[m].provider != a->p || !str_equal(mappings[m].suffix, suffix)))
            m++;
        if (m == c.mappings_count)
            mappings[c.mappings_count++] = (struct candidate_mapping){ suffix, a->p };
        while (k < c.picks_count && (picks[k].provider != a->p || picks[k].class_id != a->class_id))
            k++;
        if (k == c.picks_count && a->amount > 0)
            picks[c.picks_count++] = (struct candidate_pick){ a->p, a->class_id, 0 };
        if (a->amount > 0)
            picks[k].amount += a->amount;
    }
    take_key(x->keys, &c);
}

static void enumerate(struct plainly *x, size_t group, size_t want);

static void
try_provider(struct plainly *x, size_t group, size_t want, const struct mirror_provider *p)
{
    const struct plan_group *g = &x->plan->groups[group];
    const struct mirror_provider *root = mirror_root(x->tree->members[0]);
    bool suffixed = g->request->suffix[0] != 0, foreign = p->tree != x->tree;
    size_t before = x->count, end = suffixed ? g->request->wants_count : want + 1;

    if (plan_has_forbidden(g, p) || (suffixed && !plan_has_traits(g, p)) ||
        plan_in_forbidden(g, p) || (!suffixed && plan_in_forbidden(g, root)))
        return;
    if (!plan_in_aggregates(g, p) && (suffixed || foreign || !plan_in_aggregates(g, root)))
        return;
    for (size_t i = want; i < end; i++) {
        const struct mirror_stock *s = mirror_stock(p, g->class_ids[i]);

        if (s == NULL || !stock_fits(s, g->request->wants[i].amount))
            return;
    }
    for (size_t i = want; i < end; i++)
        x->picks[x->count++] =
            (struct plain_pick){ p, g, g->class_ids[i], g->request->wants[i].amount };
    if (end == want)
        x->picks[x->count++] = (struct plain_pick){ p, g, -1, 0 };
    enumerate(x, group, suffixed ? SIZE_MAX : end);
    x->count = before;
}

static void
enumerate(struct plainly *x, size_t group, size_t want)
{
    if (want == SIZE_MAX || want >= MAX(x->plan->groups[group].request->wants_count, (size_t)1)) {
        group++;
        want = 0;
    }
    if (group == x->plan->request->groups_count) {
        if (is_candidate(x))
            note(x);
        return;
    }
    for (size_t i = 0; i < x->serving_count; i++)
        try_provider(x, group, want, x->serving[i]);
}

/* Who serves a tree: its own, and who shares an aggregate with any of them. */
static void
gather(struct plainly *x)
{
    size_t count;
    struct mirror_provider *const *sharing = mirror_sharing(mirror, &count);

    for (uint32_t i = 0; i < x->tree->count; i++)
        x->serving[x->serving_count++] = x->tree->members[i];
    for (size_t n = 0; n < count; n++) {
        bool shares = false;

        for (uint32_t i = 0; i < x->tree->count && sharing[n]->tree != x->tree; i++) {
            for (uint32_t k = 0; k < sharing[n]->aggregates_count; k++)
                shares =
                    shares || mirror_in_aggregate(x->tree->members[i], sharing[n]->aggregates[k]);
        }
        if (shares)
            x->serving[x->serving_count++] = sharing[n];
    }
}

static unsigned seed = 7;

static unsigned
pick(unsigned below)
{
    seed = seed * 1103515245 + 12345;
    return seed / 65536 % below;
}

static const char *
random_query(struct arena *a)
{
    static const char *const wants[] = { "VCPU:1", "VCPU:2", "SRIOV_NET_VF:1", "VCPU:3",
                                         "VCPU:1,VGPU:1" };
    static const char *const traits[] = { "CUSTOM_LAST", "CUSTOM_CELL", "!CUSTOM_CELL" };
    unsigned count = pick(4) + 1;
    const char *text = pick(3) == 0 ? arena_printf(a, "resources=%s%s", wants[pick(5)],
                                                   pick(2) == 0 ? "&required=CUSTOM_CELL" : "")
                                    : "resources0=VCPU:1";

    for (unsigned i = 1; i <= count; i++) {
        bool resourceless = i > 1 && pick(5) == 0;

        text = resourceless
                   ? arena_printf(a, "%s&required%u=CUSTOM_LAST&same_subtree=%u,1", text, i, i)
                   : arena_printf(a, "%s&resources%u=%s", text, i, wants[pick(5)]);
        if (!resourceless && pick(4) == 0)
            text = arena_printf(a, "%s&required%u=%s", text, i, traits[pick(3)]);
        if (i > 1 && pick(4) == 0)
            text = arena_printf(a, "%s&same_subtree=%u,%u", text, i, i - 1);
    }
    return arena_printf(a, "%s&group_policy=%s", text, pick(2) == 0 ? "none" : "isolate");
}

static size_t
compare(struct arena *a, const char *query, const struct mirror_tree *t, bool careful)
{
    struct candidates_plan *plan = plan_of(a, query);
    struct plainly x = { .plan = plan, .tree = t, .keys = map_new(NULL) };
    struct candidates_options options = { .nested = true, .careful = careful };
    struct candidates_scope scope = candidates_scope(mirror);
    struct candidates_walker *w = candidates_walker(&scope, plan, &options);
    struct map *walked = map_new(NULL);
    struct map_at at = { 0 };
    size_t count;

    gather(&x);
    enumerate(&x, 0, 0);
    if (careful) { /* Dead ends of other trees are known already. */
        for (size_t i = 0; i < scope.trees_count; i++) {
            if (scope.trees[i]->root_id >= 10000 && scope.trees[i] != t)
                assert_true(candidates_walk_tree(w, scope.trees[i], take_key, walked));
        }
        map_clear(walked);
    }
    assert_true(candidates_walk_tree(w, t, take_key, walked));
    while (map_next(x.keys, &at)) {
        if (!map_has(walked, at.key))
            fail_msg("%s at %s: not found: %s", query, t->members[0]->name, at.key);
    }
    count = map_count(x.keys);
    if (map_count(walked) != count)
        fail_msg("%s at %s: %zu instead of %zu", query, t->members[0]->name, map_count(walked),
                 count);
    map_free(walked);
    map_free(x.keys);
    return count;
}

static void
test_nothing_is_passed_over(void **state)
{
    size_t count, found = 0, none = 0, several = 0;
    struct mirror_tree *const *trees = mirror_trees(mirror, &count);

    (void)state;
    for (unsigned round = 0; round < 1500; round++) {
        struct arena *a = arena_new();
        const char *query = random_query(a);
        size_t at;

        do
            at = pick((unsigned)count);
        while (trees[at]->root_id < 10000);
        if (compare(a, query, trees[at], true) == 0)
            none++;
        else
            found++;
        several += compare(a, query, trees[at], false) > 4;
        arena_free(a);
    }
    print_message("%zu found something, %zu nothing, %zu more than four\n", found, none, several);
    assert_true(found > 100 && none > 100 && several > 30);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_ends), cmocka_unit_test(test_once),
                                        cmocka_unit_test(test_nothing_is_passed_over) };

    return cmocka_run_group_tests(tests, setup, teardown);
}
