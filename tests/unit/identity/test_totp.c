/* RFC 6238's own vectors (its codes have eight digits, ours are the last six), secrets as people write them, and which steps are taken. */
#include "services/identity/totp.h"

#include "base/str.h"
#include "tests/unit/asserts.h"

#define SECRET "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" /* "12345678901234567890" */

static struct arena *arena;

static int
setup(void **state)
{
    (void)state;
    arena = arena_new();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static void
test_vectors(void **state)
{
    static const struct {
        int64_t time_s;
        const char *code;
    } cases[] = {
        { 59, "287082" },         { 1111111109, "081804" }, { 1111111111, "050471" },
        { 1234567890, "005924" }, { 2000000000, "279037" }, { 20000000000, "353130" },
    };
    unsigned char *secret;
    size_t size;

    (void)state;
    assert_true(totp_read_secret(arena, SECRET, &secret, &size));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char code[TOTP_DIGITS + 1];

        totp_code(secret, size, cases[i].time_s / 30, code);
        assert_string_equal(code, cases[i].code);
        assert_int_equal(totp_match(secret, size, cases[i].code, cases[i].time_s * 1000000, 0),
                         cases[i].time_s / 30);
    }
}

static void
test_secrets(void **state)
{
    static const struct {
        const char *text, *bytes; /* NULL: none */
    } cases[] = {
        { SECRET, "12345678901234567890" },
        { "gezd gnbv gy3t qojq-gezd-gnbv-gy3t-qojq", "12345678901234567890" },
        { "MY======", "f" },
        { "MZXQ====", "fo" },
        { "MZXW6===", "foo" },
        { "MZXW6YQ=", "foob" },
        { "MZXW6YTB", "fooba" },
        { "MZXW6YTBOI", "foobar" },
        { "", NULL },
        { "=", NULL },
        { "A", NULL },
        { "MZXW1", NULL },
        { "MZXW!", NULL },
        { "MZ=XW6", NULL },
        { "{\"secret\": \"MZXW6\"}", NULL },
        { "\xc3\xbc", NULL },
    };
    char *longest = ARENA_ARRAY(arena, char, 1026);
    unsigned char *secret;
    size_t size;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        bool good = totp_read_secret(arena, cases[i].text, &secret, &size);

        if (good != (cases[i].bytes != NULL))
            fail_msg("%s", cases[i].text);
        if (good) {
            assert_int_equal(size, strlen(cases[i].bytes));
            assert_memory_equal(secret, cases[i].bytes, size);
        }
    }
    memset(longest, 'A', 1024);
    assert_true(totp_read_secret(arena, longest, &secret, &size));
    longest[1024] = 'A';
    assert_false(totp_read_secret(arena, longest, &secret, &size));
}

static void
test_windows(void **state)
{
    const int64_t now = INT64_C(1111111111) * 1000000, step = 1111111111 / 30;
    static const struct {
        int64_t code_of, windows; /* Steps from now. */
        bool taken;
    } cases[] = {
        { 0, 0, true },   { -1, 0, false },  { 1, 0, false },    { -1, 1, true },
        { -2, 1, false }, { -10, 10, true }, { -11, 10, false }, { 1, 10, false },
    };
    static const char *const wrong[] = {
        "", "0", "05047", "0504711", "050472", " 50471", "abcdef"
    };
    unsigned char *secret;
    size_t size;

    (void)state;
    assert_true(totp_read_secret(arena, SECRET, &secret, &size));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char code[TOTP_DIGITS + 1];

        totp_code(secret, size, step + cases[i].code_of, code);
        assert_int_equal(totp_match(secret, size, code, now, cases[i].windows),
                         cases[i].taken ? step + cases[i].code_of : -1);
    }
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_int_equal(totp_match(secret, size, wrong[i], now, 1), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_vectors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_secrets, setup, teardown),
        cmocka_unit_test_setup_teardown(test_windows, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
