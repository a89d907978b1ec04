/* Assertions: what is said of a user, by an issuer's claims or by a trusted front proxy's headers (mapping_rules.h has the type).
 *
 * Attributes have the names that they have behind Apache, so that mappings written for that work: a claim "groups" is
 * "OIDC-groups" and "HTTP_OIDC_GROUPS", a header "OIDC-Groups" is "HTTP_OIDC_GROUPS", and "REMOTE_USER" is the claim "sub" or
 * the header "Remote-User". */
#pragma once

#include "http/request.h"
#include "mapping_rules.h"

/* A list's members are values; a text is one value, whatever is in it. */
void assertion_from_claims(struct arena *a, const json_t *claims, struct assertion *ret);

/* Of headers whose names begin with one of 'prefixes'; "a;b" are two values. FAULT_UNAUTHORIZED when a header stands twice:
 * one of them is not the proxy's. Names with an underscore are nobody's: the proxy would not know to remove them. */
int assertion_from_headers(struct arena *a, const struct http_request *r,
                           const char *const *prefixes, struct assertion *ret, struct fault *f);

/* Is the peer one of these addresses or networks ("10.0.0.0/8", "::1", "unix")? */
bool assertion_trusts(const char *peer, const char *const *proxies);
int assertion_check_proxies(const char *const *proxies, struct fault *f);
