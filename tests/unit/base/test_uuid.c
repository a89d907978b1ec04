#include "base/uuid.h"

#include "../asserts.h"
#include "base/random.h"
#include "base/str.h"

static void
test_new(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();

    (void)state;
    for (int i = 0; i < 1000; i++) {
        char *text = uuid_make(a), *hex = uuid_make_hex(a);

        assert_true(uuid_check(text));
        assert_int_equal(text[14], '4');
        assert_non_null(strchr("89ab", text[19]));
        assert_false(uuid_check(hex));
        assert_true(uuid_check_loose(hex));
        assert_int_equal(strlen(hex), 32);
        assert_false(str_equal(text, uuid_make(a)));
    }
}

static void
test_check(void **state)
{
    static const struct {
        const char *text;
        bool strict, loose;
    } cases[] = {
        { "01234567-89ab-cdef-0123-456789abcdef", true, true },
        { "01234567-89AB-CDEF-0123-456789ABCDEF", true, true },
        { "0123456789abcdef0123456789abcdef", false, true },
        { "0123456789ABCDEF0123456789abcdef", false, true },
        { "0123456789abcdef0123456789abcde", false, false },
        { "0123456789abcdef0123456789abcdef0", false, false },
        { "01234567-89ab-cdef-0123-456789abcde", false, false },
        { "01234567-89ab-cdef-0123-456789abcdef0", false, false },
        { "01234567-89ab-cdef-0123_456789abcdef", false, false },
        { "0123456-789ab-cdef-0123-456789abcdef", false, false },
        { "g1234567-89ab-cdef-0123-456789abcdef", false, false },
        { "{01234567-89ab-cdef-0123-456789abcdef}", false, false },
        { "", false, false },
        { NULL, false, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(uuid_check(cases[i].text), cases[i].strict);
        assert_int_equal(uuid_check_loose(cases[i].text), cases[i].loose);
    }
}

static void
test_seeded(void **state)
{
    char one[UUID_TEXT], two[UUID_TEXT];

    (void)state;
    random_seed(7);
    uuid_new(one);
    random_seed(7);
    uuid_new(two);
    assert_string_equal(one, two);
    random_seed(0);
    uuid_new(one);
    assert_string_not_equal(one, two);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_seeded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
