/* Tokens: JWS in compact form (RFC 7515, RFC 8037 EdDSA) that says who, in which scope, with which roles, until when.
 *
 * Strict: exactly our header members, alg EdDSA, a kid of the keyring, canonical base64url; one text per token. */
#pragma once

#include "context.h"
#include "keyring.h"

#define TOKEN_MAX 6144 /* Bytes; longer ones are refused unread. */

/* Signs 'c' with the newest key. */
int token_sign(struct keyring *k, struct arena *a, const struct auth_context *c, char **ret,
               struct fault *f);

/* Signature and expiry; not revocation. FAULT_UNAUTHORIZED whatever is wrong (the cause says what). Unknown kid:
 * fault code "unknown-kid", so that the caller may fetch keys once. */
int token_verify(struct keyring *k, struct arena *a, const char *token, int64_t now_us,
                 struct auth_context *ret, struct fault *f);
/* The same for a token that ended up to 'grace_us' ago. */
int token_verify_late(struct keyring *k, struct arena *a, const char *token, int64_t now_us,
                      int64_t grace_us, struct auth_context *ret, struct fault *f);

/* The same for an auth receipt: what somebody has shown of himself who must show more. Neither passes for the other. */
int token_sign_receipt(struct keyring *k, struct arena *a, const struct auth_context *c, char **ret,
                       struct fault *f);
int token_verify_receipt(struct keyring *k, struct arena *a, const char *receipt, int64_t now_us,
                         struct auth_context *ret, struct fault *f);
