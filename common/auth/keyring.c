/* A keyring is a set of keys behind a lock that is held only to find one: keys are counted by reference, so
 * signing and verifying go on while the set is replaced. Files are keyring_directory.c's subject. */
#include "keyring.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdatomic.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/json.h"
#include "../base/memory.h"
#include "../base/str.h"
#include "keyring_set.h"

struct keyring {
    pthread_rwlock_t lock;
    struct key_set set GUARDED_BY(lock); /* Both of the following. */
    pthread_mutex_t changing;
    struct key_set own GUARDED_BY(changing);      /* Of the directory. */
    struct key_set imported GUARDED_BY(changing); /* Others'. */
    _Atomic uint64_t generation;
    _Atomic int64_t activation_us;
    char *path; /* NULL: not from a directory. */
};

bool
keyring_kid_valid(const char *kid, size_t size)
{
    if (size == 0 || size > KEYRING_KID_MAX)
        return false;
    for (size_t i = 0; i < size; i++) {
        char c = kid[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_'))
            return false;
    }
    return true;
}

struct key *
key_set_find(const struct key_set *s, const char *kid)
{
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->keys[i].kid, kid) == 0)
            return (struct key *)(uintptr_t)&s->keys[i];
    }
    return NULL;
}

struct key *
key_set_add(struct key_set *s, const char *kid)
{
    struct key *key = key_set_find(s, kid);

    if (key != NULL)
        return key;
    if (s->count == KEY_SET_MAX)
        return NULL;
    key = &s->keys[s->count++];
    *key = (struct key){ 0 };
    snprintf(key->kid, sizeof(key->kid), "%s", kid);
    return key;
}

void
key_set_done(struct key_set *s)
{
    for (size_t i = 0; i < s->count; i++) {
        EVP_PKEY_free(s->keys[i].public_key);
        EVP_PKEY_free(s->keys[i].private_key);
    }
    s->count = 0;
}

static bool
same_public_keys(const struct key_set *a, const struct key_set *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct key *other = key_set_find(b, a->keys[i].kid);

        if (other == NULL || EVP_PKEY_eq(a->keys[i].public_key, other->public_key) != 1)
            return false;
    }
    return true;
}

static void
share(struct key_set *s, const struct key_set *from)
{
    for (size_t i = 0; i < from->count; i++) {
        const struct key *other = &from->keys[i];
        struct key *key = key_set_find(s, other->kid) == NULL ? key_set_add(s, other->kid) : NULL;

        if (key == NULL)
            continue; /* There already: our own directory's word is the one that counts. Or no room: the oldest of others. */
        *key = *other;
        EVP_PKEY_up_ref(key->public_key);
        if (key->private_key != NULL)
            EVP_PKEY_up_ref(key->private_key);
    }
}

/* 's' takes the place of 'part', k->own or k->imported; it is empty after. */
static void
replace(struct keyring *k, struct key_set *part, struct key_set *s)
{
    struct key_set all = { 0 }, old;

    pthread_mutex_lock(&k->changing);
    key_set_done(part);
    *part = *s;
    s->count = 0;
    share(&all, &k->own);
    share(&all, &k->imported);
    pthread_rwlock_wrlock(&k->lock);
    old = k->set;
    k->set = all;
    if (!same_public_keys(&old, &k->set))
        atomic_fetch_add(&k->generation, 1);
    pthread_rwlock_unlock(&k->lock);
    pthread_mutex_unlock(&k->changing);
    key_set_done(&old);
}

int
keyring_new(struct keyring **ret)
{
    struct keyring *k = memory_calloc(1, sizeof(*k));

    pthread_rwlock_init(&k->lock, NULL);
    pthread_mutex_init(&k->changing, NULL);
    *ret = k;
    return 0;
}

int
keyring_open_directory(struct keyring **ret, const char *path, struct fault *f)
{
    struct keyring *k;
    int r;

    keyring_new(&k);
    k->path = memory_strdup(path);
    r = keyring_reload(k, f);
    if (r < 0) {
        keyring_free(k);
        return r;
    }
    *ret = k;
    return 0;
}

void
keyring_free(struct keyring *k)
{
    if (k == NULL)
        return;
    key_set_done(&k->set);
    key_set_done(&k->own);
    key_set_done(&k->imported);
    pthread_mutex_destroy(&k->changing);
    pthread_rwlock_destroy(&k->lock);
    free(k->path);
    free(k);
}

int
keyring_reload(struct keyring *k, struct fault *f)
{
    _cleanup_(key_set_done) struct key_set set = { 0 };
    int r;

    if (k->path == NULL)
        return 0;
    r = key_set_read_directory(&set, k->path, f);
    if (r < 0)
        return r;
    replace(k, &k->own, &set);
    return 0;
}

static json_t *
jwk_of(const struct key *key, struct arena *a)
{
    unsigned char raw[32];
    size_t size = sizeof(raw);

    if (EVP_PKEY_get_raw_public_key(key->public_key, raw, &size) != 1)
        return NULL;
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "kty", "OKP", "crv", "Ed25519", "alg", "EdDSA",
                     "use", "sig", "kid", key->kid, "x", str_base64url(a, raw, size));
}

json_t *
keyring_jwks(struct keyring *k)
{
    struct arena *a = arena_new();
    json_t *keys = json_array();

    pthread_rwlock_rdlock(&k->lock);
    for (size_t i = 0; i < k->set.count; i++) {
        json_t *jwk = jwk_of(&k->set.keys[i], a);

        if (jwk != NULL)
            json_array_append_new(keys, jwk);
    }
    pthread_rwlock_unlock(&k->lock);
    arena_free(a);
    return json_pack("{s:o}", "keys", keys);
}

size_t
keyring_own(struct keyring *k, struct arena *a, struct keyring_key **ret)
{
    struct keyring_key *list;
    size_t count;

    pthread_mutex_lock(&k->changing);
    count = k->own.count;
    list = ARENA_ARRAY(a, struct keyring_key, count + 1);
    for (size_t i = 0; i < count; i++) {
        list[i].kid = arena_strdup(a, k->own.keys[i].kid);
        list[i].jwk = json_own(a, jwk_of(&k->own.keys[i], a));
        list[i].signs = k->own.keys[i].private_key != NULL;
    }
    pthread_mutex_unlock(&k->changing);
    *ret = list;
    return count;
}

bool
keyring_imported(struct keyring *k, const char *kid)
{
    bool found;

    pthread_mutex_lock(&k->changing);
    found = key_set_find(&k->imported, kid) != NULL;
    pthread_mutex_unlock(&k->changing);
    return found;
}

static int
import_key(struct key_set *s, struct arena *a, const json_t *jwk, struct fault *f)
{
    const char *kid = json_get_text(jwk, "kid"), *x = json_get_text(jwk, "x");
    struct key *key;
    size_t size;
    void *raw;

    /* Of another type: for another use, as RFC 7517 section 5 wants it. */
    if (!str_equal(json_get_text(jwk, "kty"), "OKP") ||
        !str_equal(json_get_text(jwk, "crv"), "Ed25519"))
        return 0;
    if (kid == NULL || !keyring_kid_valid(kid, strlen(kid)))
        return fault_raise_field(f, "kid", "A key has no valid kid.");
    if (x == NULL || str_base64url_decode(a, x, strlen(x), &raw, &size) < 0 || size != 32)
        return fault_raise_field(f, "x", "Key %s is not an Ed25519 key.", kid);
    if (key_set_find(s, kid) != NULL)
        return fault_raise_field(f, "kid", "Key %s is there twice.", kid);
    key = key_set_add(s, kid);
    if (key == NULL)
        return fault_raise_field(f, "keys", "More than %d keys.", KEY_SET_MAX);
    key->public_key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw, size);
    if (key->public_key == NULL)
        return fault_raise_field(f, "x", "Key %s is not an Ed25519 key.", kid);
    return 0;
}

int
keyring_import_jwks(struct keyring *k, const json_t *jwks, struct fault *f)
{
    _cleanup_(key_set_done) struct key_set set = { 0 };
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const json_t *keys = json_object_get(jwks, "keys");

    if (!json_is_array(keys))
        return fault_raise_field(f, "keys", "Not a set of keys.");
    for (size_t i = 0; i < json_array_size(keys); i++) {
        int r = import_key(&set, a, json_array_get(keys, i), f);

        if (r < 0)
            return r;
    }
    replace(k, &k->imported, &set);
    return 0;
}

size_t
keyring_count(struct keyring *k)
{
    size_t count;

    pthread_rwlock_rdlock(&k->lock);
    count = k->set.count;
    pthread_rwlock_unlock(&k->lock);
    return count;
}

uint64_t
keyring_generation(struct keyring *k)
{
    return atomic_load(&k->generation);
}

void
keyring_set_activation(struct keyring *k, int64_t us)
{
    atomic_store(&k->activation_us, us);
}

/* When the key was made: its kid's first 16 digits. 0 for a kid that somebody chose. */
static int64_t
made_us(const char *kid)
{
    static const char digits[] = "0123456789abcdef";
    int64_t us = 0;

    for (size_t i = 0; i < 16; i++) {
        const char *digit = kid[i] == '\0' ? NULL : strchr(digits, kid[i]);

        if (digit == NULL || us >> 58 != 0)
            return 0;
        us = us * 16 + (digit - digits);
    }
    return kid[16] == '-' ? us : 0;
}

/* The newest that is old enough; else the oldest, which others have had most time to learn of. */
int
keyring_signer(struct keyring *k, char ret[KEYRING_KID_MAX + 1])
{
    int64_t made_by = clock_now_us() - atomic_load(&k->activation_us);
    const struct key *best = NULL;
    bool best_active = false;

    pthread_rwlock_rdlock(&k->lock);
    for (size_t i = 0; i < k->set.count; i++) {
        const struct key *key = &k->set.keys[i];
        bool active = made_us(key->kid) <= made_by;

        if (key->private_key == NULL || (best_active && !active))
            continue;
        if (best == NULL || (active && !best_active) ||
            (strcmp(key->kid, best->kid) > 0) == active) {
            best = key;
            best_active = active;
        }
    }
    if (best != NULL)
        memcpy(ret, best->kid, sizeof(best->kid));
    pthread_rwlock_unlock(&k->lock);
    return best != NULL ? 0 : -ENOKEY;
}

static EVP_PKEY *
borrow(struct keyring *k, const char *kid, bool is_private)
{
    EVP_PKEY *found = NULL;
    const struct key *key;

    pthread_rwlock_rdlock(&k->lock);
    key = key_set_find(&k->set, kid);
    if (key != NULL)
        found = is_private ? key->private_key : key->public_key;
    if (found != NULL)
        EVP_PKEY_up_ref(found);
    pthread_rwlock_unlock(&k->lock);
    return found;
}

int
keyring_sign(struct keyring *k, const char *kid, const void *data, size_t size,
             unsigned char ret[KEYRING_SIGNATURE])
{
    EVP_PKEY *key = borrow(k, kid, true);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t written = KEYRING_SIGNATURE;
    int r = -ENOKEY;

    if (key != NULL)
        r = EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
                    EVP_DigestSign(ctx, ret, &written, data, size) == 1 &&
                    written == KEYRING_SIGNATURE
                ? 0
                : -EIO;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return r;
}

int
keyring_verify(struct keyring *k, const char *kid, const void *data, size_t size,
               const unsigned char signature[KEYRING_SIGNATURE])
{
    EVP_PKEY *key = borrow(k, kid, false);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int r = -ENOKEY;

    if (key != NULL)
        r = EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
                    EVP_DigestVerify(ctx, signature, KEYRING_SIGNATURE, data, size) == 1
                ? 0
                : -EBADMSG;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return r;
}
