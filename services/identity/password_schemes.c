#include "password_schemes.h"

#include <crypt.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "base/random.h"
#include "base/str.h"

#define BCRYPT_READS 72 /* Bytes of a password; libcrypt takes 511 for the others. */
#define CRYPT_READS 511
#define SCRYPT_MEMORY ((uint64_t)256 * 1024 * 1024)
#define PBKDF2_ROUNDS_MAX 10000000

static const struct algorithm {
    const char *name, *prefix;
    unsigned usual, least, most; /* Rounds. */
} algorithms[] = {
    { "bcrypt", "$2b$", 12, 4, 31 },
    { "yescrypt", "$y$", 5, 1, 11 },
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

int
password_scheme_check(const struct password_scheme *s, struct fault *f)
{
    const struct algorithm *x = find_algorithm(s->algorithm);

    if (x == NULL)
        return fault_raise_field(f, "password_hash_algorithm",
                                 "password_hash_algorithm is neither bcrypt nor yescrypt: %.32s",
                                 s->algorithm);
    if (s->rounds != 0 && (s->rounds < x->least || s->rounds > x->most))
        return fault_raise_field(f, "password_hash_rounds",
                                 "password_hash_rounds of %s is %u to %u, or 0", x->name, x->least,
                                 x->most);
    return 0;
}

/* What is longer than the algorithm reads goes in as the 64 characters of its SHA-384, so that no byte is ignored. */
static const char *
shortened(struct arena *a, const char *password, const char *setting)
{
    size_t reads = str_starts(setting, "$2") ? BCRYPT_READS : CRYPT_READS;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    if (strlen(password) <= reads)
        return password;
    if (EVP_Digest(password, strlen(password), digest, &size, EVP_sha384(), NULL) != 1)
        abort();
    return str_base64(a, digest, size);
}

static char *
crypted(struct arena *a, const char *password, const char *setting)
{
    struct crypt_data *data = ARENA_NEW(a, struct crypt_data);
    const char *made = crypt_rn(password, setting, data, sizeof(*data));
    char *copy = made == NULL ? NULL : arena_strdup(a, made);

    explicit_bzero(data, sizeof(*data));
    return copy;
}

int
password_scheme_hash(const struct password_scheme *s, struct arena *a, const char *password,
                     char **ret, struct fault *f)
{
    const struct algorithm *x = find_algorithm(s->algorithm);
    char salt[CRYPT_GENSALT_OUTPUT_SIZE], seed[16];
    char *hash;

    random_bytes(seed, sizeof(seed));
    if (x == NULL || crypt_gensalt_rn(x->prefix, s->rounds != 0 ? s->rounds : x->usual, seed,
                                      sizeof(seed), salt, sizeof(salt)) == NULL)
        return fault_raise_cause(f, "crypt_gensalt: %m");
    hash = crypted(a, shortened(a, password, salt), salt);
    if (hash == NULL)
        return fault_raise_cause(f, "crypt: %m");
    *ret = hash;
    return 0;
}

/* --- What passlib has stored: "$name$parameters$salt$checksum", in base64 of its own. */

/* Base64 without padding; '.' may stand for '+'. */
static int
decode(struct arena *a, const char *text, void **ret, size_t *ret_size)
{
    char *copy = arena_printf(a, "%s%.*s", text, (int)((4 - strlen(text) % 4) % 4), "===");

    for (char *at = copy; *at != '\0'; at++) {
        if (*at == '.')
            *at = '+';
    }
    return str_base64_decode(a, copy, ret, ret_size);
}

struct stored {
    char *parameters;
    void *salt, *sum;
    size_t salt_size, sum_size;
};

static bool
take_apart(struct arena *a, const char *hash, struct stored *ret)
{
    size_t count;
    char **parts = str_split(a, hash, '$', &count);

    if (count != 5)
        return false;
    ret->parameters = parts[2];
    return decode(a, parts[3], &ret->salt, &ret->salt_size) == 0 &&
           decode(a, parts[4], &ret->sum, &ret->sum_size) == 0 && ret->sum_size > 0;
}

static bool
same_bytes(struct arena *a, const void *made, const struct stored *s)
{
    return str_equal_secret(str_hex(a, made, s->sum_size), str_hex(a, s->sum, s->sum_size));
}

static bool
verify_pbkdf2(struct arena *a, const char *password, const char *hash)
{
    struct stored s;
    unsigned char *made;
    int64_t rounds;

    if (!take_apart(a, hash, &s) || s.sum_size > 64 ||
        str_to_int64(s.parameters, 1, PBKDF2_ROUNDS_MAX, &rounds) < 0)
        return false;
    made = arena_alloc(a, s.sum_size);
    return PKCS5_PBKDF2_HMAC(password, (int)strlen(password), s.salt, (int)s.salt_size, (int)rounds,
                             EVP_sha512(), (int)s.sum_size, made) == 1 &&
           same_bytes(a, made, &s);
}

static bool
verify_scrypt(struct arena *a, const char *password, const char *hash)
{
    unsigned log_n, r, p;
    unsigned char *made;
    struct stored s;

    if (!take_apart(a, hash, &s) || s.sum_size > 64 ||
        sscanf(s.parameters, "ln=%2u,r=%4u,p=%4u", &log_n, &r, &p) != 3 || log_n > 31)
        return false;
    made = arena_alloc(a, s.sum_size);
    return EVP_PBE_scrypt(password, strlen(password), s.salt, s.salt_size, (uint64_t)1 << log_n, r,
                          p, SCRYPT_MEMORY, made, s.sum_size) == 1 &&
           same_bytes(a, made, &s);
}

/* bcrypt of the base64 of a SHA-256 of the password: keyed by the salt's text in version 2, plain in version 1. */
static bool
verify_bcrypt_sha256(struct arena *a, const char *password, const char *hash)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0, rounds;
    char ident[3] = "";
    const char *against, *made;
    size_t count;
    char **parts = str_split(a, hash, '$', &count);
    bool keyed;

    if (count != 5)
        return false;
    keyed = sscanf(parts[2], "v=2,t=%2[2aby],r=%2u", ident, &rounds) == 2;
    if (!keyed && sscanf(parts[2], "%2[2aby],%2u", ident, &rounds) != 2)
        return false;
    if (keyed)
        HMAC(EVP_sha256(), parts[3], (int)strlen(parts[3]), (const unsigned char *)password,
             strlen(password), digest, &size);
    else
        EVP_Digest(password, strlen(password), digest, &size, EVP_sha256(), NULL);
    against = arena_printf(a, "$%s$%02u$%s%s", ident, rounds, parts[3], parts[4]);
    made = crypted(a, str_base64(a, digest, size), against);
    return made != NULL && str_equal_secret(made, against);
}

static bool
verify_crypt(struct arena *a, const char *password, const char *hash)
{
    const char *made = crypted(a, shortened(a, password, hash), hash);

    return made != NULL && str_equal_secret(made, hash);
}

bool
password_scheme_verify(struct arena *a, const char *password, const char *hash)
{
    if (str_starts(hash, "$pbkdf2-sha512$"))
        return verify_pbkdf2(a, password, hash);
    if (str_starts(hash, "$scrypt$"))
        return verify_scrypt(a, password, hash);
    if (str_starts(hash, "$bcrypt-sha256$"))
        return verify_bcrypt_sha256(a, password, hash);
    return verify_crypt(a, password, hash);
}

bool
password_scheme_outdated(const struct password_scheme *s, const char *hash)
{
    const struct algorithm *x = find_algorithm(s->algorithm);
    char salt[CRYPT_GENSALT_OUTPUT_SIZE] = "", seed[16] = { 0 };
    unsigned rounds;

    if (x == NULL)
        return false;
    rounds = s->rounds != 0 ? s->rounds : x->usual;
    if (crypt_gensalt_rn(x->prefix, rounds, seed, sizeof(seed), salt, sizeof(salt)) == NULL)
        return false;
    /* Prefix and rounds are what stands before the salt: "$2b$12$", "$y$j9T$". */
    *(strchr(strchr(salt + 1, '$') + 1, '$') + 1) = '\0';
    return !str_starts(hash, salt);
}
