/* A body on its way from the connection (I/O thread) to the handler (worker).
 *
 * The connection is suspended before the first byte, until the handler asks for one: a request
 * that is refused for other reasons is answered without its body, and a client that said
 * "Expect: 100-continue" isn't asked for it. libmicrohttpd takes an answer before the body or
 * after all of it, not in between; so when the handler ends early, what still comes is thrown
 * away up to a limit. */
#include "body.h"

#include <errno.h>

#include "../base/clock.h"
#include "../base/memory.h"
#include "clients.h"
#include "exchange.h"

enum {
    REFUSED_MAX =
        64 * 1024 * 1024, /* Thrown away at most, before the connection is closed instead. */
    LOOK_MS = 200,        /* Between looks whether a silent sender is still there. */
    PACE = 16 * 1024,     /* Bytes a sender must manage in one timeout. */
};

struct http_body *
body_new(struct exchange *x)
{
    struct http_body *b = memory_calloc(1, sizeof(*b));
    pthread_condattr_t attributes;

    b->exchange = x;
    b->max = x->max_body;
    b->owners = 2;
    pthread_mutex_init(&b->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&b->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    list_init(&b->link);
    return b;
}

void
body_free(struct http_body *b)
{
    if (b == NULL)
        return;
    pthread_cond_destroy(&b->changed);
    pthread_mutex_destroy(&b->mutex);
    free(b->ring);
    free(b);
}

/* With the mutex held, as the next three. The connection is ours as long as it is not gone. */
static void
resume(struct http_body *b)
{
    if (!b->suspended || b->gone)
        return;
    b->suspended = false;
    MHD_resume_connection(b->exchange->connection);
}

static enum body_next
suspend(struct http_body *b)
{
    b->suspended = true;
    MHD_suspend_connection(b->exchange->connection);
    return BODY_WAIT;
}

static void
put(struct http_body *b, const char *data, size_t size)
{
    size_t at = (b->first + b->used) % HTTP_BODY_BUFFER;
    size_t part = MIN(size, HTTP_BODY_BUFFER - at);

    memcpy(b->ring + at, data, part);
    memcpy(b->ring, data + part, size - part);
    b->used += size;
}

static size_t
get(struct http_body *b, char *ret, size_t size)
{
    size_t part;

    size = MIN(size, b->used);
    part = MIN(size, HTTP_BODY_BUFFER - b->first);
    memcpy(ret, b->ring + b->first, part);
    memcpy(ret + part, b->ring, size - part);
    b->first = (b->first + size) % HTTP_BODY_BUFFER;
    b->used -= size;
    return size;
}

enum body_next
body_begin(struct http_body *b)
{
    enum body_next next = BODY_CONTINUE;

    pthread_mutex_lock(&b->mutex);
    if (b->finished)
        next = BODY_ANSWER;
    else if (!b->wanted)
        next = suspend(b);
    pthread_mutex_unlock(&b->mutex);
    return next;
}

enum body_next
body_receive(struct http_body *b, const char *data, size_t *size)
{
    enum body_next next = BODY_CONTINUE;

    pthread_mutex_lock(&b->mutex);
    if (b->received > b->max - (int64_t)*size && !b->finished) {
        b->too_large = true;
        pthread_cond_signal(&b->changed);
    }
    if (b->finished || b->too_large || b->gone) {
        b->refused += (int64_t)*size;
        *size = 0;
        if (b->refused > REFUSED_MAX || b->gone)
            next = BODY_CLOSE;
    } else {
        size_t part = MIN(*size, HTTP_BODY_BUFFER - b->used);

        put(b, data, part);
        b->received += (int64_t)part;
        b->window_bytes += part;
        *size -= part;
        if (part > 0)
            pthread_cond_signal(&b->changed);
        if (*size > 0)
            next = suspend(b);
    }
    pthread_mutex_unlock(&b->mutex);
    return next;
}

enum body_next
body_end(struct http_body *b)
{
    enum body_next next = BODY_ANSWER;

    pthread_mutex_lock(&b->mutex);
    b->ended = true;
    pthread_cond_signal(&b->changed);
    if (!b->finished)
        next = suspend(b);
    pthread_mutex_unlock(&b->mutex);
    return next;
}

static void
drop(struct http_body *b) /* Unlocks the mutex. */
{
    bool last = --b->owners == 0;

    pthread_mutex_unlock(&b->mutex);
    if (last)
        exchange_free(b->exchange);
}

void
body_finish(struct http_body *b)
{
    pthread_mutex_lock(&b->mutex);
    b->finished = true;
    resume(b);
    drop(b);
}

void
body_abandon(struct http_body *b)
{
    pthread_mutex_lock(&b->mutex);
    b->gone = true;
    pthread_cond_signal(&b->changed);
    drop(b);
}

void
body_interrupt(struct http_body *b)
{
    pthread_mutex_lock(&b->mutex);
    pthread_cond_signal(&b->changed);
    pthread_mutex_unlock(&b->mutex);
}

/* Waits for a change, at most until the sender has lost its pace. */
static int
wait_for_data(struct http_body *b, int64_t patience_ms, struct fault *f)
{
    int64_t left_ms = b->window_ms + patience_ms - clock_mono_ms();
    struct timespec until;

    if (left_ms <= 0) {
        if (b->window_bytes < PACE)
            return fault_raise(f, FAULT_INVALID, "The request's body comes too slowly.");
        b->window_ms = clock_mono_ms();
        b->window_bytes = 0;
        left_ms = patience_ms;
    }
    left_ms = MIN(left_ms, LOOK_MS);
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += left_ms / 1000;
    until.tv_nsec += left_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    /* As long as it is not gone, and we have the mutex, the connection is there. */
    if (pthread_cond_timedwait(&b->changed, &b->mutex, &until) == ETIMEDOUT && !b->gone &&
        !b->ended)
        client_notice_end(b->exchange->client);
    return 0;
}

static ssize_t
read_some(struct http_body *b, char *buffer, size_t size, struct fault *f)
{
    const struct http_server *s = b->exchange->server;
    int64_t patience_ms = (int64_t)s->options.idle_timeout_s * 1000;

    if (b->ring == NULL && !b->ended)
        b->ring = memory_alloc(HTTP_BODY_BUFFER);
    if (!b->wanted && !b->ended)
        resume(b);
    b->wanted = true;
    b->window_ms = clock_mono_ms();
    b->window_bytes = 0;
    for (;;) {
        if (atomic_load(&s->stopping) && !b->ended)
            return fault_raise(f, FAULT_UNAVAILABLE, "The service is going down.");
        if (b->used > 0)
            break;
        if (b->too_large)
            return fault_raise(f, FAULT_TOO_LARGE, "The request's body is larger than %lld bytes.",
                               (long long)b->max);
        if (b->ended)
            return 0;
        if (b->gone)
            return fault_raise(f, FAULT_INVALID,
                               "The connection ended before all of the body came.");
        if (wait_for_data(b, patience_ms, f) < 0)
            return -1;
    }
    size = get(b, buffer, size);
    if (b->used <= HTTP_BODY_BUFFER / 2 && !b->ended)
        resume(b);
    return (ssize_t)size;
}

ssize_t
http_body_read(struct http_request *r, void *buffer, size_t size, struct fault *f)
{
    struct http_body *b = r->stream;
    ssize_t n;

    pthread_mutex_lock(&b->mutex);
    n = read_some(b, buffer, size, f);
    pthread_mutex_unlock(&b->mutex);
    return n;
}
