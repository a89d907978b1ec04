#include "services/identity/refusal_pace.h"

#include "tests/unit/asserts.h"

/* Whoever takes a little more or less than the others: the time is the same for all. */
static void
test_steady(void **state)
{
    static const int64_t usual_us[] = { 200, 1000, 20000, 300000 };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(usual_us); i++) {
        struct refusal_times t = { 0 };
        int64_t first = refusal_pace_target(&t, usual_us[i]);

        assert_true(first > usual_us[i] + usual_us[i] / 10 &&
                    first <= usual_us[i] + 1000 + usual_us[i] / 8);
        for (int n = 0; n < 10000; n++) {
            int64_t took = usual_us[i] + (n % 2) * usual_us[i] / 50;

            assert_int_equal(refusal_pace_target(&t, took), first);
            assert_true(took < first);
        }
        /* A thousand of one kind, then of the other. */
        for (int n = 0; n < 1000; n++)
            assert_int_equal(refusal_pace_target(&t, usual_us[i] + usual_us[i] / 50), first);
        for (int n = 0; n < 1000; n++)
            assert_int_equal(refusal_pace_target(&t, usual_us[i]), first);
    }
}

/* It goes with the machine, and one that was held up changes nothing. */
static void
test_follows(void **state)
{
    struct refusal_times t = { 0 };
    int64_t first = refusal_pace_target(&t, 10000), slow, last = first;

    (void)state;
    assert_int_equal(refusal_pace_target(&t, 5000000), first);
    for (int n = 0; n < 200; n++)
        slow = refusal_pace_target(&t, 30000);
    assert_true(slow > 30000 && slow < 40000);
    for (int n = 0; n < 400; n++)
        last = refusal_pace_target(&t, 10000);
    assert_true(last > 10000 && last < 16000);
    for (int n = 0; n < 400; n++)
        last = refusal_pace_target(&t, 60000000);
    assert_true(last <= 2000000); /* Nothing waits for minutes. */
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_steady),
                                        cmocka_unit_test(test_follows) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
