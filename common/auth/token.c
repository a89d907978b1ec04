/* The token: base64url(header) "." base64url(claims) "." base64url(signature).
 *
 * The header is a fixed text around the kid, compared byte by byte: no parser sees anything that is not
 * signed, and there is no algorithm to choose. The claims are read only after the signature was found good.
 * Times are whole microseconds in claims of our own ("iat_us", "exp_us"), because identity's answers show
 * microseconds and the two must agree. Unknown claims are passed over: a newer identity may add some. */
#include "token.h"

#include <errno.h>
#include <string.h>

#include "../base/array.h"
#include "../base/json.h"
#include "../base/jsonw.h"
#include "../base/str.h"

#define HEADER_BEFORE "{\"alg\":\"EdDSA\",\"kid\":\""

/* What stands behind the kid: the type, so that nothing signed as one thing passes for another. */
enum token_type { TOKEN_ACCESS, TOKEN_RECEIPT };
static const char *const header_after[] = {
    [TOKEN_ACCESS] = "\",\"typ\":\"JWT\"}",
    [TOKEN_RECEIPT] = "\",\"typ\":\"receipt+jwt\"}",
};

/* Clocks of hosts differ a little; a token from further ahead was not made by our identity now. */
#define SKEW_US ((int64_t)30 * 1000000)

static const char *const scope_names[] = {
    [SCOPE_NONE] = "none",
    [SCOPE_PROJECT] = "project",
    [SCOPE_DOMAIN] = "domain",
    [SCOPE_SYSTEM] = "system",
};

/* Claims that are text: name on the wire, member. One table for both directions. */
static const struct {
    const char *claim;
    size_t offset;
    bool required;
} texts[] = {
    { "sub", offsetof(struct auth_context, user_id), true },
    { "un", offsetof(struct auth_context, user_name), false },
    { "ud", offsetof(struct auth_context, user_domain_id), false },
    { "udn", offsetof(struct auth_context, user_domain_name), false },
    { "pid", offsetof(struct auth_context, project_id), false },
    { "pn", offsetof(struct auth_context, project_name), false },
    { "pd", offsetof(struct auth_context, project_domain_id), false },
    { "pdn", offsetof(struct auth_context, project_domain_name), false },
    { "did", offsetof(struct auth_context, domain_id), false },
    { "dn", offsetof(struct auth_context, domain_name), false },
    { "jti", offsetof(struct auth_context, audit_id), true },
    { "chain", offsetof(struct auth_context, audit_chain_id), true },
    { "trust", offsetof(struct auth_context, trust_id), false },
    { "trustor", offsetof(struct auth_context, trustor_id), false },
    { "trustee", offsetof(struct auth_context, trustee_id), false },
    { "ac", offsetof(struct auth_context, app_cred_id), false },
    { "oat", offsetof(struct auth_context, access_token_id), false },
    { "oac", offsetof(struct auth_context, consumer_id), false },
    { "idp", offsetof(struct auth_context, idp_id), false },
    { "fp", offsetof(struct auth_context, protocol_id), false },
};

static void
write_list(struct jsonw *w, const char *claim, const char *const *list, size_t count)
{
    jsonw_array(w, claim);
    for (size_t i = 0; i < count; i++)
        jsonw_text(w, NULL, list[i]);
    jsonw_end(w);
}

static void
write_claims(struct str *out, const struct auth_context *c)
{
    struct jsonw w;

    jsonw_init(&w, out);
    jsonw_object(&w, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        const char *text = *(const char *const *)(const void *)((const char *)c + texts[i].offset);

        if (text != NULL)
            jsonw_text(&w, texts[i].claim, text);
    }
    jsonw_text(&w, "scope", scope_names[c->scope]);
    if (c->app_cred_restricted)
        jsonw_bool(&w, "acr", true);
    if (c->trust_own_name)
        jsonw_bool(&w, "ton", true);
    if (c->group_ids_count > 0)
        write_list(&w, "fg", c->group_ids, c->group_ids_count);
    jsonw_array(&w, "roles");
    for (size_t i = 0; i < c->roles_count; i++) {
        jsonw_text(&w, NULL, c->role_ids != NULL ? c->role_ids[i] : "");
        jsonw_text(&w, NULL, c->roles[i]);
    }
    jsonw_end(&w);
    write_list(&w, "amr", c->methods, c->methods_count);
    if (c->access_rules_count > 0)
        write_list(&w, "rules", c->access_rules, c->access_rules_count);
    if (c->password_expires_us != 0)
        jsonw_int(&w, "pwx_us", c->password_expires_us);
    jsonw_int(&w, "iat_us", c->issued_us);
    jsonw_int(&w, "exp_us", c->expires_us);
    jsonw_end(&w);
}

static int
sign(struct keyring *k, struct arena *a, enum token_type type, const struct auth_context *c,
     char **ret, struct fault *f)
{
    _cleanup_(str_done) struct str claims = { 0 };
    unsigned char signature[KEYRING_SIGNATURE];
    char kid[KEYRING_KID_MAX + 1];
    char *signed_text, *header, *token;

    if (keyring_signer(k, kid) < 0)
        return fault_raise_cause(f, "no private key to sign tokens with");
    write_claims(&claims, c);
    header = arena_printf(a, HEADER_BEFORE "%s%s", kid, header_after[type]);
    signed_text = arena_printf(a, "%s.%s", str_base64url(a, header, strlen(header)),
                               str_base64url(a, claims.data, claims.size));
    if (keyring_sign(k, kid, signed_text, strlen(signed_text), signature) < 0)
        return fault_raise_cause(f, "signing with key %s failed", kid);
    token = arena_printf(a, "%s.%s", signed_text, str_base64url(a, signature, sizeof(signature)));
    if (strlen(token) > TOKEN_MAX)
        return fault_raise_cause(f, "token of %zu bytes: names and roles are too long",
                                 strlen(token));
    *ret = token;
    return 0;
}

int
token_sign(struct keyring *k, struct arena *a, const struct auth_context *c, char **ret,
           struct fault *f)
{
    return sign(k, a, TOKEN_ACCESS, c, ret, f);
}

int
token_sign_receipt(struct keyring *k, struct arena *a, const struct auth_context *c, char **ret,
                   struct fault *f)
{
    return sign(k, a, TOKEN_RECEIPT, c, ret, f);
}

static int _printf_(2, 3) refuse(struct fault *f, const char *format, ...)
{
    char why[256];
    va_list args;

    va_start(args, format);
    vsnprintf(why, sizeof(why), format, args);
    va_end(args);
    fault_raise(f, FAULT_UNAUTHORIZED, "The request you have made requires authentication.");
    return fault_add_cause(f, "token: %s", why);
}

/* The three parts of a token, not decoded. */
struct parts {
    const char *header, *claims, *signature;
    size_t header_size, claims_size, signature_size;
    size_t signed_size; /* Header, dot, claims. */
};

static bool
take_apart(const char *token, size_t size, struct parts *ret)
{
    const char *first = memchr(token, '.', size);
    const char *second =
        first != NULL ? memchr(first + 1, '.', size - (size_t)(first + 1 - token)) : NULL;

    if (second == NULL)
        return false;
    *ret = (struct parts){
        .header = token,
        .header_size = (size_t)(first - token),
        .claims = first + 1,
        .claims_size = (size_t)(second - first - 1),
        .signature = second + 1,
        .signature_size = size - (size_t)(second + 1 - token),
        .signed_size = (size_t)(second - token),
    };
    return true; /* A third dot is no character of base64url. */
}

/* The kid, when the header is ours to the byte. */
static bool
read_header(struct arena *a, const struct parts *p, enum token_type type,
            char ret[KEYRING_KID_MAX + 1])
{
    const size_t before = strlen(HEADER_BEFORE), after = strlen(header_after[type]);
    size_t size, kid_size;
    const char *text;
    void *data;

    if (str_base64url_decode(a, p->header, p->header_size, &data, &size) < 0 ||
        size < before + after)
        return false;
    text = data;
    kid_size = size - before - after;
    if (memcmp(text, HEADER_BEFORE, before) != 0 ||
        memcmp(text + size - after, header_after[type], after) != 0 ||
        !keyring_kid_valid(text + before, kid_size))
        return false;
    memcpy(ret, text + before, kid_size);
    ret[kid_size] = '\0';
    return true;
}

static bool
read_list(struct arena *a, const json_t *array, size_t step, size_t offset, const char *const **ret,
          size_t *ret_count)
{
    size_t size = json_array_size(array);
    const char **list;

    if (!json_is_array(array) || size % step != 0)
        return false;
    list = ARENA_ARRAY(a, const char *, size / step + 1);
    for (size_t i = 0; i < size / step; i++) {
        list[i] = json_string_value(json_array_get(array, i * step + offset));
        if (list[i] == NULL)
            return false;
    }
    *ret = list;
    *ret_count = size / step;
    return true;
}

static bool
read_scope(const json_t *claims, struct auth_context *c)
{
    const char *name = json_get_text(claims, "scope");
    bool found = false;

    for (size_t i = 0; i < ARRAY_SIZE(scope_names); i++) {
        if (str_equal(name, scope_names[i])) {
            c->scope = (enum auth_scope)i;
            found = true;
        }
    }
    /* The scope and the ids that belong to it say the same. */
    return found && (c->project_id != NULL) == (c->scope == SCOPE_PROJECT) &&
           (c->domain_id != NULL) == (c->scope == SCOPE_DOMAIN);
}

/* What a delegation narrows the token to. A claim that is there but not understood must not widen it. */
static bool
read_delegation(struct arena *a, const json_t *claims, struct auth_context *c)
{
    const json_t *rules = json_object_get(claims, "rules");

    c->app_cred_restricted = json_get_bool(claims, "acr");
    c->trust_own_name = json_get_bool(claims, "ton");
    if ((c->trust_id != NULL) != (c->trustor_id != NULL && c->trustee_id != NULL))
        return false;
    if (rules == NULL)
        return true;
    return c->app_cred_id != NULL &&
           read_list(a, rules, 1, 0, &c->access_rules, &c->access_rules_count) &&
           c->access_rules_count > 0 && c->access_rules_count % 3 == 0;
}

static bool
read_claims(struct arena *a, const json_t *claims, struct auth_context *c)
{
    const json_t *issued = json_object_get(claims, "iat_us"),
                 *expires = json_object_get(claims, "exp_us");

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        const json_t *value = json_object_get(claims, texts[i].claim);

        if (value == NULL ? texts[i].required : !json_is_string(value))
            return false;
        *(const char **)(void *)((char *)c + texts[i].offset) = json_string_value(value);
    }
    if (json_object_get(claims, "fg") != NULL &&
        !read_list(a, json_object_get(claims, "fg"), 1, 0, &c->group_ids, &c->group_ids_count))
        return false;
    if (!read_scope(claims, c) ||
        !read_list(a, json_object_get(claims, "roles"), 2, 0, &c->role_ids, &c->roles_count) ||
        !read_list(a, json_object_get(claims, "roles"), 2, 1, &c->roles, &c->roles_count) ||
        !read_list(a, json_object_get(claims, "amr"), 1, 0, &c->methods, &c->methods_count) ||
        !read_delegation(a, claims, c) || !json_is_integer(issued) || !json_is_integer(expires))
        return false;
    c->issued_us = json_integer_value(issued);
    c->expires_us = json_integer_value(expires);
    c->password_expires_us = json_get_int(claims, "pwx_us");
    return true;
}

static int
verify(struct keyring *k, struct arena *a, enum token_type type, const char *token, int64_t now_us,
       int64_t grace_us, struct auth_context *ret, struct fault *f)
{
    size_t size = strnlen(token, TOKEN_MAX + 1), claims_size, signature_size;
    void *claims_text, *signature;
    struct auth_context c = { 0 };
    char kid[KEYRING_KID_MAX + 1];
    struct fault why = { 0 };
    struct parts p;
    json_t *claims;
    int r;

    if (size > TOKEN_MAX)
        return refuse(f, "longer than %d bytes", TOKEN_MAX);
    if (!take_apart(token, size, &p) || !read_header(a, &p, type, kid))
        return refuse(f, "not one of ours");
    if (str_base64url_decode(a, p.signature, p.signature_size, &signature, &signature_size) < 0 ||
        signature_size != KEYRING_SIGNATURE ||
        str_base64url_decode(a, p.claims, p.claims_size, &claims_text, &claims_size) < 0)
        return refuse(f, "not canonical base64url");
    r = keyring_verify(k, kid, token, p.signed_size, signature);
    if (r < 0) {
        refuse(f, r == -ENOKEY ? "unknown key %s" : "not signed by key %s", kid);
        if (r == -ENOKEY)
            snprintf(f->code, sizeof(f->code), "unknown-kid");
        return -(int)f->kind;
    }
    if (json_read(a, claims_text, claims_size, &claims, &why) < 0 || !read_claims(a, claims, &c))
        return refuse(f, "claims do not fit together");
    if (c.expires_us <= now_us - grace_us)
        return refuse(f, "expired");
    if (c.issued_us > now_us + SKEW_US)
        return refuse(f, "issued in the future");
    *ret = c;
    return 0;
}

int
token_verify_late(struct keyring *k, struct arena *a, const char *token, int64_t now_us,
                  int64_t grace_us, struct auth_context *ret, struct fault *f)
{
    return verify(k, a, TOKEN_ACCESS, token, now_us, grace_us, ret, f);
}

int
token_verify(struct keyring *k, struct arena *a, const char *token, int64_t now_us,
             struct auth_context *ret, struct fault *f)
{
    return verify(k, a, TOKEN_ACCESS, token, now_us, 0, ret, f);
}

int
token_verify_receipt(struct keyring *k, struct arena *a, const char *receipt, int64_t now_us,
                     struct auth_context *ret, struct fault *f)
{
    return verify(k, a, TOKEN_RECEIPT, receipt, now_us, 0, ret, f);
}
