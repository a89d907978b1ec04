/* A memory of operations: what is in work, and what the last few thousand answered.
 *
 * What makes receivers idempotent while they live: a message that comes again (the broker delivered it twice, the caller
 * lost its connection and asks again) is not done again but gets the first one's answer; one that comes while the first is
 * still in work waits for it, without holding a thread. Bounded by number and bytes; what is in work is never
 * forgotten. Not thread-safe: the server's mutex guards it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/list.h"

struct operations;

/* Who wants the answer, on the heap. */
struct operation_waiter {
    struct list link;
    char *reply_to, *correlation;
    int64_t deadline_ms; /* Steady clock; then the answer is of no more use. */
};
void operation_waiter_free(struct operation_waiter *w);

struct operations *operations_new(size_t count_max, size_t bytes_max);
void operations_free(struct operations *o);

enum operation_state {
    OPERATION_NEW,      /* The caller does it now, and calls operations_finish() in any case. */
    OPERATION_IN_WORK,  /* Somebody does it. */
    OPERATION_ANSWERED, /* It was done: '*ret_answer', borrowed until the next call. */
};
/* 'reply_to' NULL: nobody wants the answer. The waiter is remembered for NEW and IN_WORK. */
enum operation_state operations_begin(struct operations *o, const char *key, const char *reply_to,
                                      const char *correlation, int64_t deadline_ms,
                                      const char **ret_answer);

/* Moves those who wait to 'ret_waiters'. Without 'keep' it is forgotten: sent again, it is done again. */
void operations_finish(struct operations *o, const char *key, const char *answer, bool keep,
                       struct list *ret_waiters);

size_t operations_count(const struct operations *o);
