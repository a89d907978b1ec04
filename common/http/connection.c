/* What libmicrohttpd calls, in its I/O threads. For each request:
 *
 *   http_on_target()     the request line is in; target still as it came: an exchange begins
 *   http_on_request()    the head is in ("first call"); an answer given here closes the connection
 *   http_on_request()    for each piece of the body
 *   http_on_request()    all is in ("final call"); again after each resume until there is an answer
 *   http_on_completed()  answered, or broken off at any of the points above
 *
 * A suspended connection gets no calls at all, not even when its client goes away. */
#include "exchange.h"

#include <unistd.h>

#include "../base/clock.h"
#include "../base/memory.h"
#include "clients.h"
#include "workers.h"

enum { FREE_MAX = 64, OVERFLOW_MAX = 16 * 1024 * 1024 };

static struct http_response
new_response(const struct exchange *x)
{
    return (struct http_response){ .arena = x->request.arena, .status = 200, .file = -1 };
}

struct exchange *
exchange_new(struct http_server *s, struct MHD_Connection *connection)
{
    struct exchange *x;

    pthread_mutex_lock(&s->mutex);
    x = s->free_list;
    if (x != NULL) {
        s->free_list = x->next;
        s->free_count--;
    }
    pthread_mutex_unlock(&s->mutex);
    if (x == NULL) {
        x = memory_calloc(1, sizeof(*x));
        x->server = s;
        x->request.arena = arena_new();
    }
    x->next = NULL;
    x->connection = connection;
    x->client = client_get(connection);
    x->state = EXCHANGE_HEAD;
    x->response = new_response(x);
    return x;
}

void
exchange_destroy(struct exchange *x)
{
    arena_free(x->request.arena);
    str_done(&x->body);
    free(x);
}

void
exchange_free(struct exchange *x)
{
    struct http_server *s = x->server;
    struct arena *arena = x->request.arena;
    bool kept = false;

    reply_drop(x);
    if (x->stream != NULL) {
        pthread_mutex_lock(&s->mutex);
        list_remove(&x->stream->link);
        pthread_mutex_unlock(&s->mutex);
        body_free(x->stream);
        x->stream = NULL;
    }
    if (x->body.capacity > HTTP_KEEP_BODY)
        str_done(&x->body);
    else
        str_clear(&x->body);
    arena_reset(arena);
    x->request = (struct http_request){ .arena = arena };
    x->chunked = x->overflow = false;
    x->refused = 0;

    pthread_mutex_lock(&s->mutex);
    if (s->free_count < FREE_MAX) {
        x->next = s->free_list;
        s->free_list = x;
        s->free_count++;
        kept = true;
    }
    pthread_mutex_unlock(&s->mutex);
    if (!kept)
        exchange_destroy(x);
}

void *
http_on_target(void *owner, const char *target, struct MHD_Connection *connection)
{
    struct exchange *x = exchange_new(owner, connection);

    x->request.started_us = clock_mono_us();
    x->target = target;
    x->target_size = target != NULL ? strlen(target) : 0;
    if (target != NULL && x->target_size <= HTTP_MAX_TARGET)
        x->request.path = arena_memdup(x->request.arena, target, x->target_size + 1);
    atomic_fetch_add_explicit(&x->server->requests, 1, memory_order_relaxed);
    atomic_fetch_add(&x->server->active, 1);
    return x;
}

static enum MHD_Result
answer(struct exchange *x)
{
    struct MHD_Response *reply = x->reply;
    enum MHD_Result r;

    if (reply == NULL)
        return MHD_NO;
    x->reply = NULL;
    r = MHD_queue_response(x->connection, (unsigned)x->response.status, reply);
    MHD_destroy_response(reply); /* Our reference. */
    return r;
}

static enum MHD_Result
refuse(struct exchange *x, int status, const char *why)
{
    reply_refuse(x, status, why);
    return answer(x);
}

/* True: the exchange is with the waiters now. */
static bool
wait_in_line(struct exchange *x)
{
    str_done(&x->response.body);
    x->response = new_response(x);
    x->request.may_wait = true;
    switch (workers_push(x->server->waiters, x)) {
    case WORKERS_TAKEN:
        return true;
    case WORKERS_FULL:
        http_response_header(&x->response, "Retry-After", "5");
        reply_refuse(x, 429, "Too many requests of this kind are waiting; try again later.");
        break;
    case WORKERS_STOPPED:
        reply_refuse(x, 503, "The service is going down.");
        break;
    }
    return false;
}

void
exchange_run(struct exchange *x, void *worker, bool unavailable)
{
    const struct http_handler *h = &x->server->handler;

    if (unavailable) {
        reply_refuse(x, 503, "The service is going down.");
    } else {
        h->handle(h->owner, worker, &x->request, &x->response);
        if (!x->response.later)
            reply_make(x);
        else if (wait_in_line(x))
            return;
    }
    if (x->stream != NULL) {
        body_finish(x->stream);
    } else {
        x->state = EXCHANGE_READY;
        MHD_resume_connection(x->connection);
    }
}

/* All that the handler needs is there. */
static enum MHD_Result
dispatch(struct exchange *x)
{
    struct http_server *s = x->server;
    struct http_request *r = &x->request;
    const struct http_handler *h = &s->handler;

    client_owes_nothing(x->client);
    if (x->overflow)
        return refuse(x, 413, "The request's body is too large.");
    if (atomic_load_explicit(&s->stopping, memory_order_relaxed))
        return refuse(x, 503, "The service is going down.");
    r->body = str_text(&x->body);
    r->body_size = x->body.size;
    if (h->handle_at_once != NULL) {
        if (h->handle_at_once(h->owner, r, &x->response)) {
            reply_make(x);
            return answer(x);
        }
        str_done(&x->response.body);
        x->response = new_response(x);
    }
    x->state = EXCHANGE_WORK;
    MHD_suspend_connection(x->connection);
    if (workers_push(s->workers, x) != WORKERS_TAKEN)
        exchange_run(x, NULL, true);
    return MHD_YES;
}

/* The handler reads the body itself. The connection may end while it does, so nothing may stay
 * in the connection's memory. */
static enum MHD_Result
dispatch_stream(struct exchange *x)
{
    struct http_server *s = x->server;
    struct http_request *r = &x->request;

    for (size_t i = 0; i < r->headers_count; i++) {
        x->headers[i].name = arena_strdup(r->arena, x->headers[i].name);
        x->headers[i].value = arena_strdup(r->arena, x->headers[i].value);
    }
    r->peer = arena_strdup(r->arena, r->peer);
    r->stream = x->stream = body_new(x);
    pthread_mutex_lock(&s->mutex);
    list_append(&s->streams, &x->stream->link);
    pthread_mutex_unlock(&s->mutex);

    client_owes_nothing(x->client);
    x->state = x->chunked || r->content_length > 0 ? EXCHANGE_STREAM_IDLE : EXCHANGE_STREAM;
    r->may_wait = true; /* As long as its client does. */
    if (workers_push(s->streamers, x) != WORKERS_TAKEN)
        exchange_run(x, NULL, true);
    return MHD_YES;
}

static enum MHD_Result
begin(struct exchange *x, const char *method, const char *version)
{
    struct http_server *s = x->server;
    struct http_request *r = &x->request;
    const char *why;
    int status = head_read(x, method, version, &why);
    bool stream = false, has_body;

    client_owes(x->client); /* The body. */
    if (status != 0)
        return refuse(x, status, why);
    x->max_body = s->options.max_body;
    has_body = x->chunked || r->content_length > 0;
    if (s->handler.streams != NULL && (has_body || r->method == HTTP_POST || r->method == HTTP_PUT))
        stream = s->handler.streams(s->handler.owner, r->method, r->path, &x->max_body);
    if (r->content_length > x->max_body)
        return refuse(x, 413, "The request's body is too large.");
    if (atomic_load_explicit(&s->stopping, memory_order_relaxed))
        return refuse(x, 503, "The service is going down.");
    if (!stream) {
        x->state = EXCHANGE_COLLECT;
        return MHD_YES;
    }
    return dispatch_stream(x);
}

static enum MHD_Result
collect(struct exchange *x, const char *data, size_t *size)
{
    if (x->body.size + *size > (size_t)x->max_body)
        x->overflow = true; /* Chunked: can be answered only at the end. */
    if (!x->overflow) {
        str_add_n(&x->body, data, *size);
    } else {
        str_clear(&x->body);
        x->refused += *size;
        if (x->refused > OVERFLOW_MAX)
            return MHD_NO;
    }
    *size = 0;
    return MHD_YES;
}

static enum MHD_Result
next(struct exchange *x, enum body_next what)
{
    switch (what) {
    case BODY_WAIT:
    case BODY_CONTINUE:
        return MHD_YES;
    case BODY_ANSWER:
        return answer(x);
    case BODY_CLOSE:
        break;
    }
    return MHD_NO;
}

enum MHD_Result
http_on_request(void *owner _unused_, struct MHD_Connection *connection _unused_,
                const char *url _unused_, const char *method, const char *version, const char *data,
                size_t *size, void **state)
{
    struct exchange *x = *state;
    enum MHD_Result r;

    if (x->state == EXCHANGE_HEAD) {
        r = begin(x, method, version);
        if (r == MHD_NO || x->state != EXCHANGE_STREAM_IDLE)
            return r;
    }
    switch (x->state) {
    case EXCHANGE_HEAD:
    case EXCHANGE_WORK:
        return MHD_YES;
    case EXCHANGE_COLLECT:
        return *size > 0 ? collect(x, data, size) : dispatch(x);
    case EXCHANGE_STREAM_IDLE:
        switch (body_begin(x->stream)) {
        case BODY_WAIT:
            return MHD_YES;
        case BODY_CONTINUE:
            x->state = EXCHANGE_STREAM;
            return MHD_YES;
        case BODY_ANSWER:
            return answer(x);
        case BODY_CLOSE:
            break;
        }
        return MHD_NO;
    case EXCHANGE_STREAM:
        return next(x, *size > 0 ? body_receive(x->stream, data, size) : body_end(x->stream));
    case EXCHANGE_READY:
        return answer(x);
    }
    return MHD_NO;
}

void
http_on_completed(void *owner, struct MHD_Connection *connection _unused_, void **state,
                  enum MHD_RequestTerminationCode why _unused_)
{
    struct http_server *s = owner;
    struct exchange *x = *state;

    if (x == NULL)
        return;
    *state = NULL;
    client_owes(x->client); /* The next request. */
    if (x->stream != NULL)
        body_abandon(x->stream);
    else
        exchange_free(x);
    if (atomic_fetch_sub(&s->active, 1) == 1 && atomic_load(&s->draining)) {
        pthread_mutex_lock(&s->mutex);
        pthread_cond_broadcast(&s->idle);
        pthread_mutex_unlock(&s->mutex);
    }
}
