#include "base/map.h"

#include "../asserts.h"

static int freed;

static void
count_free(void *value)
{
    freed++;
    free(value);
}

static void
test_set_get_remove(void **state)
{
    struct map *m = map_new(NULL);
    static int values[5000];
    char key[20];

    (void)state;
    assert_null(map_get(m, "a"));
    assert_false(map_remove(m, "a"));
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 5000; i++) {
            snprintf(key, sizeof(key), "k%d", i);
            map_set(m, key, &values[i]);
        }
        assert_int_equal(map_count(m), 5000);
        for (int i = 0; i < 5000; i++) {
            snprintf(key, sizeof(key), "k%d", i);
            assert_ptr_equal(map_get(m, key), &values[i]);
            if (i % 3 != 0)
                assert_true(map_remove(m, key));
        }
        for (int i = 0; i < 5000; i++) {
            snprintf(key, sizeof(key), "k%d", i);
            assert_int_equal(map_has(m, key), i % 3 == 0);
        }
    }
    map_clear(m);
    assert_int_equal(map_count(m), 0);
    map_set(m, "", NULL);
    assert_true(map_has(m, ""));
    assert_null(map_get(m, ""));
    map_free(m);
    map_free(NULL);
}

static void
test_churn_stays_small(void **state)
{
    struct map *m = map_new(NULL);
    char key[20];

    (void)state;
    /* Graves alone must not fill the table: a walk that ends is the proof. */
    for (int i = 0; i < 100000; i++) {
        snprintf(key, sizeof(key), "%d", i);
        map_set(m, key, &freed);
        assert_true(map_remove(m, key));
    }
    assert_false(map_has(m, "absent"));
    assert_int_equal(map_count(m), 0);
    map_free(m);
}

static void
test_values_are_freed(void **state)
{
    struct map *m = map_new(count_free);
    void *same = malloc(1);

    (void)state;
    freed = 0;
    map_set(m, "a", malloc(1));
    map_set(m, "a", same);
    assert_int_equal(freed, 1);
    map_set(m, "a", same);
    assert_int_equal(freed, 1);
    map_set(m, "b", malloc(1));
    map_remove(m, "b");
    assert_int_equal(freed, 2);
    map_free(m);
    assert_int_equal(freed, 3);
}

static void
test_walk_and_remove(void **state)
{
    struct map *m = map_new(NULL);
    struct map_at at = { 0 };
    bool seen[1000] = { false };
    char key[20];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof(key), "%d", i);
        map_set(m, key, &seen[i]);
    }
    while (map_next(m, &at)) {
        bool *value = at.value;

        assert_false(*value);
        *value = true;
        if ((value - seen) % 2 == 0) {
            snprintf(key, sizeof(key), "%s", at.key);
            assert_true(map_remove(m, key));
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
        assert_true(seen[i]);
    assert_int_equal(map_count(m), 500);
    map_free(m);
}

/* The vectors of the SipHash paper's reference code: key 00..0f, data 00, 00 01, ... */
static void
test_hash_vectors(void **state)
{
    static const struct {
        size_t size;
        uint64_t hash;
    } cases[] = {
        { 0, 0x726fdb47dd0e0e31U },
        { 1, 0x74f839c593dc67fdU },
        { 8, 0x93f5f5799a932462U },
        { 15, 0xa129ca6149be45e5U },
    };
    unsigned char data[16];

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (unsigned char)i;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_true(map_hash(data, cases[i].size, 0x0706050403020100U, 0x0f0e0d0c0b0a0908U) ==
                    cases[i].hash);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_get_remove),   cmocka_unit_test(test_churn_stays_small),
        cmocka_unit_test(test_values_are_freed), cmocka_unit_test(test_walk_and_remove),
        cmocka_unit_test(test_hash_vectors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
