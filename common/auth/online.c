/* Two caches, of tokens that are good and of those that are not, and a short list of those that are being asked about. */
#include "online.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/memory.h"
#include "../base/str.h"
#include "token_cache.h"

enum {
    CACHE_SIZE = 4096,
    TOKEN_TEXT_MAX = 8192, /* A head that the server takes has no more. */
    CONCURRENCY = 4,
    WAIT_S = 10,     /* For another's answer, or a turn. */
    RETRY_MS = 1000, /* While identity is away only one asks in this time. */
};

struct online {
    struct online_options options;
    struct token_cache *good, *bad;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned char (*asked)[TOKEN_DIGEST] GUARDED_BY(lock); /* By those who wait for identity. */
    unsigned asked_count GUARDED_BY(lock);
    int64_t failed_ms GUARDED_BY(lock); /* When identity was last away; 0: it is not. */
};

struct online *
online_new(const struct online_options *options)
{
    struct online *o = memory_calloc(1, sizeof(*o));
    pthread_condattr_t attributes;

    o->options = *options;
    if (o->options.concurrency == 0)
        o->options.concurrency = CONCURRENCY;
    o->good = token_cache_new(CACHE_SIZE);
    o->bad = token_cache_new(CACHE_SIZE);
    o->asked = memory_calloc(o->options.concurrency, sizeof(*o->asked));
    pthread_mutex_init(&o->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&o->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return o;
}

void
online_free(struct online *o)
{
    if (o == NULL)
        return;
    token_cache_free(o->good);
    token_cache_free(o->bad);
    pthread_cond_destroy(&o->changed);
    pthread_mutex_destroy(&o->lock);
    free(o->asked);
    free(o);
}

static int
refused(struct fault *f)
{
    fault_clear(f);
    fault_raise(f, FAULT_UNAUTHORIZED, "The request you have made requires authentication.");
    return fault_add_cause(f, "token: identity does not know it, or no longer");
}

static int
unavailable(const char *why, struct fault *f)
{
    char cause[sizeof(f->cause)];

    snprintf(cause, sizeof(cause), "%s", why);
    fault_clear(f);
    fault_raise(f, FAULT_UNAVAILABLE, "The service cannot verify tokens at the moment.");
    return fault_add_cause(f, "identity was not reached: %s", cause);
}

enum known { UNKNOWN, GOOD, BAD };

/* 'keys' of an entry is the moment until which it is believed. */
static enum known
look(struct online *o, const unsigned char *digest, struct arena *arena, struct auth_context *ret)
{
    uint64_t now_ms = (uint64_t)clock_mono_ms();
    struct token_cached entry;

    if (token_cache_get(o->good, digest, arena, &entry) && now_ms < entry.keys) {
        *ret = *entry.context;
        return entry.context->expires_us > clock_now_us() ? GOOD : BAD;
    }
    return token_cache_get(o->bad, digest, arena, &entry) && now_ms < entry.keys ? BAD : UNKNOWN;
}

static void
keep(struct online *o, const unsigned char *digest, const struct auth_context *c)
{
    static const struct auth_context nobody;
    struct token_cached entry = { .context = c != NULL ? c : &nobody,
                                  .keys = (uint64_t)clock_mono_ms() +
                                          (uint64_t)o->options.cache_s * 1000 };

    if (o->options.cache_s > 0)
        token_cache_put(c != NULL ? o->good : o->bad, digest, &entry);
}

static bool
is_asked(const struct online *o, const unsigned char *digest)
{
    for (unsigned i = 0; i < o->asked_count; i++) {
        if (memcmp(o->asked[i], digest, TOKEN_DIGEST) == 0)
            return true;
    }
    return false;
}

/* Waits until nobody asks about this token and there is a turn: 1, it is ours; 0: somebody's answer has come, look again. */
static int
take_turn(struct online *o, const unsigned char *digest, struct fault *f)
{
    struct timespec until;
    bool waited = false;
    int r = 1;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += WAIT_S;
    pthread_mutex_lock(&o->lock);
    while (r > 0 && (is_asked(o, digest) || o->asked_count == o->options.concurrency)) {
        waited = waited || is_asked(o, digest);
        if (pthread_cond_timedwait(&o->changed, &o->lock, &until) == ETIMEDOUT)
            r = unavailable("too many are asking", f);
    }
    if (r > 0 && o->failed_ms != 0 && clock_mono_ms() - o->failed_ms < RETRY_MS)
        r = unavailable("tried a moment ago", f);
    if (r > 0 && waited && o->options.cache_s > 0)
        r = 0;
    if (r > 0)
        memcpy(o->asked[o->asked_count++], digest, TOKEN_DIGEST);
    pthread_mutex_unlock(&o->lock);
    return r;
}

static void
end_turn(struct online *o, const unsigned char *digest, bool failed)
{
    pthread_mutex_lock(&o->lock);
    for (unsigned i = 0; i < o->asked_count; i++) {
        if (memcmp(o->asked[i], digest, TOKEN_DIGEST) == 0) {
            memmove(o->asked[i], o->asked[--o->asked_count], TOKEN_DIGEST);
            break;
        }
    }
    if (failed)
        o->failed_ms = clock_mono_ms();
    pthread_cond_broadcast(&o->changed);
    pthread_mutex_unlock(&o->lock);
}

/* 0: good. FAULT_NOT_FOUND: bad. Else it could not be asked. */
static int
ask(struct online *o, struct arena *arena, const char *token, int64_t grace_s,
    struct auth_context *ret, struct fault *f)
{
    json_t *body;
    int r = o->options.validate(o->options.owner, token, grace_s > 0, arena, &body, f);

    if (r >= 0)
        r = online_read(arena, body, ret, f);
    if (r >= 0 && ret->expires_us + grace_s * INT64_C(1000000) <= clock_now_us())
        r = fault_raise(f, FAULT_NOT_FOUND, "expired");
    return r < 0 ? -1 : 0;
}

static int
failed(struct fault *f)
{
    return f->kind == FAULT_NOT_FOUND ? refused(f)
                                      : unavailable(f->cause[0] != '\0' ? f->cause : f->message, f);
}

int
online_check(struct online *o, struct arena *arena, const char *token, struct auth_context *ret,
             struct fault *f)
{
    size_t size = strnlen(token, TOKEN_TEXT_MAX + 1);
    unsigned char digest[TOKEN_DIGEST];
    enum known known;
    bool bad;
    int r;

    if (size == 0 || size > TOKEN_TEXT_MAX)
        return refused(f);
    token_cache_digest(o->good, token, size, digest);
    do {
        known = look(o, digest, arena, ret);
        if (known != UNKNOWN)
            return known == GOOD ? 0 : refused(f);
        r = take_turn(o, digest, f);
        if (r < 0)
            return -1;
    } while (r == 0);

    known = look(o, digest, arena, ret); /* Perhaps the answer came just before our turn. */
    if (known != UNKNOWN) {
        end_turn(o, digest, false);
        return known == GOOD ? 0 : refused(f);
    }
    r = ask(o, arena, token, 0, ret, f);
    bad = r < 0 && f->kind == FAULT_NOT_FOUND;
    if (r == 0 || bad)
        keep(o, digest, r == 0 ? ret : NULL);
    end_turn(o, digest, r < 0 && !bad);
    return r == 0 ? 0 : failed(f);
}

int
online_check_late(struct online *o, struct arena *arena, const char *token, int64_t grace_s,
                  struct auth_context *ret, struct fault *f)
{
    size_t size = strnlen(token, TOKEN_TEXT_MAX + 1);

    if (size == 0 || size > TOKEN_TEXT_MAX)
        return refused(f);
    return ask(o, arena, token, grace_s, ret, f) == 0 ? 0 : failed(f);
}

bool
online_check_cached(struct online *o, struct arena *arena, const char *token,
                    struct auth_context *ret)
{
    size_t size = strnlen(token, TOKEN_TEXT_MAX + 1);
    unsigned char digest[TOKEN_DIGEST];

    if (size == 0 || size > TOKEN_TEXT_MAX)
        return false;
    token_cache_digest(o->good, token, size, digest);
    return look(o, digest, arena, ret) == GOOD;
}
