/* /v3/auth: tokens made, shown and revoked; what the caller may scope to. */
#include "tokens.h"

#include <assert.h>

#include "auth/token.h"
#include "base/random.h"
#include "base/str.h"
#include "revocations.h"
#include "trusts.h"

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
token_make(struct call *call, struct login *l, const json_t *scope, struct auth_context *ret,
           char **ret_text, struct fault *f)
{
    struct identity *identity = identity_of(call);
    struct auth_context token = l->who;
    char *text;

    assert(l->issued_us != 0); /* login_begin() */
    if (scope_resolve(call, scope, l, &token, f) < 0)
        return -1;
    token.issued_us = l->issued_us;
    if (token.expires_us == 0)
        token.expires_us = token.issued_us + identity->config->token_ttl_s * INT64_C(1000000);
    if (l->ends_us != 0 && l->ends_us < token.expires_us)
        token.expires_us = l->ends_us;
    token.audit_id = new_audit_id(call->arena);
    if (token.audit_chain_id == NULL)
        token.audit_chain_id = token.audit_id;
    if (token_sign(identity->keyring, call->arena, &token, &text, f) < 0 ||
        (l->trust_limited && trust_use(call, token.trust_id, f) < 0))
        return -1;
    *ret = token;
    *ret_text = text;
    return 0;
}

int
token_reply(struct call *call, struct login *l, const json_t *scope, struct fault *f)
{
    struct auth_context token;
    char *text;

    if (token_make(call, l, scope, &token, &text, f) < 0)
        return -1;
    call_header(call, "X-Subject-Token", text);
    return token_write(call, &token, wants_catalog(call), f);
}

int
token_create(struct call *call, const struct auth_request *in, struct fault *f)
{
    struct login l;
    int r = login(call, in->identity, &l, f);

    if (r != 0)
        return r < 0 ? -1 : 0; /* Answered: more is to be shown. */
    return token_reply(call, &l, in->scope, f);
}

/* Whose token it is, for the rules: of an impersonating trust's both, the trustor and the trustee who asked for it. */
struct token_target {
    const struct auth_context *token, *caller;
};

static const char *
target_member(const void *object, const char *name)
{
    const struct token_target *t = object;

    if (str_equal(name, "target.token.user_id"))
        return t->token->trustee_id != NULL && str_equal(t->token->trustee_id, t->caller->user_id)
                   ? t->token->trustee_id
                   : t->token->user_id;
    return str_equal(name, "target.token.user.domain.id") ? t->token->user_domain_id : NULL;
}

static int
read_subject(struct call *call, const char *text, struct auth_context *ret, struct fault *f)
{
    int64_t window_s = identity_of(call)->config->common.expired_token_window_s;
    int r = call_check_token(call, text, ret, f);

    if (r == 0 || call->declined || f->kind != FAULT_UNAUTHORIZED)
        return r;
    fault_clear(f);
    if (call_query_bool(call, "allow_expired") &&
        authenticator_check_late(api_server_authenticator(call->server), call->arena, text,
                                 window_s, ret, f) == 0)
        return 0;
    fault_clear(f);
    return fault_raise(f, FAULT_NOT_FOUND, "Could not find token.");
}

/* The token that the request is about; itself may always look. */
static int
subject(struct call *call, const char *rule, struct auth_context *ret, struct fault *f)
{
    const char *text = http_header(call->request, "X-Subject-Token");
    struct token_target object = { .token = ret, .caller = &call->auth };
    struct policy_target target = { .get = target_member, .object = &object };

    if (text == NULL)
        return fault_raise(f, FAULT_NOT_FOUND, "No token in the request");
    if (read_subject(call, text, ret, f) < 0)
        return -1;
    if (!str_equal(text, http_header(call->request, "X-Auth-Token")) &&
        call_enforce_target(call, rule, &target, f) < 0)
        return -1;
    call_header(call, "X-Subject-Token", text);
    return 0;
}

/* Who does not know of access rules would let the token do what it may not: he does not get to see it. */
static int
check_asker_knows_rules(const struct call *call, const struct auth_context *token, struct fault *f)
{
    const char *version = http_header(call->request, "OpenStack-Identity-Access-Rules");

    if (token->access_rules_count == 0 || (version != NULL && strtod(version, NULL) >= 1.0))
        return 0;
    fault_raise(f, FAULT_NOT_FOUND, "Failed to validate token");
    return fault_add_cause(f, "the asker knows nothing of access rules");
}

int
token_validate(struct call *call, struct fault *f)
{
    const char *rule =
        call->request->method == HTTP_HEAD ? "identity:check_token" : "identity:validate_token";
    struct auth_context token;

    if (subject(call, rule, &token, f) < 0 || check_asker_knows_rules(call, &token, f) < 0)
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
