/* Bodies of authentication requests, as anybody may send them without a token: whatever parses as JSON is taken apart by the schemas
 * of POST /v3/auth/tokens and its scope, of a password change, and of a signed EC2 request, whose signature is then computed. What is
 * refused is refused as a client's mistake. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/json.h"
#include "identity_api.h"
#include "services/identity/ec2_signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 1: 'ret' is filled. */
static int
take_apart(struct arena *a, const struct schema *schema, const json_t *body, void *ret)
{
    struct fault f = { 0 };

    if (schema_parse(schema, body, SCHEMA_CREATE, 0, "auth", a, ret, &f) == 0)
        return 1;
    if (f.kind != FAULT_INVALID)
        abort();
    return 0;
}

static void
sign(struct arena *a, const struct ec2_signed_request *in)
{
    struct ec2_request r = { .verb = in->verb,
                             .host = in->host,
                             .path = in->path,
                             .params = in->params,
                             .headers = in->headers,
                             .body_hash = in->body_hash };
    struct ec2_signed out = { 0 };
    const char *why = NULL;

    if (ec2_sign(a, &r, "secret", &out, &why) < 0 && why == NULL)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct auth_request request = { 0 };
    struct token_scope scope = { 0 };
    struct password_change change = { 0 };
    struct ec2_request_body signed_body = { 0 };
    struct fault f = { 0 };
    json_t *body;

    if (json_read(a, (const char *)data, size, &body, &f) < 0)
        return 0;
    if (take_apart(a, &auth_request_schema, body, &request) && request.scope != NULL)
        take_apart(a, &token_scope_schema, request.scope, &scope);
    take_apart(a, &password_change_schema, body, &change);
    if (take_apart(a, &ec2_request_body_schema, body, &signed_body)) {
        if (signed_body.credentials != NULL)
            sign(a, signed_body.credentials);
        if (signed_body.ec2_credentials != NULL)
            sign(a, signed_body.ec2_credentials);
    }
    return 0;
}
