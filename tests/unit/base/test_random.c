#include "base/random.h"

#include "../asserts.h"

static void
test_below(void **state)
{
    static const uint64_t limits[] = { 1, 2, 3, 10, 1000, UINT64_MAX };
    int seen[10] = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        for (int j = 0; j < 1000; j++)
            assert_true(random_below(limits[i]) < limits[i]);
    }
    random_seed(1);
    for (int i = 0; i < 10000; i++)
        seen[random_below(10)]++;
    random_seed(0);
    for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
        assert_in_range(seen[i], 850, 1150);
}

static void
test_bytes(void **state)
{
    unsigned char data[1001] = { 0 }, again[1001] = { 0 };
    size_t zeros = 0;

    (void)state;
    random_bytes(data, 1000);
    for (size_t i = 0; i < 1000; i++)
        zeros += data[i] == 0;
    assert_true(zeros < 50);
    assert_int_equal(data[1000], 0);

    random_seed(99);
    random_bytes(data, 1000);
    random_seed(99);
    random_bytes(again, 1000);
    assert_memory_equal(data, again, sizeof(data));
    random_seed(0);
    assert_true(random_uint64() != random_uint64());
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_below),
                                        cmocka_unit_test(test_bytes) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
