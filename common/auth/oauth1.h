/* Signatures of OAuth 1.0 (RFC 5849): what an "Authorization: OAuth ..." header says, whether it was signed with the secrets, and
 * how one is signed.
 *
 * Pure text; nothing here knows of consumers or tables. HMAC-SHA1 alone is taken. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/fault.h"
#include "http/request.h"

struct oauth1 {
    struct http_pair params[32]; /* Decoded; without realm. */
    size_t count;
};

/* Reads the header. FAULT_INVALID: it is none, or names a parameter twice. */
int oauth1_parse(struct arena *a, const char *header, struct oauth1 *ret, struct fault *f);
/* A parameter ("oauth_token"), or NULL. */
const char *oauth1_get(const struct oauth1 *o, const char *name);

/* Was a request to 'url' (without query) with these query parameters signed with both secrets, and within 'window_s' of 'now_us'?
 * Takes the same time for every wrong signature. */
bool oauth1_verify(struct arena *a, const struct oauth1 *o, const char *method, const char *url,
                   const struct http_pair *query, size_t query_count, const char *consumer_secret,
                   const char *token_secret, int64_t now_us, int64_t window_s);

/* The header's text, for a request to 'url' that has no query: 'o' has what is said (oauth_consumer_key, oauth_token...), and gets
 * the rest: oauth_signature_method, oauth_timestamp, oauth_nonce, oauth_signature. 'nonce' is one that was not used before. */
char *oauth1_sign(struct arena *a, struct oauth1 *o, const char *method, const char *url,
                  const char *consumer_secret, const char *token_secret, int64_t now_us,
                  const char *nonce);
