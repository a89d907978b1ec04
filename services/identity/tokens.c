/* /v3/auth: tokens made, shown and revoked; what the caller may scope to. */
#include "tokens.h"

#include "auth/token.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/str.h"
#include "revocations.h"

static const char *
new_audit_id(struct arena *a)
{
    unsigned char bytes[16];

    random_bytes(bytes, sizeof(bytes));
    return str_base64url(a, bytes, sizeof(bytes));
}

static bool
wants_catalog(const struct call *call)
{
    return call_query(call, "nocatalog") == NULL;
}

int
token_create(struct call *call, const struct auth_request *in, struct fault *f)
{
    struct identity *identity = identity_of(call);
    struct auth_context token;
    struct login l;
    char *text;

    if (login(call, in->identity, &l, f) < 0)
        return -1;
    token = l.who;
    if (scope_resolve(call, in->scope, l.default_project_id, &token, f) < 0)
        return -1;
    token.issued_us = clock_now_us();
    if (token.expires_us == 0)
        token.expires_us = token.issued_us + identity->config->token_ttl_s * INT64_C(1000000);
    token.audit_id = new_audit_id(call->arena);
    if (token.audit_chain_id == NULL)
        token.audit_chain_id = token.audit_id;
    if (token_sign(identity->keyring, call->arena, &token, &text, f) < 0)
        return -1;
    call_header(call, "X-Subject-Token", text);
    return token_write(call, &token, wants_catalog(call), f);
}

/* The token that the request is about; its own caller may always look. */
static int
subject(struct call *call, const char *rule, struct auth_context *ret, struct fault *f)
{
    const char *text = http_header(call->request, "X-Subject-Token");
    const char *own = http_header(call->request, "X-Auth-Token");

    if (text == NULL)
        return fault_raise_field(f, "X-Subject-Token", "The header X-Subject-Token is missing.");
    if (call_check_token(call, text, ret, f) < 0) {
        if (call->declined || f->kind != FAULT_UNAUTHORIZED)
            return -1;
        fault_clear(f);
        return fault_raise(f, FAULT_NOT_FOUND, "Could not find token.");
    }
    if (!str_equal(text, own) && !str_equal(ret->user_id, call->auth.user_id) &&
        call_enforce(call, rule, NULL, NULL, f) < 0)
        return -1;
    call_header(call, "X-Subject-Token", text);
    return 0;
}

int
token_validate(struct call *call, struct fault *f)
{
    struct auth_context token;

    if (subject(call, "identity:validate_token", &token, f) < 0)
        return -1;
    return token_write(call, &token, wants_catalog(call), f);
}

int
token_revoke(struct call *call, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct auth_context token;
    struct revocation r = { 0 };

    if (subject(call, "identity:revoke_token", &token, f) < 0)
        return -1;
    if (str_equal(token.audit_id, token.audit_chain_id))
        r.audit_chain_id =
            token
                .audit_chain_id; /* The first of a chain takes all with it that were made from it. */
    else
        r.audit_id = token.audit_id;
    if (db_tx_begin(&tx, call->db, f) < 0 || revoke_tokens(call, &tx, &r, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

int
auth_catalog(struct call *call, struct fault *f)
{
    struct jsonw *w = call_json(call);

    if (call->auth.scope == SCOPE_NONE)
        return fault_raise(f, FAULT_FORBIDDEN, "An unscoped token has no catalog.");
    jsonw_object(w, NULL);
    if (catalog_write(call, &call->auth, w, "catalog", f) < 0)
        return -1;
    jsonw_object(w, "links");
    jsonw_text(w, "self", call_url(call, "/v3/auth/catalog"));
    jsonw_text(w, "next", NULL);
    jsonw_text(w, "previous", NULL);
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}
