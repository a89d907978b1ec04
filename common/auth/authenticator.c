/* The order for a token: cache, else signature (and, for a kid nobody knows, the keys once more); then expiry
 * and revocations, whether it was cached or not.
 *
 * A cached token was compared with the revocations of a generation. As long as that is the generation, the
 * comparison stands; after an addition it is made again. So revocation reaches cached tokens at once, and
 * in steady state costs one atomic read. A changed set of keys makes the cached verdicts void.
 *
 * While identity is away nothing can be revoked there either, so what was read last stays good; keys it has
 * withdrawn are noticed when it is back. */
#include "authenticator.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/json.h"
#include "../base/log.h"
#include "../base/memory.h"
#include "../base/str.h"
#include "token.h"
#include "token_cache.h"

#define CACHE_SIZE 4096
#define POLL_S 10
#define RETRY_S 1      /* Until the revocations were read once. */
#define EARLY_MS 10000 /* So long after the start identity is probably starting too: asked often. */
#define EARLY_RETRY_MS 100
#define KEYS_MS 60000       /* Age at which the poll reads the keys again. */
#define FETCH_PAUSE_MS 1000 /* Between fetches that unknown kids cause. */
/* A revocation may be committed a little after one that is younger; reading again costs nothing. */
#define OVERLAP_US ((int64_t)60 * 1000000)

struct authenticator {
    struct authenticator_options options;
    struct keyring *keyring;
    bool own_keyring;
    struct revocations *revocations;
    struct token_cache *cache;
    struct online *online; /* NULL: tokens are ours, and verified here. */
    _Atomic uint64_t hits, misses, refused, fetches;
    atomic_bool ready; /* The revocations were read once. */

    pthread_mutex_t fetching; /* One fetch at a time; the others wait for what it brings. */
    uint64_t keys_tries GUARDED_BY(fetching);
    int64_t keys_tried_ms GUARDED_BY(fetching);
    bool keys_failed GUARDED_BY(fetching); /* The last try. */
    int64_t since_us GUARDED_BY(fetching);
    int64_t polled_ms GUARDED_BY(fetching);

    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock;
    pthread_cond_t stop_changed;
    bool stop GUARDED_BY(lock);
};

static int
fetch_keys(struct authenticator *a, struct fault *f)
{
    _cleanup_(arena_freep) struct arena *arena = arena_new();
    json_t *document;
    int r;

    a->keys_tries++;
    a->keys_tried_ms = clock_mono_ms();
    if (a->options.read_keys != NULL) {
        r = a->options.read_keys(a->options.owner, f);
        a->keys_failed = r < 0;
        return r;
    }
    atomic_fetch_add(&a->fetches, 1);
    r = a->options.fetch(a->options.owner, "keys", arena, &document, f);
    if (r == 0)
        r = keyring_import_jwks(a->keyring, document, f);
    a->keys_failed = r < 0;
    return r;
}

/* One answer; '*ret_more': there is more to ask for, from its time on. */
static int
fetch_revocations_page(struct authenticator *a, bool *ret_more, struct fault *f)
{
    _cleanup_(arena_freep) struct arena *arena = arena_new();
    const json_t *list, *as_of;
    json_t *document;
    int r;

    atomic_fetch_add(&a->fetches, 1);
    r = a->options.fetch(a->options.owner,
                         arena_printf(arena, "revocations?since=%lld", (long long)a->since_us),
                         arena, &document, f);
    if (r < 0)
        return r;
    list = json_object_get(document, "revocations");
    as_of = json_object_get(document, "as_of_us");
    if (!json_is_array(list) || !json_is_integer(as_of))
        return fault_raise_cause(f, "revocations: not a list with its time");
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct revocation revocation;

        r = revocation_from_json(arena, json_array_get(list, i), &revocation, f);
        if (r < 0)
            return r;
        revocations_add(a->revocations, &revocation);
    }
    *ret_more = json_get_bool(document, "more") && json_integer_value(as_of) > a->since_us;
    a->since_us = *ret_more ? json_integer_value(as_of)
                            : MAX(json_integer_value(as_of) - OVERLAP_US, (int64_t)0);
    return 0;
}

static int
fetch_revocations(struct authenticator *a, struct fault *f)
{
    bool more = true;

    while (more) {
        int r = fetch_revocations_page(a, &more, f);

        if (r < 0)
            return r;
    }
    atomic_store(&a->ready, true);
    return 0;
}

static int
poll_locked(struct authenticator *a, struct fault *f)
{
    int r = 0;

    a->polled_ms = clock_mono_ms();
    if (a->options.keyring == NULL &&
        (a->keys_tries == 0 || a->keys_failed || a->polled_ms - a->keys_tried_ms >= KEYS_MS))
        r = fetch_keys(a, f);
    if (r == 0)
        r = fetch_revocations(a, f);
    return r;
}

int
authenticator_poll(struct authenticator *a, struct fault *f)
{
    int r;

    if (a->options.fetch == NULL)
        return 0;
    pthread_mutex_lock(&a->fetching);
    r = poll_locked(a, f);
    pthread_mutex_unlock(&a->fetching);
    return r;
}

/* For requests that come before the first poll is done: waits for it, or makes it. While identity is away
 * only one request a second waits for its silence, the others are answered at once. */
static int
await_ready(struct authenticator *a, struct fault *f)
{
    int r = 0;

    pthread_mutex_lock(&a->fetching);
    if (!atomic_load(&a->ready)) {
        if (a->polled_ms != 0 && clock_mono_ms() - a->polled_ms < RETRY_S * 1000)
            r = fault_raise_cause(f, "tried a moment ago");
        else
            r = poll_locked(a, f);
    }
    pthread_mutex_unlock(&a->fetching);
    return r;
}

/* False: it is time to end. */
static bool
pause_thread(struct authenticator *a, int64_t ms)
{
    struct timespec until;
    bool stop;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&a->lock);
    while (!a->stop && pthread_cond_timedwait(&a->stop_changed, &a->lock, &until) == 0)
        ;
    stop = a->stop;
    pthread_mutex_unlock(&a->lock);
    return !stop;
}

/* Until the next poll, 'age_ms' after the start. */
static int64_t
next_ms(struct authenticator *a, int64_t age_ms)
{
    int64_t poll_ms = (int64_t)a->options.poll_s * 1000;

    if (atomic_load(&a->ready))
        return poll_ms;
    return MIN(age_ms < EARLY_MS ? EARLY_RETRY_MS : RETRY_S * 1000, poll_ms);
}

static void *
run(void *object)
{
    struct authenticator *a = object;
    int64_t begun_ms = clock_mono_ms();
    bool failing = false;

    for (;;) {
        struct fault f = { 0 };
        int r = authenticator_poll(a, &f);

        if (r < 0 && !failing)
            log_warn("auth.poll-failed reason=%s cause=%s", f.message, f.cause);
        else if (r == 0 && failing)
            log_info("auth.poll-works-again");
        failing = r < 0;
        if (!pause_thread(a, next_ms(a, clock_mono_ms() - begun_ms)))
            return NULL;
    }
}

int
authenticator_open(struct authenticator **ret, const struct authenticator_options *options,
                   struct fault *f)
{
    struct authenticator *a = memory_calloc(1, sizeof(*a));
    pthread_condattr_t attributes;

    a->options = *options;
    if (a->options.poll_s == 0)
        a->options.poll_s = POLL_S;
    a->keyring = options->keyring;
    if (a->keyring == NULL) {
        keyring_new(&a->keyring);
        a->own_keyring = true;
    }
    a->revocations = revocations_new();
    a->cache = token_cache_new(CACHE_SIZE);
    if (options->online != NULL)
        a->online = online_new(options->online);
    a->options.online = NULL; /* The caller's. */
    atomic_store(&a->ready, options->fetch == NULL);
    pthread_mutex_init(&a->fetching, NULL);
    pthread_mutex_init(&a->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&a->stop_changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (options->fetch != NULL) {
        if (pthread_create(&a->thread, NULL, run, a) != 0) {
            authenticator_close(a);
            return fault_raise_cause(f, "cannot start the thread that polls revocations");
        }
        a->has_thread = true;
    }
    *ret = a;
    return 0;
}

void
authenticator_close(struct authenticator *a)
{
    if (a == NULL)
        return;
    if (a->has_thread) {
        pthread_mutex_lock(&a->lock);
        a->stop = true;
        pthread_cond_signal(&a->stop_changed);
        pthread_mutex_unlock(&a->lock);
        pthread_join(a->thread, NULL);
    }
    token_cache_free(a->cache);
    online_free(a->online);
    revocations_free(a->revocations);
    if (a->own_keyring)
        keyring_free(a->keyring);
    pthread_cond_destroy(&a->stop_changed);
    pthread_mutex_destroy(&a->lock);
    pthread_mutex_destroy(&a->fetching);
    free(a);
}

static int
unavailable(struct fault *f)
{
    char cause[sizeof(f->cause)];

    snprintf(cause, sizeof(cause), "%s", f->cause);
    fault_raise(f, FAULT_UNAVAILABLE, "The service cannot verify tokens at the moment.");
    return fault_add_cause(f, "identity was not reached: %s", cause);
}

/* After an unknown kid: true when the keys may have changed since 'generation', so another try makes sense.
 * However many tokens name kids that do not exist, identity is asked once per pause. */
static bool
refresh_keys(struct authenticator *a, uint64_t generation, bool *ret_failed)
{
    struct fault why = { 0 };
    bool changed;

    pthread_mutex_lock(&a->fetching);
    changed = keyring_generation(a->keyring) != generation;
    if (!changed && (a->keys_tries == 0 || clock_mono_ms() - a->keys_tried_ms >= FETCH_PAUSE_MS)) {
        if (fetch_keys(a, &why) < 0)
            log_debug("auth.keys-failed cause=%s", why.cause);
        changed = keyring_generation(a->keyring) != generation;
    }
    *ret_failed = a->keys_failed;
    pthread_mutex_unlock(&a->fetching);
    return changed;
}

static int
verify(struct authenticator *a, struct arena *arena, const char *token, int64_t grace_us,
       uint64_t *ret_keys, struct auth_context *ret, struct fault *f)
{
    bool fetches =
        a->options.read_keys != NULL || (a->options.fetch != NULL && a->options.keyring == NULL);
    bool failed = false;
    int r;

    *ret_keys = keyring_generation(a->keyring);
    r = token_verify_late(a->keyring, arena, token, clock_now_us(), grace_us, ret, f);
    if (r == 0 || !fetches || !str_equal(f->code, "unknown-kid"))
        return r;
    if (refresh_keys(a, *ret_keys, &failed)) {
        *ret_keys = keyring_generation(a->keyring);
        return token_verify_late(a->keyring, arena, token, clock_now_us(), grace_us, ret, f);
    }
    /* Perhaps a new key's token: the client must not throw it away because we cannot ask. */
    return failed ? unavailable(f) : r;
}

static int
refuse(struct authenticator *a, const char *why, struct fault *f)
{
    atomic_fetch_add(&a->refused, 1);
    fault_raise(f, FAULT_UNAUTHORIZED, "The request you have made requires authentication.");
    return fault_add_cause(f, "token: %s", why);
}

/* Signature, time and revocations, looked up in no cache. */
static int
check_uncached(struct authenticator *a, struct arena *arena, const char *token, int64_t grace_us,
               uint64_t *ret_keys, struct auth_context *ret, struct fault *f)
{
    struct auth_context c;
    struct fault why = { 0 };
    int r;

    if (!atomic_load(&a->ready) && await_ready(a, &why) < 0) {
        *f = why;
        return unavailable(f);
    }
    r = verify(a, arena, token, grace_us, ret_keys, &c, f);
    if (r < 0) {
        atomic_fetch_add(&a->refused, 1);
        return r;
    }
    if (revocations_match(a->revocations, &c))
        return refuse(a, "revoked", f);
    *ret = c;
    return 0;
}

static int
check_fresh(struct authenticator *a, struct arena *arena, const char *token,
            const unsigned char *digest, struct auth_context *ret, struct fault *f)
{
    uint64_t revocations = revocations_generation(a->revocations);
    struct token_cached entry = { .revocations = revocations };
    struct auth_context c;
    int r;

    atomic_fetch_add(&a->misses, 1);
    r = check_uncached(a, arena, token, 0, &entry.keys, &c, f);
    if (r < 0)
        return r;
    entry.context = &c;
    token_cache_put(a->cache, digest, &entry);
    *ret = c;
    return 0;
}

/* Why a cached token is good no longer; NULL: it is good. */
static const char *
check_again(struct authenticator *a, const unsigned char *digest, const struct token_cached *cached)
{
    uint64_t revocations = revocations_generation(a->revocations);

    if (cached->context->expires_us <= clock_now_us())
        return "expired";
    if (cached->revocations == revocations)
        return NULL;
    if (revocations_match(a->revocations, cached->context))
        return "revoked";
    token_cache_touch(a->cache, digest, revocations);
    return NULL;
}

static bool
find_cached(struct authenticator *a, struct arena *arena, const char *token, size_t size,
            unsigned char *digest, struct token_cached *ret)
{
    token_cache_digest(a->cache, token, size, digest);
    return token_cache_get(a->cache, digest, arena, ret) &&
           ret->keys == keyring_generation(a->keyring);
}

int
authenticator_check(struct authenticator *a, struct arena *arena, const char *token,
                    struct auth_context *ret, struct fault *f)
{
    size_t size = strnlen(token, TOKEN_MAX + 1);
    unsigned char digest[TOKEN_DIGEST];
    struct token_cached cached;
    const char *why;

    if (a->online != NULL)
        return online_check(a->online, arena, token, ret, f);
    if (size > TOKEN_MAX)
        return refuse(a, "too long", f);
    if (!find_cached(a, arena, token, size, digest, &cached))
        return check_fresh(a, arena, token, digest, ret, f);
    atomic_fetch_add_explicit(&a->hits, 1, memory_order_relaxed);
    why = check_again(a, digest, &cached);
    if (why != NULL) {
        token_cache_remove(a->cache, digest);
        return refuse(a, why, f);
    }
    *ret = *cached.context;
    return 0;
}

bool
authenticator_check_cached(struct authenticator *a, struct arena *arena, const char *token,
                           struct auth_context *ret)
{
    size_t size = strnlen(token, TOKEN_MAX + 1);
    unsigned char digest[TOKEN_DIGEST];
    struct token_cached cached;

    if (a->online != NULL)
        return online_check_cached(a->online, arena, token, ret);
    if (size > TOKEN_MAX || !find_cached(a, arena, token, size, digest, &cached) ||
        check_again(a, digest, &cached) != NULL)
        return false;
    atomic_fetch_add_explicit(&a->hits, 1, memory_order_relaxed);
    *ret = *cached.context;
    return true;
}

int
authenticator_check_late(struct authenticator *a, struct arena *arena, const char *token,
                         int64_t grace_s, struct auth_context *ret, struct fault *f)
{
    uint64_t keys;

    if (a->online != NULL)
        return online_check_late(a->online, arena, token, grace_s, ret, f);
    if (strnlen(token, TOKEN_MAX + 1) > TOKEN_MAX)
        return refuse(a, "too long", f);
    return check_uncached(a, arena, token, grace_s * INT64_C(1000000), &keys, ret, f);
}

bool
authenticator_ready(struct authenticator *a)
{
    return atomic_load(&a->ready);
}

struct revocations *
authenticator_revocations(struct authenticator *a)
{
    return a->revocations;
}

struct keyring *
authenticator_keyring(struct authenticator *a)
{
    return a->keyring;
}

void
authenticator_stats(struct authenticator *a, struct authenticator_stats *ret)
{
    *ret = (struct authenticator_stats){
        .hits = atomic_load(&a->hits),
        .misses = atomic_load(&a->misses),
        .refused = atomic_load(&a->refused),
        .fetches = atomic_load(&a->fetches),
    };
}
