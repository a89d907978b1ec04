/* Single sign-on in a browser: a dashboard sends it here with ?origin=, and gets it back with a token in a form that posts itself.
 *
 * With a trusted front proxy the user is authenticated when he comes. With an OpenID Connect issuer (oidc.h) he is sent there by
 * the authorization code flow, and comes back to the same path with ?code=&state=. The state is signed and says all that we have to know
 * of it (websso_state.h), so whoever begins logins makes us store nothing; it is good for one token, and for the browser whose cookie has the
 * secret that it was made with. Nonce and PKCE verifier are made of that secret. The dashboard is one of the configured list, to the byte. */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/str.h"
#include "federation_auth.h"
#include "http/url.h"
#include "oidc.h"
#include "tokens.h"
#include "websso_state.h"

#define COOKIE "virga_websso"

enum { LOGIN_S = 600, SECRET_BYTES = 32, SECRET_TEXT = 43 /* Base64url of these. */ };

/* --- Secrets */

static const char *
new_secret(struct arena *a)
{
    unsigned char bytes[SECRET_BYTES];

    random_bytes(bytes, sizeof(bytes));
    return str_base64url(a, bytes, sizeof(bytes));
}

static const char *
digest(struct arena *a, const char *text)
{
    unsigned char bytes[SHA256_DIGEST_LENGTH];

    SHA256((const unsigned char *)text, strlen(text), bytes);
    return str_hex(a, bytes, sizeof(bytes));
}

/* What only who has the browser's secret can make, for this state and purpose. */
static const char *
derive(struct arena *a, const char *secret, const char *purpose, const char *state)
{
    const char *text = arena_printf(a, "%s %s", purpose, state);
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = sizeof(bytes);

    HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)text, strlen(text),
         bytes, &size);
    return str_base64url(a, bytes, size);
}

static bool
is_secret(const char *text)
{
    void *data;
    size_t size;
    _cleanup_(arena_freep) struct arena *a = arena_new();

    return text != NULL && strlen(text) == SECRET_TEXT &&
           str_base64url_decode(a, text, SECRET_TEXT, &data, &size) == 0;
}

/* The secret of the browser's cookie, or NULL. */
static const char *
cookie(struct call *call)
{
    const char *header = http_header(call->request, "Cookie");
    size_t count;
    char **parts = header == NULL ? NULL : str_split(call->arena, header, ';', &count);

    for (size_t i = 0; parts != NULL && i < count; i++) {
        const char *part = parts[i] + strspn(parts[i], " ");

        if (str_starts(part, COOKIE "=") && is_secret(part + strlen(COOKIE "=")))
            return part + strlen(COOKIE "=");
    }
    return NULL;
}

static void
set_cookie(struct call *call, const char *secret)
{
    call_header(call, "Set-Cookie",
                arena_printf(call->arena,
                             COOKIE "=%s; Path=/v3/auth/OS-FEDERATION; Max-Age=%d; HttpOnly; "
                                    "SameSite=Lax%s",
                             secret, LOGIN_S,
                             str_starts(call->base_url, "https://") ? "; Secure" : ""));
}

/* --- The dashboard */

static int
check_origin(struct call *call, const char *origin, struct fault *f)
{
    const char **trusted = identity_of(call)->config->trusted_dashboards;

    if (str_empty(origin))
        return fault_raise(f, FAULT_INVALID, "Request must have an origin query parameter");
    for (; *trusted != NULL; trusted++) {
        if (str_equal(*trusted, origin))
            return 0;
    }
    login_refused(call, "websso for a dashboard that is not trusted", f);
    snprintf(f->message, sizeof(f->message), "%.200s is not a trusted dashboard host", origin);
    return -1;
}

static void
add_escaped(struct str *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("&<>\"'", *text) != NULL)
            str_addf(out, "&#%d;", *text);
        else
            str_add_char(out, *text);
    }
}

#define SCRIPT "window.onload=function(){document.forms['sso'].submit();}"

/* The browser runs this one script, and posts to the dashboard only. */
static void
protect(struct call *call, const char *origin)
{
    const char *host = strstr(origin, "://");
    size_t size = host == NULL ? 0 : (size_t)(host + 3 - origin) + strcspn(host + 3, "/?#;, ");
    unsigned char bytes[SHA256_DIGEST_LENGTH];

    SHA256((const unsigned char *)SCRIPT, strlen(SCRIPT), bytes);
    call_header(call, "Content-Security-Policy",
                arena_printf(call->arena,
                             "default-src 'none'; script-src 'sha256-%s'; form-action %.*s; "
                             "frame-ancestors 'none'; base-uri 'none'",
                             str_base64(call->arena, bytes, sizeof(bytes)), (int)size, origin));
    call_header(call, "Cache-Control", "no-store");
    call_header(call, "Referrer-Policy", "no-referrer");
    call_header(call, "X-Content-Type-Options", "nosniff");
}

static void
reply_form(struct call *call, const char *origin, const char *token)
{
    struct str *out = &call->response->body;

    str_clear(out);
    str_add(out, "<!DOCTYPE html>\n<html><head><title>Single sign-on</title></head><body>\n"
                 "<form id=\"sso\" name=\"sso\" action=\"");
    add_escaped(out, origin);
    str_add(out, "\" method=\"post\">\nPlease wait...<br>\n"
                 "<input type=\"hidden\" name=\"token\" id=\"token\" value=\"");
    add_escaped(out, token);
    str_add(out, "\">\n<noscript><input type=\"submit\" name=\"submit_no_javascript\" "
                 "id=\"submit_no_javascript\" value=\"Continue\"></noscript>\n</form>\n"
                 "<script>" SCRIPT "</script>\n</body></html>\n");
    call->response->content_type = "text/html; charset=utf-8";
    protect(call, origin);
}

static int
finish(struct call *call, const struct federation_way *way, const struct assertion *assertion,
       const char *origin, struct login *l, struct fault *f)
{
    struct auth_context token;
    char *text;

    if (federation_login(call, way, assertion, l, f) < 0 ||
        token_make(call, l, NULL, &token, &text, f) < 0)
        return -1;
    reply_form(call, origin, text);
    return 0;
}

/* --- To the issuer and back */

static const char *
redirect_uri(struct call *call, const struct oidc_client *client, const char *idp_id,
             const char *protocol_id)
{
    const char *configured = oidc_redirect_uri(client);

    return !str_empty(configured)
               ? configured
               : call_url(call, "/v3/auth/OS-FEDERATION/identity_providers/%s/protocols/%s/websso",
                          url_encode(call->arena, idp_id), url_encode(call->arena, protocol_id));
}

static struct oidc_login
login_of(struct call *call, const struct oidc_client *client, const char *idp_id,
         const char *protocol_id, const char *secret, const char *state)
{
    return (struct oidc_login){
        .redirect_uri = redirect_uri(call, client, idp_id, protocol_id),
        .state = state,
        .nonce = derive(call->arena, secret, "nonce", state),
        .verifier = derive(call->arena, secret, "verifier", state),
    };
}

static int
begin(struct call *call, struct oidc_client *client, const char *protocol_id, const char *origin,
      struct fault *f)
{
    const char *idp_id = oidc_idp_id(client), *secret = cookie(call), *state, *url;
    struct websso_state s = { .idp_id = idp_id, .protocol_id = protocol_id, .origin = origin };
    struct federation_way way = { 0 };
    struct oidc_login login;

    if (federation_find_way(call, idp_id, protocol_id, &way, f) < 0)
        return -1;
    if (secret == NULL) /* Several logins of one browser share it. */
        secret = new_secret(call->arena);
    s.browser = digest(call->arena, secret);
    s.expires_us = clock_now_us() + LOGIN_S * INT64_C(1000000);
    if (websso_state_seal(identity_of(call)->keyring, call->arena, &s, &state, f) < 0)
        return -1;
    login = login_of(call, client, idp_id, protocol_id, secret, state);
    if (oidc_authorization_url(call, client, &login, &url, f) < 0)
        return federation_refused(call, f);
    set_cookie(call, secret);
    call_header(call, "Location", url);
    call_header(call, "Cache-Control", "no-store");
    call_status(call, 302);
    return 0;
}

/* The login that this state belongs to, if this browser began it. */
static int
open_state(struct call *call, const char *state, const char *secret, struct websso_state *ret,
           struct fault *f)
{
    if (websso_state_open(identity_of(call)->keyring, call->arena, state, clock_now_us(), ret, f) <
        0)
        return federation_refused(call, f);
    if (secret == NULL || !str_equal_secret(digest(call->arena, secret), ret->browser))
        return login_refused(call, "a state of another browser", f);
    if (!str_equal(ret->protocol_id, call_param(call, "protocol_id")) ||
        (call_param_find(call, "idp_id") != NULL &&
         !str_equal(ret->idp_id, call_param(call, "idp_id"))))
        return login_refused(call, "a state of another provider", f);
    return check_origin(call, ret->origin, f);
}

/* The issuer has vouched for who it is: only now anything is stored, and of two who come with one state one is late. */
static int
use_state(struct call *call, const char *state, const struct websso_state *s, struct fault *f)
{
    int used;

    if (websso_forget(call->db, clock_now_us(), f) < 0)
        return -1;
    used = websso_use(call->db, digest(call->arena, state), s->expires_us, f);
    if (used < 0)
        return -1;
    return used == 1 ? 0 : login_refused(call, "a state that was used", f);
}

static int
come_back(struct call *call, const char *state, struct fault *f)
{
    const char *code = call_query(call, "code"), *secret = cookie(call);
    struct federation_way way = { 0 };
    struct assertion assertion;
    struct login l = { 0 };
    struct oidc_client *client;
    struct oidc_login login;
    struct websso_state s;
    json_t *claims;

    if (open_state(call, state, secret, &s, f) < 0 || login_begin(call, &l, f) < 0 ||
        federation_find_way(call, s.idp_id, s.protocol_id, &way, f) < 0)
        return -1;
    client = oidc_find(identity_of(call)->oidc, s.idp_id, s.protocol_id);
    if (client == NULL || str_empty(code))
        return login_refused(call, "the issuer sent the browser back without a code", f);
    login = login_of(call, client, s.idp_id, s.protocol_id, secret, state);
    if (oidc_redeem(call, client, &login, code, &claims, f) < 0)
        return federation_refused(call, f);
    if (use_state(call, state, &s, f) < 0)
        return -1;
    assertion_from_claims(call->arena, claims, &assertion);
    return finish(call, &way, &assertion, s.origin, &l, f);
}

/* --- With a front proxy */

/* Which provider the headers name, when the path does not: by a remote id of one that has the protocol. */
static int
provider_of(struct call *call, const struct assertion *assertion, const char *protocol_id,
            const char **ret, struct fault *f)
{
    struct remote_id_attributes_row *rows;
    const char *fallback = identity_of(call)->config->remote_id_attribute;
    size_t count;

    if (remote_id_attributes(call->db, protocol_id, &rows, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        const char *attribute = str_empty(rows[i].attribute) ? fallback : rows[i].attribute;
        const struct texts *values = assertion_find(assertion, attribute);
        struct idp_of_remote_id_row idp;
        int found = values == NULL || values->count != 1
                        ? 0
                        : idp_of_remote_id(call->db, values->items[0], &idp, f);

        if (found < 0)
            return -1;
        if (found == 1) {
            *ret = idp.idp_id;
            return 0;
        }
    }
    return login_refused(call, "Missing entity ID from environment", f);
}

static int
by_proxy(struct call *call, const char *idp_id, const char *protocol_id, const char *origin,
         struct fault *f)
{
    struct federation_way way = { 0 };
    struct assertion assertion;
    struct login l = { 0 };

    if (login_begin(call, &l, f) < 0 || federation_proxy_assertion(call, &assertion, f) < 0 ||
        (idp_id == NULL && provider_of(call, &assertion, protocol_id, &idp_id, f) < 0) ||
        federation_find_way(call, idp_id, protocol_id, &way, f) < 0)
        return -1;
    return finish(call, &way, &assertion, origin, &l, f);
}

int
websso(struct call *call, struct fault *f)
{
    const char *idp_id = call_param_find(call, "idp_id"),
               *protocol_id = call_param(call, "protocol_id"), *origin = call_query(call, "origin"),
               *state = call_query(call, "state");
    struct oidc *oidc = identity_of(call)->oidc;
    struct oidc_client *client =
        idp_id == NULL ? oidc_find_only(oidc, protocol_id) : oidc_find(oidc, idp_id, protocol_id);

    if (str_empty(origin) && !str_empty(state))
        return come_back(call, state, f);
    if (check_origin(call, origin, f) < 0)
        return -1;
    if (client == NULL)
        return by_proxy(call, idp_id, protocol_id, origin, f);
    return begin(call, client, protocol_id, origin, f);
}
