/* JSON Web Tokens of others (RFC 7515, 7517, 7518, 8037, 7519): signed by an identity provider, for us.
 *
 * Strict: RS256, ES256 and EdDSA (Ed25519) only; the key decides which of them, the header has to agree. A key is found by its kid;
 * without a kid only when there is one that could be meant. "none", HMAC, encryption and critical extensions are refused. */
#pragma once

#include <jansson.h>

#include "base/arena.h"
#include "base/fault.h"

enum { JWT_MAX = 16384 /* Bytes; longer ones are refused unread. */ };

struct jwt_expect {
    const char *issuer;   /* "iss" to the byte. */
    const char *audience; /* One of "aud". */
    const char
        *party; /* "azp", when there are several audiences or it is there; NULL: not looked at. */
    const char *nonce; /* NULL: not looked at. */
    int64_t now_s, skew_s;
};

/* Has it the outer form of one? Tells it from a token that only its issuer can read. */
bool jwt_looks_like_one(const char *text);

/* FAULT_UNAUTHORIZED whatever is wrong; the cause says what. Code "unknown-kid": there is no such key in the set, which may be
 * old. The claims live in the arena. */
int jwt_verify(struct arena *a, const char *text, const json_t *jwks,
               const struct jwt_expect *expect, json_t **ret, struct fault *f);
