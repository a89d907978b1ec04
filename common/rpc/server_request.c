/* One received request: is it to be believed, was it done before, what is answered.
 *
 * A call is acknowledged when it begins: from then on its caller can't be told that nobody began. A cast is acknowledged
 * when it is done, so that another process gets it when this one dies; but if it comes a second time, also when it begins,
 * so that a message that kills its receivers kills two and not all. A message that makes no sense is acknowledged, counted, dropped. */
#include <openssl/evp.h>

#include "../base/clock.h"
#include "../base/json.h"
#include "../base/log.h"
#include "../base/str.h"
#include "envelope.h"
#include "server_state.h"

#define CAST_DEADLINE_MS (10 * 60000) /* Without one of its own. */

/* A received request on its way through a worker. */
struct work {
    struct rpc_server *server;
    const struct job *job;
    struct arena *arena;
    struct envelope envelope;
    const struct rpc_method *method;
    const char *reply_to; /* NULL: nobody waits. */
    int64_t deadline_ms;
    char *key; /* Of the operation. */
};

static void
acknowledge(const struct work *w)
{
    bus_ack(w->server->rpc->bus, w->job->generation, w->job->delivery->tag);
}

static void
send_answer(struct rpc_server *s, const char *reply_to, const char *correlation,
            int64_t deadline_ms, const char *answer)
{
    struct message *m = message_new("", reply_to, correlation, answer, strlen(answer));

    m->send_by_ms = m->expire_ms = deadline_ms;
    atomic_fetch_add(&s->rpc->published, 1);
    bus_send(s->rpc->bus, m);
}

static void
answer_fault(const struct work *w, const struct fault *f)
{
    size_t size;

    if (w->reply_to != NULL)
        send_answer(w->server, w->reply_to, w->job->delivery->correlation, w->deadline_ms,
                    envelope_write_answer(w->arena, NULL, f, &size));
}

/* NULL, or why the message is not to be believed. Fills the work from it. */
static const char *
examine(struct work *w)
{
    const struct delivery *d = w->job->delivery;
    int64_t left_ms;
    struct fault f = { 0 };

    if (d->oversize)
        return "oversize";
    if (envelope_read(w->arena, d->body, d->size, &w->envelope, &f) < 0)
        return arena_printf(w->arena, "malformed %s", f.field);
    if (!envelope_speaks_for(d->user_id, w->envelope.from_host))
        return "sender speaks for another host";
    left_ms = envelope_remaining_ms(&w->envelope, clock_now_us());
    if (left_ms < 0)
        return "replay";
    if (!str_empty(d->reply_to)) {
        if (!str_starts(d->reply_to, ENVELOPE_REPLY_PREFIX) || str_empty(d->correlation))
            return "answer wanted in a queue that is not for answers";
        w->reply_to = d->reply_to;
    }
    w->deadline_ms = w->job->received_ms + MIN(left_ms, (int64_t)24 * 3600 * 1000);
    return NULL;
}

static const struct rpc_method *
find_method(const struct binding *b, const char *name)
{
    for (size_t i = 0; i < b->count; i++) {
        if (str_equal(b->methods[i].name, name))
            return &b->methods[i];
    }
    return NULL;
}

/* One operation may do one thing to several objects, so the parameters are part of what makes it the same; and the sender
 * is, so that nobody can take away somebody else's answer. */
static char *
operation_key(const struct work *w)
{
    const struct envelope *e = &w->envelope;
    const char *params = e->params != NULL ? json_text(w->arena, e->params) : "";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    EVP_Digest(params, strlen(params), digest, &size, EVP_sha256(), NULL);
    return arena_printf(w->arena, "%s\n%s\n%s\n%s\n%s", e->from_name, e->from_host, e->method,
                        e->operation_id, str_hex(w->arena, digest, size));
}

static void
run_method(struct work *w)
{
    struct rpc_server *s = w->server;
    int64_t limit_ms = w->method->deadline_ms > 0 ? w->method->deadline_ms : CAST_DEADLINE_MS;
    struct rpc_request request = {
        .arena = w->arena,
        .rpc = s->rpc,
        .method = w->envelope.method,
        .operation_id = w->envelope.operation_id,
        .request_id = w->envelope.request_id,
        .from_name = w->envelope.from_name,
        .from_host = w->envelope.from_host,
        .params = w->envelope.params,
        .deadline_mono_ms = MIN(w->deadline_ms, clock_mono_ms() + limit_ms),
        .owner = w->job->binding->owner,
    };
    struct operation_waiter *waiter;
    json_t *result = NULL;
    struct fault f = { 0 };
    struct list waiters;
    const char *answer;
    size_t size;
    bool keep;
    int r;

    r = w->method->handle(&request, &result, &f);
    if (r < 0 && f.kind == FAULT_INTERNAL)
        log_error("rpc.failed method=%s from=%s host=%s cause=%s", request.method,
                  request.from_name, request.from_host, f.cause);
    else
        log_debug("rpc.done method=%s from=%s host=%s fault=%s", request.method, request.from_name,
                  request.from_host, r < 0 ? fault_kind_name(f.kind) : "none");
    answer = envelope_write_answer(w->arena, result, r < 0 ? &f : NULL, &size);

    /* What may go better the next time is to be tried the next time. */
    keep = r >= 0 || (!fault_is_transient(&f) && f.kind != FAULT_INTERNAL);
    pthread_mutex_lock(&s->mutex);
    operations_finish(s->operations, w->key, answer, keep, &waiters);
    pthread_mutex_unlock(&s->mutex);
    LIST_EACH (waiter, &waiters, struct operation_waiter, link) {
        send_answer(s, waiter->reply_to, waiter->correlation, waiter->deadline_ms, answer);
        operation_waiter_free(waiter);
    }
}

/* Does the operation, or joins those who wait for it, or answers from memory. */
static void
run_once(struct work *w)
{
    struct rpc_server *s = w->server;
    const char *correlation = w->job->delivery->correlation;
    bool late = w->method->cast && !w->job->delivery->redelivered; /* When to acknowledge. */
    const char *answer = NULL;
    enum operation_state state;

    w->key = operation_key(w);
    pthread_mutex_lock(&s->mutex);
    state =
        operations_begin(s->operations, w->key, w->reply_to, correlation, w->deadline_ms, &answer);
    if (state == OPERATION_ANSWERED)
        answer = arena_strdup(w->arena, answer);
    pthread_mutex_unlock(&s->mutex);

    if (state != OPERATION_NEW || !late)
        acknowledge(w);
    switch (state) {
    case OPERATION_ANSWERED:
        if (w->reply_to != NULL)
            send_answer(s, w->reply_to, correlation, w->deadline_ms, answer);
        break;
    case OPERATION_IN_WORK:
        break;
    case OPERATION_NEW:
        run_method(w);
        if (late)
            acknowledge(w);
        break;
    }
}

void
rpc_server_run(struct rpc_server *s, const struct job *j)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct work w = { .server = s, .job = j, .arena = a };
    const char *refused = examine(&w);
    struct log_context context = { .request_id = w.envelope.request_id };
    struct fault f = { 0 };

    if (refused != NULL) {
        rpc_drop(s->rpc, refused, j->delivery);
        acknowledge(&w);
        return;
    }
    log_set_context(&context);
    w.method = find_method(j->binding, w.envelope.method);
    if (w.method == NULL) {
        rpc_drop(s->rpc, "unknown method", j->delivery);
        fault_raise(&f, FAULT_NOT_IMPLEMENTED, "The receiver has no method %s.", w.envelope.method);
        answer_fault(&w, &f);
        acknowledge(&w);
    } else if (clock_mono_ms() >= w.deadline_ms) {
        fault_raise(&f, FAULT_UNAVAILABLE, "The service that does this is busy.");
        answer_fault(&w, &f);
        acknowledge(&w);
    } else {
        run_once(&w);
    }
    log_set_context(NULL);
}
