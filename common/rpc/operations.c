#include "operations.h"

#include <assert.h>

#include "../base/map.h"
#include "../base/memory.h"

struct operation {
    struct list link; /* Among the answered, oldest first. */
    struct list waiters;
    char *key, *answer; /* NULL: in work. */
    size_t bytes;
};

struct operations {
    struct map *by_key;
    struct list answered;
    size_t answered_count, answered_bytes, count_max, bytes_max;
};

void
operation_waiter_free(struct operation_waiter *w)
{
    list_remove(&w->link);
    free(w->reply_to);
    free(w->correlation);
    free(w);
}

static void
operation_free(void *object)
{
    struct operation *op = object;
    struct operation_waiter *w;

    LIST_EACH (w, &op->waiters, struct operation_waiter, link)
        operation_waiter_free(w);
    list_remove(&op->link);
    free(op->key);
    free(op->answer);
    free(op);
}

struct operations *
operations_new(size_t count_max, size_t bytes_max)
{
    struct operations *o = memory_calloc(1, sizeof(*o));

    o->by_key = map_new(operation_free);
    list_init(&o->answered);
    o->count_max = count_max;
    o->bytes_max = bytes_max;
    return o;
}

void
operations_free(struct operations *o)
{
    if (o == NULL)
        return;
    map_free(o->by_key);
    free(o);
}

static void
add_waiter(struct operation *op, const char *reply_to, const char *correlation, int64_t deadline_ms)
{
    struct operation_waiter *w;

    if (reply_to == NULL)
        return;
    w = memory_calloc(1, sizeof(*w));
    w->reply_to = memory_strdup(reply_to);
    w->correlation = memory_strdup(correlation);
    w->deadline_ms = deadline_ms;
    list_append(&op->waiters, &w->link);
}

enum operation_state
operations_begin(struct operations *o, const char *key, const char *reply_to,
                 const char *correlation, int64_t deadline_ms, const char **ret_answer)
{
    struct operation *op = map_get(o->by_key, key);

    if (op != NULL && op->answer != NULL) {
        list_remove(&op->link);
        list_append(&o->answered, &op->link);
        *ret_answer = op->answer;
        return OPERATION_ANSWERED;
    }
    if (op != NULL) {
        add_waiter(op, reply_to, correlation, deadline_ms);
        return OPERATION_IN_WORK;
    }
    op = memory_calloc(1, sizeof(*op));
    list_init(&op->link);
    list_init(&op->waiters);
    op->key = memory_strdup(key);
    add_waiter(op, reply_to, correlation, deadline_ms);
    map_set(o->by_key, key, op);
    return OPERATION_NEW;
}

static void
forget_oldest(struct operations *o)
{
    while (o->answered_count > o->count_max || o->answered_bytes > o->bytes_max) {
        struct operation *oldest = LIST_FIRST(&o->answered, struct operation, link);

        o->answered_count--;
        o->answered_bytes -= oldest->bytes;
        map_remove(o->by_key, oldest->key);
    }
}

void
operations_finish(struct operations *o, const char *key, const char *answer, bool keep,
                  struct list *ret_waiters)
{
    struct operation *op = map_get(o->by_key, key);
    struct operation_waiter *w;

    assert(op != NULL && op->answer == NULL);
    list_init(ret_waiters);
    LIST_EACH (w, &op->waiters, struct operation_waiter, link) {
        list_remove(&w->link);
        list_append(ret_waiters, &w->link);
    }
    if (!keep) {
        map_remove(o->by_key, key);
        return;
    }
    op->answer = memory_strdup(answer);
    op->bytes = strlen(answer) + strlen(key) + sizeof(*op);
    list_append(&o->answered, &op->link);
    o->answered_count++;
    o->answered_bytes += op->bytes;
    forget_oldest(o);
}

size_t
operations_count(const struct operations *o)
{
    return map_count(o->by_key);
}
