#include "compliance.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#define SECOND_US INT64_C(1000000)
#define DAY_US (24 * 60 * 60 * SECOND_US)
#define STEPS_MAX 1000000 /* Of one match: what takes longer doesn't match. */

struct compliance {
    const struct identity_config *config;
    pcre2_code *expression; /* NULL: any password will do. */
    pcre2_match_context *limits;
};

int
compliance_new(const struct identity_config *config, struct compliance **ret, struct fault *f)
{
    struct compliance *c = calloc(1, sizeof(*c));
    const char *text = config->password_regex;
    char why[128] = "";
    int code = 0;
    size_t at = 0;

    if (c == NULL)
        abort();
    c->config = config;
    *ret = c;
    if (text == NULL || text[0] == '\0')
        return 0;
    c->expression = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
                                  PCRE2_ANCHORED | PCRE2_UTF | PCRE2_UCP, &code, &at, NULL);
    c->limits = pcre2_match_context_create(NULL);
    if (c->expression != NULL && c->limits != NULL) {
        pcre2_set_match_limit(c->limits, STEPS_MAX);
        return 0;
    }
    pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof(why));
    compliance_free(c);
    *ret = NULL;
    return fault_raise_field(f, "security_compliance.password_regex",
                             "[security_compliance] password_regex: %s at character %zu", why, at);
}

void
compliance_free(struct compliance *c)
{
    if (c == NULL)
        return;
    pcre2_code_free(c->expression);
    pcre2_match_context_free(c->limits);
    free(c);
}

int
compliance_check_password(const struct compliance *c, const char *password, struct fault *f)
{
    pcre2_match_data *match;
    int r;

    if (c->expression == NULL)
        return 0;
    match = pcre2_match_data_create_from_pattern(c->expression, NULL);
    if (match == NULL)
        abort();
    r = pcre2_match(c->expression, (PCRE2_SPTR)password, strlen(password), 0, 0, match, c->limits);
    pcre2_match_data_free(match);
    if (r >= 0)
        return 0;
    return fault_raise_field(f, "password", "The password does not match the requirements: %s.",
                             c->config->password_regex_description);
}

int64_t
compliance_expiry(const struct compliance *c, const struct user_options *o, int64_t now_us,
                  bool by_admin)
{
    int64_t expires_us = now_us + c->config->password_expires_days * DAY_US;

    if (by_admin && c->config->change_password_upon_first_use &&
        !o->ignore_change_password_upon_first_use)
        return now_us;
    if (c->config->password_expires_days == 0 || o->ignore_password_expiry)
        return 0;
    return expires_us - expires_us % SECOND_US;
}

bool
compliance_expired(const struct user_options *o, int64_t expires_us, int64_t now_us)
{
    return expires_us != 0 && expires_us <= now_us && !o->ignore_password_expiry;
}

int
compliance_check_age(const struct compliance *c, int64_t changed_us, int64_t now_us,
                     struct fault *f)
{
    int64_t days = c->config->minimum_password_age, until_us = changed_us + days * DAY_US;

    if (changed_us == 0 || until_us <= now_us)
        return 0;
    return fault_raise_field(
        f, "password",
        "You cannot change your password at this time due to the minimum password age. Once you "
        "change your password, it must be used for %lld day(s) before it can be changed. Please "
        "try again in %lld day(s) or contact your administrator to reset your password.",
        (long long)days, (long long)((until_us - now_us) / DAY_US));
}

bool
compliance_inactive(const struct compliance *c, const struct user_options *o, int64_t active_us,
                    int64_t now_us)
{
    int64_t days = c->config->disable_user_account_days_inactive;

    return days > 0 && !o->ignore_user_inactivity && now_us / DAY_US - active_us / DAY_US >= days;
}

bool
compliance_counts(const struct compliance *c, const struct user_options *o)
{
    return c->config->lockout_failure_attempts > 0 && !o->ignore_lockout_failure_attempts;
}

int64_t
compliance_lockout_since(const struct compliance *c, int64_t now_us)
{
    return c->config->lockout_duration_s == 0 ? 0
                                              : now_us - c->config->lockout_duration_s * SECOND_US;
}
