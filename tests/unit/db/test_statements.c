#include "common/base/str.h"
#include "common/db/db.h"
#include "common/db/tx.h"
#include "tests/lib/pg.h"
#include "tests/unit/asserts.h"

static int
setup(void **state)
{
    *state = pg_open();
    pg_exec(*state, "CREATE TABLE thing (id text, size int); INSERT INTO thing VALUES ('a', 1), "
                    "('b', NULL), ('c', 3)");
    return 0;
}

static int
teardown(void **state)
{
    pg_close(*state);
    return 0;
}

static int
list(struct db *db, struct db_result *ret, struct fault *f)
{
    return db_run(db, "test_list", "SELECT * FROM thing ORDER BY id", NULL, 0, ret, f);
}

static void
test_rows(void **state)
{
    _cleanup_(pg_rollback) struct db db = { 0 };
    struct fault f = { 0 };
    struct db_result answer;

    pg_begin(*state, &db);
    assert_ok(list(&db, &answer, &f));
    assert_int_equal(answer.rows, 3);
    assert_int_equal(answer.columns, 2);
    assert_int_equal(answer.touched, 0);
    assert_string_equal(answer.values[2][0], "c");
    assert_string_equal(answer.values[2][1], "3");
    assert_null(answer.values[1][1]);
    assert_ok(db_run(&db, NULL, "UPDATE thing SET size = 2 WHERE size IS NOT NULL", NULL, 0,
                     &answer, &f));
    assert_int_equal(answer.touched, 2);
    assert_int_equal(answer.rows, 0);
    assert_ok(
        db_run(&db, NULL, "DELETE FROM thing WHERE id = 'a' RETURNING id", NULL, 0, &answer, &f));
    assert_int_equal(answer.touched, 1);
    assert_string_equal(answer.values[0][0], "a");
}

static void
test_count(void **state)
{
    _cleanup_(pg_rollback) struct db db = { 0 };
    struct fault f = { 0 };
    struct db_result answer;
    uint64_t before;

    pg_begin(*state, &db);
    before = db_statements();
    for (int i = 0; i < 5; i++)
        assert_ok(list(&db, &answer, &f));
    assert_int_equal(db_statements() - before, 5); /* Preparing is not counted. */
}

static void
test_prepared_once(void **state)
{
    _cleanup_(pg_rollback) struct db db = { 0 };
    struct fault f = { 0 };
    struct db_result answer;

    pg_begin(*state, &db);
    for (int i = 0; i < 3; i++)
        assert_ok(db_run(&db, "test_once", "SELECT size AS once FROM thing", NULL, 0, &answer, &f));
    assert_ok(
        db_run(&db, NULL,
               "SELECT count(*), min(generic_plans + custom_plans) FROM pg_prepared_statements "
               "WHERE statement LIKE '%AS once%'",
               NULL, 0, &answer, &f));
    assert_string_equal(answer.values[0][0], "1");
    assert_string_equal(answer.values[0][1], "3");
}

static void
test_one_name_for_two(void **state)
{
    _cleanup_(pg_rollback) struct db db = { 0 };
    struct fault f = { 0 };
    struct db_result answer;

    pg_begin(*state, &db);
    assert_ok(db_run(&db, "test_twice", "SELECT 1", NULL, 0, &answer, &f));
    assert_fault(db_run(&db, "test_twice", "SELECT 2", NULL, 0, &answer, &f), f, FAULT_INTERNAL,
                 NULL);
    assert_non_null(strstr(f.cause, "test_twice"));
}

static void
test_stale_after_a_migration(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    struct fault f = { 0 };
    struct db_result answer;
    struct db_tx tx = { 0 };

    assert_ok(db_pool_get(pg_pool(*state), a, &db, &f));
    assert_ok(list(&db, &answer, &f));
    assert_int_equal(answer.columns, 2);
    pg_exec(*state, "ALTER TABLE thing ADD colour text");
    assert_ok(list(&db, &answer, &f)); /* Prepared again, unnoticed. */
    assert_int_equal(answer.columns, 3);

    pg_exec(*state, "ALTER TABLE thing ADD taste text");
    assert_ok(db_tx_begin(&tx, &db, &f)); /* Nor as the first of a transaction. */
    assert_ok(list(&db, &answer, &f));
    assert_int_equal(answer.columns, 4);
    assert_ok(db_tx_commit(&tx, &f));

    pg_exec(*state, "ALTER TABLE thing ADD smell text");
    assert_ok(db_tx_begin(&tx, &db, &f));
    assert_ok(db_run(&db, NULL, "SELECT", NULL, 0, &answer, &f));
    assert_fault(list(&db, &answer, &f), f, FAULT_UNAVAILABLE, "schema changed");
    assert_true(fault_is_transient(&f));
    db_tx_done(&tx);
    assert_ok(db_tx_begin(&tx, &db, &f)); /* Run again it works. */
    assert_ok(list(&db, &answer, &f));
    assert_int_equal(answer.columns, 5);
    assert_ok(db_tx_commit(&tx, &f));

    assert_ok(
        db_run(&db, NULL, "DEALLOCATE ALL", NULL, 0, &answer, &f)); /* As a pooler between might. */
    assert_ok(list(&db, &answer, &f));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_count),
        cmocka_unit_test(test_prepared_once),
        cmocka_unit_test(test_one_name_for_two),
        cmocka_unit_test(test_stale_after_a_migration),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
