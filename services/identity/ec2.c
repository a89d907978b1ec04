/* POST /v3/ec2tokens and /v3/s3tokens: a service that was sent a signed request asks who signed it, and gets a token of his. The
 * secret stays here. */
#include "ec2_signature.h"

#include <ctype.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "credential_secret.h"
#include "credentials.h"
#include "tokens.h"
#include "trusts.h"

#define MINUTE_US INT64_C(60000000)
#define S3_LONGEST_US                                                                              \
    (7 * 24 * 60 * MINUTE_US) /* What S3 lets a signed URL live; its gateway looks closer. */

static const struct ec2_signed_request *
signed_part(const struct ec2_request_body *in)
{
    return in->credentials != NULL  ? in->credentials
           : in->credential != NULL ? in->credential
                                    : in->ec2_credentials;
}

/* The credential of an access key, and what its blob says. */
static int
find_credential(struct call *call, const char *access, struct credential_row *ret,
                json_t **ret_blob, struct fault *f)
{
    const char *text;
    int found = credential_find(call->db, credential_ec2_id(call->arena, access), ret, f);

    if (found < 0)
        return -1;
    if (found == 0 || !str_equal(ret->type, "ec2"))
        return login_refused(call, "no such access key", f);
    if (credential_blob(call, ret, &text, f) < 0)
        return -1;
    if (credential_read_ec2(call->arena, text, ret_blob, f) < 0 ||
        str_empty(json_get_text(*ret_blob, "secret")) ||
        !str_equal(json_get_text(*ret_blob, "access"), access))
        return login_refused(call, "a credential without secret, or of another access key", f);
    return 0;
}

/* --- What is signed is what the service was sent, now. */

static bool
signature_right(struct call *call, const struct ec2_signed_request *in, const char *secret,
                struct ec2_signed *ret, const char **ret_why)
{
    struct ec2_request r = { .verb = in->verb,
                             .host = in->host,
                             .path = in->path,
                             .body_hash = in->body_hash,
                             .params = in->params,
                             .headers = in->headers };

    *ret_why = "wrong signature";
    if (ec2_sign(call->arena, &r, secret, ret, ret_why) < 0)
        return false;
    if (str_equal_secret(ret->text, in->signature))
        return true;
    /* Some clients sign the host without its port. */
    if (in->host == NULL || strchr(in->host, ':') == NULL)
        return false;
    r.host = arena_strndup(call->arena, in->host, strcspn(in->host, ":"));
    return ec2_sign(call->arena, &r, secret, ret, ret_why) == 0 &&
           str_equal_secret(ret->text, in->signature);
}

/* Base64, of either alphabet. */
static bool
s3_signature_right(struct call *call, const struct ec2_signed_request *in, const char *secret,
                   struct ec2_signed *ret, const char **ret_why)
{
    char *token = arena_strdup(call->arena, in->token == NULL ? "" : in->token), *text;
    void *data;
    size_t size;

    for (char *at = token; *at != '\0'; at++)
        *at = *at == '-' ? '+' : *at == '_' ? '/' : *at;
    *ret_why = "wrong signature";
    if (str_base64_decode(call->arena, token, &data, &size) < 0 || size == 0)
        return false;
    text = arena_alloc(call->arena, size + 1);
    memcpy(text, data, size);
    return s3_sign(call->arena, text, size, secret, ret, ret_why) == 0 &&
           str_equal_secret(ret->text, in->signature);
}

static int
check_time(struct call *call, const struct ec2_signed *s, int64_t longest_us, struct fault *f)
{
    int64_t now_us = clock_now_us(),
            ahead_us = identity_of(call)->config->credential_auth_ttl * MINUTE_US;

    if ((s->signed_us != 0 &&
         (s->signed_us + longest_us < now_us || s->signed_us > now_us + ahead_us)) ||
        (s->expires_us != 0 && s->expires_us < now_us))
        return login_refused(call, "signed too long ago, or ahead of its time", f);
    return 0;
}

/* --- Whose it is, and what he may where the credential is for */

/* Made with a delegated token, the credential is worth no more than that was. */
static int
enter(struct call *call, const struct credential_row *row, const json_t *blob, struct login *l,
      json_t **ret_scope, struct fault *f)
{
    const char *user_id = row->user_id, *trust = json_get_text(blob, "trust_id"),
               *app_cred = json_get_text(blob, "app_cred_id"),
               *access_token = json_get_text(blob, "access_token_id");
    struct account_login_row user = { 0 };
    struct trust_link_row *chain;
    size_t count;
    int found;

    if (trust != NULL) {
        if (trust_load_chain(call, call->db, trust, &chain, &count, f) < 0)
            return f->kind == FAULT_INTERNAL ? -1 : login_refused(call, "its trust is gone", f);
        user_id = chain[0].trustee_user_id;
    }
    found = login_load_user(call, user_id, &user, f);
    if (found < 0)
        return -1;
    if (found == 0 || !login_account_enabled(&user))
        return login_refused(call, "its user is gone or disabled", f);
    if (login_take_user(call, &user, l, f) < 0)
        return -1;
    *ret_scope = trust != NULL ? json_pack("{s{ss}}", "OS-TRUST:trust", "id", trust)
                               : json_pack("{s{ss}}", "project", "id",
                                           row->project_id == NULL ? "" : row->project_id);
    json_own(call->arena, *ret_scope);
    if (trust != NULL || (app_cred == NULL && access_token == NULL))
        return 0;
    *ret_scope = NULL; /* What it was made with says it. */
    return app_cred != NULL ? login_enter_app_cred(call, app_cred, &user, l, f)
                            : login_enter_access_token(call, access_token, &user, l, f);
}

static int
authenticate(struct call *call, const struct ec2_request_body *body, bool s3,
             struct auth_context *ret, char **ret_text, struct fault *f)
{
    static const char *const methods[] = { "ec2credential" };
    const struct ec2_signed_request *in = signed_part(body);
    int64_t ttl_us = identity_of(call)->config->credential_auth_ttl * MINUTE_US;
    struct login l = { .who = { .methods = methods, .methods_count = 1 } };
    struct credential_row row;
    struct ec2_signed s;
    json_t *blob, *scope;
    const char *why;

    if (in == NULL || str_empty(in->access) || str_empty(in->signature))
        return login_refused(call, "no access key or no signature", f);
    if (login_begin(call, &l, f) < 0)
        return -1;
    if (find_credential(call, in->access, &row, &blob, f) < 0)
        return -1;
    if (!(s3 ? s3_signature_right : signature_right)(call, in, json_get_text(blob, "secret"), &s,
                                                     &why))
        return login_refused(call, why, f);
    if (check_time(call, &s, s3 ? S3_LONGEST_US : ttl_us, f) < 0 ||
        enter(call, &row, blob, &l, &scope, f) < 0)
        return -1;
    if (token_make(call, &l, scope, ret, ret_text, f) < 0)
        return f->kind == FAULT_INTERNAL || f->kind == FAULT_UNAUTHORIZED
                   ? -1
                   : login_refused(call, "its project, trust or roles are gone", f);
    if (!str_equal(ret->project_id, row.project_id))
        return login_refused(call, "its project is not that of its delegation", f);
    return 0;
}

int
ec2_token_create(struct call *call, const struct ec2_request_body *in, struct fault *f)
{
    struct auth_context token;
    char *text;

    if (authenticate(call, in, false, &token, &text, f) < 0)
        return -1;
    call_header(call, "X-Subject-Token", text);
    return token_write(call, &token, true, f);
}

/* Who signed and what he may, but no token to act with: a signed URL, which others may see, is no log-in. */
int
s3_token_create(struct call *call, const struct ec2_request_body *in, struct fault *f)
{
    struct auth_context token;
    char *text;

    if (authenticate(call, in, true, &token, &text, f) < 0)
        return -1;
    return token_write(call, &token, true, f);
}
