#include "auth/token.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "../asserts.h"
#include "base/json.h"
#include "ring.h"

static char directory[32];
static struct keyring *ring;

static int
set_up(void **state)
{
    struct fault f = { 0 };

    (void)state;
    ring_make_directory(directory);
    assert_ok(keyring_generate(directory, &f));
    assert_ok(keyring_open_directory(&ring, directory, &f));
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    keyring_free(ring);
    ring_remove_directory(directory);
    return 0;
}

static char *
sign(struct arena *a, const struct auth_context *c)
{
    struct fault f = { 0 };
    char *token = NULL;

    assert_ok(token_sign(ring, a, c, &token, &f));
    return token;
}

static void
test_round_trip(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct auth_context in = ring_context(), out;
    struct fault f = { 0 };

    (void)state;
    assert_ok(token_verify(ring, a, sign(a, &in), NOW, &out, &f));
    assert_string_equal(out.user_id, in.user_id);
    assert_string_equal(out.user_name, in.user_name);
    assert_string_equal(out.user_domain_name, "Default");
    assert_int_equal(out.scope, SCOPE_PROJECT);
    assert_string_equal(out.project_id, "p1");
    assert_string_equal(out.project_domain_id, "pd");
    assert_null(out.domain_id);
    assert_null(out.trust_id);
    assert_int_equal(out.roles_count, 2);
    assert_string_equal(out.roles[1], "reader");
    assert_string_equal(out.role_ids[1], "role-2");
    assert_int_equal(out.methods_count, 2);
    assert_string_equal(out.methods[0], "password");
    assert_string_equal(out.audit_id, "audit-2");
    assert_string_equal(out.audit_chain_id, "audit-1");
    assert_true(out.issued_us == in.issued_us && out.expires_us == in.expires_us &&
                out.password_expires_us == in.password_expires_us);
    assert_false(out.app_cred_restricted);
    assert_null(out.idp_id);
    assert_int_equal(out.group_ids_count, 0);
    assert_null(out.service_user_id);
}

static void
test_scopes(void **state)
{
    static const enum auth_scope scopes[] = { SCOPE_NONE, SCOPE_PROJECT, SCOPE_DOMAIN,
                                              SCOPE_SYSTEM };
    _cleanup_(arena_freep) struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(scopes); i++) {
        struct auth_context in = ring_context(), out;
        struct fault f = { 0 };

        in.scope = scopes[i];
        in.project_id = scopes[i] == SCOPE_PROJECT ? "p" : NULL;
        in.domain_id = scopes[i] == SCOPE_DOMAIN ? "d" : NULL;
        in.app_cred_id = "ac";
        in.app_cred_restricted = true;
        assert_ok(token_verify(ring, a, sign(a, &in), NOW, &out, &f));
        assert_int_equal(out.scope, scopes[i]);
        assert_true(str_equal(out.project_id, in.project_id) &&
                    str_equal(out.domain_id, in.domain_id));
        assert_true(out.app_cred_restricted);
    }
}

/* What narrows a token comes back, and a narrowing that is not understood makes it no token. */
static void
test_delegation(void **state)
{
    static const char *const rules[] = { "compute", "GET", "/v2.1/servers", "image", "GET", "/**" };
    static const struct {
        const char *trust_id, *trustor_id, *trustee_id, *app_cred_id;
        size_t rules_count;
        bool good;
    } cases[] = {
        { NULL, NULL, NULL, NULL, 0, true },  { "t", "u1", "u2", NULL, 0, true },
        { "t", NULL, "u2", NULL, 0, false },  { NULL, "u1", "u2", NULL, 0, false },
        { NULL, NULL, NULL, "ac", 0, true },  { NULL, NULL, NULL, "ac", 6, true },
        { NULL, NULL, NULL, "ac", 5, false }, { NULL, NULL, NULL, NULL, 3, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(arena_freep) struct arena *a = arena_new();
        struct auth_context in = ring_context(), out;
        struct fault f = { 0 };
        int r;

        in.trust_id = cases[i].trust_id;
        in.trustor_id = cases[i].trustor_id;
        in.trustee_id = cases[i].trustee_id;
        in.app_cred_id = cases[i].app_cred_id;
        in.access_rules = rules;
        in.access_rules_count = cases[i].rules_count;
        in.password_expires_us = NOW;
        r = token_verify(ring, a, sign(a, &in), NOW, &out, &f);
        if (!cases[i].good) {
            assert_fault(r, f, FAULT_UNAUTHORIZED, "requires authentication");
            continue;
        }
        assert_ok(r);
        assert_true(str_equal(out.trustor_id, in.trustor_id));
        assert_true(str_equal(out.trustee_id, in.trustee_id));
        assert_true(out.password_expires_us == NOW);
        assert_int_equal(out.access_rules_count, in.access_rules_count);
        for (size_t j = 0; j < out.access_rules_count; j++)
            assert_string_equal(out.access_rules[j], rules[j]);
    }
}

static void
test_federated(void **state)
{
    static const char *const groups[] = { "g1", "g2" };
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct auth_context in = ring_context(), out, *copy;
    struct fault f = { 0 };

    (void)state;
    in.idp_id = "acme";
    in.protocol_id = "openid";
    in.group_ids = groups;
    in.group_ids_count = 2;
    assert_ok(token_verify(ring, a, sign(a, &in), NOW, &out, &f));
    copy = auth_context_dup(&out);
    assert_string_equal(copy->idp_id, "acme");
    assert_string_equal(copy->protocol_id, "openid");
    assert_int_equal(copy->group_ids_count, 2);
    assert_string_equal(copy->group_ids[1], "g2");
    assert_string_equal(copy->roles[1], "reader");
    free(copy);
}

static void
test_times(void **state)
{
    static const struct {
        int64_t issued_us, expires_us;
        const char *refused; /* Part of the cause. */
    } cases[] = {
        { NOW, NOW + 1, NULL },
        { NOW + 1000000, NOW + HOUR_US, NULL }, /* A clock that is a second ahead. */
        { NOW - HOUR_US, NOW - 1000000, "expired" },
        { NOW - HOUR_US, NOW, "expired" },
        { NOW + 60 * (int64_t)1000000, NOW + HOUR_US, "future" },
        { INT64_MAX, INT64_MAX, "future" },
        { 0, INT64_MIN, "expired" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(arena_freep) struct arena *a = arena_new();
        struct auth_context in = ring_context(), out;
        struct fault f = { 0 };
        int r;

        in.issued_us = cases[i].issued_us;
        in.expires_us = cases[i].expires_us;
        r = token_verify(ring, a, sign(a, &in), NOW, &out, &f);
        if (cases[i].refused == NULL) {
            assert_ok(r);
            continue;
        }
        assert_fault(r, f, FAULT_UNAUTHORIZED, "requires authentication");
        assert_non_null(strstr(f.cause, cases[i].refused));
    }
}

/* A token with any header and claims, signed by any key. */
static char *
forge(struct arena *a, const char *header, const char *claims, EVP_PKEY *key)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char signature[64];
    size_t size = sizeof(signature);
    char *text = arena_printf(a, "%s.%s", str_base64url(a, header, strlen(header)),
                              str_base64url(a, claims, strlen(claims)));

    assert_int_equal(EVP_DigestSignInit(ctx, NULL, NULL, NULL, key), 1);
    assert_int_equal(EVP_DigestSign(ctx, signature, &size, (unsigned char *)text, strlen(text)), 1);
    EVP_MD_CTX_free(ctx);
    return arena_printf(a, "%s.%s", text, str_base64url(a, signature, size));
}

static const char claims[] = "{\"sub\":\"u\",\"jti\":\"a\",\"chain\":\"a\",\"scope\":\"none\","
                             "\"roles\":[],\"amr\":[\"password\"],"
                             "\"iat_us\":1795338442000042,\"exp_us\":1795338942000042}";

static void
refused(struct arena *a, const char *token, const char *why)
{
    struct auth_context out = { .user_id = "untouched" };
    struct fault f = { 0 };
    int r = token_verify(ring, a, token, NOW, &out, &f);

    if (r == 0)
        fail_msg("accepted: %s", token);
    assert_fault(r, f, FAULT_UNAUTHORIZED, "The request you have made requires authentication.");
    if (why != NULL && strstr(f.cause, why) == NULL)
        fail_msg("'%s' does not say '%s'", f.cause, why);
    assert_string_equal(out.user_id, "untouched");
}

/* Our own key is held by a second ring here, so the header alone is what is wrong. */
static void
test_headers(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    struct keyring *own, *kept = ring;
    struct auth_context out;
    struct fault f = { 0 };
    unsigned char raw[32];
    size_t size = sizeof(raw);
    json_auto_t *jwks = NULL;
    static const char *const bad[] = {
        "{\"alg\":\"none\",\"kid\":\"K\",\"typ\":\"JWT\"}",
        "{\"alg\":\"None\",\"kid\":\"K\",\"typ\":\"JWT\"}",
        "{\"alg\":\"HS256\",\"kid\":\"K\",\"typ\":\"JWT\"}",
        "{\"alg\":\"ES256\",\"kid\":\"K\",\"typ\":\"JWT\"}",
        "{\"alg\":\"Ed25519\",\"kid\":\"K\",\"typ\":\"JWT\"}",
        "{\"alg\":\"EdDSA\",\"alg\":\"none\",\"kid\":\"K\",\"typ\":\"JWT\"}",
        "{\"alg\":\"none\",\"alg\":\"EdDSA\",\"kid\":\"K\",\"typ\":\"JWT\"}",
        "{\"alg\":\"EdDSA\",\"kid\":\"K\",\"kid\":\"K\",\"typ\":\"JWT\"}",
        "{\"alg\":\"EdDSA\",\"kid\":\"K\"}",
        "{\"alg\":\"EdDSA\",\"kid\":\"K\",\"typ\":\"jwt\"}",
        "{\"alg\":\"EdDSA\",\"kid\":\"K\",\"typ\":\"JWT\"]",
        "{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}",
        "{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"kid\":\"K\"}",
        "{\"alg\": \"EdDSA\",\"kid\":\"K\",\"typ\":\"JWT\"}",
        " {\"alg\":\"EdDSA\",\"kid\":\"K\",\"typ\":\"JWT\"}",
        "{\"alg\":\"EdDSA\",\"kid\":\"K\",\"typ\":\"JWT\"} ",
        "{\"alg\":\"EdDSA\",\"kid\":\"K\",\"typ\":\"JWT\",\"crit\":[\"exp\"]}",
        "{\"alg\":\"EdDSA\",\"kid\":\"K\",\"typ\":\"JWT\",\"jwk\":{}}",
        "{\"alg\":\"EdDSA\",\"kid\":\"\",\"typ\":\"JWT\"}",
        "{\"alg\":\"EdDSA\",\"kid\":\"../K\",\"typ\":\"JWT\"}",
        "{\"alg\":\"EdDSA\",\"kid\":\"/dev/null\",\"typ\":\"JWT\"}",
        "{\"alg\":\"EdDSA\",\"kid\":\"K' OR '1'='1\",\"typ\":\"JWT\"}",
        "{\"alg\":\"EdDSA\",\"kid\":\"K\\u0000\",\"typ\":\"JWT\"}",
        "{\"alg\":\"EdDSA\",\"kid\":\"\\u004b\",\"typ\":\"JWT\"}",
        "{\"alg\":\"EdDSA\",\"kid\":\"k\",\"typ\":\"JWT\"}",
        "{\"alg\":\"EdDSA\",\"kid\":\"KK\",\"typ\":\"JWT\"}",
        "{\"alg\":\"EdDSA\",\"kid\":1,\"typ\":\"JWT\"}",
        "",
        "{}",
        "null",
    };

    (void)state;
    assert_int_equal(EVP_PKEY_get_raw_public_key(key, raw, &size), 1);
    jwks = json_pack("{s:[{s:s,s:s,s:s,s:s}]}", "keys", "kty", "OKP", "crv", "Ed25519", "kid", "K",
                     "x", str_base64url(a, raw, size));
    keyring_new(&own);
    assert_ok(keyring_import_jwks(own, jwks, &f));
    ring = own;
    assert_ok(
        token_verify(ring, a,
                     forge(a, "{\"alg\":\"EdDSA\",\"kid\":\"K\",\"typ\":\"JWT\"}", claims, key),
                     NOW, &out, &f));
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        refused(a, forge(a, bad[i], claims, key), NULL);
    ring = kept;

    /* Another key's signature under a kid of ours, and a kid that nobody has. */
    {
        char kid[KEYRING_KID_MAX + 1];

        assert_ok(keyring_signer(ring, kid));
        refused(a,
                forge(a, arena_printf(a, "{\"alg\":\"EdDSA\",\"kid\":\"%s\",\"typ\":\"JWT\"}", kid),
                      claims, key),
                "not signed by");
        assert_int_equal(token_verify(ring, a,
                                      forge(a, "{\"alg\":\"EdDSA\",\"kid\":\"K\",\"typ\":\"JWT\"}",
                                            claims, key),
                                      NOW, &out, &f),
                         -(int)FAULT_UNAUTHORIZED);
        assert_string_equal(f.code, "unknown-kid");
    }
    keyring_free(own);
    EVP_PKEY_free(key);
}

/* Signed with our own key, but by somebody who writes other claims: a bug of ours, still refused. */
static void
test_claims(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"sub\":\"u\"",
        "{\"sub\":\"u\",\"sub\":\"v\",\"jti\":\"a\",\"chain\":\"a\",\"scope\":\"none\",\"roles\":[]"
        ",\"amr\":[],\"iat_us\":1,\"exp_us\":9000000000000000000}",
        "{\"sub\":1,\"jti\":\"a\",\"chain\":\"a\",\"scope\":\"none\",\"roles\":[],\"amr\":[],\"iat_"
        "us\":1,\"exp_us\":9000000000000000000}",
        "{\"sub\":\"u\",\"chain\":\"a\",\"scope\":\"none\",\"roles\":[],\"amr\":[],\"iat_us\":1,"
        "\"exp_us\":9000000000000000000}",
        "{\"sub\":\"u\",\"jti\":\"a\",\"chain\":\"a\",\"scope\":\"all\",\"roles\":[],\"amr\":[],"
        "\"iat_us\":1,\"exp_us\":9000000000000000000}",
        "{\"sub\":\"u\",\"jti\":\"a\",\"chain\":\"a\",\"scope\":\"system\",\"pid\":\"p\",\"roles\":"
        "[],\"amr\":[],\"iat_us\":1,\"exp_us\":9000000000000000000}",
        "{\"sub\":\"u\",\"jti\":\"a\",\"chain\":\"a\",\"scope\":\"project\",\"roles\":[],\"amr\":[]"
        ",\"iat_us\":1,\"exp_us\":9000000000000000000}",
        "{\"sub\":\"u\",\"jti\":\"a\",\"chain\":\"a\",\"scope\":\"none\",\"roles\":[\"x\"],\"amr\":"
        "[],\"iat_us\":1,\"exp_us\":9000000000000000000}",
        "{\"sub\":\"u\",\"jti\":\"a\",\"chain\":\"a\",\"scope\":\"none\",\"roles\":[\"x\",1],"
        "\"amr\":[],\"iat_us\":1,\"exp_us\":9000000000000000000}",
        "{\"sub\":\"u\",\"jti\":\"a\",\"chain\":\"a\",\"scope\":\"none\",\"roles\":{},\"amr\":[],"
        "\"iat_us\":1,\"exp_us\":9000000000000000000}",
        "{\"sub\":\"u\",\"jti\":\"a\",\"chain\":\"a\",\"scope\":\"none\",\"roles\":[],\"amr\":[],"
        "\"iat_us\":1}",
        "{\"sub\":\"u\",\"jti\":\"a\",\"chain\":\"a\",\"scope\":\"none\",\"roles\":[],\"amr\":[],"
        "\"iat_us\":1,\"exp_us\":9e18}",
        "{\"sub\":\"u\",\"jti\":\"a\",\"chain\":\"a\",\"scope\":\"none\",\"roles\":[],\"amr\":[],"
        "\"iat_us\":1,\"exp_us\":\"9000000000000000000\"}",
    };
    _cleanup_(arena_freep) struct arena *a = arena_new();
    char kid[KEYRING_KID_MAX + 1];

    (void)state;
    assert_ok(keyring_signer(ring, kid));
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        char *header = arena_printf(a, "{\"alg\":\"EdDSA\",\"kid\":\"%s\",\"typ\":\"JWT\"}", kid);
        unsigned char signature[KEYRING_SIGNATURE];
        char *text = arena_printf(a, "%s.%s", str_base64url(a, header, strlen(header)),
                                  str_base64url(a, bad[i], strlen(bad[i])));

        assert_ok(keyring_sign(ring, kid, text, strlen(text), signature));
        refused(a, arena_printf(a, "%s.%s", text, str_base64url(a, signature, sizeof(signature))),
                "claims");
    }
}

/* HMAC with the public key as its secret: the confusion of algorithms. */
static void
test_hmac_with_public_key(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    json_auto_t *jwks = keyring_jwks(ring);
    const json_t *jwk = json_array_get(json_object_get(jwks, "keys"), 0);
    const char *kid = json_get_text(jwk, "kid"), *x = json_get_text(jwk, "x");
    static const char *const algorithms[] = { "HS256", "EdDSA" };
    unsigned char mac[64];
    unsigned mac_size;
    size_t size;
    void *raw;

    (void)state;
    assert_int_equal(str_base64url_decode(a, x, strlen(x), &raw, &size), 0);
    for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
        char *header =
            arena_printf(a, "{\"alg\":\"%s\",\"kid\":\"%s\",\"typ\":\"JWT\"}", algorithms[i], kid);
        char *text = arena_printf(a, "%s.%s", str_base64url(a, header, strlen(header)),
                                  str_base64url(a, claims, strlen(claims)));

        HMAC(EVP_sha256(), raw, (int)size, (unsigned char *)text, strlen(text), mac, &mac_size);
        refused(a, arena_printf(a, "%s.%s", text, str_base64url(a, mac, mac_size)), NULL);
        HMAC(EVP_sha512(), raw, (int)size, (unsigned char *)text, strlen(text), mac, &mac_size);
        refused(a, arena_printf(a, "%s.%s", text, str_base64url(a, mac, mac_size)), NULL);
    }
}

/* Every single-byte change of a good token, every cut, and other writings of the same bytes. */
static void
test_mutations(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct auth_context c = ring_context();
    char *token = sign(a, &c);
    size_t size = strlen(token);
    static const char others[] = "A-_.+/= \nz9";

    (void)state;
    for (size_t i = 0; i < size; i++) {
        char *changed = arena_strdup(a, token);
        char was = changed[i];

        changed[i] = others[i % (sizeof(others) - 1)];
        if (changed[i] == was)
            changed[i] = was == 'B' ? 'C' : 'B';
        refused(a, changed, NULL);
    }
    for (size_t i = 0; i < size; i += i < size - 100 ? 17 : 1)
        refused(a, arena_strndup(a, token, i), NULL);

    /* The last character of the signature carries bits that no byte uses. */
    for (const char *c64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
         *c64 != '\0'; c64++) {
        char *changed = arena_strdup(a, token);

        if (changed[size - 1] == *c64)
            continue;
        changed[size - 1] = *c64;
        refused(a, changed, NULL);
    }
    refused(a, arena_printf(a, "%sAA", token), NULL); /* More than a signature. */
    refused(a, arena_printf(a, "%sAAAA", arena_strndup(a, token, size - 2)), NULL);
    for (size_t more = 1; more < 40; more++)
        refused(a,
                arena_printf(a, "%s%.*s", token, (int)more,
                             "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
                NULL);
    refused(a, arena_printf(a, "%s=", token), NULL);
    refused(a, arena_printf(a, "%s==", token), NULL);
    refused(a, arena_printf(a, "%s.", token), NULL);
    refused(a, arena_printf(a, "%s.%s", token, token), NULL);
    refused(a, arena_printf(a, ".%s", token), NULL);
    refused(a, arena_printf(a, " %s", token), NULL);
    refused(a, arena_printf(a, "%s\n", token), NULL);
    refused(a, arena_printf(a, "Bearer %s", token), NULL);
    refused(a, "", NULL);
    refused(a, ".", NULL);
    refused(a, "..", NULL);
    refused(a, "...", NULL);
    refused(a, "gAAAAABkeystoneFernetLooksLikeThis", NULL);
}

static void
test_size(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    size_t size = 1024 * 1024;
    char *large = arena_alloc(a, size + 1);
    struct auth_context c = ring_context();
    struct fault f = { 0 };
    char *token;

    (void)state;
    memset(large, 'A', size);
    refused(a, large, "longer than");
    large[100] = '.';
    large[200] = '.';
    refused(a, large, "longer than");

    /* Nor is one made that would not be accepted. */
    large[5000] = '\0';
    c.user_name = large;
    assert_fault(token_sign(ring, a, &c, &token, &f), f, FAULT_INTERNAL, NULL);
}

static void
test_no_key(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct auth_context c = ring_context();
    struct keyring *empty;
    struct fault f = { 0 };
    char *token;

    (void)state;
    keyring_new(&empty);
    assert_fault(token_sign(empty, a, &c, &token, &f), f, FAULT_INTERNAL, NULL);
    assert_fault(token_verify(empty, a, sign(a, &c), NOW, &c, &f), f, FAULT_UNAUTHORIZED, NULL);
    assert_string_equal(f.code, "unknown-kid");
    keyring_free(empty);
}

/* A receipt is no token, nor a token a receipt, though one key signs both. */
static void
test_receipt(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct auth_context in = ring_context(), out;
    struct fault f = { 0 };
    char *receipt, *token;

    (void)state;
    assert_ok(token_sign_receipt(ring, a, &in, &receipt, &f));
    assert_ok(token_sign(ring, a, &in, &token, &f));
    assert_ok(token_verify_receipt(ring, a, receipt, NOW, &out, &f));
    assert_string_equal(out.user_id, in.user_id);
    assert_int_equal(out.methods_count, in.methods_count);
    assert_fault(token_verify(ring, a, receipt, NOW, &out, &f), f, FAULT_UNAUTHORIZED, NULL);
    assert_fault(token_verify_late(ring, a, receipt, NOW, HOUR_US, &out, &f), f, FAULT_UNAUTHORIZED,
                 NULL);
    assert_fault(token_verify_receipt(ring, a, token, NOW, &out, &f), f, FAULT_UNAUTHORIZED, NULL);
    assert_fault(token_verify_receipt(ring, a, receipt, in.expires_us, &out, &f), f,
                 FAULT_UNAUTHORIZED, NULL);
    /* The header of the one before the claims and signature of the other. */
    token = arena_printf(a, "%.*s%s", (int)strcspn(token, "."), token, strchr(receipt, '.'));
    assert_fault(token_verify(ring, a, token, NOW, &out, &f), f, FAULT_UNAUTHORIZED, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_scopes),
        cmocka_unit_test(test_federated),  cmocka_unit_test(test_delegation),
        cmocka_unit_test(test_times),      cmocka_unit_test(test_headers),
        cmocka_unit_test(test_claims),     cmocka_unit_test(test_hmac_with_public_key),
        cmocka_unit_test(test_mutations),  cmocka_unit_test(test_size),
        cmocka_unit_test(test_no_key),     cmocka_unit_test(test_receipt),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
