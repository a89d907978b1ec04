#include "event_watch.h"

#include <pthread.h>

#include "base/memory.h"
#include "base/str.h"

struct event_board {
    pthread_mutex_t mutex;
    pthread_cond_t told;
    struct list watches;
};

struct event_board *
event_board_new(void)
{
    struct event_board *b = memory_calloc(1, sizeof(*b));
    pthread_condattr_t attributes;

    pthread_mutex_init(&b->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&b->told, &attributes);
    pthread_condattr_destroy(&attributes);
    list_init(&b->watches);
    return b;
}

void
event_board_free(struct event_board *b)
{
    if (b == NULL)
        return;
    pthread_cond_destroy(&b->told);
    pthread_mutex_destroy(&b->mutex);
    free(b);
}

void
event_watch_begin(struct event_board *b, struct event_watch *w, const char *guest_id,
                  const char *alias)
{
    *w = (struct event_watch){ .board = b, .guest_id = guest_id, .alias = alias };
    pthread_mutex_lock(&b->mutex);
    list_append(&b->watches, &w->link);
    pthread_mutex_unlock(&b->mutex);
}

void
event_watch_done(struct event_watch *w)
{
    if (w->board == NULL)
        return;
    pthread_mutex_lock(&w->board->mutex);
    list_remove(&w->link);
    pthread_mutex_unlock(&w->board->mutex);
    w->board = NULL;
}

enum event_kind
event_watch_wait(struct event_watch *w, int64_t wait_ms)
{
    struct event_board *b = w->board;
    struct timespec until;
    enum event_kind seen;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(wait_ms / 1000);
    until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&b->mutex);
    while (w->seen == EVENT_NONE && pthread_cond_timedwait(&b->told, &b->mutex, &until) == 0)
        ;
    seen = w->seen;
    w->seen = EVENT_NONE;
    pthread_mutex_unlock(&b->mutex);
    return seen;
}

void
event_board_tell(struct event_board *b, const char *guest_id, const char *alias,
                 enum event_kind kind)
{
    struct event_watch *w;

    pthread_mutex_lock(&b->mutex);
    LIST_EACH (w, &b->watches, struct event_watch, link) {
        if (str_equal(w->guest_id, guest_id) && str_equal(w->alias, alias))
            w->seen = kind;
    }
    pthread_cond_broadcast(&b->told);
    pthread_mutex_unlock(&b->mutex);
}
