/* Serving: the threads that run received methods, and what is served. One request is server_request.c. */
#include <signal.h>

#include "../base/clock.h"
#include "../base/memory.h"
#include "../base/str.h"
#include "../base/uuid.h"
#include "server_state.h"

#define OPERATIONS_MAX 8192
#define OPERATIONS_BYTES (16 * 1024 * 1024)

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
            rpc_server_run(s, j);
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
    return error == 0
               ? 0
               : fault_raise_cause(f, "no thread for received messages: %s", strerror(error));
}

bool
rpc_server_drain(struct rpc_server *s, int64_t until_ms)
{
    struct timespec until = { .tv_sec = until_ms / 1000,
                              .tv_nsec = (long)(until_ms % 1000) * 1000000 };
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
consume(struct rpc *r, enum wire_queue kind, const char *queue, const char *exchange,
        const struct rpc_method *methods, size_t count, void *owner, struct fault *f)
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
rpc_serve(struct rpc *r, const char *queue, const struct rpc_method *methods, size_t count,
          void *owner, struct fault *f)
{
    enum wire_queue kind = strchr(queue, '.') != NULL ? WIRE_QUEUE_HOST : WIRE_QUEUE_SHARED;

    return consume(r, kind, queue, NULL, methods, count, owner, f);
}

int
rpc_subscribe(struct rpc *r, const char *exchange, const struct rpc_method *methods, size_t count,
              void *owner, struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const char *queue =
        arena_printf(a, "events.%s.%s", rpc_queue(a, r->name, r->host), uuid_make(a));

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
