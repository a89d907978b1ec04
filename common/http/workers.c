/* Who has nothing to do lies on a stack and is handed its next exchange: one wake, no race for a queue, and
 * the thread that worked last (its memory, its database connection) works next. Only when all are busy is there
 * a queue. */
#include "workers.h"

#include <semaphore.h>

#include "../base/memory.h"

struct worker {
    struct workers *pool;
    pthread_t thread;
    unsigned index;
    sem_t wake;
    struct exchange *given;   /* Before 'wake'; NULL: the pool is stopping. */
    struct worker *next_idle; /* On the stack. */
};

struct workers {
    struct http_server *server;
    const char *name;
    unsigned first_index, max, max_queued;
    struct worker *threads;
    pthread_mutex_t mutex;
    struct worker *idle GUARDED_BY(mutex);
    struct exchange *head GUARDED_BY(mutex), **tail GUARDED_BY(mutex);
    unsigned started GUARDED_BY(mutex), queued GUARDED_BY(mutex), busy GUARDED_BY(mutex);
    bool stopping GUARDED_BY(mutex);
};

/* From the queue; NULL: it is empty. With the mutex held. */
static struct exchange *
unqueue(struct workers *w)
{
    struct exchange *x = w->head;

    if (x == NULL)
        return NULL;
    w->head = x->next;
    if (w->head == NULL)
        w->tail = &w->head;
    x->next = NULL;
    w->queued--;
    w->busy++;
    return x;
}

/* The next exchange, or NULL at the end. When stopping, what is queued still comes. 'again': the
 * caller has just ended one. */
static struct exchange *
take(struct worker *me, bool again, bool *ret_stopping)
{
    struct workers *w = me->pool;
    struct exchange *x;

    pthread_mutex_lock(&w->mutex);
    w->busy -= again;
    x = unqueue(w);
    *ret_stopping = w->stopping;
    if (x == NULL && !w->stopping) {
        me->given = NULL;
        me->next_idle = w->idle;
        w->idle = me;
        pthread_mutex_unlock(&w->mutex);
        while (sem_wait(&me->wake) < 0)
            ; /* EINTR. */
        if (me->given != NULL)
            return me->given;
        pthread_mutex_lock(&w->mutex);
        x = unqueue(w);
        *ret_stopping = true;
    }
    pthread_mutex_unlock(&w->mutex);
    return x;
}

static void *
work(void *object)
{
    struct worker *me = object;
    struct workers *w = me->pool;
    const struct http_handler *h = &w->server->handler;
    void *worker = h->worker_init != NULL ? h->worker_init(h->owner, me->index) : NULL;
    struct exchange *x;
    bool stopping;

    for (x = take(me, false, &stopping); x != NULL; x = take(me, true, &stopping))
        exchange_run(x, worker, stopping);
    if (h->worker_done != NULL)
        h->worker_done(h->owner, worker);
    return NULL;
}

/* With the mutex held, or before others know the pool. */
static int
start_one(struct workers *w)
{
    struct worker *me = &w->threads[w->started];
    char name[16];

    me->pool = w;
    me->index = w->first_index + w->started;
    sem_init(&me->wake, 0, 0);
    if (pthread_create(&me->thread, NULL, work, me) != 0)
        return -1;
    snprintf(name, sizeof(name), "http-%s-%u", w->name, w->started);
    pthread_setname_np(me->thread, name);
    w->started++;
    return 0;
}

int
workers_new(struct workers **ret, struct http_server *s, const char *name, unsigned first_index,
            unsigned now, unsigned max, struct fault *f)
{
    struct workers *w = memory_calloc(1, sizeof(*w));

    w->server = s;
    w->name = name;
    w->first_index = first_index;
    w->max = max;
    w->threads = memory_calloc(max, sizeof(*w->threads));
    w->tail = &w->head;
    pthread_mutex_init(&w->mutex, NULL);
    while (w->started < now) {
        if (start_one(w) < 0) {
            workers_stop(w);
            workers_free(w);
            return fault_raise_cause(f, "cannot start a worker thread");
        }
    }
    *ret = w;
    return 0;
}

void
workers_limit(struct workers *w, unsigned max_queued)
{
    w->max_queued = max_queued;
}

enum workers_answer
workers_push(struct workers *w, struct exchange *x)
{
    struct worker *idle;
    bool taken = false, full;

    pthread_mutex_lock(&w->mutex);
    full = w->max_queued > 0 && w->queued >= w->max_queued;
    idle = w->stopping ? NULL : w->idle;
    if (idle != NULL) {
        w->idle = idle->next_idle;
        idle->given = x;
        w->busy++;
    }
    /* With one thread at least a failed start only means waiting. */
    if (idle == NULL && !w->stopping && w->started < w->max && w->queued >= w->started - w->busy)
        (void)start_one(w);
    if (idle == NULL && !w->stopping && !full && w->started > 0) {
        x->next = NULL;
        *w->tail = x;
        w->tail = &x->next;
        w->queued++;
        taken = true;
    }
    full = full && !w->stopping;
    pthread_mutex_unlock(&w->mutex);
    if (idle != NULL)
        sem_post(&idle->wake);
    return idle != NULL || taken ? WORKERS_TAKEN : full ? WORKERS_FULL : WORKERS_STOPPED;
}

void
workers_stop(struct workers *w)
{
    struct worker *idle;
    unsigned started;

    if (w == NULL)
        return;
    pthread_mutex_lock(&w->mutex);
    w->stopping = true;
    started = w->started;
    idle = w->idle;
    w->idle = NULL;
    pthread_mutex_unlock(&w->mutex);
    for (struct worker *next; idle != NULL; idle = next) {
        next = idle->next_idle;
        sem_post(&idle->wake);
    }
    for (unsigned i = 0; i < started; i++)
        pthread_join(w->threads[i].thread, NULL);
    pthread_mutex_lock(&w->mutex);
    w->started = 0;
    pthread_mutex_unlock(&w->mutex);
}

void
workers_free(struct workers *w)
{
    if (w == NULL)
        return;
    pthread_mutex_destroy(&w->mutex);
    free(w->threads);
    free(w);
}

void
workers_count(struct workers *w, unsigned *ret_queued, unsigned *ret_busy, unsigned *ret_threads)
{
    pthread_mutex_lock(&w->mutex);
    *ret_queued = w->queued;
    *ret_busy = w->busy;
    *ret_threads = w->started;
    pthread_mutex_unlock(&w->mutex);
}
