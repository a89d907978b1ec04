/* Each scheme: what it makes, what it knows of others, and when a hash is to be renewed. */
#include "services/identity/password_schemes.h"

#include "base/str.h"
#include "tests/unit/asserts.h"

static int
setup(void **state)
{
    *state = arena_new();
    return 0;
}

static int
teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static void
test_check(void **state)
{
    static const struct {
        struct password_scheme scheme;
        const char *refused; /* Part of the message; NULL: accepted. */
    } cases[] = {
        { { "bcrypt", 0 }, NULL },       { { "bcrypt", 4 }, NULL },
        { { "bcrypt", 31 }, NULL },      { { "bcrypt", 3 }, "4 to 31" },
        { { "bcrypt", 32 }, "4 to 31" }, { { "yescrypt", 0 }, NULL },
        { { "yescrypt", 11 }, NULL },    { { "yescrypt", 12 }, "1 to 11" },
        { { "scrypt", 0 }, "neither" },  { { "", 0 }, "neither" },
        { { "BCRYPT", 0 }, "neither" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fault f = { 0 };
        int r = password_scheme_check(&cases[i].scheme, &f);

        if (cases[i].refused == NULL)
            assert_ok(r);
        else
            assert_fault(r, f, FAULT_INVALID, cases[i].refused);
    }
}

/* "secret", as passlib and others have stored it. */
static void
test_stored_by_others(void **state)
{
    static const char *const hashes[] = {
        "$bcrypt-sha256$v=2,t=2b,r=4$Z97nWzKILK8xzmmdEJovju$YBgqDn7aTBHa/17iQCe4F0YHUul33AC",
        "$bcrypt-sha256$2b,4$.lz/cQTVsI/wTidEPblY3.$25BOFBp3YEMEy5Vu2mFE5JtEnI03Be6",
        "$scrypt$ln=8,r=8,p=1$lFKq9d7b+39P6T1nLCVkLA$0tyoyDddvCw73Z5A2L1cYoEK20q3pHXNYlMKqJcunJg",
        ("$pbkdf2-sha512$1000$cs65VwohRGiN8X6PMQZAKA$"
         "h3uXxFPoFg.GI/FSATJnaa18DDEP3ejIW555uqztGNd11bUkEboTqWLCvh9qUvs.CjJQpAVAaO7QmV85op1fIg"),
    };
    struct arena *a = *state;

    for (size_t i = 0; i < ARRAY_SIZE(hashes); i++) {
        char *changed = arena_strdup(a, hashes[i]);

        assert_true(password_scheme_verify(a, "secret", hashes[i]));
        assert_false(password_scheme_verify(a, "Secret", hashes[i]));
        assert_false(password_scheme_verify(a, "", hashes[i]));
        changed[strlen(changed) - 5] = changed[strlen(changed) - 5] == 'x' ? 'y' : 'x';
        assert_false(password_scheme_verify(a, "secret", changed));
    }
}

/* Texts that only look like one: no password is right, and none costs more than a moment. */
static void
test_malformed(void **state)
{
    static const char *const hashes[] = {
        "$scrypt$",
        "$scrypt$ln=8,r=8,p=1$$",
        "$scrypt$ln=40,r=8,p=1$AAAA$AAAA",
        "$scrypt$ln=31,r=8,p=1$AAAA$AAAA",
        "$scrypt$ln=8,r=9999,p=9999$AAAA$AAAA",
        "$scrypt$ln=-1,r=8,p=1$AAAA$AAAA",
        "$scrypt$ln=8$AAAA$AAAA",
        "$pbkdf2-sha512$0$AAAA$AAAA",
        "$pbkdf2-sha512$-1$AAAA$AAAA",
        "$pbkdf2-sha512$99999999999$AAAA$AAAA",
        "$pbkdf2-sha512$1000$AAAA$",
        "$pbkdf2-sha512$1000$!$AAAA",
        "$pbkdf2-sha512$1000$AAAA$AAAA$AAAA",
        "$bcrypt-sha256$v=2,t=2b,r=4$$",
        "$bcrypt-sha256$v=2,t=2b,r=99$Z97nWzKILK8xzmmdEJovju$YBgqDn7aTBHa/17iQCe4F0YHUul33AC",
        "$bcrypt-sha256$v=3,t=2b,r=4$Z97nWzKILK8xzmmdEJovju$YBgqDn7aTBHa/17iQCe4F0YHUul33AC",
        "$bcrypt-sha256$x$y$z",
    };

    for (size_t i = 0; i < ARRAY_SIZE(hashes); i++) {
        if (password_scheme_verify(*state, "secret", hashes[i]) ||
            password_scheme_verify(*state, "", hashes[i]))
            fail_msg("right for %s", hashes[i]);
    }
}

static void
test_outdated(void **state)
{
    static const struct password_scheme schemes[] = {
        { "bcrypt", 4 }, { "bcrypt", 5 }, { "yescrypt", 1 }, { "yescrypt", 2 }
    };
    static const char *const foreign[] = { "$6$rounds=1000$abcdefgh$x", "$2y$04$abc", "$2b$04",
                                           "$scrypt$ln=8,r=8,p=1$a$b",  "x",          "" };
    struct arena *a = *state;

    for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
        struct fault f = { 0 };
        char *hash;

        assert_ok(password_scheme_hash(&schemes[i], a, "secret", &hash, &f));
        assert_true(password_scheme_verify(a, "secret", hash));
        assert_false(password_scheme_verify(a, "other", hash));
        for (size_t j = 0; j < ARRAY_SIZE(schemes); j++)
            assert_int_equal(password_scheme_outdated(&schemes[j], hash), i != j);
        for (size_t j = 0; j < ARRAY_SIZE(foreign); j++)
            assert_true(password_scheme_outdated(&schemes[i], foreign[j]));
    }
}

/* No byte is ignored, however long the password is. */
static void
test_length(void **state)
{
    static const struct password_scheme schemes[] = { { "bcrypt", 4 }, { "yescrypt", 1 } };
    static const size_t sizes[] = { 1, 71, 72, 73, 510, 511, 512, 513, 4096 };
    struct arena *a = *state;

    for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(sizes); j++) {
            char *password = ARENA_ARRAY(a, char, sizes[j] + 2), *hash;
            struct fault f = { 0 };

            memset(password, 'p', sizes[j]);
            assert_ok(password_scheme_hash(&schemes[i], a, password, &hash, &f));
            assert_true(password_scheme_verify(a, password, hash));
            password[sizes[j]] = 'p';
            assert_false(password_scheme_verify(a, password, hash));
            password[sizes[j] - 1] = '\0';
            assert_false(password_scheme_verify(a, password, hash));
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_check, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stored_by_others, setup, teardown),
        cmocka_unit_test_setup_teardown(test_malformed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_outdated, setup, teardown),
        cmocka_unit_test_setup_teardown(test_length, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
