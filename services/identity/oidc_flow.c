/* Tokens and codes: what they are worth. */
#include <openssl/sha.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "http/url.h"
#include "jwt.h"
#include "oidc_internal.h"

/* By the keys that are kept; once more by new ones when they have not the one that the token names. */
static int
verify(struct call *call, struct oidc_client *c, const char *token, struct jwt_expect *expect,
       json_t **ret, struct fault *f)
{
    json_t *keys;

    expect->issuer = c->settings.issuer;
    expect->now_s = clock_now_us() / 1000000;
    expect->skew_s = c->settings.clock_skew_s;
    if (oidc_keys(call, c, false, &keys, f) < 0)
        return -1;
    if (jwt_verify(call->arena, token, keys, expect, ret, f) == 0)
        return 0;
    if (!str_equal(f->code, "unknown-kid"))
        return -1;
    fault_clear(f);
    if (oidc_keys(call, c, true, &keys, f) < 0)
        return -1;
    return jwt_verify(call->arena, token, keys, expect, ret, f);
}

/* --- Access tokens */

static bool
names(const json_t *value, const char *wanted)
{
    if (json_is_string(value))
        return str_equal(json_string_value(value), wanted);
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (str_equal(json_string_value(json_array_get(value, i)), wanted))
            return true;
    }
    return false;
}

/* A token of the issuer's for somebody else is no token for us: who got it there could use it here. */
static int
check_introspected(const struct oidc_client *c, const json_t *answer, struct fault *f)
{
    const char *issuer = json_get_text(answer, "iss");
    const json_t *exp = json_object_get(answer, "exp");
    double now = (double)clock_now_us() / 1e6, skew = (double)c->settings.clock_skew_s;

    if (!json_get_bool(answer, "active"))
        return oidc_refuse(f, "the issuer says that the token is not active");
    if (issuer != NULL && !str_equal(issuer, c->settings.issuer))
        return oidc_refuse(f, "a token of another issuer");
    if (!names(json_object_get(answer, "aud"), c->settings.audience) &&
        !names(json_object_get(answer, "client_id"), c->settings.client_id))
        return oidc_refuse(f, "a token for another audience");
    if (exp != NULL && (!json_is_number(exp) || json_number_value(exp) + skew <= now))
        return oidc_refuse(f, "an expired token");
    if (str_empty(json_get_text(answer, "sub")))
        return oidc_refuse(f, "a token without a subject");
    return 0;
}

static int
introspect(struct call *call, struct oidc_client *c, const char *token, json_t **ret,
           struct fault *f)
{
    const char *url, *form;

    if (oidc_endpoint(call, c, c->settings.introspection_endpoint, "introspection_endpoint", &url,
                      f) < 0)
        return -1;
    form = arena_printf(call->arena, "token=%s&token_type_hint=access_token",
                        url_encode(call->arena, token));
    if (oidc_ask(call, c, url, form, oidc_credentials(call, c), ret, f) < 0 ||
        check_introspected(c, *ret, f) < 0)
        return -1;
    if (json_object_get(*ret, "iss") == NULL)
        json_object_set_new(*ret, "iss", json_string(c->settings.issuer));
    return 0;
}

int
oidc_check_bearer(struct call *call, struct oidc_client *c, const char *token, json_t **ret,
                  struct fault *f)
{
    struct jwt_expect expect = { .audience = c->settings.audience };

    if (strnlen(token, JWT_MAX + 1) > JWT_MAX)
        return oidc_refuse(f, "an access token that is too long");
    if (c->settings.introspect) /* The issuer knows what it has taken back. */
        return introspect(call, c, token, ret, f);
    if (!jwt_looks_like_one(token))
        return oidc_refuse(f, "an access token that is no JWT, and introspection is off");
    return verify(call, c, token, &expect, ret, f);
}

/* --- Browser logins */

static const char *
challenge_of(struct arena *a, const char *verifier)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];

    SHA256((const unsigned char *)verifier, strlen(verifier), digest);
    return str_base64url(a, digest, sizeof(digest));
}

int
oidc_authorization_url(struct call *call, struct oidc_client *c, const struct oidc_login *login,
                       const char **ret, struct fault *f)
{
    const struct oidc_settings *s = &c->settings;
    const struct http_pair query[] = {
        { "response_type", "code" },
        { "client_id", s->client_id },
        { "redirect_uri", login->redirect_uri },
        { "scope", s->scopes },
        { "state", login->state },
        { "nonce", login->nonce },
        { "code_challenge", challenge_of(call->arena, login->verifier) },
        { "code_challenge_method", "S256" },
    };
    _cleanup_(str_done) struct str url = { 0 };
    const char *endpoint;

    if (oidc_endpoint(call, c, s->authorization_endpoint, "authorization_endpoint", &endpoint, f) <
        0)
        return -1;
    str_add(&url, endpoint);
    for (size_t i = 0; i < ARRAY_SIZE(query); i++)
        url_add_query(&url, query[i].name, query[i].value);
    *ret = arena_strdup(call->arena, str_text(&url));
    return 0;
}

/* What userinfo says stands beside what the id token says, never in its place. */
static int
add_userinfo(struct call *call, struct oidc_client *c, const char *access_token, json_t *claims,
             struct fault *f)
{
    const char *url;
    json_t *more;

    if (!c->settings.userinfo || access_token == NULL)
        return 0;
    if (oidc_endpoint(call, c, c->settings.userinfo_endpoint, "userinfo_endpoint", &url, f) < 0 ||
        oidc_ask(call, c, url, NULL, arena_printf(call->arena, "Bearer %s", access_token), &more,
                 f) < 0)
        return -1;
    if (!str_equal(json_get_text(more, "sub"), json_get_text(claims, "sub")))
        return oidc_refuse(f, "userinfo of another subject");
    json_object_update_missing(claims, more);
    return 0;
}

/* An access token goes into a header: nothing that could be more than one. */
static const char *
header_safe(const char *token)
{
    return token != NULL &&
                   token[strspn(token, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXY"
                                       "Z0123456789-._~+/=")] == '\0'
               ? token
               : NULL;
}

int
oidc_redeem(struct call *call, struct oidc_client *c, const struct oidc_login *login,
            const char *code, json_t **ret, struct fault *f)
{
    const struct oidc_settings *s = &c->settings;
    struct jwt_expect expect = { .audience = s->client_id,
                                 .party = s->client_id,
                                 .nonce = login->nonce };
    const char *url, *form, *id_token;
    json_t *answer;

    if (oidc_endpoint(call, c, s->token_endpoint, "token_endpoint", &url, f) < 0)
        return -1;
    form = arena_printf(
        call->arena,
        "grant_type=authorization_code&code=%s&redirect_uri=%s&client_id=%s&code_verifier=%s",
        url_encode(call->arena, code), url_encode(call->arena, login->redirect_uri),
        url_encode(call->arena, s->client_id), url_encode(call->arena, login->verifier));
    if (oidc_ask(call, c, url, form, oidc_credentials(call, c), &answer, f) < 0)
        return -1;
    id_token = json_get_text(answer, "id_token");
    if (id_token == NULL)
        return oidc_refuse(f, "the issuer gave no id token");
    if (verify(call, c, id_token, &expect, ret, f) < 0)
        return -1;
    return add_userinfo(call, c, header_safe(json_get_text(answer, "access_token")), *ret, f);
}
