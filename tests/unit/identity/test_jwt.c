#include "services/identity/jwt.h"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include "../asserts.h"
#include "base/json.h"
#include "base/str.h"

enum { NOW = 1800000000 };

static EVP_PKEY *rsa, *weak, *ec, *ed, *other;

static int
set_up(void **state)
{
    (void)state;
    rsa = EVP_RSA_gen(2048);
    weak = EVP_RSA_gen(1024);
    ec = EVP_EC_gen("prime256v1");
    ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    other = EVP_EC_gen("prime256v1");
    return rsa == NULL || ec == NULL || ed == NULL;
}

static int
tear_down(void **state)
{
    (void)state;
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(weak);
    EVP_PKEY_free(ec);
    EVP_PKEY_free(ed);
    EVP_PKEY_free(other);
    return 0;
}

static json_t *
number(struct arena *a, EVP_PKEY *key, const char *name)
{
    unsigned char data[512];
    BIGNUM *n = NULL;
    int size;

    assert_int_equal(EVP_PKEY_get_bn_param(key, name, &n), 1);
    size = BN_num_bytes(n);
    if (size < 32 && str_starts(name, "q"))
        size = 32;
    assert_true(BN_bn2binpad(n, data, size) == size);
    BN_free(n);
    return json_string(str_base64url(a, data, (size_t)size));
}

static json_t *
rsa_jwk(struct arena *a, EVP_PKEY *key, const char *kid)
{
    return json_pack("{s:s, s:s, s:o, s:o}", "kty", "RSA", "kid", kid, "n", number(a, key, "n"),
                     "e", number(a, key, "e"));
}

static json_t *
ec_jwk(struct arena *a, EVP_PKEY *key, const char *kid)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "kty", "EC", "crv", "P-256", "kid", kid,
                     "use", "sig", "x", number(a, key, "qx"), "y", number(a, key, "qy"));
}

static json_t *
ed_jwk(struct arena *a, EVP_PKEY *key, const char *kid)
{
    unsigned char raw[32];
    size_t size = sizeof(raw);

    EVP_PKEY_get_raw_public_key(key, raw, &size);
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "kty", "OKP", "crv", "Ed25519", "kid", kid, "alg",
                     "EdDSA", "x", str_base64url(a, raw, size));
}

static json_t *
key_set(struct arena *a)
{
    return json_own(a, json_pack("{s:[o, o, o, o]}", "keys", rsa_jwk(a, rsa, "r"),
                                 ec_jwk(a, ec, "e"), ed_jwk(a, ed, "d"), rsa_jwk(a, weak, "w")));
}

static char *
sign(struct arena *a, EVP_PKEY *key, const char *header, const char *claims)
{
    char *text = arena_printf(a, "%s.%s", str_base64url(a, header, strlen(header)),
                              str_base64url(a, claims, strlen(claims)));
    bool own_digest = key == ed;
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    unsigned char signature[512], raw[64];
    size_t size = sizeof(signature);

    assert_int_equal(EVP_DigestSignInit(c, NULL, own_digest ? NULL : EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(c, signature, &size, (const unsigned char *)text, strlen(text)),
                     1);
    EVP_MD_CTX_free(c);
    if (key == ec || key == other) {
        const unsigned char *at = signature;
        ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &at, (long)size);

        BN_bn2binpad(ECDSA_SIG_get0_r(s), raw, 32);
        BN_bn2binpad(ECDSA_SIG_get0_s(s), raw + 32, 32);
        ECDSA_SIG_free(s);
        memcpy(signature, raw, size = 64);
    }
    return arena_printf(a, "%s.%s", text, str_base64url(a, signature, size));
}

#define CLAIMS "{\"iss\":\"https://i\",\"aud\":\"us\",\"sub\":\"bob\",\"exp\":1800000100"
static const struct jwt_expect expect = {
    .issuer = "https://i", .audience = "us", .now_s = NOW, .skew_s = 30
};

static int
check(struct arena *a, const char *token, struct fault *f)
{
    json_t *claims = NULL;

    fault_clear(f);
    return jwt_verify(a, token, key_set(a), &expect, &claims, f);
}

static void
assert_refused(int r, const struct fault *f, const char *cause)
{
    assert_true(r < 0);
    assert_int_equal(f->kind, FAULT_UNAUTHORIZED);
    if (strstr(f->cause, cause) == NULL)
        fail_msg("'%s' is not in '%s'", cause, f->cause);
}

static void
test_algorithms(void **state)
{
    const struct {
        EVP_PKEY *key;
        const char *header, *refused;
    } cases[] = {
        { rsa, "{\"alg\":\"RS256\",\"kid\":\"r\",\"typ\":\"JWT\"}", NULL },
        { ec, "{\"alg\":\"ES256\",\"kid\":\"e\",\"typ\":\"at+jwt\"}", NULL },
        { ed, "{\"alg\":\"EdDSA\",\"kid\":\"d\"}", NULL },
        { ec, "{\"alg\":\"ES256\"}", NULL },           /* One key only could be meant. */
        { rsa, "{\"alg\":\"RS256\"}", "no such key" }, /* Two could. */
        { rsa, "{\"alg\":\"RS256\",\"kid\":\"x\"}", "no such key" },
        { rsa, "{\"alg\":\"RS256\",\"kid\":\"e\"}", "no such key" }, /* Of another kind. */
        { ec, "{\"alg\":\"ES256\",\"kid\":\"r\"}", "no such key" },
        { rsa, "{\"alg\":\"RS256\",\"kid\":1}", "kid that is none" },
        { other, "{\"alg\":\"ES256\",\"kid\":\"e\"}", "not signed" },
        { weak, "{\"alg\":\"RS256\",\"kid\":\"w\"}", "not signed" },
        { rsa, "{\"alg\":\"none\"}", "algorithm" },
        { rsa, "{\"alg\":\"HS256\",\"kid\":\"r\"}", "algorithm" },
        { rsa, "{\"alg\":\"RS512\",\"kid\":\"r\"}", "algorithm" },
        { rsa, "{\"alg\":\"rs256\",\"kid\":\"r\"}", "algorithm" },
        { rsa, "{\"kid\":\"r\"}", "algorithm" },
        { rsa, "{\"alg\":\"RS256\",\"kid\":\"r\",\"crit\":[\"b64\"]}", "extensions" },
        { rsa, "[]", "none" },
        { rsa, "{\"alg\":\"RS256\",\"alg\":\"none\",\"kid\":\"r\"}", "none" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(arena_freep) struct arena *a = arena_new();
        struct fault f = { 0 };
        int r = check(a, sign(a, cases[i].key, cases[i].header, CLAIMS "}"), &f);

        if (cases[i].refused == NULL)
            assert_ok(r);
        else
            assert_refused(r, &f, cases[i].refused);
        assert_int_equal(str_equal(f.code, "unknown-kid"),
                         str_equal(cases[i].refused, "no such key"));
    }
}

/* A public key is no secret: not to be taken for one. */
static void
test_forged(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    char *token = sign(a, ec, "{\"alg\":\"ES256\",\"kid\":\"e\"}", CLAIMS "}");
    const char *header = "{\"alg\":\"HS256\",\"kid\":\"e\"}";
    char *text = arena_printf(a, "%s.%s", str_base64url(a, header, strlen(header)),
                              str_base64url(a, CLAIMS "}", strlen(CLAIMS "}")));
    const char *jwk = json_text(a, json_array_get(json_object_get(key_set(a), "keys"), 1));
    unsigned char mac[32];
    struct fault f = { 0 };
    char *bad;

    (void)state;
    HMAC(EVP_sha256(), jwk, (int)strlen(jwk), (const unsigned char *)text, strlen(text), mac, NULL);
    assert_refused(check(a, arena_printf(a, "%s.%s", text, str_base64url(a, mac, 32)), &f), &f,
                   "algorithm");
    assert_ok(check(a, token, &f));
    for (size_t i = 0; i < strlen(token); i += 7) { /* Any byte changed. */
        bad = arena_strdup(a, token);
        bad[i] = bad[i] == 'A' ? 'B' : 'A';
        assert_true(check(a, bad, &f) < 0 && f.kind == FAULT_UNAUTHORIZED);
    }
    assert_true(check(a, arena_printf(a, "%s.", token), &f) < 0);
    assert_true(check(a, arena_printf(a, "%s=", token), &f) < 0);
    assert_true(check(a, arena_strndup(a, token, strlen(token) - 1), &f) < 0);
    assert_true(check(a, strrchr(token, '.'), &f) < 0);
    assert_true(check(a, "", &f) < 0 && check(a, "..", &f) < 0 && check(a, "a.b", &f) < 0);
    bad = arena_alloc(a, JWT_MAX + 10);
    memset(bad, 'a', JWT_MAX + 9);
    assert_true(check(a, bad, &f) < 0);
    assert_true(jwt_looks_like_one(token));
    assert_false(jwt_looks_like_one(bad));
    assert_false(jwt_looks_like_one("2YotnFZFEjr1zCsicMWpAA"));
}

static void
test_claims(void **state)
{
    static const struct {
        const char *claims;
        const char *nonce, *party;
        const char *refused;
    } cases[] = {
        { CLAIMS "}", NULL, NULL, NULL },
        { CLAIMS ",\"nbf\":1800000020,\"iat\":1800000000.5}", NULL, NULL, NULL },
        { CLAIMS ",\"nbf\":1800000031}", NULL, NULL, "not valid yet" },
        { CLAIMS ",\"iat\":1800000099}", NULL, NULL, "not valid yet" },
        { CLAIMS ",\"nbf\":\"0\"}", NULL, NULL, "a time that is none" },
        { "{\"iss\":\"https://i\",\"aud\":\"us\",\"sub\":\"bob\"}", NULL, NULL, "no expiry" },
        { "{\"iss\":\"https://i\",\"aud\":\"us\",\"sub\":\"bob\",\"exp\":\"9999999999\"}", NULL,
          NULL, "a time that is none" },
        { "{\"iss\":\"https://i\",\"aud\":\"us\",\"sub\":\"bob\",\"exp\":1799999971}", NULL, NULL,
          NULL }, /* A clock may be off a little. */
        { "{\"iss\":\"https://i\",\"aud\":\"us\",\"sub\":\"bob\",\"exp\":1799999970}", NULL, NULL,
          "expired" },
        { "{\"iss\":\"https://i/\",\"aud\":\"us\",\"sub\":\"b\",\"exp\":1800000100}", NULL, NULL,
          "issuer" },
        { "{\"aud\":\"us\",\"sub\":\"b\",\"exp\":1800000100}", NULL, NULL, "issuer" },
        { "{\"iss\":\"https://i\",\"sub\":\"b\",\"exp\":1800000100}", NULL, NULL, "audience" },
        { "{\"iss\":\"https://i\",\"aud\":\"them\",\"sub\":\"b\",\"exp\":1800000100}", NULL, NULL,
          "audience" },
        { "{\"iss\":\"https://i\",\"aud\":{\"us\":1},\"sub\":\"b\",\"exp\":1800000100}", NULL, NULL,
          "audience" },
        { "{\"iss\":\"https://i\",\"aud\":[\"x\",\"us\"],\"sub\":\"b\",\"exp\":1800000100}", NULL,
          NULL, NULL },
        { "{\"iss\":\"https://i\",\"aud\":[\"x\",\"us\"],\"sub\":\"b\",\"exp\":1800000100}", NULL,
          "us", "party" },
        { CLAIMS ",\"azp\":\"them\"}", NULL, "us", "party" },
        { CLAIMS ",\"azp\":\"us\"}", NULL, "us", NULL },
        { "{\"iss\":\"https://i\",\"aud\":\"us\",\"exp\":1800000100}", NULL, NULL, "subject" },
        { "{\"iss\":\"https://i\",\"aud\":\"us\",\"sub\":\"\",\"exp\":1800000100}", NULL, NULL,
          "subject" },
        { CLAIMS "}", "n", NULL, "another login" },
        { CLAIMS ",\"nonce\":\"m\"}", "n", NULL, "another login" },
        { CLAIMS ",\"nonce\":\"n\"}", "n", NULL, NULL },
        { "[]", NULL, NULL, "without claims" },
        { CLAIMS "} x", NULL, NULL, "without claims" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(arena_freep) struct arena *a = arena_new();
        char *token = sign(a, ec, "{\"alg\":\"ES256\",\"kid\":\"e\"}", cases[i].claims);
        struct jwt_expect e = expect;
        struct fault f = { 0 };
        json_t *claims = NULL;
        int r;

        e.nonce = cases[i].nonce;
        e.party = cases[i].party;
        r = jwt_verify(a, token, key_set(a), &e, &claims, &f);
        if (cases[i].refused == NULL)
            assert_ok(r);
        else
            assert_refused(r, &f, cases[i].refused);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_algorithms),
        cmocka_unit_test(test_forged),
        cmocka_unit_test(test_claims),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
