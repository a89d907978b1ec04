#include "services/compute-agent/io_resume.h"

#include "tests/unit/asserts.h"

static void
test_grows_and_forgets(void **state)
{
    static const int64_t delays_ms[] = { 1000, 2000, 4000, 8000, 16000, 30000, 30000 };
    struct io_resume *r = io_resume_new();
    char id[UUID_TEXT];
    int64_t now_ms = 5000;

    (void)state;
    assert_int_equal(io_resume_wait_ms(r, now_ms), -1);
    assert_false(io_resume_due(r, now_ms, id));
    io_resume_paused(r, "guest", now_ms);
    for (size_t i = 0; i < ARRAY_SIZE(delays_ms); i++) {
        assert_int_equal(io_resume_wait_ms(r, now_ms), delays_ms[i]);
        assert_false(io_resume_due(r, now_ms + delays_ms[i] - 1, id));
        now_ms += delays_ms[i];
        assert_true(io_resume_due(r, now_ms, id));
        assert_string_equal(id, "guest");
        assert_false(io_resume_due(r, now_ms, id));
        /* It ran for a moment, and the error came again. */
        io_resume_settled(r, "guest", now_ms);
        assert_int_equal(io_resume_wait_ms(r, now_ms), -1);
        io_resume_paused(r, "guest", now_ms);
        io_resume_paused(r, "guest", now_ms + 1);
    }
    io_resume_settled(r, "guest", now_ms);
    io_resume_paused(r, "guest", now_ms + 10001);
    assert_int_equal(io_resume_wait_ms(r, now_ms + 10001), 1000);
    io_resume_free(r);
}

static void
test_each_its_turn(void **state)
{
    struct io_resume *r = io_resume_new();
    char first[UUID_TEXT], second[UUID_TEXT], none[UUID_TEXT];

    (void)state;
    io_resume_paused(r, "a", 0);
    io_resume_paused(r, "b", 0);
    io_resume_settled(r, "unknown", 0);
    assert_true(io_resume_due(r, 1000, first));
    assert_true(io_resume_due(r, 1000, second));
    assert_string_not_equal(first, second);
    assert_false(io_resume_due(r, 1000, none));
    io_resume_free(r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_grows_and_forgets),
                                        cmocka_unit_test(test_each_its_turn) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
