#include "base/str.h"

#include <errno.h>
#include <math.h>

#include "../asserts.h"

static void
test_buffer(void **state)
{
    _cleanup_(str_done) struct str s = { 0 };
    char *taken;

    (void)state;
    assert_string_equal(str_text(&s), "");
    str_add(&s, "a");
    str_add_char(&s, 'b');
    str_add_n(&s, "c\0d", 3);
    assert_int_equal(s.size, 5);
    assert_memory_equal(s.data, "abc\0d", 6);
    str_clear(&s);
    assert_string_equal(str_text(&s), "");
    for (int i = 0; i < 1000; i++)
        str_addf(&s, "%04d", i);
    assert_int_equal(s.size, 4000);
    assert_memory_equal(s.data + 3996, "0999", 5);
    taken = str_take(&s);
    assert_int_equal(strlen(taken), 4000);
    free(taken);
    taken = str_take(&s);
    assert_string_equal(taken, "");
    free(taken);
}

static void
test_compare(void **state)
{
    (void)state;
    assert_true(str_equal(NULL, NULL));
    assert_false(str_equal(NULL, ""));
    assert_true(str_equal("a", "a"));
    assert_true(str_equal_nocase("aBc", "AbC"));
    assert_false(str_equal_nocase("ab", "abc"));
    assert_false(str_equal_nocase("abc", "ab"));
    assert_false(str_equal_nocase("[", "{"));
    assert_false(str_equal_nocase(NULL, ""));
    assert_true(str_starts("abc", "ab"));
    assert_false(str_starts("a", "ab"));
    assert_false(str_starts(NULL, ""));
    assert_true(str_ends("abc", "bc"));
    assert_true(str_ends("abc", ""));
    assert_false(str_ends("c", "bc"));
    assert_false(str_ends(NULL, ""));
    assert_true(str_empty(NULL) && str_empty("") && !str_empty(" "));
    assert_true(str_equal_secret("secret", "secret"));
    assert_false(str_equal_secret("secret", "secreT"));
    assert_false(str_equal_secret("secret", "secret "));
    assert_false(str_equal_secret(NULL, NULL));
}

static void
test_int64(void **state)
{
    static const struct {
        const char *text;
        int64_t min, max;
        int result;
        int64_t number;
    } cases[] = {
        { "0", 0, 0, 0, 0 },
        { "-0", 0, 0, 0, 0 },
        { "007", 0, 10, 0, 7 },
        { "9223372036854775807", INT64_MIN, INT64_MAX, 0, INT64_MAX },
        { "-9223372036854775808", INT64_MIN, INT64_MAX, 0, INT64_MIN },
        { "9223372036854775808", INT64_MIN, INT64_MAX, -ERANGE, 0 },
        { "-9223372036854775809", INT64_MIN, INT64_MAX, -ERANGE, 0 },
        { "99999999999999999999999", INT64_MIN, INT64_MAX, -ERANGE, 0 },
        { "11", 0, 10, -ERANGE, 0 },
        { "-1", 0, 10, -ERANGE, 0 },
        { "", 0, 10, -EINVAL, 0 },
        { NULL, 0, 10, -EINVAL, 0 },
        { "-", 0, 10, -EINVAL, 0 },
        { "--1", -10, 10, -EINVAL, 0 },
        { "+1", 0, 10, -EINVAL, 0 },
        { " 1", 0, 10, -EINVAL, 0 },
        { "1 ", 0, 10, -EINVAL, 0 },
        { "1\n", 0, 10, -EINVAL, 0 },
        { "0x1", 0, 10, -EINVAL, 0 },
        { "1.0", 0, 10, -EINVAL, 0 },
        { "1e1", 0, 10, -EINVAL, 0 },
        { "\xd9\xa1", 0, 10, -EINVAL, 0 }, /* An Arabic one. */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t number = -77;

        assert_int_equal(str_to_int64(cases[i].text, cases[i].min, cases[i].max, &number),
                         cases[i].result);
        assert_int_equal(number, cases[i].result == 0 ? cases[i].number : -77);
    }
}

static void
test_double(void **state)
{
    static const struct {
        const char *text;
        int result;
        double number;
    } cases[] = {
        { "0", 0, 0 },           { "1.5", 0, 1.5 },
        { "-16.0", 0, -16 },     { ".5", 0, 0.5 },
        { "1.", 0, 1 },          { "1e3", 0, 1000 },
        { "1E-3", 0, 0.001 },    { "1e400", -ERANGE, 0 },
        { "inf", -EINVAL, 0 },   { "nan", -EINVAL, 0 },
        { "0x10", -EINVAL, 0 },  { " 1", -EINVAL, 0 },
        { "1 ", -EINVAL, 0 },    { "+1", -EINVAL, 0 },
        { ".", -EINVAL, 0 },     { "1e", -EINVAL, 0 },
        { "1e+", -EINVAL, 0 },   { "1,5", -EINVAL, 0 },
        { "", -EINVAL, 0 },      { NULL, -EINVAL, 0 },
        { "1.5.5", -EINVAL, 0 }, { "Infinity", -EINVAL, 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        double number = -77;

        assert_int_equal(str_to_double(cases[i].text, &number), cases[i].result);
        assert_true(fabs(number - (cases[i].result == 0 ? cases[i].number : -77)) < 1e-12);
    }
}

static void
test_bool(void **state)
{
    static const char *const yes[] = { "true", "TRUE", "Yes", "on", "1", "t", "Y" };
    static const char *const no[] = { "false", "No", "OFF", "0", "f", "n" };
    static const char *const neither[] = { "", "2", "truee", " true", "tru", "yes\n" };
    bool value;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
        value = false;
        assert_int_equal(str_to_bool(yes[i], &value), 0);
        assert_true(value);
    }
    for (size_t i = 0; i < ARRAY_SIZE(no); i++) {
        value = true;
        assert_int_equal(str_to_bool(no[i], &value), 0);
        assert_false(value);
    }
    for (size_t i = 0; i < ARRAY_SIZE(neither); i++)
        assert_int_equal(str_to_bool(neither[i], &value), -EINVAL);
    assert_int_equal(str_to_bool(NULL, &value), -EINVAL);
}

static void
test_utf8(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        { "", true },
        { "plain", true },
        { "\xc3\xa9", true },
        { "\xe2\x82\xac", true },
        { "\xf0\x9f\x98\x80", true },
        { "\xed\x9f\xbf", true },
        { "\xee\x80\x80", true },
        { "\xf4\x8f\xbf\xbf", true },
        { "\xc0\x80", false }, /* NUL, overlong. */
        { "\xc1\xbf", false },
        { "\xe0\x9f\xbf", false }, /* Overlong. */
        { "\xf0\x8f\xbf\xbf", false },
        { "\xed\xa0\x80", false }, /* Surrogate. */
        { "\xed\xbf\xbf", false },
        { "\xf4\x90\x80\x80", false }, /* Above U+10FFFF. */
        { "\xf5\x80\x80\x80", false },
        { "\xff", false },
        { "\x80", false },
        { "\xc3", false }, /* Cut off. */
        { "\xe2\x82", false },
        { "\xf0\x9f\x98", false },
        { "\xe2\x28\xa1", false },
        { "\xe2\x82\x28", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(str_is_utf8(cases[i].text, strlen(cases[i].text)), cases[i].good);
    assert_false(str_is_utf8("a\0b", 3));
    assert_int_equal(str_utf8_length("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), 4);
    assert_int_equal(str_utf8_length(""), 0);
    assert_int_equal(str_utf8_at("\xe2\x82\xac!", 4), 3);
    assert_int_equal(str_utf8_at("\xe2\x82", 2), 0);
    assert_int_equal(str_utf8_at("", 0), 0);
}

static void
test_split(void **state)
{
    static const struct {
        const char *text;
        const char *parts; /* Joined by '|'. */
        size_t count;
    } cases[] = {
        { "", "", 0 },      { "a", "a|", 1 },   { "a,b", "a|b|", 2 },   { ",", "||", 2 },
        { "a,", "a||", 2 }, { ",a", "|a|", 2 }, { "a,,b", "a||b|", 3 },
    };
    _cleanup_(arena_freep) struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(str_done) struct str joined = { 0 };
        size_t count = 99;
        char **parts = str_split(a, cases[i].text, ',', &count);

        assert_int_equal(count, cases[i].count);
        for (size_t j = 0; j < count; j++)
            str_addf(&joined, "%s|", parts[j]);
        assert_string_equal(str_text(&joined), cases[i].parts);
    }
}

static void
test_base64(void **state)
{
    static const struct {
        const char *text, *plain, *url;
    } cases[] = {
        { "", "", "" },
        { "f", "Zg==", "Zg" },
        { "fo", "Zm8=", "Zm8" },
        { "foo", "Zm9v", "Zm9v" },
        { "foob", "Zm9vYg==", "Zm9vYg" },
        { "\xfb\xff\xfe", "+//+", "-__-" },
    };
    static const char *const bad[] = {
        "Zg",   "Zg=",      "Zg===", "Zh==",   "Zm9=", "=", "====",
        "Z===", "Zg==Zg==", "Zm 9",  "Zm9v\n", "-__-", "Z", "Zm=v",
    };
    static const char *const bad_url[] = {
        "Zg==", "Zh", "Zm9", "Z", "+//+", "Zg\n", "Zm9vY", "Zm.v"
    };
    _cleanup_(arena_freep) struct arena *a = arena_new();
    size_t size;
    void *data;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        size_t want = strlen(cases[i].text);

        assert_string_equal(str_base64(a, cases[i].text, want), cases[i].plain);
        assert_string_equal(str_base64url(a, cases[i].text, want), cases[i].url);
        assert_int_equal(str_base64_decode(a, cases[i].plain, &data, &size), 0);
        assert_int_equal(size, want);
        assert_memory_equal(data, cases[i].text, want);
        assert_int_equal(str_base64url_decode(a, cases[i].url, strlen(cases[i].url), &data, &size),
                         0);
        assert_int_equal(size, want);
        assert_memory_equal(data, cases[i].text, want);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(str_base64_decode(a, bad[i], &data, &size), -EINVAL);
    for (size_t i = 0; i < ARRAY_SIZE(bad_url); i++)
        assert_int_equal(str_base64url_decode(a, bad_url[i], strlen(bad_url[i]), &data, &size),
                         -EINVAL);
    assert_string_equal(str_hex(a, "\x00\xff\x1a", 3), "00ff1a");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buffer), cmocka_unit_test(test_compare), cmocka_unit_test(test_int64),
        cmocka_unit_test(test_double), cmocka_unit_test(test_bool),    cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_split),  cmocka_unit_test(test_base64),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
