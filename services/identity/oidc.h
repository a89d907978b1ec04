/* OpenID Connect: identity providers whose word we check ourselves, as a relying party (OpenID Connect Core 1.0) and as a
 * resource server (RFC 6750, RFC 7662).
 *
 * Which providers there are is configuration: a file for each in oidc_directory, with the keys of oidc.def. Where the issuer's
 * keys and endpoints are stands in its discovery document, which is fetched when it is first needed and kept for an hour; keys
 * are kept for five minutes and fetched again, at most every ten seconds, when a token names one that is not known. An issuer
 * that is away or slow costs a bounded number of workers a bounded time. */
#pragma once

#include "service.h"

struct oidc;
struct oidc_client;

/* Reads all files "*.conf" of the directory; one that is not there has none. */
int oidc_open(struct oidc **ret, const char *directory, struct fault *f);
/* Reads them again; when one is wrong all stays as it was. */
int oidc_reload(struct oidc *o, const char *directory, struct fault *f);
void oidc_free(struct oidc *o);

/* Valid as long as 'o', reloads notwithstanding. NULL: that protocol of that provider is not ours to check. */
struct oidc_client *oidc_find(struct oidc *o, const char *idp_id, const char *protocol_id);
/* The one provider with this protocol; NULL when there is none or several. */
struct oidc_client *oidc_find_only(struct oidc *o, const char *protocol_id);
const char *oidc_idp_id(const struct oidc_client *c);
const char *oidc_redirect_uri(const struct oidc_client *c); /* As configured; "" if it is not. */

/* All below: FAULT_UNAUTHORIZED (with the cause for the log), or FAULT_UNAVAILABLE when the issuer can't be asked. */

/* What an access token says, or the issuer says of it. */
int oidc_check_bearer(struct call *call, struct oidc_client *c, const char *token, json_t **ret,
                      struct fault *f);

/* A browser login: where to send the browser to, and what the code that it brings back is good for. */
struct oidc_login {
    const char *redirect_uri, *state, *nonce, *verifier; /* PKCE (RFC 7636, S256). */
};
int oidc_authorization_url(struct call *call, struct oidc_client *c, const struct oidc_login *login,
                           const char **ret, struct fault *f);
int oidc_redeem(struct call *call, struct oidc_client *c, const struct oidc_login *login,
                const char *code, json_t **ret, struct fault *f);
