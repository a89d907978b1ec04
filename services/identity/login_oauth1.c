/* Method "oauth1": a request that a consumer signed with its secret and that of an access token. It acts for the user who authorized
 * that, in the one project, with what is left of the roles. */
#include "base/clock.h"
#include "base/str.h"
#include "login.h"
#include "oauth1.h"
#include "path_objects.h"

static bool
is_alive(const struct oauth_access_find_row *row)
{
    return row->expires_at_null || row->expires_at >= clock_now_us();
}

/* From here on the request is the access token's: bound to its project and its end. */
static void
take_access_token(const char *id, const struct oauth_access_find_row *row, struct login *l)
{
    l->who.access_token_id = id;
    l->who.consumer_id = row->consumer_id;
    l->access_token_project_id = row->project_id;
    l->ends_us = row->expires_at_null ? 0 : row->expires_at;
}

int
login_enter_access_token(struct call *call, const char *id, const struct account_login_row *user,
                         struct login *l, struct fault *f)
{
    struct oauth_access_find_row row;
    int found = oauth_access_find(call->db, id, &row, f);

    if (found < 0)
        return -1;
    if (found == 0 || !str_equal(row.user_id, user->id) || !is_alive(&row))
        return login_refused(call, "its access token is gone or expired", f);
    take_access_token(id, &row, l);
    return 0;
}

int
login_oauth1(struct call *call, const struct auth_identity *in, struct login *l, struct fault *f)
{
    const char *id;
    struct oauth_access_find_row row;
    struct account_login_row user;
    struct oauth1 o;
    int found;

    (void)in;
    if (oauth1_parse(call->arena, http_header(call->request, "Authorization"), &o, f) < 0)
        return -1;
    id = oauth1_get(&o, "oauth_token");
    if (str_empty(id))
        return expecting_to_find("oauth_token", "request", f);
    found = oauth_access_find(call->db, id, &row, f);
    if (found < 0)
        return -1;
    if (found == 0 || !str_equal(row.consumer_id, oauth1_get(&o, "oauth_consumer_key")) ||
        !is_alive(&row))
        return login_refused(call, "no such access token of that consumer, or it has expired", f);
    if (oauth_check_signed(call, call->db, &o, row.secret, "Could not validate the access token",
                           f) < 0)
        return f->kind == FAULT_UNAUTHORIZED ? login_refused(call, "not signed so", f) : -1;
    found = login_load_user(call, row.user_id, &user, f);
    if (found < 0)
        return -1;
    if (found == 0 || !login_account_enabled(&user))
        return login_refused(call, "who authorized the access token is gone or disabled", f);
    take_access_token(id, &row, l);
    return login_take_user(call, &user, l, f);
}
