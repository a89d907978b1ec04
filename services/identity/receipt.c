#include "receipt.h"

#include "auth/revocation.h"
#include "auth/token.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/str.h"

#define HEADER "Openstack-Auth-Receipt"

int
receipt_take(struct call *call, struct login *l, struct fault *f)
{
    const struct identity *identity = identity_of(call);
    const char *text = http_header(call->request, HEADER);
    struct auth_context receipt;

    if (text == NULL)
        return 0;
    if (token_verify_receipt(identity->keyring, call->arena, text, clock_now_us(), &receipt, f) < 0)
        return login_refused(call, "receipt refused", f);
    if (!str_equal(receipt.user_id, l->who.user_id))
        return login_refused(call, "another user's receipt", f);
    if (revocations_match(authenticator_revocations(identity->daemon->authenticator), &receipt))
        return login_refused(call, "a receipt that was revoked", f);
    for (size_t i = 0; i < receipt.methods_count; i++)
        login_add_method(call, &l->who, receipt.methods[i]);
    return 0;
}

static int
sign(struct call *call, const struct login *l, struct auth_context *ret, char **ret_text,
     struct fault *f)
{
    const struct identity *identity = identity_of(call);
    unsigned char bytes[16];

    random_bytes(bytes, sizeof(bytes));
    *ret = (struct auth_context){
        .user_id = l->who.user_id,
        .user_name = l->who.user_name,
        .user_domain_id = l->who.user_domain_id,
        .user_domain_name = l->who.user_domain_name,
        .methods = l->who.methods,
        .methods_count = l->who.methods_count,
        .audit_id = str_base64url(call->arena, bytes, sizeof(bytes)),
        .issued_us = l->issued_us,
    };
    ret->audit_chain_id = ret->audit_id;
    ret->expires_us = ret->issued_us + identity->config->receipt_expiration_s * INT64_C(1000000);
    /* One that came of a token lives no longer than that would have. */
    if (l->who.expires_us != 0 && l->who.expires_us < ret->expires_us)
        ret->expires_us = l->who.expires_us;
    return token_sign_receipt(identity->keyring, call->arena, ret, ret_text, f);
}

int
receipt_reply(struct call *call, const struct login *l, const struct user_options *o,
              struct fault *f)
{
    struct auth_context receipt;
    struct jsonw *w;
    char *text;

    if (sign(call, l, &receipt, &text, f) < 0)
        return -1;
    call_status(call, 401);
    call_header(call, HEADER, text);
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_object(w, "receipt");
    jsonw_array(w, "methods");
    for (size_t i = 0; i < receipt.methods_count; i++)
        jsonw_text(w, NULL, receipt.methods[i]);
    jsonw_end(w);
    jsonw_object(w, "user");
    jsonw_text(w, "id", receipt.user_id);
    jsonw_text(w, "name", receipt.user_name);
    jsonw_object(w, "domain");
    jsonw_text(w, "id", receipt.user_domain_id);
    jsonw_text(w, "name", receipt.user_domain_name);
    jsonw_end(w);
    jsonw_end(w);
    call_write_time(call, w, "expires_at", receipt.expires_us);
    call_write_time(call, w, "issued_at", receipt.issued_us);
    jsonw_end(w);
    jsonw_json(w, "required_auth_methods",
               user_rules_begun(call->arena, o, receipt.methods, receipt.methods_count,
                                login_method_known));
    jsonw_end(w);
    return 0;
}
