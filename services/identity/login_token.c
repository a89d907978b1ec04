/* Method "token": from a token that is still good to one with another scope. It never lives longer than the one it came from. */
#include "delegation.h"
#include "federation_login.h"
#include "login.h"

static int
forbid(const char *why, struct fault *f)
{
    return fault_raise(f, FAULT_FORBIDDEN,
                       "You are not authorized to perform the requested action: %s", why);
}

/* May this token become one with another scope? What was made to be narrow stays so. */
static int
check_exchange(struct call *call, const struct auth_context *old, struct fault *f)
{
    const json_t *scope = json_object_get(json_object_get(call->body, "auth"), "scope");

    if (old->trust_id != NULL)
        return forbid("Using trust-scoped token to create another token. Create a new trust-scoped "
                      "token instead.",
                      f);
    if (old->scope == SCOPE_SYSTEM &&
        (json_object_get(scope, "project") != NULL || json_object_get(scope, "domain") != NULL))
        return forbid("Using a system-scoped token to create a project-scoped or domain-scoped "
                      "token is not allowed.",
                      f);
    if (delegation_is(old))
        return forbid("Using a delegated token to create another token is not allowed.", f);
    if (!identity_of(call)->config->allow_rescope_scoped_token &&
        (old->scope == SCOPE_PROJECT || old->scope == SCOPE_DOMAIN))
        return forbid("rescope a scoped token.", f);
    return 0;
}

int
login_token(struct call *call, const struct auth_identity *in, struct login *l, struct fault *f)
{
    struct account_login_row row;
    struct auth_context old;
    int found;

    if (in->token == NULL)
        return fault_raise_field(f, "token", "Expecting to find token in identity.");
    if (authenticator_check(api_server_authenticator(call->server), call->arena, in->token->id,
                            &old, f) < 0)
        return login_refused(call, "token refused", f);
    found = login_load_user(call, old.user_id, &row, f);
    if (found < 0)
        return -1;
    if (found == 0 || !login_account_enabled(&row))
        return login_refused(call, "the token's user is gone or disabled", f);
    if (check_exchange(call, &old, f) < 0 || federation_check_way(call, &old, f) < 0 ||
        login_take_user(call, &row, l, f) < 0)
        return -1;
    l->who.expires_us = old.expires_us;
    l->who.audit_chain_id = old.audit_chain_id;
    l->who.methods = old.methods;
    l->who.methods_count = old.methods_count;
    l->who.idp_id = old.idp_id;
    l->who.protocol_id = old.protocol_id;
    l->who.group_ids = old.group_ids;
    l->who.group_ids_count = old.group_ids_count;
    return 0;
}
