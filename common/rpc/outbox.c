/* The outbox's sender.
 *
 * Each process sends the rows that it wrote itself, so nobody waits for a lock or a turn, and a commit is published
 * without looking at anything but one's own rows. As long as it lives it holds a session lock of its name; who finds rows of
 * a name that nobody holds, sends them too: kill -9 delays what a process had not sent by a second. Rows never change, so merging those with
 * the same 'collapse' is a matter of sending only the newest of those that wait, and deleting all that were read. */
#include "outbox.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "../base/array.h"
#include "../base/clock.h"
#include "../base/log.h"
#include "../base/map.h"
#include "../base/memory.h"
#include "../base/str.h"
#include "../base/uuid.h"
#include "internal.h"
#include "rpc_queries.h"

#define BATCH 256
#define POLL_MS 1000
#define SEND_MS 5000 /* How long a row may wait for the broker before it is looked at anew. */
#define EXPIRE_MS 3600000
#define ABSENT_MS 1000 /* Nobody serves that queue: asked again after so long. */
#define EXCHANGE_PREFIX "exchange:"

struct outbox {
    struct db_pool *pool; /* Of one connection: the session that holds the lock. */
    struct rpc *rpc;
    char sender[UUID_TEXT];
    pthread_t thread;
    struct map *absent; /* Target -> when to try it again, in the sender's thread. */
    _Atomic uint64_t sent;
    _Atomic int64_t waiting;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool has_work GUARDED_BY(mutex);
    bool closing GUARDED_BY(mutex);
};

/* One row of a batch, and what became of its message. */
struct item {
    const struct outbox_row *row;
    struct batch *batch;
    bool merged; /* A newer row says the same. */
    bool settled, sent, absent;
};

struct batch {
    pthread_mutex_t mutex;
    pthread_cond_t settled;
    size_t open GUARDED_BY(mutex);
};

struct absence {
    int64_t until_ms;
};

static void
notice(void *object)
{
    struct outbox *o = object;

    pthread_mutex_lock(&o->mutex);
    o->has_work = true;
    pthread_cond_signal(&o->wake);
    pthread_mutex_unlock(&o->mutex);
}

int
outbox_add(struct outbox *o, struct db_tx *tx, const char *target, const char *method,
           const char *collapse, const json_t *params, struct fault *f)
{
    char operation_id[UUID_TEXT];
    struct log_context context;
    int r;

    uuid_new(operation_id);
    log_get_context(&context);
    r = outbox_insert(tx->db, o->sender, target, method, collapse, operation_id, params,
                      context.request_id != NULL ? context.request_id : "", f);
    if (r < 0)
        return r;
    db_tx_after_commit(tx, notice, o);
    return 0;
}

void
outbox_stats(struct outbox *o, struct outbox_stats *ret)
{
    ret->sent = atomic_load(&o->sent);
    ret->waiting = atomic_load(&o->waiting);
}

/* ---- The sender's thread ---- */

static void
settled(_unused_ const struct message *m, enum message_result result, void *owner)
{
    struct item *item = owner;
    struct batch *b = item->batch;

    pthread_mutex_lock(&b->mutex);
    item->settled = true;
    item->sent = result == MESSAGE_CONFIRMED;
    item->absent = result == MESSAGE_RETURNED;
    if (--b->open == 0)
        pthread_cond_signal(&b->settled);
    pthread_mutex_unlock(&b->mutex);
}

static void
mark_merged(struct arena *a, struct item *items, size_t count)
{
    struct map *newest = map_new(NULL);

    for (size_t i = count; i-- > 0;) {
        const struct outbox_row *row = items[i].row;
        const char *key;

        if (row->collapse == NULL)
            continue;
        key = arena_printf(a, "%s\n%s\n%s", row->target, row->method, row->collapse);
        items[i].merged = map_has(newest, key);
        if (!items[i].merged)
            map_set(newest, key, &items[i]);
    }
    map_free(newest);
}

static void
send_item(struct outbox *o, struct item *item)
{
    const struct outbox_row *row = item->row;
    bool event = str_starts(row->target, EXCHANGE_PREFIX);
    const struct rpc_post post = {
        .exchange = event ? row->target + strlen(EXCHANGE_PREFIX) : NULL,
        .key = row->target,
        .method = row->method,
        .operation_id = row->operation_id,
        .request_id = row->request_id,
        .params = row->params,
        .send_ms = SEND_MS,
        .expire_ms = EXPIRE_MS,
        .persistent = true,
        .done = settled,
        .owner = item,
    };
    struct fault f = { 0 };

    if (rpc_post(o->rpc, &post, &f) < 0) {
        log_error("outbox.unsendable target=%s method=%s cause=%s", row->target, row->method,
                  f.message);
        settled(NULL, MESSAGE_CONFIRMED, item); /* It would never go: not kept for ever. */
    }
}

static void
note_absence(struct outbox *o, const char *target)
{
    struct absence *absence = memory_calloc(1, sizeof(*absence));

    absence->until_ms = clock_mono_ms() + ABSENT_MS;
    map_set(o->absent, target, absence);
}

/* What is done with: sent or merged, except where an older row of the same target was not, so that order is kept. */
static struct texts
done_ids(struct outbox *o, struct arena *a, const struct item *items, size_t count)
{
    struct map *stuck = map_new(NULL);
    struct texts ids = { 0 };
    size_t capacity = 0;

    for (size_t i = 0; i < count; i++) {
        const struct outbox_row *row = items[i].row;

        if (items[i].absent)
            note_absence(o, row->target);
        if (!items[i].merged && !items[i].sent)
            map_set(stuck, row->target, (void *)(uintptr_t)row);
        if (map_has(stuck, row->target))
            continue;
        *ARRAY_PUSH(a, ids.items, ids.count, capacity) =
            arena_printf(a, "%lld", (long long)row->id);
        if (!items[i].merged)
            atomic_fetch_add(&o->sent, 1);
    }
    map_free(stuck);
    return ids;
}

static int
send_rows(struct outbox *o, struct db *db, const struct outbox_row *rows, size_t count,
          struct fault *f)
{
    struct item *items = ARENA_ARRAY(db->arena, struct item, count);
    struct batch b = { .mutex = PTHREAD_MUTEX_INITIALIZER, .settled = PTHREAD_COND_INITIALIZER };
    struct texts ids;

    for (size_t i = 0; i < count; i++)
        items[i] = (struct item){ .row = &rows[i], .batch = &b };
    mark_merged(db->arena, items, count);
    for (size_t i = 0; i < count; i++)
        b.open += !items[i].merged;
    for (size_t i = 0; i < count; i++) {
        if (!items[i].merged)
            send_item(o, &items[i]);
    }
    /* Each is settled at last when the connection gives up on it. */
    pthread_mutex_lock(&b.mutex);
    while (b.open > 0)
        pthread_cond_wait(&b.settled, &b.mutex);
    pthread_mutex_unlock(&b.mutex);

    ids = done_ids(o, db->arena, items, count);
    return ids.count == 0 ? 0 : outbox_delete(db, &ids, f);
}

static struct texts
absent_targets(struct outbox *o, struct arena *a)
{
    int64_t now_ms = clock_mono_ms();
    struct map_at at = { 0 };
    struct texts targets = { 0 };
    size_t capacity = 0;

    while (map_next(o->absent, &at)) {
        const struct absence *absence = at.value;

        if (now_ms >= absence->until_ms)
            map_remove(o->absent, at.key);
        else
            *ARRAY_PUSH(a, targets.items, targets.count, capacity) = arena_strdup(a, at.key);
    }
    return targets;
}

static bool
is_closing(struct outbox *o)
{
    bool closing;

    pthread_mutex_lock(&o->mutex);
    closing = o->closing;
    pthread_mutex_unlock(&o->mutex);
    return closing;
}

/* All rows of one sender, batch by batch, as long as it goes on. */
static int
send_all_of(struct outbox *o, struct db *db, const char *sender, struct fault *f)
{
    for (;;) {
        struct outbox_row *rows;
        struct texts absent;
        size_t count;
        int r;

        arena_reset(db->arena);
        if (is_closing(o) || !rpc_connected(o->rpc))
            return 0;
        absent = absent_targets(o, db->arena);
        r = outbox_read(db, sender, &absent, BATCH, &rows, &count, f);
        if (r < 0 || count == 0)
            return r;
        r = send_rows(o, db, rows, count, f);
        if (r <= 0)
            return r; /* Nothing went: not again at once. */
    }
}

/* Rows of processes that are no more. */
static int
send_orphans(struct outbox *o, struct db *db, struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct texts seen = { 0 };
    size_t capacity = 0;

    *ARRAY_PUSH(a, seen.items, seen.count, capacity) = o->sender;
    for (;;) {
        struct outbox_orphan_row orphan;
        struct outbox_unlock_row unlocked;
        char *sender;
        int r;

        arena_reset(db->arena);
        r = outbox_orphan(db, &seen, &orphan, f); /* And locks it. */
        if (r <= 0)
            return r;
        sender = arena_strdup(a, orphan.sender);
        *ARRAY_PUSH(a, seen.items, seen.count, capacity) = sender;
        r = send_all_of(o, db, sender, f);
        if (r >= 0)
            r = outbox_unlock(db, sender, &unlocked, f);
        if (r < 0)
            return r;
    }
}

static void
work(struct outbox *o, struct db *db, bool look_around)
{
    struct outbox_lock_row locked;
    struct outbox_count_row count;
    struct fault f = { 0 };
    int r = 0;

    arena_reset(db->arena);
    if (look_around)
        r = outbox_lock(db, o->sender, &locked,
                        &f); /* The session may be a new one; holding it twice does no harm. */
    if (r >= 0)
        r = send_all_of(o, db, o->sender, &f);
    if (r >= 0 && look_around)
        r = send_orphans(o, db, &f);
    if (r >= 0 && look_around) {
        r = outbox_count(db, &count, &f);
        if (r >= 0)
            atomic_store(&o->waiting, count.waiting);
    }
    if (r < 0)
        log_warn("outbox.failed kind=%s cause=%s", fault_kind_name(f.kind), f.cause);
}

/* Until there is work or a second is over. */
static void
wait_for_work(struct outbox *o)
{
    struct timespec until;
    int r = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += POLL_MS / 1000;
    pthread_mutex_lock(&o->mutex);
    while (!o->has_work && !o->closing && r == 0)
        r = pthread_cond_timedwait(&o->wake, &o->mutex, &until);
    o->has_work = false;
    pthread_mutex_unlock(&o->mutex);
}

static void *
run(void *object)
{
    struct outbox *o = object;
    _cleanup_(arena_freep) struct arena *a = arena_new();
    int64_t looked_ms = -POLL_MS;

    while (!is_closing(o)) {
        _cleanup_(db_release) struct db db = { 0 };
        struct fault f = { 0 };

        if (db_pool_get(o->pool, a, &db, &f) < 0) {
            log_warn("outbox.failed kind=%s cause=%s", fault_kind_name(f.kind), f.cause);
            wait_for_work(o);
            continue;
        }
        while (!is_closing(o)) {
            bool look_around = clock_mono_ms() - looked_ms >= POLL_MS;

            work(o, &db, look_around);
            if (look_around)
                looked_ms = clock_mono_ms();
            arena_reset(a);
            wait_for_work(o);
        }
    }
    return NULL;
}

int
outbox_open(struct outbox **ret, struct db_pool *pool, struct rpc *rpc, struct fault *f)
{
    struct outbox *o = memory_calloc(1, sizeof(*o));
    pthread_condattr_t attributes;
    sigset_t all, before;
    int r;

    r = db_pool_open(&o->pool, db_pool_url(pool), 1, f);
    if (r < 0) {
        free(o);
        return r;
    }
    o->rpc = rpc;
    o->absent = map_new(free);
    uuid_new(o->sender);
    pthread_mutex_init(&o->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&o->wake, &attributes);
    pthread_condattr_destroy(&attributes);

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r = pthread_create(&o->thread, NULL, run, o);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r != 0)
        return fault_raise_cause(f, "no thread for the outbox: %s", strerror(r));
    *ret = o;
    return 0;
}

void
outbox_close(struct outbox *o)
{
    if (o == NULL)
        return;
    pthread_mutex_lock(&o->mutex);
    o->closing = true;
    pthread_cond_signal(&o->wake);
    pthread_mutex_unlock(&o->mutex);
    pthread_join(o->thread, NULL);
    db_pool_close(o->pool);
    map_free(o->absent);
    pthread_mutex_destroy(&o->mutex);
    pthread_cond_destroy(&o->wake);
    free(o);
}
