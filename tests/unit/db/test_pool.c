#include <pthread.h>

#include "common/base/clock.h"
#include "common/base/str.h"
#include "common/db/connection.h"
#include "common/db/pool.h"
#include "common/db/tx.h"
#include "tests/lib/pg.h"
#include "tests/unit/asserts.h"

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

static const char *
ask(struct db *db, const char *sql)
{
    struct fault f = { 0 };
    struct db_result answer;

    if (db_run(db, NULL, sql, NULL, 0, &answer, &f) < 0)
        fail_msg("%s: %s", sql, f.cause);
    return answer.rows == 0 ? NULL : answer.values[0][0];
}

/* Ends the handle's session, and returns when it has ended. */
static void
kill_session(struct pg *p, struct db *db)
{
    char sql[96];
    char *killed;

    snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%s, 10000)",
             ask(db, "SELECT pg_backend_pid()"));
    killed = pg_ask(p, sql);
    assert_string_equal(killed, "t");
    free(killed);
}

static void
test_killed_while_idle(void **state)
{
    struct pg *p = *state;
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    struct db_pool_stats before, after;
    struct fault f = { 0 };

    assert_ok(db_pool_get(pg_pool(p), a, &db, &f));
    db_pool_stats(pg_pool(p), &before);
    kill_session(p, &db);
    assert_string_equal(ask(&db, "SELECT 'again'"), "again");
    kill_session(p, &db);
    db_release(&db);
    assert_ok(db_pool_get(pg_pool(p), a, &db, &f));
    assert_string_equal(ask(&db, "SELECT 'again'"), "again");
    db_pool_stats(pg_pool(p), &after);
    assert_int_equal(after.reconnects, before.reconnects + 2);
    assert_int_equal(after.open, before.open);
}

static void
test_killed_in_transaction(void **state)
{
    struct pg *p = *state;
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    struct db_result answer;
    struct fault f = { 0 };

    assert_ok(db_pool_get(pg_pool(p), a, &db, &f));
    {
        _cleanup_(db_tx_done) struct db_tx tx = { 0 };

        assert_ok(db_tx_begin(&tx, &db, &f));
        kill_session(p, &db);
        for (int i = 0; i < 2; i++)
            assert_fault(db_run(&db, NULL, "SELECT 1", NULL, 0, &answer, &f), f, FAULT_UNAVAILABLE,
                         NULL);
        assert_fault(db_tx_commit(&tx, &f), f, FAULT_UNAVAILABLE, NULL);
    }
    assert_string_equal(ask(&db, "SELECT 'again'"), "again");
}

static void
test_killed_at_commit(void **state)
{
    struct pg *p = *state;
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct fault f = { 0 };

    assert_ok(db_pool_get(pg_pool(p), a, &db, &f));
    assert_ok(db_tx_begin(&tx, &db, &f));
    kill_session(p, &db);
    assert_fault(db_tx_commit(&tx, &f), f, FAULT_TIMEOUT, NULL); /* Nobody can tell. */
    assert_string_equal(ask(&db, "SELECT 'again'"), "again");
}

static void
test_prepared_again_after_reconnect(void **state)
{
    struct pg *p = *state;
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    struct db_result answer;
    struct fault f = { 0 };

    assert_ok(db_pool_get(pg_pool(p), a, &db, &f));
    for (int i = 0; i < 3; i++) {
        const struct db_param params[] = { db_int(a, i) };

        assert_ok(db_run(&db, "test_plus", "SELECT $1::int8 + 1", params, 1, &answer, &f));
        assert_int_equal(answer.values[0][0][0], '1' + i);
        kill_session(p, &db);
    }
}

struct waiter {
    struct db_pool *pool;
    int r;
};

static void *
take_and_give(void *object)
{
    struct waiter *w = object;
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    struct fault f = { 0 };

    for (int i = 0; i < 50; i++) {
        w->r = db_pool_get(w->pool, a, &db, &f);
        if (w->r < 0)
            break;
        ask(&db, "SELECT 1");
        db_release(&db);
    }
    return NULL;
}

static void
test_threads_share(void **state)
{
    struct fault f = { 0 };
    struct db_pool *pool;
    struct db_pool_stats stats;
    struct waiter waiters[6];
    pthread_t threads[ARRAY_SIZE(waiters)];

    assert_ok(db_pool_open(&pool, pg_url(*state), 2, &f));
    for (size_t i = 0; i < ARRAY_SIZE(waiters); i++) {
        waiters[i] = (struct waiter){ .pool = pool, .r = -1 };
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, &waiters[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_SIZE(waiters); i++)
        pthread_join(threads[i], NULL);
    db_pool_stats(pool, &stats);
    db_pool_close(pool);
    for (size_t i = 0; i < ARRAY_SIZE(waiters); i++)
        assert_ok(waiters[i].r);
    assert_int_equal(stats.in_use, 0);
    assert_int_equal(stats.size, 2);
    assert_in_range(stats.open, 1, 2);
    assert_int_equal(stats.reconnects, 0);
}

static void
test_exhausted(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    struct db_pool *pool;
    struct db first = { 0 }, second = { 0 };
    int64_t start;

    assert_ok(db_pool_open(&pool, pg_url(*state), 1, &f));
    assert_ok(db_pool_get(pool, a, &first, &f));
    start = clock_mono_ms();
    assert_fault(db_pool_get(pool, a, &second, &f), f, FAULT_UNAVAILABLE, "busy");
    assert_in_range(clock_mono_ms() - start, 4500, 20000);
    assert_null(second.connection);
    db_release(&second); /* { 0 } does nothing. */
    db_release(&first);
    assert_ok(db_pool_get(pool, a, &second, &f));
    db_release(&second);
    db_pool_close(pool);
}

static void
test_release_rolls_back(void **state)
{
    struct pg *p = *state;
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct db db = { 0 };
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct fault f = { 0 };
    char *count;

    pg_exec(p, "CREATE TABLE release_test (id int)");
    assert_ok(db_pool_get(pg_pool(p), a, &db, &f));
    assert_ok(db_tx_begin(&tx, &db, &f));
    ask(&db, "INSERT INTO release_test VALUES (1)");
    db_release(&db);
    count = pg_ask(p, "SELECT count(*) FROM release_test");
    assert_string_equal(count, "0");
    free(count);
}

static void
test_unreachable(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    struct db_pool *pool;
    struct db db = { 0 };

    (void)state;
    assert_ok(db_pool_open(&pool, "host=/nonexistent user=u password=hunter2 dbname=d", 1, &f));
    assert_fault(db_pool_get(pool, a, &db, &f), f, FAULT_UNAVAILABLE, "not available");
    assert_null(strstr(f.cause, "hunter2"));
    assert_fault(db_pool_check(pool, &f), f, FAULT_UNAVAILABLE, NULL);
    db_pool_close(pool);
    assert_fault(db_pool_open(&pool, "postgresql://u:hunter2@[x", 1, &f), f, FAULT_INTERNAL, NULL);
    assert_null(strstr(f.cause, "hunter2"));
}

static void
test_session_settings(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    struct fault f = { 0 };
    struct db_pool *pool;
    char url[512];

    assert_ok(db_pool_get(pg_pool(*state), a, &db, &f));
    assert_string_equal(ask(&db, "SHOW statement_timeout"), "30s");
    assert_string_equal(ask(&db, "SHOW TimeZone"), "UTC");
    db_release(&db);

    snprintf(url, sizeof(url), "%s options='-c statement_timeout=50'", pg_url(*state));
    assert_ok(db_pool_open(&pool, url, 1, &f));
    assert_ok(db_pool_get(pool, a, &db, &f));
    assert_string_equal(ask(&db, "SHOW statement_timeout"), "50ms");
    assert_string_equal(ask(&db, "SHOW TimeZone"), "UTC");
    assert_fault(db_run(&db, NULL, "SELECT pg_sleep(60)", NULL, 0, &(struct db_result){ 0 }, &f), f,
                 FAULT_UNAVAILABLE, NULL);
    assert_string_equal(ask(&db, "SELECT 'goes on'"), "goes on");
    db_release(&db);
    db_pool_close(pool);
}

/* A server that doesn't answer costs a session, not a thread. */
static void
test_no_answer(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    struct fault f = { 0 };
    int64_t start;

    assert_ok(db_pool_get(pg_pool(*state), a, &db, &f));
    db.connection->answer_deadline_ms = 50;
    start = clock_mono_ms();
    assert_fault(db_run(&db, NULL, "SELECT pg_sleep(20)", NULL, 0, &(struct db_result){ 0 }, &f), f,
                 FAULT_TIMEOUT, NULL);
    assert_true(clock_mono_ms() - start < 15000);
    db.connection->answer_deadline_ms = CONNECTION_ANSWER_DEADLINE_MS;
    assert_string_equal(ask(&db, "SELECT 'again'"), "again");
}

/* What libpq refuses is our mistake, not the database's absence: nobody shall try it again. */
static void
test_too_many_parameters(void **state)
{
    static struct db_param params[70000];
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    struct fault f = { 0 };

    assert_ok(db_pool_get(pg_pool(*state), a, &db, &f));
    assert_fault(db_run(&db, NULL, "SELECT 1", params, ARRAY_SIZE(params), &(struct db_result){ 0 },
                        &f),
                 f, FAULT_INTERNAL, NULL);
    assert_string_equal(ask(&db, "SELECT 'goes on'"), "goes on");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed_while_idle),
        cmocka_unit_test(test_killed_in_transaction),
        cmocka_unit_test(test_killed_at_commit),
        cmocka_unit_test(test_prepared_again_after_reconnect),
        cmocka_unit_test(test_threads_share),
        cmocka_unit_test(test_exhausted),
        cmocka_unit_test(test_release_rolls_back),
        cmocka_unit_test(test_unreachable),
        cmocka_unit_test(test_session_settings),
        cmocka_unit_test(test_no_answer),
        cmocka_unit_test(test_too_many_parameters),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
