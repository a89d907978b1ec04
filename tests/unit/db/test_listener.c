#include "common/db/listener.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

#include "common/base/str.h"
#include "tests/lib/pg.h"
#include "tests/unit/asserts.h"

struct ear {
    sem_t settled;
    atomic_int anything, payloads, fail;
    char last[64];
};

static void
heard(void *owner, const char *payload)
{
    struct ear *e = owner;

    if (payload == NULL)
        atomic_fetch_add(&e->anything, 1);
    else
        snprintf(e->last, sizeof(e->last), "%s", payload);
    atomic_fetch_add(&e->payloads, payload != NULL);
}

static int
settle(void *owner)
{
    struct ear *e = owner;
    int r = atomic_load(&e->fail) > 0 ? -1 : 0;

    sem_post(&e->settled);
    return r;
}

static void
wait_settled(struct ear *e)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    assert_int_equal(sem_timedwait(&e->settled, &until), 0);
}

static void
wait_until(struct ear *e, atomic_int *counter, int count)
{
    while (atomic_load(counter) < count)
        wait_settled(e);
}

static bool
becomes(const struct db_listener *l, bool current)
{
    for (int i = 0; i < 400 && db_listener_is_current(l) != current; i++)
        nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
    return db_listener_is_current(l) == current;
}

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
test_hears(void **state)
{
    struct pg *p = *state;
    struct ear e = { 0 };
    struct db_listener_options options = {
        .channel = "a_channel", .poll_ms = 60000, .heard = heard, .settle = settle, .owner = &e
    };
    struct db_listener *l = NULL;
    struct fault f = { 0 };

    sem_init(&e.settled, 0, 0);
    assert_false(db_listener_is_current(NULL));
    assert_ok(db_listener_open(&l, pg_pool(p), &options, &f));
    wait_until(&e, &e.anything, 1);
    assert_true(becomes(l, true));
    pg_exec(p, "NOTIFY another, 'no'; NOTIFY a_channel, 'one'");
    wait_until(&e, &e.payloads, 1);
    assert_string_equal(e.last, "one");
    pg_exec(p, "BEGIN; NOTIFY a_channel, 'taken back'; ROLLBACK");
    pg_exec(p, "NOTIFY a_channel, 'two'");
    wait_until(&e, &e.payloads, 2);
    assert_string_equal(e.last, "two");
    assert_int_equal(atomic_load(&e.anything), 1);

    /* The session is lost, and with it perhaps what was said: told so, and then it hears again. */
    pg_exec(p, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT' "
               "OR query LIKE 'LISTEN%'");
    wait_until(&e, &e.anything, 2);
    pg_exec(p, "NOTIFY a_channel, 'three'");
    wait_until(&e, &e.payloads, 3);
    db_listener_close(l);
    db_listener_close(NULL);
    sem_destroy(&e.settled);
}

/* Without a session, or with an owner who could not read what he was told of, it is not current. */
static void
test_current(void **state)
{
    struct ear e = { 0 };
    struct db_listener_options options = {
        .channel = "a_channel", .poll_ms = 200, .heard = heard, .settle = settle, .owner = &e
    };
    struct db_listener *l = NULL;
    struct db_pool *nowhere;
    struct fault f = { 0 };

    sem_init(&e.settled, 0, 0);
    assert_ok(db_listener_open(&l, pg_pool(*state), &options, &f));
    assert_true(becomes(l, true));
    atomic_store(&e.fail, 1);
    assert_true(becomes(l, false));
    atomic_store(&e.fail, 0);
    assert_true(becomes(l, true));
    db_listener_close(l);

    assert_ok(db_pool_open(&nowhere, "host=/nonexistent dbname=x", 1, &f));
    assert_ok(db_listener_open(&l, nowhere, &options, &f));
    assert_false(db_listener_is_current(l));
    db_listener_close(l); /* At once, though it waits for its next try. */
    db_pool_close(nowhere);
    sem_destroy(&e.settled);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hears),
        cmocka_unit_test(test_current),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
