#include "common/rpc/reconnect.h"

#include "tests/unit/asserts.h"

static void
test_first_try_is_due_at_once(_unused_ void **state)
{
    struct reconnect r;

    reconnect_init(&r, 1000);
    assert_true(reconnect_due(&r, 1000));
    assert_int_equal(reconnect_wait_ms(&r, 1000), 0);
}

static void
test_waits_longer_up_to_the_last(_unused_ void **state)
{
    static const int waits[] = { 100, 200, 400, 800, 1600, 3200, 5000, 5000 };
    struct reconnect r;
    int64_t now_ms = 0;

    reconnect_init(&r, now_ms);
    for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
        reconnect_failed(&r, now_ms, 0);
        assert_int_equal(reconnect_wait_ms(&r, now_ms), waits[i]);
        assert_false(reconnect_due(&r, now_ms + waits[i] - 1));
        now_ms += waits[i];
        assert_true(reconnect_due(&r, now_ms));
    }
}

static void
test_spread_shortens_by_a_quarter_at_most(_unused_ void **state)
{
    for (uint64_t random = 0; random < 1000; random++) {
        struct reconnect r;
        int wait_ms;

        reconnect_init(&r, 0);
        reconnect_failed(&r, 0, random);
        wait_ms = reconnect_wait_ms(&r, 0);
        assert_in_range(wait_ms, 75, 100);
    }
}

static void
test_connected(_unused_ void **state)
{
    struct reconnect r;

    reconnect_init(&r, 0);
    reconnect_failed(&r, 0, 0);
    reconnect_failed(&r, 100, 0);
    reconnect_connected(&r, 300);
    assert_false(reconnect_due(&r, 100000));
    assert_int_equal(reconnect_wait_ms(&r, 300), -1);
    assert_int_equal(r.connects, 1);

    /* Broken at once: goes on where it stood. */
    reconnect_failed(&r, 300 + RECONNECT_STABLE_MS - 1, 0);
    assert_int_equal(r.backoff_ms, 400);
    /* Lived long enough: from the beginning. */
    reconnect_connected(&r, 10000);
    reconnect_failed(&r, 10000 + RECONNECT_STABLE_MS, 0);
    assert_int_equal(r.backoff_ms, 100);
    /* A failed try after that is no connection that lived. */
    reconnect_failed(&r, 90000, 0);
    assert_int_equal(r.backoff_ms, 200);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_try_is_due_at_once),
        cmocka_unit_test(test_waits_longer_up_to_the_last),
        cmocka_unit_test(test_spread_shortens_by_a_quarter_at_most),
        cmocka_unit_test(test_connected),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
