#include "backend.h"

#include <pthread.h>

#include "base/memory.h"

struct backend {
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* Of a call that ended. */
    unsigned running;
};

/* What stands around a call: who still has a share in it. */
struct shared_call {
    struct backend_call call;
    struct backend *backend;
    unsigned shares; /* Under the backend's mutex: the caller's and the thread's. */
    bool done;
    int result;
};

struct backend *
backend_new(void)
{
    struct backend *b = memory_calloc(1, sizeof(*b));
    pthread_condattr_t attributes;

    pthread_mutex_init(&b->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&b->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return b;
}

static struct timespec
after_ms(int64_t ms)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += (time_t)(ms / 1000);
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

bool
backend_close(struct backend *b, int grace_ms)
{
    struct timespec until = after_ms(grace_ms);
    bool idle;

    if (b == NULL)
        return true;
    pthread_mutex_lock(&b->mutex);
    while (b->running > 0 && pthread_cond_timedwait(&b->changed, &b->mutex, &until) == 0)
        ;
    idle = b->running == 0;
    pthread_mutex_unlock(&b->mutex);
    if (!idle)
        return false;
    pthread_cond_destroy(&b->changed);
    pthread_mutex_destroy(&b->mutex);
    free(b);
    return true;
}

struct backend_call *
backend_call_new(struct backend *b, int (*run)(struct backend_call *call), void *owner)
{
    struct shared_call *s = memory_calloc(1, sizeof(*s));

    s->backend = b;
    s->shares = 1;
    s->call.arena = arena_new();
    s->call.run = run;
    s->call.owner = owner;
    return &s->call;
}

static struct shared_call *
shared(struct backend_call *call)
{
    return CONTAINER_OF(call, struct shared_call, call);
}

static void
free_call(struct shared_call *s)
{
    arena_free(s->call.arena);
    free(s);
}

static void *
run_thread(void *argument)
{
    struct shared_call *s = argument;
    struct backend *b = s->backend;
    int result = s->call.run(&s->call);
    bool last;

    pthread_mutex_lock(&b->mutex);
    s->result = result;
    s->done = true;
    last = --s->shares == 0;
    pthread_mutex_unlock(&b->mutex);
    if (last)
        free_call(s);

    /* Only now may the backend, and what calls use, be freed. */
    pthread_mutex_lock(&b->mutex);
    b->running--;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->mutex);
    return NULL;
}

static int
start_thread(struct shared_call *s)
{
    pthread_attr_t attributes;
    pthread_t thread;
    int r;

    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, (size_t)1024 * 1024);
    r = pthread_create(&thread, &attributes, run_thread, s);
    pthread_attr_destroy(&attributes);
    return -r;
}

int
backend_call_run(struct backend_call *call, int64_t deadline_ms, struct fault *f)
{
    struct shared_call *s = shared(call);
    struct backend *b = s->backend;
    struct timespec until = after_ms(deadline_ms);
    bool done;

    pthread_mutex_lock(&b->mutex);
    s->shares++;
    b->running++;
    if (start_thread(s) < 0) {
        s->shares--;
        b->running--;
        pthread_mutex_unlock(&b->mutex);
        return fault_raise(f, FAULT_UNAVAILABLE, "The host cannot take more work just now.");
    }
    while (!s->done && pthread_cond_timedwait(&b->changed, &b->mutex, &until) == 0)
        ;
    done = s->done;
    pthread_mutex_unlock(&b->mutex);
    if (!done) {
        fault_raise(f, FAULT_TIMEOUT, "The hypervisor did not answer in time.");
        return fault_add_cause(f, "a backend call took more than %lld ms", (long long)deadline_ms);
    }
    if (s->result < 0)
        *f = s->call.fault;
    return s->result;
}

void
backend_call_freep(struct backend_call **call)
{
    struct shared_call *s;
    bool last;

    if (*call == NULL)
        return;
    s = shared(*call);
    pthread_mutex_lock(&s->backend->mutex);
    last = --s->shares == 0;
    pthread_mutex_unlock(&s->backend->mutex);
    if (last)
        free_call(s);
    *call = NULL;
}
