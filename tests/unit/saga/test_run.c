/* Sagas over a real database: order, undo, retries, cancelling, queueing, and who goes on after a death. */
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/str.h"
#include "common/saga/inject.h"
#include "saga_queries.h"
#include "tests/lib/saga_harness.h"
#include "tests/lib/saga_toy.h"
#include "tests/unit/asserts.h"

#define PATIENCE_MS 90000
#define wait_until(condition)                                                                      \
    do {                                                                                           \
        int64_t _until = clock_mono_ms() + PATIENCE_MS;                                            \
        while (!(condition)) {                                                                     \
            if (clock_mono_ms() > _until)                                                          \
                fail_msg("waited for '%s' in vain", #condition);                                   \
            usleep(2000);                                                                          \
        }                                                                                          \
    } while (0)

static struct pg *pg;
static struct toy *toy;

static struct saga_runner *
open_runner(void)
{
    struct saga_runner *r = NULL;
    struct fault f = { 0 };

    assert_ok(saga_runner_open(&r, pg_pool(pg), toy_table, ARRAY_SIZE(toy_table), 2, toy, &f));
    return r;
}

static int
start(struct saga_runner *r, const struct saga *saga, const struct saga_start_options *options,
      struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    int status;

    assert_ok(db_pool_get(pg_pool(pg), a, &db, f));
    assert_ok(db_tx_begin(&tx, &db, f));
    status = saga_start(r, &tx, saga, TOY_OBJECT, options, f);
    return status < 0 ? status : db_tx_commit(&tx, f);
}

static void
assert_answer(const char *sql, const char *expected)
{
    char *found = pg_ask(pg, sql);

    if (!str_equal(found, expected))
        fail_msg("%s: '%s', not '%s'", sql, found, expected);
    free(found);
}

static void
test_done(_unused_ void **state)
{
    struct saga_runner *r = open_runner();
    struct saga_stats stats;
    struct fault f = { 0 };

    assert_ok(start(r, &toy_saga, NULL, &f));
    assert_true(saga_wait(r, TOY_OBJECT, PATIENCE_MS));
    saga_stats(r, &stats);
    assert_int_equal(stats.done, 1);
    assert_int_equal(toy->acts, 3);
    assert_int_equal(toy->undos, 0);
    assert_answer("SELECT status || ' ' || direction || ' ' || step_name || ' ' || state FROM saga",
                  "done forward publish {\"reserved\": true}");
    saga_runner_close(r);
}

static void
test_rolled_back_wish_is_none(_unused_ void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct saga_runner *r = open_runner();
    struct fault f = { 0 };
    {
        _cleanup_(db_release) struct db db = { 0 };
        _cleanup_(db_tx_done) struct db_tx tx = { 0 };

        assert_ok(db_pool_get(pg_pool(pg), a, &db, &f));
        assert_ok(db_tx_begin(&tx, &db, &f));
        assert_ok(saga_start(r, &tx, &toy_saga, TOY_OBJECT, NULL, &f));
    }
    assert_true(saga_wait(r, TOY_OBJECT, 0));
    assert_answer("SELECT count(*) FROM saga", "0");
    saga_runner_close(r);
}

static void
test_failure_undoes_in_reverse(_unused_ void **state)
{
    struct saga_runner *r;
    struct fault f = { 0 };

    inject_arm("toy.create", "light", INJECT_BEFORE_ACT, INJECT_FAIL, 1);
    r = open_runner();
    assert_ok(start(r, &toy_saga, NULL, &f));
    assert_true(saga_wait(r, TOY_OBJECT, PATIENCE_MS));
    assert_int_equal(toy->acts, 1);
    assert_int_equal(toy->undos, 3); /* light (begun), reserve, and 'failed'. */
    assert_int_equal(toy->failures, 1);
    assert_answer("SELECT status || ' ' || (reason->>'kind') || ' ' || step FROM saga",
                  "failed CONFLICT -1");
    assert_answer("SELECT count(*) FROM thing", "0");
    saga_runner_close(r);
}

static void
test_transient_failures(_unused_ void **state)
{
    struct saga_runner *r = open_runner();
    struct saga_stats stats;
    struct fault f = { 0 };
    int64_t began_ms = clock_mono_ms();

    toy->transient = 2;
    assert_ok(start(r, &toy_saga, NULL, &f));
    assert_true(saga_wait(r, TOY_OBJECT, PATIENCE_MS));
    assert_true(clock_mono_ms() - began_ms >= 600); /* 0.2 + 0.4 s */
    saga_stats(r, &stats);
    assert_int_equal(stats.retried, 2);
    assert_answer("SELECT status FROM saga", "done");

    /* For too long: the step has 1.5 s. */
    toy_reset(pg, toy);
    toy->transient = 1000;
    assert_ok(start(r, &toy_saga, NULL, &f));
    assert_true(saga_wait(r, TOY_OBJECT, PATIENCE_MS));
    assert_answer("SELECT status || ' ' || (reason->>'message') FROM saga", "failed no current");
    saga_runner_close(r);
}

static void
test_one_at_a_time(_unused_ void **state)
{
    const struct saga_start_options behind = { .queue_behind = true };
    struct saga_runner *r = open_runner();
    struct fault f = { 0 };

    toy->blocked = 1;
    assert_ok(start(r, &toy_hold_saga, NULL, &f));
    wait_until(toy->holding == 1);
    assert_fault(start(r, &toy_saga, NULL, &f), f, FAULT_CONFLICT, "in progress");
    assert_ok(start(r, &toy_saga, &behind, &f));
    assert_false(saga_wait(r, TOY_OBJECT, 300));
    assert_int_equal(toy->acts, 1);
    assert_answer("SELECT string_agg(name || ' ' || epoch, ', ' ORDER BY seq) FROM saga",
                  "toy.hold 1, toy.create 0");
    toy->blocked = 0;
    assert_true(saga_wait(r, TOY_OBJECT, PATIENCE_MS));
    assert_answer("SELECT string_agg(name || ' ' || status, ', ' ORDER BY seq) FROM saga",
                  "toy.hold done, toy.create done");
    saga_runner_close(r);
}

static void
test_cancel_other(_unused_ void **state)
{
    const struct saga_start_options behind = { .queue_behind = true },
                                    cancel = { .cancel_other = true };
    struct saga_runner *r = open_runner();
    struct fault f = { 0 };

    toy->blocked = 1;
    assert_ok(start(r, &toy_hold_saga, NULL, &f));
    wait_until(toy->holding == 1);
    assert_ok(start(r, &toy_saga, &behind, &f)); /* Never begins: nothing of it is undone. */
    assert_ok(start(r, &toy_saga, &cancel, &f));
    assert_true(saga_wait(r, TOY_OBJECT, PATIENCE_MS));
    assert_int_equal(toy->seen_cancel, 1);
    assert_int_equal(toy->failures, 1);
    assert_int_equal(toy->acts, 4); /* hold, and the three of the last. */
    assert_answer("SELECT string_agg(status, ', ' ORDER BY seq) FROM saga", "failed, failed, done");
    assert_answer("SELECT reason->>'message' FROM saga ORDER BY seq LIMIT 1",
                  "The operation was cancelled.");
    saga_runner_close(r);
}

/* What a process that died had in work goes on at the step it had begun, and at once. */
static void
test_killed(_unused_ void **state)
{
    struct saga_runner *r;
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        struct db_pool *pool = NULL;
        struct fault f = { 0 };

        inject_arm("toy.create", "light", INJECT_AFTER_ACT, INJECT_KILL, 1);
        if (db_pool_open(&pool, pg_url(pg), 2, &f) >= 0 &&
            saga_runner_open(&r, pool, toy_table, ARRAY_SIZE(toy_table), 1, toy, &f) >= 0) {
            struct arena *a = arena_new();
            struct db db = { 0 };
            struct db_tx tx = { 0 };

            db_pool_get(pool, a, &db, &f);
            db_tx_begin(&tx, &db, &f);
            saga_start(r, &tx, &toy_saga, TOY_OBJECT, NULL, &f);
            db_tx_commit(&tx, &f);
            pause();
        }
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(toy->acts, 2);
    assert_answer("SELECT status || ' ' || step_name || ' ' || epoch FROM saga", "open light 1");
    r = open_runner();
    assert_true(saga_wait(r, TOY_OBJECT, 5000));
    assert_int_equal(toy->acts, 4); /* 'light' twice. */
    assert_answer("SELECT status || ' ' || epoch FROM saga", "done 2");
    saga_runner_close(r);
}

/* A runner that lost its session while it worked must not write over who took its place. */
static void
test_lost_session(_unused_ void **state)
{
    struct saga_runner *r = open_runner();
    struct fault f = { 0 };

    toy->blocked = 1;
    assert_ok(start(r, &toy_hold_saga, NULL, &f));
    wait_until(toy->holding == 1);
    pg_exec(pg, "SELECT pg_terminate_backend(backend) FROM saga");
    wait_until(toy->acts == 2); /* The other thread goes on with it. */
    toy->blocked = 0;
    assert_true(saga_wait(r, TOY_OBJECT, PATIENCE_MS));
    saga_runner_close(r);
    assert_answer("SELECT status || ' ' || epoch FROM saga", "done 2");
}

static void
test_unknown_version_is_left_alone(_unused_ void **state)
{
    struct saga newer = toy_saga;
    struct saga_runner *r = open_runner();
    struct fault f = { 0 };

    newer.version = 99;
    assert_ok(start(r, &newer, NULL, &f));
    assert_false(saga_wait(r, TOY_OBJECT, 300));
    assert_answer("SELECT status || ' ' || epoch FROM saga", "open 0");
    saga_runner_close(r);
}

static void
test_queries(_unused_ void **state)
{
    _cleanup_(pg_rollback) struct db db = { 0 };
    struct fault f = { 0 };

    pg_begin(pg, &db);
    if (saga_queries_check(&db, &f) < 0)
        fail_msg("%s", f.message);
}

static void
test_inject_from_environment(_unused_ void **state)
{
    setenv("VIRGA_INJECT", "toy.create/light/before-act/fail/2", 1);
    inject_from_environment();
    assert_int_equal(inject_check("toy.create", "light", INJECT_BEFORE_ACT), INJECT_NOTHING);
    assert_int_equal(inject_check("toy.create", "light", INJECT_AFTER_ACT), INJECT_NOTHING);
    assert_int_equal(inject_check("toy.create", "light", INJECT_BEFORE_ACT), INJECT_FAIL);
    assert_int_equal(inject_check("toy.create", "light", INJECT_BEFORE_ACT), INJECT_NOTHING);
    inject_clear();
    setenv("VIRGA_INJECT", "toy.create//after-undo/repeat/1", 1);
    inject_from_environment();
    assert_int_equal(inject_check("toy.create", "any", INJECT_AFTER_UNDO), INJECT_REPEAT);
    unsetenv("VIRGA_INJECT");
}

static int
setup(_unused_ void **state)
{
    inject_clear();
    toy_reset(pg, toy);
    return 0;
}

static int
group_setup(_unused_ void **state)
{
    pg = pg_open_migrated(NULL, 0);
    toy_create_tables(pg);
    toy = saga_harness_shared(sizeof(*toy));
    return 0;
}

static int
group_teardown(_unused_ void **state)
{
    pg_close(pg);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_queries, setup),
        cmocka_unit_test_setup(test_done, setup),
        cmocka_unit_test_setup(test_rolled_back_wish_is_none, setup),
        cmocka_unit_test_setup(test_failure_undoes_in_reverse, setup),
        cmocka_unit_test_setup(test_transient_failures, setup),
        cmocka_unit_test_setup(test_one_at_a_time, setup),
        cmocka_unit_test_setup(test_cancel_other, setup),
        cmocka_unit_test_setup(test_killed, setup),
        cmocka_unit_test_setup(test_lost_session, setup),
        cmocka_unit_test_setup(test_unknown_version_is_left_alone, setup),
        cmocka_unit_test_setup(test_inject_from_environment, setup),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
