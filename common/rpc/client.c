/* Calling: who waits for an answer, and what is done when the broker, or the way to it, breaks meanwhile.
 *
 * A call is sent again, with the same operation id, whenever its message or the queue for its answer may have been
 * lost; receivers do an operation once. So a broker that is restarted in the middle of a call only delays it.
 * The thread that waits also sends again: the connection's thread only tells it that it should. */
#include <pthread.h>

#include "../base/clock.h"
#include "../base/log.h"
#include "../base/map.h"
#include "../base/memory.h"
#include "../base/str.h"
#include "../base/uuid.h"
#include "envelope.h"
#include "internal.h"

#define CALL_DEFAULT_MS 60000
#define CAST_MS 5000
#define CAST_SEND_MS 1000
#define CAST_EXPIRE_MS 60000
#define ABSENT_RETRY_MS 200 /* A receiver that was there a moment ago may be reconnecting. */
#define REFUSED_RETRY_MS 100
#define EXPIRY_MARGIN_MS                                                                           \
    250 /* A call expires so much before its deadline, so that the notice comes in time. */
#define LOOK_MS 1000 /* Tests may have moved the clock. */

enum outcome {
    OUTCOME_NONE,
    OUTCOME_ANSWER,
    OUTCOME_CONFIRMED,
    OUTCOME_ABSENT,
    OUTCOME_EXPIRED,
    OUTCOME_UNSENT,
    OUTCOME_STOPPED
};

struct call {
    char id[UUID_TEXT]; /* Correlation: of this wait, not of the operation. */
    const char *exchange, *key, *body;
    size_t size;
    bool wants_answer, mandatory;
    int64_t deadline_ms, send_by_ms, expire_ms;

    pthread_cond_t changed;
    enum outcome outcome;
    bool maybe;         /* It may have reached the receiver. */
    bool confirmed;     /* The last sending has; its answer goes to the queue of that connection. */
    unsigned sent;      /* Times. */
    int64_t send_at_ms; /* To be sent (again) then; 0: not to be sent. */
    char *answer;
    size_t answer_size;
};

struct rpc_client {
    struct rpc *rpc;
    pthread_mutex_t mutex;
    pthread_cond_t empty;
    struct map *calls GUARDED_BY(mutex); /* By id; on their threads' stacks. */
    unsigned callers GUARDED_BY(mutex);  /* Threads that are in here. */
    bool stopping GUARDED_BY(mutex);
};

struct rpc_client *
rpc_client_new(struct rpc *r)
{
    struct rpc_client *c = memory_calloc(1, sizeof(*c));

    c->rpc = r;
    c->calls = map_new(NULL);
    pthread_mutex_init(&c->mutex, NULL);
    pthread_cond_init(&c->empty, NULL);
    return c;
}

static void
finish(struct call *call, enum outcome outcome)
{
    if (call->outcome == OUTCOME_NONE)
        call->outcome = outcome;
    pthread_cond_signal(&call->changed);
}

void
rpc_client_stop(struct rpc_client *c)
{
    struct map_at at = { 0 };

    pthread_mutex_lock(&c->mutex);
    c->stopping = true;
    while (map_next(c->calls, &at))
        finish(at.value, OUTCOME_STOPPED);
    while (c->callers > 0)
        pthread_cond_wait(&c->empty, &c->mutex);
    pthread_mutex_unlock(&c->mutex);
}

void
rpc_client_free(struct rpc_client *c)
{
    if (c == NULL)
        return;
    map_free(c->calls);
    pthread_mutex_destroy(&c->mutex);
    pthread_cond_destroy(&c->empty);
    free(c);
}

static void
send_again(struct call *call, int64_t after_ms)
{
    call->send_at_ms = clock_mono_ms() + after_ms;
    pthread_cond_signal(&call->changed);
}

/* In the connection's thread: what became of a message. Its call may be over. */
static void
settled(const struct message *m, enum message_result result, void *owner)
{
    struct rpc_client *c = owner;
    struct call *call;

    pthread_mutex_lock(&c->mutex);
    call = map_get(c->calls, m->correlation);
    if (call != NULL) {
        switch (result) {
        case MESSAGE_CONFIRMED:
            call->maybe = call->confirmed = true;
            if (!call->wants_answer)
                finish(call, OUTCOME_CONFIRMED);
            break;
        case MESSAGE_RETURNED:
            if (call->maybe)
                send_again(call, ABSENT_RETRY_MS);
            else
                finish(call, OUTCOME_ABSENT);
            break;
        case MESSAGE_REFUSED:
            send_again(call, REFUSED_RETRY_MS);
            break;
        case MESSAGE_LOST:
            call->maybe = true;
            send_again(call, 0);
            break;
        case MESSAGE_UNSENT:
            finish(call, OUTCOME_UNSENT);
            break;
        }
    }
    pthread_mutex_unlock(&c->mutex);
}

/* A new connection, a new reply queue: what the old one was to be answered on won't be. */
void
rpc_client_connected(struct rpc_client *c)
{
    struct map_at at = { 0 };

    pthread_mutex_lock(&c->mutex);
    while (map_next(c->calls, &at)) {
        struct call *call = at.value;

        if (call->confirmed && call->outcome == OUTCOME_NONE)
            send_again(call, 0);
    }
    pthread_mutex_unlock(&c->mutex);
}

void
rpc_client_take(struct rpc_client *c, struct delivery *d)
{
    const char *refused = NULL;
    struct call *call;

    pthread_mutex_lock(&c->mutex);
    call = map_get(c->calls, d->correlation);
    if (call == NULL || call->outcome != OUTCOME_NONE) {
        /* Late, or the second answer to a call that was sent twice: nothing wrong with it. */
    } else if (d->expired) {
        finish(call, OUTCOME_EXPIRED);
    } else if (d->oversize) {
        refused = "oversize answer";
    } else if (!envelope_answers_for(d->user_id, call->key)) {
        refused = "answer from somebody else";
    } else {
        call->answer = d->body;
        call->answer_size = d->size;
        d->body = NULL;
        finish(call, OUTCOME_ANSWER);
    }
    pthread_mutex_unlock(&c->mutex);
    if (refused != NULL)
        rpc_drop(c->rpc, refused, d);
    delivery_free(d);
}

static void
send_call(struct rpc_client *c, struct call *call)
{
    struct message *m = message_new(call->exchange, call->key, call->id, call->body, call->size);

    m->mandatory = call->mandatory;
    m->wants_reply = call->wants_answer;
    m->send_by_ms = call->send_by_ms;
    m->expire_ms = call->expire_ms;
    m->done = settled;
    m->owner = c;
    atomic_fetch_add(&c->rpc->published, 1);
    bus_send(c->rpc->bus, m);
}

/* Sleeps until something changes or 'until_ms'. The mutex is held. */
static void
sleep_until(struct rpc_client *c, struct call *call, int64_t now_ms, int64_t until_ms)
{
    int64_t wait_ms = MIN(until_ms - now_ms, (int64_t)LOOK_MS);
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    until.tv_sec += wait_ms / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&call->changed, &c->mutex, &until);
}

/* Sends, waits, sends again, until there is an outcome or the deadline is over (OUTCOME_NONE). */
static void
await_outcome(struct rpc_client *c, struct call *call)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&call->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    uuid_new(call->id);
    call->send_at_ms = clock_mono_ms();

    pthread_mutex_lock(&c->mutex);
    c->callers++;
    if (c->stopping)
        call->outcome = OUTCOME_STOPPED;
    map_set(c->calls, call->id, call);
    while (call->outcome == OUTCOME_NONE) {
        int64_t now_ms = clock_mono_ms();
        int64_t until_ms = call->deadline_ms;

        if (now_ms >= call->deadline_ms)
            break;
        if (call->send_at_ms != 0 && now_ms >= call->send_at_ms) {
            call->send_at_ms = 0;
            call->confirmed = false;
            call->sent++;
            pthread_mutex_unlock(&c->mutex);
            send_call(c, call);
            pthread_mutex_lock(&c->mutex);
            continue;
        }
        if (call->send_at_ms != 0)
            until_ms = MIN(until_ms, call->send_at_ms);
        sleep_until(c, call, now_ms, until_ms);
    }
    map_remove(c->calls, call->id);
    pthread_mutex_unlock(&c->mutex);
    pthread_cond_destroy(&call->changed);
}

/* FAULT_UNAVAILABLE only when nobody can have begun. */
static int
explain(struct rpc_client *c, const struct call *call, const char *method, struct fault *f)
{
    bool maybe = call->maybe || call->sent > 1;

    switch (call->outcome) {
    case OUTCOME_ANSWER:
    case OUTCOME_CONFIRMED:
        return 0;
    case OUTCOME_ABSENT:
        fault_raise(f, FAULT_UNAVAILABLE, "The service that does this is not available.");
        return fault_add_cause(f, "%s: nobody serves queue %s", method, call->key);
    case OUTCOME_EXPIRED:
        maybe =
            call->sent >
            1; /* What expired in the queue was not taken out of it; an earlier one may have been. */
        break;
    case OUTCOME_UNSENT:
    case OUTCOME_STOPPED:
        break;
    case OUTCOME_NONE:
        maybe = maybe || bus_up(c->rpc->bus);
        break;
    }
    atomic_fetch_add(&c->rpc->timeouts, 1);
    if (maybe) {
        fault_raise(f, FAULT_TIMEOUT, "No answer in time from the service that does this.");
        return fault_add_cause(f, "%s: no answer from queue %s", method, call->key);
    }
    fault_raise(f, FAULT_UNAVAILABLE, "The service that does this is not available.");
    return fault_add_cause(f, "%s: queue %s: %s", method, call->key,
                           call->outcome == OUTCOME_EXPIRED ? "nobody took it"
                                                            : "the broker is away");
}

/* The whole of a call. When it returns, the client, and all of the RPC, may be gone. */
static int
run_call(struct rpc_client *c, struct call *call, const char *method, struct fault *f)
{
    int status;

    await_outcome(c, call);
    status = explain(c, call, method, f);
    pthread_mutex_lock(&c->mutex);
    if (--c->callers == 0)
        pthread_cond_broadcast(&c->empty);
    pthread_mutex_unlock(&c->mutex);
    return status;
}

static int
write_request(struct rpc *r, struct arena *a, const char *method, const char *operation_id,
              const char *request_id, const json_t *params, int timeout_ms, char **ret,
              size_t *ret_size, struct fault *f)
{
    struct log_context context;
    struct envelope e = {
        .method = method,
        .operation_id = operation_id != NULL ? operation_id : uuid_make(a),
        .request_id = request_id,
        .from_name = r->name,
        .from_host = r->host,
        .timeout_ms = timeout_ms,
        .deadline_us = clock_now_us() + (int64_t)timeout_ms * 1000,
        .params = params,
    };

    if (e.request_id == NULL) {
        log_get_context(&context);
        e.request_id = context.request_id != NULL ? context.request_id : "";
    }
    return envelope_write(a, &e, ret, ret_size, f);
}

int
rpc_call(struct rpc *r, const char *queue, const char *method, const char *operation_id,
         const json_t *params, int deadline_ms, struct arena *a, json_t **ret, struct fault *f)
{
    int64_t now_ms = clock_mono_ms();
    struct call call = {
        .exchange = WIRE_CALLS, .key = queue, .wants_answer = true, .mandatory = true
    };
    json_t *answer = NULL;
    char *body;
    int status;

    if (deadline_ms <= 0)
        deadline_ms = CALL_DEFAULT_MS;
    status =
        write_request(r, a, method, operation_id, NULL, params, deadline_ms, &body, &call.size, f);
    if (status < 0)
        return status;
    call.body = body;
    call.deadline_ms = now_ms + deadline_ms;
    call.send_by_ms = call.expire_ms = call.deadline_ms - MIN(EXPIRY_MARGIN_MS, deadline_ms / 4);
    atomic_fetch_add(&r->calls, 1);
    status = run_call(r->client, &call, method, f);
    if (call.answer == NULL)
        return status;
    status = envelope_read_answer(a, call.answer, call.answer_size, &answer, f);
    free(call.answer);
    if (status >= 0 && ret != NULL)
        *ret = answer;
    return status;
}

static int
send_and_confirm(struct rpc *r, struct call *call, const char *method, const char *operation_id,
                 const json_t *params, struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    int64_t now_ms = clock_mono_ms();
    char *body;
    int status;

    status = write_request(r, a, method, operation_id, NULL, params, CAST_EXPIRE_MS, &body,
                           &call->size, f);
    if (status < 0)
        return status;
    call->body = body;
    call->deadline_ms = now_ms + CAST_MS;
    call->send_by_ms = now_ms + CAST_SEND_MS;
    call->expire_ms = now_ms + CAST_EXPIRE_MS;
    return run_call(r->client, call, method, f);
}

int
rpc_cast(struct rpc *r, const char *queue, const char *method, const char *operation_id,
         const json_t *params, struct fault *f)
{
    struct call call = { .exchange = WIRE_CALLS, .key = queue, .mandatory = true };

    return send_and_confirm(r, &call, method, operation_id, params, f);
}

int
rpc_publish(struct rpc *r, const char *exchange, const char *method, const json_t *params,
            struct fault *f)
{
    struct call call = { .exchange = exchange, .key = "" };
    int status = bus_consume(r->bus, WIRE_EXCHANGE, NULL, exchange, NULL, f);

    if (status < 0)
        return status;
    return send_and_confirm(r, &call, method, NULL, params, f);
}

int
rpc_post(struct rpc *r, const struct rpc_post *post, struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    int64_t now_ms = clock_mono_ms();
    struct message *m;
    size_t size;
    char *body;
    int status;

    if (post->exchange != NULL) {
        status = bus_consume(r->bus, WIRE_EXCHANGE, NULL, post->exchange, NULL, f);
        if (status < 0)
            return status;
    }
    status = write_request(r, a, post->method, post->operation_id, post->request_id, post->params,
                           post->expire_ms, &body, &size, f);
    if (status < 0)
        return status;
    m = message_new(post->exchange != NULL ? post->exchange : WIRE_CALLS,
                    post->exchange != NULL ? "" : post->key, post->correlation, body, size);
    m->mandatory = post->exchange == NULL;
    m->persistent = post->persistent;
    m->send_by_ms = now_ms + post->send_ms;
    m->expire_ms = now_ms + post->expire_ms;
    m->done = post->done;
    m->owner = post->owner;
    atomic_fetch_add(&r->published, 1);
    bus_send(r->bus, m);
    return 0;
}
