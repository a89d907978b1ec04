/* The ways round a walk of everything: the index that passes over trees, the turns that trees take under a limit, the look at a tree before its walk.
 * Whatever they do, they must find what a plain walk of each tree finds, in a random cloud that changes under them. */
#include "services/placement/candidates_index.h"

#include "base/map.h"
#include "base/str.h"
#include "services/placement/verdict.h"
#include "tests/unit/placement/mirror_lab.h"

static unsigned seed = 1;

static unsigned
pick(unsigned below)
{
    seed = seed * 1103515245 + 12345;
    return seed / 65536 % below;
}

/* 150 hosts, some with children, three of them shares of disk; traits, aggregates, amounts and usage by a formula. */
static const char setup_sql[] =
    "SELECT setseed(0.5);"
    "INSERT INTO trait (name) VALUES ('CUSTOM_A'), ('CUSTOM_B'), ('CUSTOM_C');"
    "INSERT INTO resource_class (name) VALUES ('CUSTOM_X');"
    "INSERT INTO provider (id, uuid, name, root_id) OVERRIDING SYSTEM VALUE"
    "  SELECT n, gen_random_uuid(), 'h' || n, n FROM generate_series(1, 150) n;"
    "INSERT INTO provider (id, uuid, name, parent_id, root_id) OVERRIDING SYSTEM VALUE"
    "  SELECT 1000 + n * 4 + k, gen_random_uuid(), 'c' || n || '.' || k, n, n"
    "  FROM generate_series(1, 150) n, generate_series(0, 3) k WHERE n % 3 = 0 AND k < n % 5;"
    "INSERT INTO inventory SELECT id, c, t, 0, 1, t, 1, r, LEAST(t, floor(random() * t * 1.3))"
    "  FROM provider, (VALUES (0, 8, 2.0), (1, 1024, 1.5)) x (c, t, r) WHERE id < 148;"
    "INSERT INTO inventory SELECT id, 2, 100, 0, 1, 60, 5, 1.0, floor(random() * 20) * 5"
    "  FROM provider WHERE id < 148 AND id % 7 > 1 OR id IN (148, 149, 150);"
    "INSERT INTO inventory SELECT id, 4, 4, 0, 1, 3, 1, 1.0, floor(random() * 5) FROM provider "
    "WHERE id > 1000;"
    "INSERT INTO inventory SELECT id, (SELECT id FROM resource_class WHERE name = 'CUSTOM_X'), 2, "
    "0, 1, 2, 1, 1.0, 0"
    "  FROM provider WHERE id % 41 = 0;"
    "INSERT INTO provider_trait SELECT p.id, t.id FROM provider p, trait t WHERE t.name LIKE "
    "'CUSTOM_%' AND random() < 0.3;"
    "INSERT INTO provider_trait SELECT p.id, t.id FROM provider p, trait t WHERE t.name = "
    "'MISC_SHARES_VIA_AGGREGATE' AND p.id IN (148, 149);"
    "INSERT INTO provider_aggregate SELECT p.id, ('00000000-0000-0000-0000-00000000000' || a) FROM "
    "provider p,"
    "  generate_series(1, 4) a WHERE random() < 0.2 OR p.id = 146 + a;";

static const char *const changes[] = {
    "UPDATE inventory SET used = LEAST(total, floor(random() * total)) WHERE provider_id % 10 = "
    "floor(random() * 10)",
    "UPDATE inventory SET allocation_ratio = 1 + random() * 3 WHERE provider_id % 20 = "
    "floor(random() * 20)",
    "UPDATE inventory SET used = total WHERE class_id = 0",
    "UPDATE inventory SET used = 0 WHERE provider_id % 3 = 1",
    "DELETE FROM provider_trait WHERE provider_id % 10 = 3 AND trait_id IN (SELECT id FROM trait "
    "WHERE name LIKE 'CUSTOM%')",
    "INSERT INTO provider_trait SELECT p.id, t.id FROM provider p, trait t WHERE t.name LIKE "
    "'CUSTOM%' AND random() < 0.1 ON CONFLICT DO NOTHING",
    "DELETE FROM provider_aggregate WHERE random() < 0.1",
    "DELETE FROM provider WHERE id = (SELECT id FROM provider p WHERE NOT EXISTS (SELECT FROM "
    "provider c WHERE c.parent_id = p.id) AND id < 147 ORDER BY random() LIMIT 1)",
    "INSERT INTO provider (id, uuid, name, root_id) OVERRIDING SYSTEM VALUE SELECT n, "
    "gen_random_uuid(), "
    "gen_random_uuid(), n FROM (SELECT nextval('provider_id_seq') AS n) x",
    "INSERT INTO inventory SELECT p.id, 0, 4, 0, 1, 4, 1, 2.0, 0 FROM provider p WHERE NOT EXISTS "
    "(SELECT FROM inventory i WHERE i.provider_id = p.id)",
    "UPDATE provider SET parent_id = NULL, root_id = id WHERE id = (SELECT id FROM provider WHERE "
    "id > 1000 ORDER BY random() LIMIT 1)",
};

static int
setup(void **state)
{
    (void)state;
    lab_open(setup_sql);
    pg_exec(pg, "SELECT setval('provider_id_seq', 100000)");
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    lab_close();
    return 0;
}

static const char *
random_group(struct arena *a, const char *suffix, unsigned kind)
{
    static const char *const traits[] = { "CUSTOM_A", "!CUSTOM_B", "CUSTOM_C", "!CUSTOM_A" };
    const char *aggregate = arena_printf(a, "00000000-0000-0000-0000-00000000000%u", pick(5) + 1);
    const char *text =
        kind == 0   ? arena_printf(a, "resources%s=VCPU:%u", suffix, pick(10) + 1)
        : kind == 1 ? arena_printf(a, "resources%s=VCPU:%u,MEMORY_MB:%u", suffix, pick(4) + 1,
                                   pick(900) + 1)
        : kind == 2 ? arena_printf(a, "resources%s=VCPU:1,DISK_GB:%u", suffix, pick(8) * 5 + 5)
        : kind == 3 ? arena_printf(a, "resources%s=SRIOV_NET_VF:%u", suffix, pick(3) + 1)
        : kind == 4 ? arena_printf(a, "resources%s=CUSTOM_X:1", suffix)
                    : arena_printf(a, "resources%s=VCPU:1,SRIOV_NET_VF:1", suffix);

    if (pick(3) == 0)
        text = arena_printf(a, "%s&required%s=%s", text, suffix, traits[pick(4)]);
    if (pick(8) == 0)
        text = arena_printf(a, "%s&required%s=in:CUSTOM_A,CUSTOM_C", text, suffix);
    if (pick(5) == 0)
        text = arena_printf(a, "%s&member_of%s=%s%s", text, suffix, pick(3) == 0 ? "!" : "",
                            aggregate);
    return text;
}

static const char *
random_query(struct arena *a)
{
    const char *text = random_group(a, "", pick(6));

    if (pick(2) == 0) {
        text = pick(2) == 0 ? random_group(a, "1", pick(6))
                            : arena_printf(a, "%s&%s", text, random_group(a, "1", pick(6)));
        if (pick(2) == 0)
            text = arena_printf(a, "%s&%s", text, random_group(a, "2", pick(6)));
        text = arena_printf(a, "%s&group_policy=%s", text, pick(2) == 0 ? "none" : "isolate");
    }
    if (pick(8) == 0)
        text = arena_printf(a, "%s&root_required=%sCUSTOM_A", text, pick(2) == 0 ? "!" : "");
    if (pick(6) == 0 && strstr(text, "resources2") != NULL)
        text = arena_printf(a, "%s&same_subtree=1,2", text);
    else if (pick(10) == 0 && strstr(text, "group_policy") != NULL)
        text = arena_printf(a, "%s&required_T=CUSTOM_A&same_subtree=_T%s", text,
                            pick(2) == 0 ? ",1" : "");
    return text;
}

struct found {
    struct map *keys;
    size_t count;
    size_t until; /* 0: all */
};

static bool
take(void *owner, const struct candidate *c)
{
    struct found *found = owner;
    struct str key = { 0 };

    for (size_t i = 0; i < c->picks_count; i++)
        str_addf(&key, "%lld:%d=%lld ", (long long)c->picks[i].provider->id, c->picks[i].class_id,
                 (long long)c->picks[i].amount);
    for (size_t i = 0; i < c->mappings_count; i++)
        str_addf(&key, "%s>%lld ", c->mappings[i].suffix, (long long)c->mappings[i].provider->id);
    map_set(found->keys, str_text(&key), found);
    str_done(&key);
    return ++found->count != found->until;
}

/* What is found at all trees, each walked by itself with nothing in between. */
static struct found
plainly(struct candidates_plan *plan)
{
    struct candidates_scope scope = candidates_scope(mirror);
    struct candidates_options options = { .nested = true, .max_steps = 1000000 };
    struct found found = { .keys = map_new(NULL) };
    struct candidates_walker *w;

    scope.index = NULL;
    w = candidates_walker(&scope, plan, &options);
    for (size_t i = 0; i < scope.trees_count; i++)
        assert_true(candidates_walk_tree(w, scope.trees[i], take, &found));
    return found;
}

static bool
same(const struct found *a, const struct found *b)
{
    struct map_at at = { 0 };

    while (map_next(a->keys, &at)) {
        if (!map_has(b->keys, at.key))
            return false;
    }
    return map_count(a->keys) == map_count(b->keys);
}

static size_t
compare(struct arena *a, const char *query)
{
    struct candidates_plan *plan = plan_of(a, query);
    struct found all = plainly(plan), quick = { .keys = map_new(NULL) },
                 turns = { .keys = map_new(NULL) }, some = { .keys = map_new(NULL), .until = 3 };
    size_t count = map_count(all.keys);

    candidates_walk(mirror, plan, &(struct candidates_options){ .nested = true }, take, &quick);
    candidates_walk(mirror, plan, &(struct candidates_options){ .nested = true, .limit = 100000 },
                    take, &turns);
    candidates_walk(mirror, plan, &(struct candidates_options){ .nested = true, .limit = 3 }, take,
                    &some);
    if (!same(&all, &quick) || quick.count != count)
        fail_msg("%s: %zu found, %zu there are", query, quick.count, count);
    if (!same(&all, &turns) || turns.count != count)
        fail_msg("%s: %zu found in turns, %zu there are", query, turns.count, count);
    assert_int_equal(some.count, count < 3 ? count : 3);
    map_free(all.keys);
    map_free(quick.keys);
    map_free(turns.keys);
    map_free(some.keys);
    return count;
}

static void
test_nothing_is_passed_over(void **state)
{
    struct fault f = { 0 };
    size_t found = 0, none = 0;

    (void)state;
    for (unsigned round = 0; round < 33; round++) {
        assert_ok(mirror_read(mirror, &db, &f));
        for (unsigned i = 0; i < 25; i++) {
            struct arena *a = arena_new();
            size_t count = compare(a, random_query(a));

            found += count > 0;
            none += count == 0;
            arena_free(a);
        }
        mirror_done(mirror);
        pg_exec(pg, changes[round % (sizeof(changes) / sizeof(changes[0]))]);
        if (round % 2 == 0)
            pg_exec(pg, changes[pick(sizeof(changes) / sizeof(changes[0]))]);
        pg_exec(pg, "UPDATE provider SET generation = generation + 1"); /* As writers do. */
        arena_reset(db_arena);
    }
    assert_true(found > 200 && none > 200); /* Both kinds were tried. */
}

/* --- An explanation says of a tree that it fits if and only if one of its providers is in some candidate. */

static bool
take_roots(void *owner, const struct candidate *c)
{
    struct map *roots = owner;

    for (size_t i = 0; i < c->mappings_count; i++)
        map_set(roots, mirror_root(c->mappings[i].provider)->uuid, roots);
    return true;
}

static void
compare_explained(struct arena *a, const char *query, size_t *fit, size_t *shares)
{
    struct candidates_scope scope = candidates_scope(mirror);
    struct candidates_options options = { .nested = true };
    struct candidates_plan *plan = plan_of(a, query);
    struct verdicts *verdicts = verdicts_new(&scope, plan, a);
    struct map *roots = map_new(NULL);

    assert_true(candidates_walk(mirror, plan, &options, take_roots, roots));
    for (size_t i = 0; i < scope.trees_count; i++) {
        const struct mirror_provider *root = mirror_root(scope.trees[i]->members[0]);
        bool concerns = verdict_concerns(verdicts, scope.trees[i]);
        struct verdict v, at;

        verdict_of(verdicts, scope.trees[i], false, &v);
        verdict_at(verdicts, scope.trees[i], false, &at);
        if (map_has(roots, root->uuid) != (v.rule == NULL) || (v.rule == NULL && !concerns))
            fail_msg("%s: %s is in %s candidate, but %s", query, root->name,
                     map_has(roots, root->uuid) ? "a" : "no",
                     !concerns        ? "of no concern"
                     : v.rule == NULL ? "fits"
                                      : v.rule);
        *fit += v.rule == NULL;
        *shares += (v.rule == NULL) != (at.rule == NULL);
    }
    map_free(roots);
}

static void
test_explained(void **state)
{
    size_t fit = 0, shares = 0;
    struct fault f = { 0 };

    (void)state;
    for (unsigned round = 0; round < 15; round++) {
        assert_ok(mirror_read(mirror, &db, &f));
        for (unsigned i = 0; i < 20; i++) {
            struct arena *a = arena_new();

            compare_explained(a, random_query(a), &fit, &shares);
            arena_free(a);
        }
        mirror_done(mirror);
        pg_exec(pg, changes[round % (sizeof(changes) / sizeof(changes[0]))]);
        pg_exec(pg, "UPDATE provider SET generation = generation + 1");
        arena_reset(db_arena);
    }
    print_message("%zu fit, %zu of them by or for others only\n", fit, shares);
    assert_true(fit > 500 && shares > 20);
}

/* Under a limit the few are of many hosts. */
static bool
take_root(void *owner, const struct candidate *c)
{
    struct map *roots = owner;

    map_set(roots, mirror_root(c->picks[0].provider)->uuid, roots);
    return true;
}

static bool
take_three(void *owner, const struct candidate *c)
{
    struct map *roots = owner;

    take_root(owner, c);
    return map_count(roots) < 3;
}

static void
test_turns(void **state)
{
    struct arena *a = arena_new();
    struct fault f = { 0 };
    struct candidates_plan *plan;
    struct map *roots = map_new(NULL);

    (void)state;
    pg_exec(pg, "UPDATE inventory SET used = 0 WHERE class_id = 4; UPDATE provider SET generation "
                "= generation + 1");
    assert_ok(mirror_read(mirror, &db, &f));
    plan = plan_of(a, "resources1=SRIOV_NET_VF:1&resources2=SRIOV_NET_VF:1&group_policy=none");
    candidates_walk(mirror, plan, &(struct candidates_options){ .nested = true, .limit = 3 },
                    take_three, roots);
    assert_int_equal(map_count(roots), 3);
    mirror_done(mirror);
    map_free(roots);
    arena_free(a);
}

/* Seven providers with one unit each cannot serve eight groups, nor can eight of which two are the same two groups' only choice:
 * seen before the walk, within few steps. */
static void
test_no_way(void **state)
{
    static const char text[] =
        "resources1=VGPU:1&resources2=VGPU:1&resources3=VGPU:1&resources4=VGPU:1&"
        "resources5=VGPU:1&resources6=VGPU:1&resources7=VGPU:1&resources8=VGPU:1&group_policy=";
    struct candidates_options options = { .nested = true, .max_steps = 1000 };
    struct found found = { .keys = map_new(NULL) };
    struct arena *a = arena_new();
    struct fault f = { 0 };

    (void)state;
    pg_exec(pg, "INSERT INTO provider (id, uuid, name, parent_id, root_id) OVERRIDING SYSTEM VALUE "
                "SELECT 5000 + n, 'g' || n, 'g' || n, "
                "CASE WHEN n > 0 THEN 5000 END, 5000 FROM generate_series(0, 7) n; "
                "INSERT INTO inventory SELECT id, 10, 1, 0, 1, 1, 1, 1.0, 0 FROM provider WHERE "
                "parent_id = 5000");
    assert_ok(mirror_read(mirror, &db, &f));
    candidates_walk(mirror, plan_of(a, arena_printf(a, "%snone", text)), &options, take, &found);
    assert_int_equal(found.count, 0);
    mirror_done(mirror);
    pg_exec(pg, "UPDATE inventory SET total = 2, max_unit = 2 WHERE class_id = 10; UPDATE provider "
                "SET generation = generation + 1 WHERE root_id = 5000");
    assert_ok(mirror_read(mirror, &db, &f));
    candidates_walk(mirror, plan_of(a, arena_printf(a, "%sisolate", text)), &options, take, &found);
    assert_int_equal(found.count, 0);
    found.until = 1;
    candidates_walk(mirror, plan_of(a, arena_printf(a, "%snone", text)), &options, take, &found);
    assert_int_equal(found.count, 1);
    mirror_done(mirror);
    pg_exec(pg,
            "DELETE FROM provider WHERE parent_id = 5000; DELETE FROM provider WHERE id = 5000");
    map_free(found.keys);
    arena_free(a);
}

/* A fork stays as it was, whatever becomes of the mirror. */
static char *
text_of(const struct mirror_fork *fork)
{
    struct str s = { 0 };

    for (size_t i = 0; i < fork->trees_count; i++) {
        const struct mirror_tree *t = fork->trees[i];

        for (uint32_t k = 0; k < t->count; k++) {
            const struct mirror_provider *p = t->members[k];

            assert_ptr_equal(p->tree, t);
            str_addf(&s, "%s<%s %u %u:", p->name, p->parent == NULL ? "" : p->parent->name,
                     p->traits_count, p->aggregates_count);
            for (uint32_t n = 0; n < p->stocks_count; n++)
                str_addf(&s, "%lld/%.2f ", (long long)p->stocks[n].used,
                         p->stocks[n].allocation_ratio);
        }
    }
    for (size_t i = 0; i < fork->sharing_count; i++)
        str_addf(&s, "%s ", fork->sharing[i]->name);
    return str_take(&s);
}

static void
test_fork(void **state)
{
    struct mirror_fork first, second;
    struct fault f = { 0 };
    char *before, *between, *now;

    (void)state;
    assert_ok(mirror_fork(mirror, &db, &first, &f));
    mirror_done(mirror);
    before = text_of(&first);
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        pg_exec(pg, changes[i]);
        pg_exec(pg, "UPDATE provider SET generation = generation + 1");
        assert_ok(mirror_refresh(mirror, &db, &f));
    }
    now = text_of(&first);
    assert_string_equal(before, now);
    free(now);
    assert_ok(mirror_fork(mirror, &db, &second, &f));
    mirror_done(mirror);
    between = text_of(&second);
    assert_true(strcmp(before, between) != 0);
    pg_exec(pg, "DELETE FROM provider WHERE parent_id IS NOT NULL; DELETE FROM provider");
    assert_ok(mirror_refresh(mirror, &db, &f));
    now = text_of(&first);
    assert_string_equal(before, now);
    free(now);
    mirror_fork_done(mirror, &first);
    /* All is read again, into another state: the fork of the old one still stands. */
    pg_exec(pg, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> "
                "pg_backend_pid() AND datname = current_database()");
    while (mirror_refresh(mirror, &db, &f) < 0)
        fault_clear(&f);
    now = text_of(&second);
    assert_string_equal(between, now);
    mirror_fork_done(mirror, &second);
    free(now);
    free(before);
    free(between);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_explained), cmocka_unit_test(test_nothing_is_passed_over),
        cmocka_unit_test(test_turns),     cmocka_unit_test(test_no_way),
        cmocka_unit_test(test_fork),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
