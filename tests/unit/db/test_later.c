/* What is sent together: BEGIN with the first statement, put-aside statements with the next one or with COMMIT. */
#include "common/base/str.h"
#include "common/db/connection.h"
#include "common/db/tx.h"
#include "tests/lib/pg.h"
#include "tests/unit/asserts.h"

static int
setup(void **state)
{
    *state = pg_open();
    pg_exec(*state, "CREATE TABLE thing (id text CONSTRAINT thing_id_key UNIQUE)");
    return 0;
}

static int
teardown(void **state)
{
    pg_close(*state);
    return 0;
}

static int
empty(void **state)
{
    pg_exec(*state, "TRUNCATE thing");
    return 0;
}

static const char add_sql[] = "INSERT INTO thing (id) VALUES ($1)";

static int
add(struct db *db, const char *id, struct fault *f)
{
    const struct db_param params[] = { db_text(id) };
    struct db_result ignored;

    return db_run(db, "test_add", add_sql, params, 1, &ignored, f);
}

static int
add_later(struct db *db, const char *id, struct fault *f)
{
    const struct db_param params[] = { db_text(id) };

    return db_later(db, "test_add_later", add_sql, params, 1, f);
}

static void
assert_things(struct pg *p, const char *want)
{
    char *all = pg_ask(p, "SELECT coalesce(string_agg(id, '' ORDER BY id), '-') FROM thing");

    assert_string_equal(all, want);
    free(all);
}

static void
end_session(struct pg *p, const struct db *db)
{
    char sql[64];

    snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%d)", PQbackendPID(db->connection->pg));
    pg_exec(p, sql);
    for (char *found = NULL;;) { /* Until it is gone. */
        snprintf(sql, sizeof(sql), "SELECT FROM pg_stat_activity WHERE pid = %d",
                 PQbackendPID(db->connection->pg));
        found = pg_ask(p, sql);
        if (found == NULL)
            return;
        free(found);
    }
}

static void
test_begin_waits(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    struct fault f = { 0 };
    struct db_tx tx = { 0 };

    assert_ok(db_pool_get(pg_pool(*state), a, &db, &f));
    assert_ok(db_tx_begin(&tx, &db, &f));
    assert_int_equal(PQtransactionStatus(db.connection->pg), PQTRANS_IDLE);
    assert_ok(db_tx_commit(&tx, &f));

    assert_ok(db_tx_begin(&tx, &db, &f));
    assert_ok(add(&db, "a", &f));
    assert_int_equal(PQtransactionStatus(db.connection->pg), PQTRANS_INTRANS);
    assert_things(*state, "-");
    assert_ok(db_tx_commit(&tx, &f));
    assert_things(*state, "a");

    assert_ok(db_tx_begin(&tx, &db, &f));
    db_tx_done(&tx);
    assert_ok(add(&db, "b", &f)); /* Commits by itself: nothing of the transaction is left. */
    assert_things(*state, "ab");
}

/* The session ends after db_tx_begin() has looked at it and before the first statement: nothing is lost. */
static void
test_session_ends_before_begin(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    struct fault f = { 0 };
    struct db_tx tx = { 0 };

    assert_ok(db_pool_get(pg_pool(*state), a, &db, &f));
    assert_ok(db_tx_begin(&tx, &db, &f));
    end_session(*state, &db);
    db.connection->heard_us = INT64_MAX / 2; /* As if it had just been heard. */
    assert_ok(add(&db, "a", &f));
    assert_ok(db_tx_commit(&tx, &f));
    assert_things(*state, "a");

    assert_ok(db_tx_begin(&tx, &db, &f));
    assert_ok(add(&db, "b", &f));
    end_session(*state, &db); /* Now it is. */
    assert_fault(add(&db, "c", &f), f, FAULT_UNAVAILABLE, NULL);
    assert_fault(db_tx_commit(&tx, &f), f, FAULT_UNAVAILABLE, NULL);
    assert_things(*state, "a");
}

static void
test_first_statement_cannot_be_prepared(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    struct fault f = { 0 };
    struct db_result ignored;
    struct db_tx tx = { 0 };

    assert_ok(db_pool_get(pg_pool(*state), a, &db, &f));
    assert_ok(db_tx_begin(&tx, &db, &f));
    assert_fault(db_run(&db, "test_nowhere", "SELECT FROM nowhere", NULL, 0, &ignored, &f), f,
                 FAULT_INTERNAL, NULL);
    assert_true(add(&db, "a", &f) < 0); /* Would commit by itself. */
    assert_true(db_tx_commit(&tx, &f) < 0);
    assert_things(*state, "-");
}

static void
test_later_goes_along(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    struct fault f = { 0 };
    struct db_tx tx = { 0 };

    assert_ok(db_pool_get(pg_pool(*state), a, &db, &f));
    assert_ok(add_later(&db, "x", &f)); /* Outside a transaction: at once. */
    assert_things(*state, "x");
    assert_ok(db_tx_begin(&tx, &db, &f));
    for (char id[] = "a"; id[0] < 'a' + CONNECTION_QUEUE + 2; id[0]++) /* More than wait. */
        assert_ok(add_later(&db, id, &f));
    assert_ok(db_tx_commit(&tx, &f));
    assert_things(*state, "abcdefghijklmnopqrx");
    pg_exec(*state, "DELETE FROM thing WHERE id BETWEEN 'h' AND 'r'");

    assert_ok(db_tx_begin(&tx, &db, &f));
    assert_ok(add_later(&db, "h", &f));
    db_tx_done(&tx);
    assert_things(*state, "abcdefgx");

    assert_ok(db_tx_begin(&tx, &db, &f));
    assert_ok(add(&db, "h", &f));
    assert_ok(add_later(&db, "i", &f));
    db_tx_done(&tx);
    assert_things(*state, "abcdefgx");
    assert_ok(add(&db, "y", &f));
    assert_things(*state, "abcdefgxy");
}

static void
test_later_fails(void **state)
{
    static const bool at_commit[] = { true, false };

    for (size_t i = 0; i < ARRAY_SIZE(at_commit); i++) {
        _cleanup_(arena_freep) struct arena *a = arena_new();
        _cleanup_(db_release) struct db db = { 0 };
        struct fault f = { 0 };
        struct db_tx tx = { 0 };

        assert_ok(db_pool_get(pg_pool(*state), a, &db, &f));
        assert_ok(db_tx_begin(&tx, &db, &f));
        assert_ok(add(&db, "a", &f));
        assert_ok(add_later(&db, "a", &f));
        assert_fault(at_commit[i] ? db_tx_commit(&tx, &f) : add(&db, "b", &f), f, FAULT_CONFLICT,
                     NULL);
        assert_string_equal(f.code, "thing_id_key");
        assert_non_null(strstr(f.cause, "query test_add_later"));
        assert_true(db_tx_commit(&tx, &f) < 0);
        assert_things(*state, "-");
        assert_ok(add(&db, "z", &f)); /* The session is fit for more. */
        assert_things(*state, "z");
        empty(state);
    }
}

/* A deadline missed in the middle of what was sent together ends the session. */
static void
test_no_answer(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    struct fault f = { 0 };
    struct db_result ignored;
    struct db_tx tx = { 0 };

    assert_ok(db_pool_get(pg_pool(*state), a, &db, &f));
    db.connection->answer_deadline_ms = 100;
    assert_ok(db_tx_begin(&tx, &db, &f));
    assert_ok(add_later(&db, "a", &f));
    assert_fault(db_run(&db, "test_sleep", "SELECT pg_sleep(5)", NULL, 0, &ignored, &f), f,
                 FAULT_TIMEOUT, NULL);
    assert_true(connection_broken(db.connection));
    assert_true(db_tx_commit(&tx, &f) < 0);
    db.connection->answer_deadline_ms = CONNECTION_ANSWER_DEADLINE_MS;
    assert_ok(add(&db, "b", &f));
    assert_things(*state, "b");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_begin_waits, empty),
        cmocka_unit_test_setup(test_session_ends_before_begin, empty),
        cmocka_unit_test_setup(test_first_statement_cannot_be_prepared, empty),
        cmocka_unit_test_setup(test_later_goes_along, empty),
        cmocka_unit_test_setup(test_later_fails, empty),
        cmocka_unit_test_setup(test_no_answer, empty),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
