/* Mapping rules and what is said of a user: "rules NUL claims", both JSON. Whatever loads is checked; what was accepted is applied, to
 * the claims and as headers of a proxy. No value may become a group that the rules don't give. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "services/identity/federation_assertion.h"
#include "services/identity/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
apply(struct arena *a, const json_t *rules, const struct assertion *in)
{
    for (int version_2 = 0; version_2 < 2; version_2++) {
        struct mapped out = { 0 };
        struct fault f = { 0 };
        int r = mapping_check(rules, version_2 == 1, &f);

        if (r < 0 && f.kind != FAULT_INVALID)
            abort();
        if (r < 0)
            continue;
        r = mapping_apply(a, rules, version_2 == 1, in, &out, &f);
        if (r < 0 && f.kind != FAULT_INVALID)
            abort();
        if (out.groups_count > MAPPING_GROUPS_MAX || out.group_ids.count > MAPPING_GROUPS_MAX ||
            out.projects_count > MAPPING_PARTS_MAX)
            abort();
        if (out.user_name != NULL && strlen(out.user_name) > MAPPING_TEXT_MAX)
            abort();
    }
}

/* Nobody here has the private key: no text is a token. */
static void
try_token(struct arena *a, const char *text)
{
    static const char jwks[] = "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"k\","
                               "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";
    const struct jwt_expect expect = { .issuer = "i", .audience = "a", .now_s = 1, .skew_s = 0 };
    json_t *keys, *claims = NULL;
    struct fault f = { 0 };

    if (json_read(a, jwks, strlen(jwks), &keys, &f) < 0)
        abort();
    jwt_looks_like_one(text);
    if (jwt_verify(a, text, keys, &expect, &claims, &f) == 0 || f.kind != FAULT_UNAUTHORIZED)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, 0, size);
    size_t first = end == NULL ? size : (size_t)(end - data);
    static const char *const prefixes[] = { "OIDC-", NULL };
    struct arena *a = arena_new();
    struct assertion in = { 0 };
    json_t *rules = NULL, *claims = NULL;
    struct fault f = { 0 };
    struct http_pair header = { .name = "OIDC-x" };
    struct http_request request = { .arena = a, .headers = &header, .headers_count = 1 };

    if (json_read(a, (const char *)data, first, &rules, &f) == 0) {
        fault_clear(&f);
        if (first < size &&
            json_read(a, (const char *)data + first + 1, size - first - 1, &claims, &f) == 0)
            assertion_from_claims(a, claims, &in);
        apply(a, rules, &in);
        header.value = arena_strndup(a, (const char *)data + first, size - first);
        if (first < size)
            header.value = arena_strndup(a, (const char *)data + first + 1, size - first - 1);
        if (assertion_from_headers(a, &request, prefixes, &in, &f) == 0)
            apply(a, rules, &in);
    }
    try_token(a, arena_strndup(a, (const char *)data, size));
    arena_free(a);
    return 0;
}
