/* Method "application_credential": its id, or its user and name, and its secret. It is bound to the project that it was made for, and
 * its token carries the rules that it was made with. */
#include "app_cred.h"

#include "base/clock.h"
#include "base/str.h"

/* The credential and its owner. 1; 0: there is none, or not of that name, or its user is gone; -1. */
static int
find(struct call *call, const struct auth_app_cred *in, struct app_cred_login_row *ret,
     struct account_login_row *ret_user, struct fault *f)
{
    int found;

    if (in->id != NULL) {
        found = app_cred_by_id(call->db, in->id, ret, f);
        return found == 1 ? login_load_user(call, ret->user_id, ret_user, f) : found;
    }
    if (in->name == NULL || in->user == NULL)
        return fault_raise_field(
            f, "application_credential",
            "Expecting to find id or name with user in application_credential.");
    found = login_find_user(call, in->user, ret_user, f);
    return found == 1 ? app_cred_by_name(call->db, ret_user->id, in->name, ret, f) : found;
}

static int
take_rules(struct call *call, const char *id, struct auth_context *who, struct fault *f)
{
    const struct texts ids = { .items = &id, .count = 1 };
    struct app_cred_rules_row *rows;
    const char **rules;
    size_t count;

    if (app_cred_rules(call->db, &ids, &rows, &count, f) < 0)
        return -1;
    rules = ARENA_ARRAY(call->arena, const char *, 3 * count + 1);
    for (size_t i = 0; i < count; i++) {
        rules[3 * i] = rows[i].service;
        rules[3 * i + 1] = rows[i].method;
        rules[3 * i + 2] = rows[i].path;
    }
    who->access_rules = rules;
    who->access_rules_count = 3 * count;
    return 0;
}

static bool
is_alive(const struct app_cred_login_row *row, const struct account_login_row *user)
{
    return login_account_enabled(user) &&
           (row->expires_at_null || row->expires_at > clock_now_us());
}

/* From here on the request is the credential's: bound to its project, its rules and its end. */
static int
take_app_cred(struct call *call, const struct app_cred_login_row *row, struct login *l,
              struct fault *f)
{
    l->who.app_cred_id = row->id;
    l->who.app_cred_restricted = !row->unrestricted;
    l->app_cred_project_id = row->project_id;
    l->ends_us = row->expires_at_null ? 0 : row->expires_at;
    return take_rules(call, row->id, &l->who, f);
}

int
login_enter_app_cred(struct call *call, const char *id, const struct account_login_row *user,
                     struct login *l, struct fault *f)
{
    struct app_cred_login_row row = { 0 };
    int found = app_cred_by_id(call->db, id, &row, f);

    if (found < 0)
        return -1;
    if (found == 0 || !str_equal(row.user_id, user->id) || !is_alive(&row, user))
        return login_refused(call, "its application credential is gone or expired", f);
    return take_app_cred(call, &row, l, f);
}

int
login_app_cred(struct call *call, const struct auth_identity *in, struct login *l, struct fault *f)
{
    const struct auth_app_cred *shown = in->application_credential;
    struct app_cred_login_row row = { 0 };
    struct account_login_row user = { 0 };
    int64_t begun_us;
    bool right, alive;
    int found;

    if (shown == NULL || shown->secret == NULL)
        return fault_raise_field(f, "application_credential",
                                 "Expecting to find secret in application_credential.");
    /* With a name it says whether there is such a user: all of it has to be within the time that is the same for all. */
    if (shown->id == NULL && call_take_time(call) < 0)
        return -1;
    begun_us = clock_mono_us();
    found = find(call, shown, &row, &user, f);
    if (found < 0)
        return -1;
    right = app_cred_verify(call, shown->secret, found == 1 ? row.secret_hash : NULL);
    if (call->declined)
        return -1;
    alive = found == 1 && is_alive(&row, &user);
    if (!right || !alive) {
        refusal_pace_wait(identity_of(call)->app_cred_pace, begun_us);
        return login_refused(call,
                             found == 0 ? "no such application credential"
                             : !right   ? "wrong secret"
                                        : "application credential expired or its user disabled",
                             f);
    }
    if (login_take_user(call, &user, l, f) < 0)
        return -1;
    return take_app_cred(call, &row, l, f);
}
