/* The rules of claims, a table each. */
#include "services/placement/claim.h"

#include "common/base/compiler.h"
#include "tests/unit/asserts.h"

static struct claim_stock
stock(int64_t total, int64_t reserved, double ratio, int64_t used, int64_t before)
{
    return (struct claim_stock){ .provider_uuid = "p",
                                 .class_name = "VCPU",
                                 .total = total,
                                 .reserved = reserved,
                                 .min_unit = 1,
                                 .max_unit = 2147483647,
                                 .step_size = 1,
                                 .allocation_ratio = ratio,
                                 .used = used,
                                 .before = before };
}

static void
test_room(void **state)
{
    static const struct {
        int64_t total, reserved;
        double ratio;
        int64_t used, before, want;
        bool refused;
    } cases[] = {
        { 2, 0, 16.0, 0, 0, 32, false },
        { 2, 0, 16.0, 0, 0, 33, true },
        { 2, 0, 16.0, 31, 0, 1, false },
        { 2, 0, 16.0, 31, 0, 2, true },
        { 4, 2, 1.0, 0, 0, 2, false }, /* Reserved. */
        { 4, 2, 1.0, 0, 0, 3, true },
        { 3, 0, 1.5, 4, 0, 1, true }, /* 4.5 is no 5. */
        { 3, 0, 1.5, 3, 0, 1, false },
        { 1, 0, 1.0, 10, 10, 9, false },  /* Shrinks on a full host. */
        { 1, 0, 1.0, 10, 10, 10, false }, /* Stays. */
        { 1, 0, 1.0, 10, 10, 11, true },  /* Grows. */
        { 1, 0, 1.0, 10, 4, 4, false },
        { 1, 0, 1.0, 10, 4, 5, true },
        { 1, 1, 1.0, 0, 0, 1, true },
        { 8, 0, 0.5, 0, 0, 4, false },
        { 8, 0, 0.5, 0, 0, 5, true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct claim_stock s = stock(cases[i].total, cases[i].reserved, cases[i].ratio,
                                     cases[i].used, cases[i].before);
        struct fault f = { 0 };
        int r = claim_add(&s, cases[i].want, &f);

        if (cases[i].refused)
            assert_fault(r, f, FAULT_CONFLICT, "would exceed the capacity");
        else
            assert_ok(r);
    }
}

static void
test_units(void **state)
{
    static const struct {
        int64_t min, max, step, want;
        bool refused;
    } cases[] = {
        { 1, 8, 1, 8, false },
        { 1, 8, 1, 9, true },
        { 4, 8, 1, 3, true },
        { 4, 8, 1, 4, false },
        { 1, 8, 2, 4, false },
        { 1, 8, 2, 5, true },
        { 1, INT64_MAX, 1, INT64_MAX / 4, true /* By the room. */ },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct claim_stock s = stock(100, 0, 1.0, 0, 0);
        struct fault f = { 0 };
        int r;

        s.min_unit = cases[i].min;
        s.max_unit = cases[i].max;
        s.step_size = cases[i].step;
        r = claim_add(&s, cases[i].want, &f);
        if (cases[i].refused)
            assert_fault(r, f, FAULT_CONFLICT,
                         "Unable to allocate inventory: Unable to create allocation for 'VCPU' on "
                         "resource provider 'p'");
        else
            assert_ok(r);
    }
}

/* Several consumers of one claim count together. */
static void
test_sum(void **state)
{
    struct claim_stock s = stock(4, 0, 1.0, 0, 0);
    struct fault f = { 0 };

    (void)state;
    assert_ok(claim_add(&s, 3, &f));
    assert_fault(claim_add(&s, 2, &f), f, FAULT_CONFLICT, "would exceed the capacity");
    assert_int_equal(s.after, 5);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_room), cmocka_unit_test(test_units),
                                        cmocka_unit_test(test_sum) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
