#include "websso_state.h"

#include <string.h>

#include "base/json.h"
#include "base/jsonw.h"
#include "base/random.h"
#include "base/str.h"

#define PURPOSE                                                                                    \
    "virga websso state " /* No token's signature begins so: neither passes for the other. */

enum { TEXT_MAX = 6144, KEY_BYTES = 16 };

static const char *
signed_text(struct arena *a, const char *payload, size_t size)
{
    return arena_printf(a, PURPOSE "%.*s", (int)size, payload);
}

int
websso_state_seal(struct keyring *k, struct arena *a, const struct websso_state *s,
                  const char **ret, struct fault *f)
{
    _cleanup_(str_done) struct str members = { 0 };
    unsigned char signature[KEYRING_SIGNATURE], key[KEY_BYTES];
    char kid[KEYRING_KID_MAX + 1];
    const char *payload, *text;
    struct jsonw w;

    random_bytes(key, sizeof(key));
    jsonw_init(&w, &members);
    jsonw_object(&w, NULL);
    jsonw_text(&w, "key", str_base64url(a, key, sizeof(key)));
    jsonw_text(&w, "idp", s->idp_id);
    jsonw_text(&w, "protocol", s->protocol_id);
    jsonw_text(&w, "origin", s->origin);
    jsonw_text(&w, "browser", s->browser);
    jsonw_int(&w, "exp_us", s->expires_us);
    jsonw_end(&w);
    payload = str_base64url(a, members.data, members.size);
    text = signed_text(a, payload, strlen(payload));
    if (keyring_signer(k, kid) < 0 || keyring_sign(k, kid, text, strlen(text), signature) < 0)
        return fault_raise_cause(f, "websso: no key to sign with");
    *ret =
        arena_printf(a, "%s.%s.%s", payload, kid, str_base64url(a, signature, sizeof(signature)));
    return 0;
}

static int
refuse(const char *cause, struct fault *f)
{
    fault_raise(f, FAULT_UNAUTHORIZED, "The request you have made requires authentication.");
    return fault_add_cause(f, "%s", cause);
}

static bool
is_ours(struct keyring *k, struct arena *a, const char *text, size_t payload_size)
{
    const char *kid = text + payload_size + 1, *dot = strchr(kid, '.'), *whole;
    void *signature;
    size_t size;

    if (dot == NULL || !keyring_kid_valid(kid, (size_t)(dot - kid)) ||
        str_base64url_decode(a, dot + 1, strlen(dot + 1), &signature, &size) < 0 ||
        size != KEYRING_SIGNATURE)
        return false;
    whole = signed_text(a, text, payload_size);
    return keyring_verify(k, arena_strndup(a, kid, (size_t)(dot - kid)), whole, strlen(whole),
                          signature) == 0;
}

int
websso_state_open(struct keyring *k, struct arena *a, const char *text, int64_t now_us,
                  struct websso_state *ret, struct fault *f)
{
    const char *dot = strnlen(text, TEXT_MAX + 1) > TEXT_MAX ? NULL : strchr(text, '.');
    struct websso_state s;
    json_t *members;
    size_t size;
    void *data;

    if (dot == NULL || !is_ours(k, a, text, (size_t)(dot - text)))
        return refuse("a state that is not ours", f);
    if (str_base64url_decode(a, text, (size_t)(dot - text), &data, &size) < 0 ||
        json_read(a, data, size, &members, f) < 0) {
        fault_clear(f);
        return refuse("a state that cannot be read", f);
    }
    s = (struct websso_state){ .idp_id = json_get_text(members, "idp"),
                               .protocol_id = json_get_text(members, "protocol"),
                               .origin = json_get_text(members, "origin"),
                               .browser = json_get_text(members, "browser"),
                               .expires_us =
                                   json_integer_value(json_object_get(members, "exp_us")) };
    if (s.idp_id == NULL || s.protocol_id == NULL || s.origin == NULL || s.browser == NULL)
        return refuse("a state that is not whole", f);
    if (s.expires_us <= now_us)
        return refuse("a state whose time is over", f);
    *ret = s;
    return 0;
}
