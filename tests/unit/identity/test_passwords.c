#include "services/identity/passwords.h"

#include <crypt.h>
#include <pthread.h>

#include "base/str.h"
#include "tests/unit/asserts.h"

static struct password_hasher *hasher;

static int
setup(void **state)
{
    hasher = password_hasher_new(&(struct password_scheme){ "bcrypt", 4 }, 2);
    *state = arena_new();
    return 0;
}

static int
teardown(void **state)
{
    password_hasher_free(hasher);
    arena_free(*state);
    return 0;
}

static char *
repeated(struct arena *a, char c, size_t count)
{
    char *text = ARENA_ARRAY(a, char, count + 1);

    memset(text, c, count);
    text[count] = '\0';
    return text;
}

static char *
hashed(struct arena *a, const char *password)
{
    struct fault f = { 0 };
    char *hash = NULL;

    assert_ok(password_hash(hasher, a, password, &hash, &f));
    return hash;
}

static void
test_own_hashes(void **state)
{
    struct arena *a = *state;
    const char *ninety = repeated(a, 'x', 90);
    const struct {
        const char *password, *tried;
        bool right;
    } cases[] = {
        { "secret", "secret", true },
        { "secret", "Secret", false },
        { "secret", "", false },
        { "secret", "secret ", false },
        { "", "", true },
        { "p\xc3\xa4ss\xf0\x9f\x98\x80", "p\xc3\xa4ss\xf0\x9f\x98\x80", true },
        { "p\xc3\xa4ss", "pass", false },
        { repeated(a, 'x', 72), repeated(a, 'x', 72), true },
        { repeated(a, 'x', 72), repeated(a, 'x', 73),
          false }, /* bcrypt alone would not see the last byte. */
        { ninety, ninety, true },
        { ninety, repeated(a, 'x', 89), false },
        { ninety, repeated(a, 'x', 72), false },
        { repeated(a, 'y', 4096), repeated(a, 'y', 4096), true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *hash = hashed(a, cases[i].password);

        assert_true(str_starts(hash, "$2b$04$"));
        if (password_verify(hasher, cases[i].tried, hash) != cases[i].right)
            fail_msg("case %zu", i);
    }
}

static void
test_two_hashes_of_one_password_differ(void **state)
{
    assert_string_not_equal(hashed(*state, "secret"), hashed(*state, "secret"));
}

/* What another cloud stored. */
static void
test_foreign_hashes(void **state)
{
    static const char *const settings[] = { "$6$rounds=1000$abcdefgh$", "$y$j75$abcdefghijkl",
                                            "$2b$04$abcdefghijklmnopqrstuu",
                                            "$2y$04$abcdefghijklmnopqrstuu" };
    struct arena *a = *state;

    for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
        struct crypt_data *data = ARENA_NEW(a, struct crypt_data);
        const char *hash = crypt_rn("secret", settings[i], data, sizeof(*data));

        assert_non_null(hash);
        assert_true(password_verify(hasher, "secret", hash));
        assert_false(password_verify(hasher, "other", hash));
    }
}

/* Nobody's password is right, not even the one that unknown users are compared with. */
static void
test_what_is_no_hash(void **state)
{
    static const char *const hashes[] = { NULL,     "",     "*",       "!",
                                          "secret", "$2b$", "$2b$04$", "$9$what$ever",
                                          "*0",     "*1" };
    static const char *const tried[] = { "", "secret", "nobody's password", "*0" };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(hashes); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(tried); j++) {
            if (password_verify(hasher, tried[j], hashes[i]))
                fail_msg("'%s' is right for '%s'", tried[j], hashes[i]);
        }
    }
}

static void *
verify_often(void *hash)
{
    for (int i = 0; i < 20; i++) {
        if (!password_verify(hasher, "secret", hash) || password_verify(hasher, "wrong", hash))
            return hash;
    }
    return NULL;
}

/* More threads than slots: all get their turn, nobody another's answer. */
static void
test_threads(void **state)
{
    char *hash = hashed(*state, "secret");
    pthread_t threads[8];

    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, verify_often, hash), 0);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
        void *wrong;

        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_own_hashes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_two_hashes_of_one_password_differ, setup, teardown),
        cmocka_unit_test_setup_teardown(test_foreign_hashes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_no_hash, setup, teardown),
        cmocka_unit_test_setup_teardown(test_threads, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
