/* .../protocols/{protocol_id}/auth: an unscoped token for who proves himself.
 *
 * By a Bearer token of the issuer, where the protocol has a file in oidc_directory; else by the headers of a trusted front proxy that
 * has authenticated him. One way for a protocol, never a choice of the client's. */
#include "federation_auth.h"
#include "base/str.h"
#include "oidc.h"
#include "tokens.h"

static const char *
bearer(const struct call *call)
{
    const char *header = http_header(call->request, "Authorization");

    if (header == NULL || strncasecmp(header, "Bearer ", strlen("Bearer ")) != 0)
        return NULL;
    header += strlen("Bearer ");
    return header + strspn(header, " ");
}

int
federation_proxy_assertion(struct call *call, struct assertion *ret, struct fault *f)
{
    const struct identity_config *config = identity_of(call)->config;

    if (!assertion_trusts(call->request->peer, config->trusted_proxies))
        return login_refused(call, "nobody here proves who the user is", f);
    return assertion_from_headers(call->arena, call->request, config->assertion_headers, ret, f) < 0
               ? federation_refused(call, f)
               : 0;
}

static int
prove(struct call *call, const char *idp_id, const char *protocol_id, struct assertion *ret,
      struct fault *f)
{
    struct oidc_client *client = oidc_find(identity_of(call)->oidc, idp_id, protocol_id);
    json_t *claims;

    if (client == NULL)
        return federation_proxy_assertion(call, ret, f);
    if (str_empty(bearer(call)))
        return login_refused(call, "no access token of the issuer", f);
    if (oidc_check_bearer(call, client, bearer(call), &claims, f) < 0)
        return federation_refused(call, f);
    assertion_from_claims(call->arena, claims, ret);
    return 0;
}

int
federation_refused(struct call *call, struct fault *f)
{
    return f->kind == FAULT_UNAUTHORIZED
               ? login_refused(call, arena_strdup(call->arena, f->cause), f)
               : -1;
}

int
federation_auth(struct call *call, struct fault *f)
{
    const char *idp_id = call_param(call, "idp_id"), *protocol_id = call_param(call, "protocol_id");
    struct federation_way way = { 0 };
    struct assertion assertion;
    struct login l = { 0 };

    if (login_begin(call, &l, f) < 0 ||
        federation_find_way(call, idp_id, protocol_id, &way, f) < 0 ||
        prove(call, idp_id, protocol_id, &assertion, f) < 0 ||
        federation_login(call, &way, &assertion, &l, f) < 0)
        return -1;
    return token_reply(call, &l, NULL, f);
}
