/* Serving: the threads that run received methods, and the memory of what was done.
 *
 * A call is acknowledged when it begins: from then on its caller can't be told that nobody began. A cast is acknowledged
 * when it is done, so that another process gets it when this one dies; but if it comes a second time, also when it begins,
 * so that a message that kills its receivers kills two and not all. A message that makes no sense is acknowledged, counted, dropped. */
#include "operations.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <signal.h>

#include "../base/clock.h"
#include "../base/json.h"
#include "../base/log.h"
#include "../base/memory.h"
#include "../base/str.h"
#include "../base/uuid.h"
#include "envelope.h"
#include "internal.h"

#define OPERATIONS_MAX 8192
#define OPERATIONS_BYTES (16 * 1024 * 1024)
#define CAST_DEADLINE_MS (10 * 60000) /* Without one of its own. */

/* What rpc_serve() and rpc_subscribe() were told. */
struct binding {
    struct list link;
    const struct rpc_method *methods;
    size_t count;
    void *owner;
};

struct listener {
    struct list link;
    void (*fn)(void *owner);
    void *owner;
};

struct job {
    struct list link;
    struct delivery *delivery; /* NULL: call 'listener'. */
    struct binding *binding;
    struct listener *listener;
    uint64_t generation;
    int64_t received_ms;
};

struct rpc_server {
    struct rpc *rpc;
    unsigned workers;
    pthread_t *threads;
    pthread_mutex_t mutex;
    pthread_cond_t wake; /* A job, or the end. */
    pthread_cond_t idle; /* Nothing is in work. */
    struct list jobs GUARDED_BY(mutex);
    struct list bindings GUARDED_BY(mutex);
    struct list listeners GUARDED_BY(mutex);
    struct operations *operations GUARDED_BY(mutex);
    unsigned in_work GUARDED_BY(mutex);
    bool draining GUARDED_BY(mutex);
};

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
job_free(struct job *j)
{
    delivery_free(j->delivery);
    free(j);
}

static void
add_job(struct rpc_server *s, struct job *j)
{
    pthread_mutex_lock(&s->mutex);
    if (s->draining) {
        job_free(j); /* Not acknowledged: the broker gives it to somebody else. */
    } else {
        list_append(&s->jobs, &j->link);
        pthread_cond_signal(&s->wake);
    }
    pthread_mutex_unlock(&s->mutex);
}

void
rpc_server_take(struct rpc_server *s, struct delivery *d, void *binding, uint64_t generation)
{
    struct job *j = memory_calloc(1, sizeof(*j));

    atomic_fetch_add(&s->rpc->received, 1);
    j->delivery = d;
    j->binding = binding;
    j->generation = generation;
    j->received_ms = clock_mono_ms();
    add_job(s, j);
}

static void
add_listener_job(struct rpc_server *s, struct listener *l)
{
    struct job *j = memory_calloc(1, sizeof(*j));

    j->listener = l;
    add_job(s, j);
}

void
rpc_server_connected(struct rpc_server *s)
{
    struct listener *l;
    struct list *head = &s->listeners;

    /* Only ever appended to, by rpc_on_connect(); what is appended meanwhile is told by itself. */
    pthread_mutex_lock(&s->mutex);
    for (struct list *at = head->next; at != head; at = at->next) {
        l = LIST_ITEM(at, struct listener, link);
        pthread_mutex_unlock(&s->mutex);
        add_listener_job(s, l);
        pthread_mutex_lock(&s->mutex);
    }
    pthread_mutex_unlock(&s->mutex);
}

/* ---- One request ---- */

static void
acknowledge(const struct work *w)
{
    bus_ack(w->server->rpc->bus, w->job->generation, w->job->delivery->tag);
}

static void
send_answer(struct rpc_server *s, const char *reply_to, const char *correlation, int64_t deadline_ms, const char *answer)
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
    return arena_printf(w->arena, "%s\n%s\n%s\n%s\n%s", e->from_name, e->from_host, e->method, e->operation_id,
                        str_hex(w->arena, digest, size));
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
        log_error("rpc.failed method=%s from=%s host=%s cause=%s", request.method, request.from_name, request.from_host,
                  f.cause);
    else
        log_debug("rpc.done method=%s from=%s host=%s fault=%s", request.method, request.from_name, request.from_host,
                  r < 0 ? fault_kind_name(f.kind) : "none");
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
    state = operations_begin(s->operations, w->key, w->reply_to, correlation, w->deadline_ms, &answer);
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

static void
run_delivery(struct rpc_server *s, const struct job *j)
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

/* ---- Workers ---- */

static struct job *
next_job(struct rpc_server *s)
{
    struct job *j;

    pthread_mutex_lock(&s->mutex);
    while (list_empty(&s->jobs) && !s->draining)
        pthread_cond_wait(&s->wake, &s->mutex);
    j = s->draining ? NULL : LIST_FIRST(&s->jobs, struct job, link);
    if (j != NULL) {
        list_remove(&j->link);
        s->in_work++;
    }
    pthread_mutex_unlock(&s->mutex);
    return j;
}

static void *
work(void *object)
{
    struct rpc_server *s = object;
    struct job *j;

    while ((j = next_job(s)) != NULL) {
        if (j->delivery != NULL)
            run_delivery(s, j);
        else
            j->listener->fn(j->listener->owner);
        job_free(j);
        pthread_mutex_lock(&s->mutex);
        if (--s->in_work == 0)
            pthread_cond_broadcast(&s->idle);
        pthread_mutex_unlock(&s->mutex);
    }
    return NULL;
}

int
rpc_server_open(struct rpc_server **ret, struct rpc *r, unsigned workers, struct fault *f)
{
    struct rpc_server *s = memory_calloc(1, sizeof(*s));
    pthread_condattr_t attributes;
    sigset_t all, before;
    int error = 0;

    s->rpc = r;
    s->threads = memory_calloc(workers, sizeof(*s->threads));
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->wake, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&s->idle, &attributes);
    pthread_condattr_destroy(&attributes);
    list_init(&s->jobs);
    list_init(&s->bindings);
    list_init(&s->listeners);
    s->operations = operations_new(OPERATIONS_MAX, OPERATIONS_BYTES);
    *ret = s;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (error == 0 && s->workers < workers) {
        error = pthread_create(&s->threads[s->workers], NULL, work, s);
        s->workers += error == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error == 0 ? 0 : fault_raise_cause(f, "no thread for received messages: %s", strerror(error));
}

bool
rpc_server_drain(struct rpc_server *s, int64_t until_ms)
{
    struct timespec until = { .tv_sec = until_ms / 1000, .tv_nsec = (long)(until_ms % 1000) * 1000000 };
    bool idle;
    int r = 0;

    pthread_mutex_lock(&s->mutex);
    s->draining = true;
    pthread_cond_broadcast(&s->wake);
    while (s->in_work > 0 && r == 0)
        r = pthread_cond_timedwait(&s->idle, &s->mutex, &until);
    idle = s->in_work == 0;
    pthread_mutex_unlock(&s->mutex);
    return idle;
}

void
rpc_server_join(struct rpc_server *s)
{
    rpc_server_drain(s, 0);
    for (unsigned i = 0; i < s->workers; i++)
        pthread_join(s->threads[i], NULL);
    s->workers = 0;
}

void
rpc_server_free(struct rpc_server *s)
{
    struct listener *l;
    struct binding *b;
    struct job *j;

    LIST_EACH (j, &s->jobs, struct job, link)
        job_free(j);
    LIST_EACH (b, &s->bindings, struct binding, link)
        free(b);
    LIST_EACH (l, &s->listeners, struct listener, link)
        free(l);
    operations_free(s->operations);
    pthread_mutex_destroy(&s->mutex);
    pthread_cond_destroy(&s->wake);
    pthread_cond_destroy(&s->idle);
    free(s->threads);
    free(s);
}

/* ---- What is served ---- */

static int
consume(struct rpc *r, enum wire_queue kind, const char *queue, const char *exchange, const struct rpc_method *methods,
        size_t count, void *owner, struct fault *f)
{
    struct rpc_server *s = r->server;
    struct binding *b = memory_calloc(1, sizeof(*b));

    *b = (struct binding){ .methods = methods, .count = count, .owner = owner };
    pthread_mutex_lock(&s->mutex);
    list_append(&s->bindings, &b->link);
    pthread_mutex_unlock(&s->mutex);
    return bus_consume(r->bus, kind, queue, exchange, b, f);
}

int
rpc_serve(struct rpc *r, const char *queue, const struct rpc_method *methods, size_t count, void *owner, struct fault *f)
{
    enum wire_queue kind = strchr(queue, '.') != NULL ? WIRE_QUEUE_HOST : WIRE_QUEUE_SHARED;

    return consume(r, kind, queue, NULL, methods, count, owner, f);
}

int
rpc_subscribe(struct rpc *r, const char *exchange, const struct rpc_method *methods, size_t count, void *owner, struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const char *queue = arena_printf(a, "events.%s.%s", rpc_queue(a, r->name, r->host), uuid_make(a));

    return consume(r, WIRE_QUEUE_EVENTS, queue, exchange, methods, count, owner, f);
}

void
rpc_on_connect(struct rpc *r, void (*fn)(void *owner), void *owner)
{
    struct rpc_server *s = r->server;
    struct listener *l = memory_calloc(1, sizeof(*l));

    l->fn = fn;
    l->owner = owner;
    pthread_mutex_lock(&s->mutex);
    list_append(&s->listeners, &l->link);
    pthread_mutex_unlock(&s->mutex);
    if (bus_up(r->bus))
        add_listener_job(s, l);
}
