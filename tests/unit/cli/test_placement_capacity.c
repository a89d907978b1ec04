/* The bar of the overcommit report. */
#include "services/cli/placement_capacity.h"

#include "tests/unit/asserts.h"

static void
test_bar(void **state)
{
    static const struct {
        double physical, room, committed;
        const char *bar;
    } cases[] = {
        { 10, 20, 0, ".....|...." },     /* Nothing promised; the hardware ends in the middle. */
        { 10, 20, 8, "====.|...." },     /* All of it backed. */
        { 10, 20, 16, "=====|##.." },    /* Beyond. */
        { 10, 20, 20, "=====#####" },    /* Full. */
        { 10, 20, 40, "===#######" },    /* A ratio that was lowered: more promised than may be. */
        { 10, 10, 5, "=====....." },     /* No overcommit: no mark. */
        { 10, 5, 1, "=........." },      /* Half of it may be promised. */
        { 1000, 1000, 1, "=........." }, /* A little shows. */
        { 1, 1000, 10, "#........." },   { 0, 0, 0, ".........." },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char bar[11];

        placement_bar(cases[i].physical, cases[i].room, cases[i].committed, 10, bar);
        assert_string_equal(bar, cases[i].bar);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_bar) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
