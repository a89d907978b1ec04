/* An answer may hold what is said only once (a password, a private key), and the database keeps it for a day. So it is
 * sealed (AES-256-GCM) under a digest of the client's key, and the client's key is stored only as another digest: a
 * copy of the table says no more than that there was a request. That is as strong as the keys are hard to guess. */
#include "idempotency_answer.h"

#include <openssl/evp.h>

#include "../base/json.h"
#include "../base/random.h"
#include "../base/str.h"

enum { KEY_MAX = 255, ANSWER_MAX = 1024 * 1024, NONCE = 12, TAG = 16, DIGEST = 32 };

bool
idempotency_key_check(const char *key)
{
    size_t size = strlen(key);

    for (size_t i = 0; i < size; i++) {
        if (key[i] < '!' || key[i] > '~')
            return false;
    }
    return size >= 1 && size <= KEY_MAX;
}

/* SHA-256 of texts, each with its end, so that no two lists read the same. */
static void
digest(const char *const *texts, size_t count, unsigned char ret[DIGEST])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;

    for (size_t i = 0; ok && i < count; i++) {
        const char *text = texts[i] == NULL ? "" : texts[i];

        ok = EVP_DigestUpdate(ctx, text, strlen(text) + 1) == 1;
    }
    if (!ok || EVP_DigestFinal_ex(ctx, ret, NULL) != 1)
        abort(); /* A libcrypto without SHA-256. */
    EVP_MD_CTX_free(ctx);
}

void
idempotency_key_make(const struct call *c, const char *key, struct idempotency_key *ret)
{
    const char *texts[] = { "id",
                            c->auth.user_id,
                            c->auth.project_id,
                            c->auth.domain_id,
                            c->api->service,
                            c->operation->id,
                            key };
    unsigned char id[DIGEST];

    digest(texts, ARRAY_SIZE(texts), id);
    ret->id = str_hex(c->arena, id, sizeof(id));
    texts[0] = "seal";
    digest(texts, ARRAY_SIZE(texts), ret->seal);
}

char *
idempotency_request_digest(const struct call *c)
{
    char *body = c->body == NULL ? NULL : json_dumps(c->body, JSON_COMPACT | JSON_SORT_KEYS);
    const char *texts[] = { c->request->path, c->request->query_text,
                            arena_printf(c->arena, "%d", c->version),
                            body != NULL ? body : c->request->body };
    unsigned char ret[DIGEST];

    digest(texts, ARRAY_SIZE(texts), ret);
    free(body);
    return str_hex(c->arena, ret, sizeof(ret));
}

/* --- Sealing */

static void
ctx_freep(EVP_CIPHER_CTX **ctx)
{
    EVP_CIPHER_CTX_free(*ctx);
}

/* nonce, tag, text: in base64. */
static char *
seal(struct arena *a, const unsigned char key[DIGEST], const char *text, size_t size)
{
    _cleanup_(ctx_freep) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    unsigned char *out = arena_alloc(a, NONCE + TAG + size);
    int done = 0;

    random_bytes(out, NONCE);
    if (ctx == NULL || EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, out) != 1 ||
        EVP_EncryptUpdate(ctx, out + NONCE + TAG, &done, (const unsigned char *)text, (int)size) !=
            1 ||
        EVP_EncryptFinal_ex(ctx, out + NONCE + TAG + done, &done) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG, out + NONCE) != 1)
        abort();
    return str_base64(a, out, NONCE + TAG + size);
}

static char *
unseal(struct arena *a, const unsigned char key[DIGEST], const char *sealed, size_t *ret_size)
{
    _cleanup_(ctx_freep) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    unsigned char *text;
    int done = 0, rest = 0;
    void *data;
    size_t size;

    if (ctx == NULL || str_base64_decode(a, sealed, &data, &size) < 0 || size < NONCE + TAG)
        return NULL;
    text = arena_alloc(a, size);
    size -= NONCE + TAG;
    if (EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, data) != 1 ||
        EVP_DecryptUpdate(ctx, text, &done, (unsigned char *)data + NONCE + TAG, (int)size) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG, (char *)data + NONCE) != 1 ||
        EVP_DecryptFinal_ex(ctx, text + done, &rest) != 1)
        return NULL;
    *ret_size = size;
    return (char *)text;
}

/* --- Answers: {"type": "application/json", "headers": {"Location": "..."}, "body": "..."} */

static bool
is_kept(const char *header)
{
    return !str_equal_nocase(header, "X-Subject-Token") && !str_equal_nocase(header, "Set-Cookie");
}

char *
idempotency_answer_seal(const struct call *c, const struct idempotency_key *k, size_t skip)
{
    const struct http_response *r = c->response;
    json_auto_t *answer = json_object(), *headers = json_object();
    json_t *body = json_stringn(r->body.size == 0 ? "" : r->body.data,
                                r->body.size); /* NULL: it isn't UTF-8. */
    char *text, *sealed;

    for (size_t i = skip; i < r->headers_count; i++) {
        if (is_kept(r->headers[i].name))
            json_object_set_new(headers, r->headers[i].name, json_string(r->headers[i].value));
    }
    if (r->content_type != NULL)
        json_object_set_new(answer, "type", json_string(r->content_type));
    json_object_set(answer, "headers", headers);
    if (r->file >= 0 || r->body.size > ANSWER_MAX || body == NULL) {
        json_decref(body);
        return NULL;
    }
    json_object_set_new(answer, "body", body);
    text = json_dumps(answer, JSON_COMPACT);
    if (text == NULL)
        return NULL;
    sealed = seal(c->arena, k->seal, text, strlen(text));
    explicit_bzero(text, strlen(text));
    free(text);
    return sealed;
}

int
idempotency_answer_open(struct call *c, const struct idempotency_key *k, const char *sealed,
                        int status, struct fault *f)
{
    size_t size = 0;
    char *text = unseal(c->arena, k->seal, sealed, &size);
    const json_t *body;
    const char *name;
    json_t *answer = NULL, *value;

    if (text == NULL || json_read(c->arena, text, size, &answer, f) < 0) {
        fault_clear(f);
        return fault_raise_cause(f, "the stored answer to an Idempotency-Key can't be opened");
    }
    c->response->status = status;
    c->response->content_type = arena_strdup(c->arena, json_get_text(answer, "type"));
    json_object_foreach(json_object_get(answer, "headers"), name, value)
        call_header(c, name, json_string_value(value));
    body = json_object_get(answer, "body");
    str_clear(&c->response->body);
    str_add_n(&c->response->body, json_string_value(body), json_string_length(body));
    return 0;
}
