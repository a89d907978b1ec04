/* Logging in: see login.h. */
#include "login.h"

#include "base/clock.h"
#include "base/random.h"
#include "base/str.h"
#include "compliance.h"
#include "receipt.h"
#include "revocations.h"

static const struct {
    const char *name;
    login_method_fn check;
} methods[] = {
    { "password", login_password },
    { "totp", login_totp },
    { "application_credential", login_app_cred },
    { "token", login_token },
    { "mapped", login_mapped },
    { "openid", login_mapped },
    { "oauth1", login_oauth1 },
    { "saml2", login_mapped },
};

int
login_refused(struct call *call, const char *cause, struct fault *f)
{
    call_header(call, "WWW-Authenticate",
                arena_printf(call->arena, "Keystone uri=\"%s\"", call->base_url));
    fault_clear(f);
    fault_raise(f, FAULT_UNAUTHORIZED, "The request you have made requires authentication.");
    return fault_add_cause(f, "%s", cause);
}

/* Nobody has used it for longer than the cloud allows: as if an administrator had disabled it. */
static void
disable_inactive(struct call *call, struct account_login_row *row)
{
    struct user_options options = user_options_read(row->options);

    if (compliance_inactive(identity_of(call)->compliance, &options, row->active_at,
                            clock_now_us()))
        row->enabled = false;
}

int
login_load_user(struct call *call, const char *id, struct account_login_row *ret, struct fault *f)
{
    int found = account_by_id(call->db, id, ret, f);

    if (found == 1)
        disable_inactive(call, ret);
    return found;
}

int
login_find_user(struct call *call, const struct user_ref *user, struct account_login_row *ret,
                struct fault *f)
{
    const struct domain_ref *domain = user->domain;

    int found;

    if (user->id != NULL)
        return login_load_user(call, user->id, ret, f);
    if (user->name == NULL || domain == NULL || (domain->id == NULL && domain->name == NULL))
        return fault_raise_field(f, "user", "Expecting to find id or name with domain in user.");
    found = account_by_name(call->db, user->name, domain->id, domain->name, ret, f);
    if (found == 1)
        disable_inactive(call, ret);
    return found;
}

bool
login_account_enabled(const struct account_login_row *row)
{
    return row->enabled && row->domain_enabled;
}

int
login_take_user(struct call *call, const struct account_login_row *row, struct login *l,
                struct fault *f)
{
    if (l->who.user_id != NULL && !str_equal(l->who.user_id, row->id))
        return login_refused(call, "methods name different users", f);
    if (l->default_project_id == NULL)
        l->default_project_id = row->default_project_id;
    l->options = row->options;
    l->who.user_id = row->id;
    l->who.user_name = row->name;
    l->who.user_domain_id = row->domain_id;
    l->who.user_domain_name = row->domain_name;
    l->who.password_expires_us = row->password_expires_at_null ? 0 : row->password_expires_at;
    return 0;
}

#define DECOYS 64 /* Rows of login_decoy. */

/* Who has failed too often is refused whatever he shows. All that run here when a login fails run for every login that
 * fails: two statements, one of which writes a row. The guesses of one moment are put in order by that row, so no more of
 * them count than one after the other would. Returns 1: open. */
static int
count_attempt(struct call *call, const char *id, bool right, struct fault *f)
{
    const struct identity *identity = identity_of(call);
    int64_t most = identity->config->lockout_failure_attempts;
    int64_t since = compliance_lockout_since(identity->compliance, clock_now_us());
    struct account_open_row row = { 0 };
    int open = account_open(call->db, id, most, since, &row, f);

    if (open < 0)
        return -1;
    if (right && (id == NULL || open == 1)) /* NULL: of a user whose failures don't count. */
        return row.failed == 0 || account_unlock(call->db, id, f) >= 0 ? 1 : -1;
    return account_attempt_failed(call->db, right ? NULL : id, most, since,
                                  (int64_t)random_below(DECOYS), f) < 0
               ? -1
               : 0;
}

static int
note_seen(struct call *call, const struct account_login_row *row, struct fault *f)
{
    const int64_t day_us = INT64_C(86400000000), now_us = clock_now_us();

    if (identity_of(call)->config->disable_user_account_days_inactive == 0)
        return 0;
    return account_seen(call->db, row->id, now_us, now_us - now_us % day_us, f) < 0 ? -1 : 0;
}

int
login_judge(struct call *call, const struct account_login_row *row, bool right, const char *cause,
            struct refusal_pace *pace, int64_t begun_us, struct fault *f)
{
    const struct identity *identity = identity_of(call);
    struct user_options options = user_options_read(row == NULL ? NULL : row->options);
    bool alive = row != NULL && login_account_enabled(row);
    int open = 1;

    if (identity->config->lockout_failure_attempts > 0)
        open = count_attempt(call,
                             alive && compliance_counts(identity->compliance, &options) ? row->id
                                                                                        : NULL,
                             right && alive, f);
    if (open < 0)
        return -1;
    if (!right || !alive || open == 0) {
        refusal_pace_wait(pace, begun_us);
        return login_refused(call,
                             row == NULL ? "no such user"
                             : !right    ? cause
                             : !alive    ? "user or domain disabled"
                                         : "locked after too many failed logins",
                             f);
    }
    return note_seen(call, row, f);
}

void
login_add_method(struct call *call, struct auth_context *c, const char *name)
{
    const char **list = ARENA_ARRAY(call->arena, const char *, c->methods_count + 2);

    for (size_t i = 0; i < c->methods_count; i++) {
        if (str_equal(c->methods[i], name))
            return;
        list[i] = c->methods[i];
    }
    list[c->methods_count++] = name;
    c->methods = list;
}

static login_method_fn
find_method(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        if (str_equal(methods[i].name, name))
            return methods[i].check;
    }
    return NULL;
}

bool
login_method_known(const char *name)
{
    return find_method(name) != NULL;
}

/* All were right, and the receipt too; now the passcode is used. Of two who show it at once one is late. */
static int
use_passcode(struct call *call, const struct login *l, struct fault *f)
{
    int64_t used;

    if (l->totp_credential_id == NULL)
        return 0;
    used = credential_use_step(call->db, l->totp_credential_id, l->totp_step, f);
    if (used < 0)
        return -1;
    return used == 1 ? 0 : login_refused(call, "a passcode that was used before", f);
}

static int
check_methods(struct call *call, const struct auth_identity *in, struct login *l, struct fault *f)
{
    /* Each may write that it failed, so none may make the request begin anew after another. */
    if (in->methods.count > 1 && call_take_time(call) < 0)
        return -1;
    for (size_t i = 0; i < in->methods.count; i++) {
        const char *name = in->methods.items[i];
        login_method_fn check = find_method(name);

        for (size_t j = 0; j < i; j++) {
            if (str_equal(in->methods.items[j], name))
                return fault_raise_field(f, "methods", "Method %.64s stands twice.", name);
        }
        if (check == NULL)
            return login_refused(call, "a method that is not known", f);
        /* A password's turn has to come first; then that begins it. */
        if ((check != login_password && login_begin(call, l, f) < 0) || check(call, in, l, f) < 0)
            return -1;
        login_add_method(call, &l->who, name);
    }
    return 0;
}

int
login_begin(struct call *call, struct login *l, struct fault *f)
{
    return l->issued_us != 0 ? 0 : revocations_moment(call, &l->issued_us, f);
}

int
login(struct call *call, const struct auth_identity *in, struct login *ret, struct fault *f)
{
    struct user_options options;
    struct login l = { 0 };

    if (check_methods(call, in, &l, f) < 0 || receipt_take(call, &l, f) < 0 ||
        use_passcode(call, &l, f) < 0)
        return -1;
    options = user_options_read(l.options);
    if (!user_rules_satisfied(&options, l.who.methods, l.who.methods_count, login_method_known))
        return receipt_reply(call, &l, &options, f) < 0 ? -1 : 1;
    *ret = l;
    return 0;
}
