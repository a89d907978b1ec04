/* Nothing of the claims is read before the signature was found good. */
#include "jwt.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <string.h>

#include "base/array.h"
#include "base/json.h"
#include "base/str.h"

enum {
    KEYS_MAX = 64,
    RSA_BITS_MIN = 2048,
    RSA_BYTES_MAX = 1024,
    EC_BYTES = 32,
    ED25519_BYTES = 32,
};

struct algorithm {
    const char *name, *type, *curve; /* JWK: "kty", "crv" (NULL: none). */
    const EVP_MD *(*digest)(void);   /* NULL: the signature's own. */
    EVP_PKEY *(*key)(struct arena *a, const json_t *jwk);
};

static int _printf_(2, 3) refuse(struct fault *f, const char *format, ...)
{
    char why[256];
    va_list args;

    va_start(args, format);
    vsnprintf(why, sizeof(why), format, args);
    va_end(args);
    fault_clear(f);
    fault_raise(f, FAULT_UNAUTHORIZED, "The request you have made requires authentication.");
    return fault_add_cause(f, "provider's token: %s", why);
}

/* --- Keys */

struct bytes {
    void *data;
    size_t size;
};

static bool
get_bytes(struct arena *a, const json_t *jwk, const char *name, size_t max, struct bytes *ret)
{
    const char *text = json_get_text(jwk, name);

    return text != NULL && strlen(text) <= max * 2 &&
           str_base64url_decode(a, text, strlen(text), &ret->data, &ret->size) == 0 &&
           ret->size > 0 && ret->size <= max;
}

static void
bld_freep(OSSL_PARAM_BLD **b)
{
    OSSL_PARAM_BLD_free(*b);
}

static void
bn_freep(BIGNUM **b)
{
    BN_free(*b);
}

static EVP_PKEY *
from_params(const char *type, OSSL_PARAM_BLD *build)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY *key = NULL;

    if (context != NULL && params != NULL && EVP_PKEY_fromdata_init(context) == 1 &&
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    OSSL_PARAM_free(params);
    EVP_PKEY_CTX_free(context);
    return key;
}

static EVP_PKEY *
rsa_key(struct arena *a, const json_t *jwk)
{
    _cleanup_(bld_freep) OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    _cleanup_(bn_freep) BIGNUM *n = NULL;
    _cleanup_(bn_freep) BIGNUM *e = NULL;
    struct bytes modulus, exponent;

    if (!get_bytes(a, jwk, "n", RSA_BYTES_MAX, &modulus) || !get_bytes(a, jwk, "e", 8, &exponent))
        return NULL;
    n = BN_bin2bn(modulus.data, (int)modulus.size, NULL);
    e = BN_bin2bn(exponent.data, (int)exponent.size, NULL);
    if (build == NULL || n == NULL || e == NULL || BN_num_bits(n) < RSA_BITS_MIN ||
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) != 1)
        return NULL;
    return from_params("RSA", build);
}

static EVP_PKEY *
ec_key(struct arena *a, const json_t *jwk)
{
    _cleanup_(bld_freep) OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    unsigned char point[1 + 2 * EC_BYTES] = { 4 /* Not compressed. */ };
    struct bytes x, y;

    if (!get_bytes(a, jwk, "x", EC_BYTES, &x) || !get_bytes(a, jwk, "y", EC_BYTES, &y) ||
        x.size != EC_BYTES || y.size != EC_BYTES || build == NULL)
        return NULL;
    memcpy(point + 1, x.data, EC_BYTES);
    memcpy(point + 1 + EC_BYTES, y.data, EC_BYTES);
    if (OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) != 1)
        return NULL;
    return from_params("EC", build);
}

static EVP_PKEY *
ed25519_key(struct arena *a, const json_t *jwk)
{
    struct bytes x;

    if (!get_bytes(a, jwk, "x", ED25519_BYTES, &x) || x.size != ED25519_BYTES)
        return NULL;
    return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x.data, x.size);
}

static const struct algorithm algorithms[] = {
    { "RS256", "RSA", NULL, EVP_sha256, rsa_key },
    { "ES256", "EC", "P-256", EVP_sha256, ec_key },
    { "EdDSA", "OKP", "Ed25519", NULL, ed25519_key },
};

static const struct algorithm *
find_algorithm(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
        if (str_equal(algorithms[i].name, name))
            return &algorithms[i];
    }
    return NULL;
}

/* Is the key one for signatures of this algorithm? */
static bool
key_fits(const json_t *jwk, const struct algorithm *alg)
{
    const char *use = json_get_text(jwk, "use"), *own = json_get_text(jwk, "alg");

    return str_equal(json_get_text(jwk, "kty"), alg->type) &&
           (alg->curve == NULL || str_equal(json_get_text(jwk, "crv"), alg->curve)) &&
           (use == NULL || str_equal(use, "sig")) && (own == NULL || str_equal(own, alg->name));
}

/* The one key that is meant: by kid, or without one the only one that fits. */
static const json_t *
find_key(const json_t *jwks, const char *kid, const struct algorithm *alg)
{
    const json_t *keys = json_object_get(jwks, "keys"), *found = NULL;

    for (size_t i = 0; i < json_array_size(keys) && i < KEYS_MAX; i++) {
        const json_t *jwk = json_array_get(keys, i);

        if (!key_fits(jwk, alg) || (kid != NULL && !str_equal(json_get_text(jwk, "kid"), kid)))
            continue;
        if (found != NULL)
            return NULL; /* Two could be meant. */
        found = jwk;
    }
    return found;
}

/* --- Signatures */

/* r and s of 32 bytes each, as OpenSSL wants them. */
static bool
der_of(struct arena *a, const struct bytes *raw, struct bytes *ret)
{
    ECDSA_SIG *signature = ECDSA_SIG_new();
    unsigned char *der = NULL;
    int size = 0;

    if (signature != NULL && raw->size == 2 * EC_BYTES) {
        const unsigned char *data = raw->data;
        BIGNUM *r = BN_bin2bn(data, EC_BYTES, NULL),
               *s = BN_bin2bn(data + EC_BYTES, EC_BYTES, NULL);

        if (ECDSA_SIG_set0(signature, r, s) == 1)
            size = i2d_ECDSA_SIG(signature, &der);
    }
    if (size > 0) {
        ret->data = arena_memdup(a, der, (size_t)size);
        ret->size = (size_t)size;
    }
    OPENSSL_free(der);
    ECDSA_SIG_free(signature);
    return size > 0;
}

static bool
verify(struct arena *a, const struct algorithm *alg, const json_t *jwk, const char *text,
       size_t text_size, const struct bytes *signature)
{
    EVP_PKEY *key = alg->key(a, jwk);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    struct bytes s = *signature;
    bool good =
        key != NULL && context != NULL &&
        (!str_equal(alg->type, "EC") || der_of(a, signature, &s)) &&
        EVP_DigestVerifyInit(context, NULL, alg->digest == NULL ? NULL : alg->digest(), NULL,
                             key) == 1 &&
        EVP_DigestVerify(context, s.data, s.size, (const unsigned char *)text, text_size) == 1;

    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return good;
}

/* --- The token */

struct parts {
    const char *text[3];
    size_t size[3];
};

static bool
take_apart(const char *text, struct parts *ret)
{
    for (size_t i = 0; i < 3; i++) {
        size_t size = strcspn(text, ".");

        ret->text[i] = text;
        ret->size[i] = size;
        if (size == 0 || (i < 2) != (text[size] == '.'))
            return false;
        text += size + 1;
    }
    return true;
}

bool
jwt_looks_like_one(const char *text)
{
    struct parts p;

    return strnlen(text, JWT_MAX + 1) <= JWT_MAX && take_apart(text, &p) &&
           str_starts(text, "eyJ"); /* {" */
}

static bool
read_json(struct arena *a, const struct parts *p, size_t index, json_t **ret)
{
    struct fault f = { 0 };
    struct bytes b;

    return str_base64url_decode(a, p->text[index], p->size[index], &b.data, &b.size) == 0 &&
           json_read(a, b.data, b.size, ret, &f) == 0 && json_is_object(*ret);
}

static bool
has_audience(const json_t *claims, const char *wanted)
{
    const json_t *aud = json_object_get(claims, "aud");

    if (json_is_string(aud))
        return str_equal(json_string_value(aud), wanted);
    for (size_t i = 0; i < json_array_size(aud); i++) {
        if (str_equal(json_string_value(json_array_get(aud, i)), wanted))
            return true;
    }
    return false;
}

/* A time that is a number of any kind; 'fallback' when it is not there. */
static bool
read_time(const json_t *claims, const char *name, double fallback, double *ret)
{
    const json_t *value = json_object_get(claims, name);

    *ret = value == NULL ? fallback : json_number_value(value);
    return value == NULL || json_is_number(value);
}

static int
check_times(const json_t *claims, const struct jwt_expect *e, struct fault *f)
{
    double now = (double)e->now_s, skew = (double)e->skew_s, exp, nbf, iat;

    if (json_object_get(claims, "exp") == NULL || !read_time(claims, "exp", 0, &exp) ||
        !read_time(claims, "nbf", now, &nbf) || !read_time(claims, "iat", now, &iat))
        return refuse(f, "no expiry, or a time that is none");
    if (exp + skew <= now)
        return refuse(f, "expired");
    if (nbf - skew > now || iat - skew > now)
        return refuse(f, "not valid yet");
    return 0;
}

static int
check_claims(const json_t *claims, const struct jwt_expect *e, struct fault *f)
{
    const char *azp = json_get_text(claims, "azp");

    if (!str_equal(json_get_text(claims, "iss"), e->issuer))
        return refuse(f, "of another issuer");
    if (str_empty(e->audience) || !has_audience(claims, e->audience))
        return refuse(f, "for another audience");
    if (e->party != NULL && !str_equal(azp, e->party) &&
        (azp != NULL || json_array_size(json_object_get(claims, "aud")) > 1))
        return refuse(f, "for another party");
    if (e->nonce != NULL && !str_equal(json_get_text(claims, "nonce"), e->nonce))
        return refuse(f, "of another login");
    if (str_empty(json_get_text(claims, "sub")))
        return refuse(f, "without a subject");
    return check_times(claims, e, f);
}

int
jwt_verify(struct arena *a, const char *text, const json_t *jwks, const struct jwt_expect *expect,
           json_t **ret, struct fault *f)
{
    const struct algorithm *alg;
    struct bytes signature;
    const json_t *jwk;
    const char *kid;
    json_t *header, *claims;
    struct parts p;

    if (strnlen(text, JWT_MAX + 1) > JWT_MAX || !take_apart(text, &p) ||
        !read_json(a, &p, 0, &header) ||
        str_base64url_decode(a, p.text[2], p.size[2], &signature.data, &signature.size) < 0)
        return refuse(f, "none");
    alg = find_algorithm(json_get_text(header, "alg"));
    if (alg == NULL || json_object_get(header, "crit") != NULL)
        return refuse(f, "of an algorithm or with extensions that are not taken");
    kid = json_get_text(header, "kid");
    if (kid == NULL && json_object_get(header, "kid") != NULL)
        return refuse(f, "with a kid that is none");
    jwk = find_key(jwks, kid, alg);
    if (jwk == NULL) {
        refuse(f, "no such key");
        snprintf(f->code, sizeof(f->code), "unknown-kid");
        return -1;
    }
    if (!verify(a, alg, jwk, text, (size_t)(p.text[2] - text - 1), &signature))
        return refuse(f, "not signed by that key");
    if (!read_json(a, &p, 1, &claims))
        return refuse(f, "without claims");
    if (check_claims(claims, expect, f) < 0)
        return -1;
    *ret = claims;
    return 0;
}
