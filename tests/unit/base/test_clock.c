#include "base/clock.h"

#include <errno.h>

#include "../asserts.h"

#define AT 1795338442000000 /* 2026-11-22T09:07:22Z */

static void
test_format(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    static const struct {
        int64_t time_us;
        enum clock_style style;
        const char *text;
    } cases[] = {
        { AT, CLOCK_Z, "2026-11-22T09:07:22Z" },
        { AT + 42, CLOCK_MICRO_Z, "2026-11-22T09:07:22.000042Z" },
        { AT + 999999, CLOCK_MICRO, "2026-11-22T09:07:22.999999" },
        { AT, CLOCK_HTTP, "Sun, 22 Nov 2026 09:07:22 GMT" },
        { 0, CLOCK_Z, "1970-01-01T00:00:00Z" },
        { -1, CLOCK_MICRO_Z, "1969-12-31T23:59:59.999999Z" },
        { 951782400000000, CLOCK_Z, "2000-02-29T00:00:00Z" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_string_equal(clock_format(a, cases[i].time_us, cases[i].style), cases[i].text);
}

static void
test_parse(void **state)
{
    static const struct {
        const char *text;
        int64_t time_us; /* -1: refused. */
    } cases[] = {
        { "2026-11-22T09:07:22Z", AT },
        { "2026-11-22t09:07:22z", AT },
        { "2026-11-22 09:07:22", AT },
        { "2026-11-22 09:07:22+00", AT }, /* PostgreSQL */
        { "2026-11-22 09:07:22.5+00", AT + 500000 },
        { "2026-11-22T09:07:22.000042Z", AT + 42 },
        { "2026-11-22T09:07:22.123456789Z", AT + 123456 },
        { "2026-11-22T10:07:22+01:00", AT },
        { "2026-11-22T10:37:22+0130", AT },
        { "2026-11-21T23:07:22-10:00", AT },
        { "2026-11-22T09:07", AT - 22000000 },
        { "2026-11-22", AT - 32842000000 },
        { "2024-02-29T00:00:00Z", 1709164800000000 },
        { "2016-12-31T23:59:60Z", 1483228800000000 },
        { "2023-02-29T00:00:00Z", -1 },
        { "2100-02-29", -1 },
        { "2026-13-01T00:00:00Z", -1 },
        { "2026-00-01T00:00:00Z", -1 },
        { "2026-01-00T00:00:00Z", -1 },
        { "2026-04-31T00:00:00Z", -1 },
        { "2026-01-01T24:00:00Z", -1 },
        { "2026-01-01T00:60:00Z", -1 },
        { "2026-01-01T00:00:61Z", -1 },
        { "2026-01-01T00:00:00.Z", -1 },
        { "2026-01-01T00:00:00Zjunk", -1 },
        { "2026-01-01T00:00:00+25:00", -1 },
        { "2026-01-01T00:00:00+1", -1 },
        { "2026-1-1", -1 },
        { "26-01-01", -1 },
        { "", -1 },
        { "now", -1 },
        { "infinity", -1 },
        { NULL, -1 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t time_us = -1;

        assert_int_equal(clock_parse(cases[i].text, &time_us), cases[i].time_us < 0 ? -EINVAL : 0);
        assert_int_equal(time_us, cases[i].time_us);
    }
}

static void
test_moved(void **state)
{
    int64_t before;

    (void)state;
    clock_set_us(AT);
    assert_int_equal(clock_now_us(), AT);
    clock_set_us(0);
    assert_true(clock_now_us() != AT);
    before = clock_mono_ms();
    clock_shift_ms(3600000);
    assert_true(clock_mono_ms() - before >= 3600000);
    assert_true(clock_mono_us() / 1000 - before >= 3600000);
    clock_shift_ms(-3600000);
    assert_true(clock_mono_ms() - before < 3600000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_moved),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
