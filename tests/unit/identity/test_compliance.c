/* Decisions of [security_compliance], each case a line. */
#include "services/identity/compliance.h"

#include "tests/unit/asserts.h"

#define DAY INT64_C(86400000000)
#define NOW (INT64_C(20000) * DAY + 123456789)

static struct compliance *
made(const struct identity_config *config)
{
    struct compliance *c;
    struct fault f = { 0 };

    assert_ok(compliance_new(config, &c, &f));
    return c;
}

static void
test_expression(void **state)
{
    static const struct {
        const char *expression, *password;
        bool good;
    } cases[] = {
        { "", "", true },
        { "", "anything", true },
        { "^(?=.*\\d)(?=.*[a-zA-Z]).{7,}$", "abcdef1", true },
        { "^(?=.*\\d)(?=.*[a-zA-Z]).{7,}$", "abcdefg", false },
        { "^(?=.*\\d)(?=.*[a-zA-Z]).{7,}$", "1234567", false },
        { "^(?=.*\\d)(?=.*[a-zA-Z]).{7,}$", "abc1", false },
        { ".{3}", "ab", false },
        { ".{3}$", "\xc3\xa4\xc3\xb6\xc3\xbc", true }, /* Characters, not bytes. */
        { ".{4}", "\xc3\xa4\xc3\xb6\xc3\xbc", false },
        { "b", "abc", false }, /* From the beginning on, as Python's re.match() does. */
        { "a", "abc", true },
        { "(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", false }, /* Bounded. */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct identity_config config = { .password_regex = cases[i].expression,
                                          .password_regex_description = "be good" };
        struct compliance *c = made(&config);
        struct fault f = { 0 };
        int r = compliance_check_password(c, cases[i].password, &f);

        if (cases[i].good)
            assert_ok(r);
        else
            assert_fault(r, f, FAULT_INVALID, "requirements: be good.");
        compliance_free(c);
    }
}

static void
test_expression_that_is_none(void **state)
{
    static const char *const expressions[] = { "(", "[a-", "a{2,1}", "(?<x" };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(expressions); i++) {
        struct identity_config config = { .password_regex = expressions[i] };
        struct compliance *c;
        struct fault f = { 0 };

        assert_fault(compliance_new(&config, &c, &f), f, FAULT_INVALID, "password_regex");
    }
}

static void
test_expiry(void **state)
{
    static const struct {
        int64_t days;
        bool first_use, by_admin, ignore_expiry, ignore_first_use;
        int64_t expires;
    } cases[] = {
        { 0, false, false, false, false, 0 },
        { 0, false, true, false, false, 0 },
        { 30, false, false, false, false, NOW + 30 * DAY - NOW % 1000000 },
        { 30, false, true, false, false, NOW + 30 * DAY - NOW % 1000000 },
        { 30, false, true, true, false, 0 },
        { 0, true, false, false, false, 0 },
        { 0, true, true, false, false, NOW },
        { 30, true, true, false, false, NOW },
        { 0, true, true, false, true, 0 },
        { 30, true, true, false, true, NOW + 30 * DAY - NOW % 1000000 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct identity_config config = { .password_expires_days = cases[i].days,
                                          .change_password_upon_first_use = cases[i].first_use };
        struct user_options o = { .ignore_password_expiry = cases[i].ignore_expiry,
                                  .ignore_change_password_upon_first_use =
                                      cases[i].ignore_first_use };
        struct compliance *c = made(&config);

        assert_int_equal(compliance_expiry(c, &o, NOW, cases[i].by_admin), cases[i].expires);
        compliance_free(c);
    }
    assert_false(compliance_expired(&(struct user_options){ 0 }, 0, NOW));
    assert_false(compliance_expired(&(struct user_options){ 0 }, NOW + 1, NOW));
    assert_true(compliance_expired(&(struct user_options){ 0 }, NOW, NOW));
    assert_false(
        compliance_expired(&(struct user_options){ .ignore_password_expiry = true }, 1, NOW));
}

static void
test_age(void **state)
{
    static const struct {
        int64_t days, changed;
        const char *refused;
    } cases[] = {
        { 0, NOW, NULL },
        { 2, 0, NULL },
        { 2, NOW - 2 * DAY, NULL },
        { 2, NOW - 2 * DAY + 1, "2 day(s) before it can be changed. Please try again in 0 day(s)" },
        { 2, NOW, "try again in 2 day(s)" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct identity_config config = { .minimum_password_age = cases[i].days };
        struct compliance *c = made(&config);
        struct fault f = { 0 };
        int r = compliance_check_age(c, cases[i].changed, NOW, &f);

        if (cases[i].refused == NULL)
            assert_ok(r);
        else
            assert_fault(r, f, FAULT_INVALID, cases[i].refused);
        compliance_free(c);
    }
}

static void
test_inactive(void **state)
{
    static const struct {
        int64_t days, active;
        bool ignore, inactive;
    } cases[] = {
        { 0, 1, false, false },
        { 30, NOW, false, false },
        { 30, NOW - 29 * DAY, false, false },
        { 30, NOW - 30 * DAY, false, true },
        { 30, NOW - 30 * DAY, true, false },
        { 1, NOW - NOW % DAY, false, false }, /* Days of the calendar, as upstream counts them. */
        { 1, NOW - NOW % DAY - 1, false, true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct identity_config config = { .disable_user_account_days_inactive = cases[i].days };
        struct user_options o = { .ignore_user_inactivity = cases[i].ignore };
        struct compliance *c = made(&config);

        assert_int_equal(compliance_inactive(c, &o, cases[i].active, NOW), cases[i].inactive);
        compliance_free(c);
    }
}

static void
test_lockout(void **state)
{
    struct identity_config config = { .lockout_failure_attempts = 3, .lockout_duration_s = 10 };
    struct compliance *c = made(&config);

    (void)state;
    assert_true(compliance_counts(c, &(struct user_options){ 0 }));
    assert_false(
        compliance_counts(c, &(struct user_options){ .ignore_lockout_failure_attempts = true }));
    assert_int_equal(compliance_lockout_since(c, NOW), NOW - 10000000);
    config.lockout_duration_s = 0; /* For ever: since the beginning of time. */
    assert_int_equal(compliance_lockout_since(c, NOW), 0);
    config.lockout_failure_attempts = 0;
    assert_false(compliance_counts(c, &(struct user_options){ 0 }));
    compliance_free(c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expression), cmocka_unit_test(test_expression_that_is_none),
        cmocka_unit_test(test_expiry),     cmocka_unit_test(test_age),
        cmocka_unit_test(test_inactive),   cmocka_unit_test(test_lockout),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
