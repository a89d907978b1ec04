/* A user's options: what a request may say, how it is laid over what is stored, and which methods satisfy his rules. */
#include "services/identity/user_options.h"

#include "base/str.h"
#include "tests/unit/asserts.h"

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

static json_t *
parsed(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);

    if (value == NULL)
        fail_msg("not JSON: %s", text);
    return json_own(arena, value);
}

static void
test_check(void **state)
{
    static const struct {
        const char *options, *refused; /* Field; NULL: accepted. */
    } cases[] = {
        { "{}", NULL },
        { "{\"lock_password\": true, \"ignore_password_expiry\": false}", NULL },
        { "{\"lock_password\": null, \"multi_factor_auth_rules\": null}", NULL },
        { "{\"lock_password\": \"true\"}", "user.options.lock_password" },
        { "{\"lock_password\": 1}", "user.options.lock_password" },
        { "{\"ignore_user_inactivity\": []}", "user.options.ignore_user_inactivity" },
        { "{\"immutable\": true}", "user.options.immutable" },
        { "{\"\": null}", "user.options." },
        { "{\"multi_factor_auth_rules\": []}", NULL },
        { "{\"multi_factor_auth_rules\": [[\"password\", \"totp\"], [\"password\"]]}", NULL },
        { "{\"multi_factor_auth_rules\": [\"password\"]}", "multi_factor_auth_rules" },
        { "{\"multi_factor_auth_rules\": \"password\"}", "multi_factor_auth_rules" },
        { "{\"multi_factor_auth_rules\": [[]]}", "multi_factor_auth_rules" },
        { "{\"multi_factor_auth_rules\": [[\"\"]]}", "multi_factor_auth_rules" },
        { "{\"multi_factor_auth_rules\": [[1]]}", "multi_factor_auth_rules" },
        { "{\"multi_factor_auth_rules\": [[[\"password\"]]]}", "multi_factor_auth_rules" },
        { "{\"multi_factor_auth_rules\": [[\"a\", \"a\"]]}", "multi_factor_auth_rules" },
        { "{\"multi_factor_auth_rules\": [[\"a\", \"b\"], [\"a\", \"b\"]]}",
          "multi_factor_auth_rules" },
        { "{\"multi_factor_auth_rules\": {}}", "multi_factor_auth_rules" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fault f = { 0 };
        int r = user_options_check(parsed(cases[i].options), &f);

        if ((r < 0) != (cases[i].refused != NULL))
            fail_msg("%s: %s", cases[i].options, f.message);
        if (r < 0 && strstr(f.field, cases[i].refused) == NULL)
            fail_msg("%s: field %s", cases[i].options, f.field);
    }
}

/* Lists, names and their letters are bounded. */
static void
test_sizes(void **state)
{
    static const struct {
        size_t rules, methods, letters;
        bool valid;
    } cases[] = {
        { USER_RULES_MAX, 1, 5, true },   { USER_RULES_MAX + 1, 1, 5, false },
        { 1, USER_METHODS_MAX, 5, true }, { 1, USER_METHODS_MAX + 1, 5, false },
        { 1, 1, USER_METHOD_MAX, true },  { 1, 1, USER_METHOD_MAX + 1, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        json_t *rules = json_array();
        json_t *options = json_own(arena, json_pack("{so}", "multi_factor_auth_rules", rules));
        struct fault f = { 0 };

        for (size_t r = 0; r < cases[i].rules; r++) {
            json_t *rule = json_array();

            for (size_t m = 0; m < cases[i].methods; m++)
                json_array_append_new(rule, json_string(arena_printf(arena, "%0*zu",
                                                                     (int)cases[i].letters,
                                                                     r * 100 + m)));
            json_array_append_new(rules, rule);
        }
        assert_int_equal(user_options_check(options, &f) == 0, cases[i].valid);
    }
}

static void
test_merge(void **state)
{
    static const struct {
        const char *old, *given, *merged;
    } cases[] = {
        { "{}", "{\"a\": true}", "{\"a\": true}" },
        { "{\"a\": true}", "{}", "{\"a\": true}" },
        { "{\"a\": true, \"b\": 1}", "{\"a\": null}", "{\"b\": 1}" },
        { "{\"a\": true}", "{\"a\": false, \"b\": null}", "{\"a\": false}" },
        { "null", "{\"a\": true}", "{\"a\": true}" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        json_t *old = parsed(cases[i].old);
        char *before = json_text(arena, old);

        assert_true(json_equal(user_options_merge(arena, old, parsed(cases[i].given)),
                               parsed(cases[i].merged)));
        assert_string_equal(json_text(arena, old), before);
    }
}

static void
test_read(void **state)
{
    struct user_options o = user_options_read(NULL);

    (void)state;
    assert_true(o.multi_factor_auth_enabled);
    assert_false(o.lock_password);
    assert_null(o.multi_factor_auth_rules);
    o = user_options_read(parsed("{\"lock_password\": true, \"multi_factor_auth_enabled\": false, "
                                 "\"ignore_user_inactivity\": \"yes\"}"));
    assert_true(o.lock_password);
    assert_false(o.multi_factor_auth_enabled);
    assert_false(o.ignore_user_inactivity);
}

static bool
known(const char *method)
{
    return str_equal(method, "password") || str_equal(method, "totp") || str_equal(method, "token");
}

static void
test_rules(void **state)
{
    static const struct {
        const char *options, *methods;
        bool satisfied;
        const char *begun;
    } cases[] = {
        { "{}", "password", true, "[]" },
        { "{\"multi_factor_auth_rules\": []}", "password", true, "[]" },
        { "{\"multi_factor_auth_rules\": [[\"password\", \"totp\"]]}", "password", false,
          "[[\"password\", \"totp\"]]" },
        { "{\"multi_factor_auth_rules\": [[\"password\", \"totp\"]]}", "totp,password", true,
          "[[\"password\", \"totp\"]]" },
        { "{\"multi_factor_auth_rules\": [[\"password\", \"totp\"]]}", "token", false, "[]" },
        { "{\"multi_factor_auth_rules\": [[\"password\", \"totp\"], [\"token\"]]}", "token", true,
          "[[\"token\"]]" },
        { "{\"multi_factor_auth_rules\": [[\"password\", \"totp\"]], "
          "\"multi_factor_auth_enabled\": false}",
          "password", true, "[[\"password\", \"totp\"]]" },
        { "{\"multi_factor_auth_rules\": [[\"password\", \"totp\"]], "
          "\"multi_factor_auth_enabled\": true}",
          "password", false, "[[\"password\", \"totp\"]]" },
        /* A method that this cloud doesn't have locks nobody out. */
        { "{\"multi_factor_auth_rules\": [[\"password\", \"retina\"]]}", "password", true,
          "[[\"password\"]]" },
        { "{\"multi_factor_auth_rules\": [[\"password\", \"retina\"], [\"password\", \"totp\"]]}",
          "totp", false, "[[\"password\", \"totp\"]]" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct user_options o = user_options_read(parsed(cases[i].options));
        size_t count;
        const char *const *methods =
            (const char *const *)str_split(arena, cases[i].methods, ',', &count);

        if (user_rules_satisfied(&o, methods, count, known) != cases[i].satisfied)
            fail_msg("%s with %s", cases[i].options, cases[i].methods);
        if (!json_equal(user_rules_begun(arena, &o, methods, count, known), parsed(cases[i].begun)))
            fail_msg("%s with %s: begun", cases[i].options, cases[i].methods);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_check, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sizes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_merge, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rules, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
