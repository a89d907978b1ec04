#include <pthread.h>

#include "common/base/str.h"
#include "common/db/migrate.h"
#include "tests/lib/pg.h"
#include "tests/unit/asserts.h"

static const struct migration plan[] = {
    { .number = 1,
      .name = "things",
      .sql = "CREATE TABLE thing (id text);\nINSERT INTO thing VALUES ('one');\n" },
    { .number = 2,
      .name = "size",
      .sql = "ALTER TABLE thing ADD size bigint NOT NULL DEFAULT 7;\n" },
    { .number = 3,
      .name = "index",
      .sql = "CREATE INDEX ON thing (id);\n-- works-with-older-builds\n" },
    { .number = 4, .name = "size-gone", .sql = "ALTER TABLE thing DROP size;\n" },
};

static int
setup(void **state)
{
    *state = pg_open();
    return 0;
}

static int
teardown(void **state)
{
    pg_close(*state);
    return 0;
}

static void
assert_answer(struct pg *p, const char *sql, const char *want)
{
    char *answer = pg_ask(p, sql);

    assert_string_equal(answer, want);
    free(answer);
}

static void
test_in_order_and_once(void **state)
{
    struct pg *p = *state;
    struct fault f = { 0 };

    assert_ok(db_migrate(pg_pool(p), plan, 2, &f));
    assert_ok(db_pool_check(pg_pool(p), &f));
    assert_answer(p, "SELECT id || size FROM thing", "one7");
    assert_ok(db_migrate(pg_pool(p), plan, 2, &f));
    assert_answer(p, "SELECT count(*) FROM thing", "1");
    assert_ok(db_migrate(pg_pool(p), plan, 4, &f));
    assert_answer(p,
                  "SELECT string_agg(number || name || works_with_older || length(sha256), ',' "
                  "ORDER BY number)"
                  "  FROM schema_migration WHERE set_name = 'service'",
                  "1thingsfalse64,2sizefalse64,3indextrue64,4size-gonefalse64");
    assert_answer(p, "SELECT count(*) FROM information_schema.columns WHERE table_name = 'thing'",
                  "1");
}

static void
test_sets_are_apart(void **state)
{
    struct pg *p = *state;
    static const struct migration other[] = {
        { .number = 1, .name = "o", .sql = "CREATE TABLE other ();", .set = "other" },
    };
    struct fault f = { 0 };

    assert_ok(db_migrate(pg_pool(p), plan, 2, &f));
    assert_ok(db_migrate(pg_pool(p), other, 1, &f));
    assert_answer(p,
                  "SELECT string_agg(set_name || number, ',' ORDER BY set_name, number) FROM "
                  "schema_migration "
                  "WHERE set_name <> 'framework'",
                  "other1,service1,service2");
}

static void
test_newer_database(void **state)
{
    struct pg *p = *state;
    struct fault f = { 0 };

    assert_ok(db_migrate(pg_pool(p), plan, 3, &f));
    assert_ok(db_migrate(pg_pool(p), plan, 2,
                         &f)); /* 3 says that it works with builds that don't know it. */
    assert_ok(db_pool_check(pg_pool(p), &f));
    assert_ok(db_migrate(pg_pool(p), plan, 4, &f));
    assert_fault(db_migrate(pg_pool(p), plan, 3, &f), f, FAULT_CONFLICT, "service 4 size-gone");
}

static void
test_changed_history(void **state)
{
    struct pg *p = *state;
    struct migration changed[ARRAY_SIZE(plan)];
    struct fault f = { 0 };

    memcpy(changed, plan, sizeof(plan));
    changed[0].sql = "CREATE TABLE thing (id text NOT NULL);\n";
    assert_ok(db_migrate(pg_pool(p), plan, 2, &f));
    assert_fault(db_migrate(pg_pool(p), changed, 3, &f), f, FAULT_CONFLICT,
                 "service 1 things is not what was applied");
    assert_answer(p, "SELECT count(*) FROM schema_migration WHERE set_name = 'service'", "2");

    pg_exec(p, "DELETE FROM schema_migration WHERE set_name = 'service' AND number = 1");
    assert_fault(db_migrate(pg_pool(p), plan, 3, &f), f, FAULT_CONFLICT, "gap before 2 size");
}

static void
test_numbers_of_build(void **state)
{
    const struct migration twice[] = { plan[0], plan[0] },
                           inserted[] = { plan[0], plan[1], plan[3] };
    struct migration sparse[] = { plan[0], plan[3] };
    struct fault f = { 0 };

    sparse[1].sql = "ALTER TABLE thing ADD other text;\n";
    assert_fault(db_migrate(pg_pool(*state), twice, 2, &f), f, FAULT_CONFLICT, "not in the order");
    fault_clear(&f);
    assert_ok(db_migrate(pg_pool(*state), sparse, 2, &f));
    assert_ok(db_migrate(pg_pool(*state), sparse, 2, &f));
    assert_fault(db_migrate(pg_pool(*state), inserted, 3, &f), f, FAULT_CONFLICT,
                 "gap before 4 size-gone");
}

static void
test_failing_migration(void **state)
{
    struct pg *p = *state;
    const struct migration bad[] = {
        plan[0],
        { .number = 2,
          .name = "bad",
          .sql = "INSERT INTO thing VALUES ('two');\nSELECT nonsense;\n" },
    };
    struct fault f = { 0 };

    assert_fault(db_migrate(pg_pool(p), bad, 2, &f), f, FAULT_INTERNAL, NULL);
    assert_non_null(strstr(f.cause, "service 2 bad"));
    assert_non_null(strstr(f.cause, "nonsense"));
    assert_answer(p, "SELECT count(*) FROM thing",
                  "1"); /* The first stays, the second left nothing. */
    assert_answer(p, "SELECT max(number) FROM schema_migration WHERE set_name = 'service'", "1");
    assert_ok(db_migrate(pg_pool(p), plan, 2, &f)); /* Corrected. */
}

static void
test_readiness(void **state)
{
    struct pg *p = *state;
    struct fault f = { 0 };

    assert_ok(db_pool_check(pg_pool(p), &f)); /* No migrations known: reachable is enough. */
    assert_ok(db_migrate(pg_pool(p), plan, 3, &f));
    pg_exec(p, "DELETE FROM schema_migration WHERE number = 3 AND set_name = 'service'");
    assert_fault(db_pool_check(pg_pool(p), &f), f, FAULT_UNAVAILABLE, "service 3 index");
}

struct starter {
    struct db_pool *pool;
    pthread_barrier_t *together;
    struct fault f;
    int r;
};

static void *
start(void *object)
{
    struct starter *s = object;

    pthread_barrier_wait(s->together);
    s->r = db_migrate(s->pool, plan, ARRAY_SIZE(plan), &s->f);
    return NULL;
}

static void
test_all_at_once(void **state)
{
    struct starter starters[4];
    pthread_t threads[ARRAY_SIZE(starters)];
    pthread_barrier_t together;

    pthread_barrier_init(&together, NULL, ARRAY_SIZE(starters));
    for (size_t i = 0; i < ARRAY_SIZE(starters); i++) {
        starters[i] = (struct starter){ .pool = pg_pool(*state), .together = &together };
        assert_int_equal(pthread_create(&threads[i], NULL, start, &starters[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_SIZE(starters); i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&together);
    for (size_t i = 0; i < ARRAY_SIZE(starters); i++)
        if (starters[i].r < 0)
            fail_msg("%s; %s", starters[i].f.message, starters[i].f.cause);
    assert_answer(*state, "SELECT count(*) FROM thing", "1");
    assert_answer(*state, "SELECT count(*) FROM schema_migration WHERE set_name = 'service'", "4");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_in_order_and_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sets_are_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_newer_database, setup, teardown),
        cmocka_unit_test_setup_teardown(test_changed_history, setup, teardown),
        cmocka_unit_test_setup_teardown(test_numbers_of_build, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failing_migration, setup, teardown),
        cmocka_unit_test_setup_teardown(test_readiness, setup, teardown),
        cmocka_unit_test_setup_teardown(test_all_at_once, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
