/* Tokens of an identity that is not ours (upstream's Keystone): each is shown to it, and what it says is believed for a while.
 *
 * As upstream's keystonemiddleware does it: GET /v3/auth/tokens, kept for 'cache_s', refusals too. So a revocation takes effect within that
 * time. One request at a time for each token and at most 'concurrency' in all; whoever comes while identity is away is told 503, not 401. */
#pragma once

#include <jansson.h>

#include "../base/fault.h"
#include "context.h"

struct online;

struct online_options {
    /* Shows 'token' to identity; blocking; called from any thread. '*ret' is the body's "token". FAULT_NOT_FOUND: it is none, or no longer;
     * any other fault: identity could not be asked. 'late': also if it has ended by its time. */
    int (*validate)(void *owner, const char *token, bool late, struct arena *a, json_t **ret,
                    struct fault *f);
    void *owner;
    unsigned cache_s;     /* 0: nothing is kept. */
    unsigned concurrency; /* 0: 4 */
};

struct online *online_new(const struct online_options *options);
void online_free(struct online *o);

/* As authenticator_check(). */
int online_check(struct online *o, struct arena *arena, const char *token, struct auth_context *ret,
                 struct fault *f);
/* As authenticator_check_cached(). */
bool online_check_cached(struct online *o, struct arena *arena, const char *token,
                         struct auth_context *ret);

/* As authenticator_check_late(): identity is asked each time. */
int online_check_late(struct online *o, struct arena *arena, const char *token, int64_t grace_s,
                      struct auth_context *ret, struct fault *f);

/* Reads "token" of an answer of the Identity API v3; the context's texts live in 'a' or in 'token'. Negative: it is not one. */
int online_read(struct arena *a, const json_t *token, struct auth_context *ret, struct fault *f);
