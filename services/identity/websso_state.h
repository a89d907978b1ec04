/* What a login in a browser needs to know when it comes back from the issuer, in the "state" that goes there and back with it: signed by us,
 * so that nothing is stored of logins that only began.
 *
 * base64url(members) "." kid "." base64url(signature). It can be read by everybody, and made by nobody else; the browser that it belongs to
 * is named by the digest of a secret that only its cookie has. */
#pragma once

#include "auth/keyring.h"

struct websso_state {
    const char *idp_id, *protocol_id;
    const char *origin;  /* The dashboard. */
    const char *browser; /* Digest of its secret. */
    int64_t expires_us;
};

/* No two are the same. */
int websso_state_seal(struct keyring *k, struct arena *a, const struct websso_state *s,
                      const char **ret, struct fault *f);

/* FAULT_UNAUTHORIZED, the cause says why: not ours, or its time is over. '*ret' lives in 'a'. */
int websso_state_open(struct keyring *k, struct arena *a, const char *text, int64_t now_us,
                      struct websso_state *ret, struct fault *f);
