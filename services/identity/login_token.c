/* Method "token": from a token that is still good to one with another scope. It never lives longer than the one it came from. */
#include "login.h"

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
    found = account_by_id(call->db, old.user_id, &row, f);
    if (found < 0)
        return -1;
    if (found == 0 || !login_account_enabled(&row))
        return login_refused(call, "the token's user is gone or disabled", f);
    if (login_take_user(call, &row, l, f) < 0)
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
