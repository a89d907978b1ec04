#include "base/json.h"

#include "../asserts.h"
#include "base/str.h"

static void
test_read(void **state)
{
    static const struct {
        const char *text;
        const char *refused; /* Part of the message; NULL: accepted. */
    } cases[] = {
        { "{}", NULL },
        { " [1, 2.5, \"\\u00e9\", null, true] \n", NULL },
        { "\"text\"", NULL },
        { "{\"a\":\"[[[[{{{{\\\"[[\"}", NULL },
        { "", "Malformed" },
        { " ", "Malformed" },
        { "{", "Malformed" },
        { "{}x", "end of file expected" },
        { "{} {}", "end of file expected" },
        { "{\"a\":1,\"a\":2}", "duplicate" },
        { "{\"a\":{\"b\":1,\"b\":1}}", "duplicate" },
        { "{\"a\":\"\\u0000\"}", "Malformed" },
        { "{\"\\u0000\":1}", "Malformed" },
        { "\"\xff\"", "Malformed" },
        { "\"\xed\xa0\x80\"", "Malformed" },
        { "\"\\ud800\"", "Malformed" },
        { "\xef\xbb\xbf{}", "Malformed" },
        { "{\"a\":1e400}", "overflow" },
        { "{\"a\":99999999999999999999}", "integer" },
        { "{'a':1}", "Malformed" },
        { "{\"a\":1,}", "Malformed" },
        { "[01]", "Malformed" },
        { "[NaN]", "Malformed" },
        { "// a\n{}", "Malformed" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(arena_freep) struct arena *a = arena_new();
        struct fault f = { 0 };
        json_t *value = NULL;
        int r = json_read(a, cases[i].text, strlen(cases[i].text), &value, &f);

        if (cases[i].refused == NULL) {
            assert_ok(r);
            assert_non_null(value);
        } else {
            assert_fault(r, f, FAULT_INVALID, cases[i].refused);
            assert_null(value);
        }
    }
}

static void
test_size_is_the_bound(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    json_t *value;

    (void)state;
    assert_ok(json_read(a, "[1]]]", 3, &value, &f));
    assert_fault(json_read(a, "[1]", 2, &value, &f), f, FAULT_INVALID, NULL);
    assert_fault(json_read(a, "[1]\0", 4, &value, &f), f, FAULT_INVALID, NULL);
}

static void
test_depth(void **state)
{
    static const struct {
        size_t depth;
        bool good;
    } cases[] = { { 1, true }, { 64, true }, { 65, false }, { 100000, false } };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(arena_freep) struct arena *a = arena_new();
        size_t depth = cases[i].depth;
        char *text = arena_alloc(a, 2 * depth);
        struct fault f = { 0 };
        json_t *value;
        int r;

        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        r = json_read(a, text, 2 * depth, &value, &f);
        if (cases[i].good)
            assert_ok(r);
        else
            assert_fault(r, f, FAULT_INVALID, "nested");
    }
}

/* A fault is logged; the text around the error may be a password. */
static void
test_error_repeats_nothing(void **state)
{
    static const char text[] = "{\"password\": \"first\" hunter2}";
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    json_t *value;

    (void)state;
    assert_fault(json_read(a, text, strlen(text), &value, &f), f, FAULT_INVALID, "line 1");
    assert_null(strstr(f.message, "hunter2"));
    assert_null(strstr(f.cause, "hunter2"));
}

static void
test_get(void **state)
{
    static const char text[] = "{\"t\":\"x\",\"i\":-5,\"b\":true,\"n\":null}";
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    json_t *value;

    (void)state;
    assert_ok(json_read(a, text, strlen(text), &value, &f));
    assert_string_equal(json_get_text(value, "t"), "x");
    assert_null(json_get_text(value, "i"));
    assert_null(json_get_text(value, "absent"));
    assert_null(json_get_text(NULL, "t"));
    assert_int_equal(json_get_int(value, "i"), -5);
    assert_int_equal(json_get_int(value, "t"), 0);
    assert_true(json_get_bool(value, "b"));
    assert_false(json_get_bool(value, "i"));
    assert_string_equal(json_text(a, value), text);
    assert_string_equal(json_text(a, NULL), "null");
    assert_null(json_own(a, NULL));
}

static void
test_has_text(void **state)
{
    static const char text[] = "[1, null, \"a\", [\"b\"], \"\"]";
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    json_t *value;

    (void)state;
    assert_ok(json_read(a, text, strlen(text), &value, &f));
    assert_true(json_has_text(value, "a"));
    assert_true(json_has_text(value, ""));
    assert_false(json_has_text(value, "b"));
    assert_false(json_has_text(value, "null"));
    assert_false(json_has_text(value, NULL));
    assert_false(json_has_text(NULL, "a"));
    assert_false(json_has_text(json_array_get(value, 2), "a"));
}

static void
test_repr(void **state)
{
    static const char *const cases[][2] = {
        { "\"x\"", "'x'" },
        { "\"it's\"", "\"it's\"" },
        { "\"both ' and \\\"\"", "'both \\' and \"'" },
        { "\"a\\\\b\\n\\u0001\"", "'a\\\\b\\n\\x01'" },
        { "null", "None" },
        { "true", "True" },
        { "-5", "-5" },
        { "1.5", "1.5" },
        { "1.0", "1.0" },
        { "3.40282e38", "3.40282e+38" },
        { "0.1", "0.1" },
        { "[1, \"x\", []]", "[1, 'x', []]" },
        { "{\"a\": {\"b\": false}, \"c\": {}}", "{'a': {'b': False}, 'c': {}}" },
    };
    struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fault f = { 0 };
        json_t *value;

        assert_ok(json_read(a, cases[i][0], strlen(cases[i][0]), &value, &f));
        assert_string_equal(json_repr(a, value), cases[i][1]);
    }
    assert_string_equal(json_repr(a, NULL), "None");
    arena_free(a);
}

/* Integers of any size: the nearest value, and all the digits where they are shown. */
static void
test_wide(void **state)
{
    static const struct {
        const char *text, *repr;
    } cases[] = {
        { "[9223372036854775807]", "[9223372036854775807]" },
        { "[9223372036854775808]", "[9223372036854775808]" },
        { "[-9223372036854775809, 1]", "[-9223372036854775809, 1]" },
        { "{\"a\": 99999999999999999999, \"b\": {\"c\": [12, "
          "340282366920938463463374607431768211456]}}",
          "{'a': 99999999999999999999, 'b': {'c': [12, "
          "340282366920938463463374607431768211456]}}" },
        { "[99999999999999999999, 9223372036854775807, 88888888888888888888, "
          "-9223372036854775808, -77777777777777777777]",
          "[99999999999999999999, 9223372036854775807, 88888888888888888888, "
          "-9223372036854775808, -77777777777777777777]" },
        { "[\"99999999999999999999\", \"\\\"88888888888888888888\", 77777777777777777777]",
          "['99999999999999999999', '\"88888888888888888888', 77777777777777777777]" },
        { "[99999999999999999999.0, 99999999999999999999e-2, 77777777777777777777]",
          "[1e+20, 1e+18, 77777777777777777777]" },
        { "99999999999999999999", "99999999999999999999" },
        { "[1e400]", NULL },
        { "[099999999999999999999]", NULL },
        { "[99999999999999999999-1]", NULL },
        { "[99999999999999999999", NULL },
        { "[--99999999999999999999]", NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(arena_freep) struct arena *a = arena_new();
        struct fault f = { 0 };
        json_t *value;
        int r = json_read_wide(a, cases[i].text, strlen(cases[i].text), &value, &f);

        if (cases[i].repr == NULL) {
            assert_fault(r, f, FAULT_INVALID, "Malformed JSON");
            continue;
        }
        assert_ok(r);
        assert_string_equal(json_repr(a, value), cases[i].repr);
    }
}

static void
test_wide_numbers(void **state)
{
    static const char text[] = "[18446744073709551616, -99999999999999999999, 5]";
    _cleanup_(arena_freep) struct arena *a = arena_new(), *other = arena_new();
    struct fault f = { 0 };
    json_t *value;

    (void)state;
    assert_fault(json_read(a, text, strlen(text), &value, &f), f, FAULT_INVALID, "too big integer");
    fault_clear(&f);
    assert_ok(json_read_wide(a, text, strlen(text), &value, &f));
    assert_int_equal(json_integer_value(json_array_get(value, 0)), INT64_MAX);
    assert_int_equal(json_integer_value(json_array_get(value, 1)), INT64_MIN);
    assert_true(json_wide_number(a, json_array_get(value, 0)) >= 18446744073709551616.0);
    assert_true(json_wide_number(a, json_array_get(value, 2)) <= 5.0);
    assert_string_equal(json_wide_text(a, INT64_MIN), "-99999999999999999999");
    assert_string_equal(json_wide_text(a, 5), "5");
    assert_string_equal(json_wide_text(other, INT64_MAX), "9223372036854775807");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),         cmocka_unit_test(test_size_is_the_bound),
        cmocka_unit_test(test_depth),        cmocka_unit_test(test_error_repeats_nothing),
        cmocka_unit_test(test_get),          cmocka_unit_test(test_has_text),
        cmocka_unit_test(test_repr),         cmocka_unit_test(test_wide),
        cmocka_unit_test(test_wide_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
