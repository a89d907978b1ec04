/* From a header to an auth_context: keyring, revocations and a cache of verified tokens together, for one daemon.
 *
 * In steady state no call leaves the process. Keys are fetched from identity when the keyring is empty or a kid is
 * unknown (at most once in a second); revocations come by event (exchange "virga.revocation") and by a poll of identity's list. */
#pragma once

#include "context.h"
#include "keyring.h"
#include "online.h"
#include "revocation.h"

struct authenticator;

struct authenticator_options {
    struct keyring *keyring; /* Identity: its own. NULL: fetched by 'fetch'. */
    /* Fetches one of identity's documents; blocking; called from any thread; NULL for identity itself.
     * "keys": a JWK set. "revocations?since=MICROSECONDS": {"revocations": [...], "as_of_us": N}, all that were
     * recorded since then by identity's clock; N is that clock's time. With "more": true these are but the first, and N
     * is where the next begin. */
    int (*fetch)(void *owner, const char *document, struct arena *a, json_t **ret, struct fault *f);
    /* Identity's: reads what other daemons have published into its keyring; called for an unknown kid, as seldom as 'fetch'. May be NULL. */
    int (*read_keys)(void *owner, struct fault *f);
    const struct online_options *
        online; /* Every token is shown to identity: see online.h. Then nothing else here is used. May be NULL. */
    void *owner;
    unsigned
        poll_s; /* Between polls of the revocation list; 0: 10. The bound on staleness while the broker is away. */
};

/* Starts the thread that polls, when there is a 'fetch'. Until the revocations were read once, tokens are answered
 * with FAULT_UNAVAILABLE, not taken on trust. */
int authenticator_open(struct authenticator **ret, const struct authenticator_options *options,
                       struct fault *f);
void authenticator_close(struct authenticator *a);

/* Verifies 'token'. '*ret' lives in 'arena'. A cached token costs a hash look-up and a revocation check. */
int authenticator_check(struct authenticator *a, struct arena *arena, const char *token,
                        struct auth_context *ret, struct fault *f);

/* The same if that takes no look-up elsewhere and no signature: false for a token that is not in the cache, and for any that is refused.
 * For threads that may not wait. */
bool authenticator_check_cached(struct authenticator *a, struct arena *arena, const char *token,
                                struct auth_context *ret);

/* The same for a token that ended up to 'grace_s' seconds ago; nothing of it is cached. For what a service carries on for a user. */
int authenticator_check_late(struct authenticator *a, struct arena *arena, const char *token,
                             int64_t grace_s, struct auth_context *ret, struct fault *f);

/* Reads the revocations, and the keys when they are a minute old, now: what the thread does by itself. */
int authenticator_poll(struct authenticator *a, struct fault *f);

/* Have the revocations been read once? Before that no token is taken. */
bool authenticator_ready(struct authenticator *a);

struct revocations *authenticator_revocations(struct authenticator *a);
struct keyring *authenticator_keyring(struct authenticator *a);

struct authenticator_stats {
    uint64_t hits, misses, refused, fetches;
};
void authenticator_stats(struct authenticator *a, struct authenticator_stats *ret);
