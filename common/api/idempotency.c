/* The course of a POST with an Idempotency-Key. Two things keep repeats apart:
 *
 * - the row, unique by key and written in the effect's transaction: it is what makes it "once", whatever dies;
 * - a session lock of the database, held while the handler runs and until its answer is stored: it tells "in work" from
 *   "died before the answer was stored", and keeps repeats from running up to the commit only to fail there.
 *
 * Who waits holds a worker and a connection, so few may, and not for long; within this process they are woken. */
#include "idempotency.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "../base/clock.h"
#include "../base/log.h"
#include "../base/str.h"
#include "../db/tx.h"
#include "api_queries.h"
#include "idempotency_answer.h"

enum {
    WAIT_MS = 1000,   /* For another request with the key. */
    LOOK_MS = 50,     /* It may be in another daemon, which can't wake us. */
    WAITING_MAX = 4,  /* More are told to come again at once. */
    PURGE_EVERY = 64, /* Stored answers. */
};

struct idempotency {
    struct call *call;
    struct idempotency_key key;
    const char *request; /* Its digest. */
    struct db_at_commit at_commit;
    size_t headers; /* That the answer had before the handler. */
    bool locked;
    bool armed;     /* The handler may run. */
    bool claimed;   /* The row is committed, and its answer ours to store. */
    bool overtaken; /* Another request with the key has committed. */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;
static unsigned waiting GUARDED_BY(mutex);
static atomic_uint stored;

/* --- Locking and waiting */

static int
try_lock(struct idempotency *i, struct fault *f)
{
    struct idempotency_try_lock_row row;

    if (idempotency_try_lock(i->call->db, i->key.id, &row, f) < 0)
        return -1;
    i->locked = row.locked;
    return 0;
}

static void
unlock(struct idempotency *i)
{
    struct idempotency_unlock_row row;
    struct fault f = { 0 };

    if (!i->locked)
        return;
    i->locked = false;
    if (idempotency_unlock(i->call->db, i->key.id, &row, &f) < 0)
        log_warn("idempotency.unlock_failed cause=\"%s\"", f.cause);
    pthread_mutex_lock(&mutex);
    if (waiting > 0)
        pthread_cond_broadcast(&ended);
    pthread_mutex_unlock(&mutex);
}

/* False: no more waiting. */
static bool
wait_a_little(int64_t until_ms)
{
    struct timespec at;
    bool may;

    if (clock_mono_ms() >= until_ms)
        return false;
    clock_gettime(CLOCK_REALTIME, &at); /* What the condition counts by. */
    at.tv_nsec += (long)LOOK_MS * 1000000;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    pthread_mutex_lock(&mutex);
    may = waiting < WAITING_MAX;
    if (may) {
        waiting++;
        pthread_cond_timedwait(&ended, &mutex, &at);
        waiting--;
    }
    pthread_mutex_unlock(&mutex);
    return may;
}

static int
in_work(struct call *c, struct fault *f)
{
    call_header(c, "Retry-After", "1");
    return fault_raise(
        f, FAULT_CONFLICT,
        "A request with this Idempotency-Key is being worked on; its answer will be there soon.");
}

/* --- The row, in the transaction of the effect */

static void
committed(void *object)
{
    struct idempotency *i = object;

    i->claimed = true;
    i->call->db->at_commit = NULL;
}

static int
claim(struct idempotency *i, struct fault *f)
{
    int64_t touched = idempotency_claim(i->call->db, i->key.id, i->request, i->call->operation->id,
                                        i->call->object_id, f);

    if (touched < 0)
        return -1;
    if (touched == 0) {
        i->overtaken = true;
        return in_work(i->call, f);
    }
    return 0;
}

static int
claim_in(void *object, struct db_tx *tx, struct fault *f)
{
    struct idempotency *i = object;

    if (claim(i, f) < 0)
        return -1;
    db_tx_after_commit(tx, committed, i);
    return 0;
}

static void
arm(struct idempotency *i)
{
    struct call *c = i->call;

    i->armed = true;
    i->headers = c->response->headers_count;
    i->at_commit = (struct db_at_commit){ .fn = claim_in, .object = i };
    c->db->at_commit = &i->at_commit;
}

/* --- Repeats */

/* The first one committed, and its answer is lost (or was too large to keep). What it made can be shown where it is a
 * resource: as good, and stored as the answer then. */
static int
answer_again(struct idempotency *i, const char *object_id, struct fault *f)
{
    struct call *c = i->call;
    const struct operation *o = c->operation;

    if (o->resource != NULL && object_id != NULL) {
        void *row = arena_alloc(c->arena, o->resource->schema->size);

        if (resource_load(c->db, o->resource, object_id, call_scope_of(c, o->resource), false, row,
                          f) >= 0 &&
            resource_reply(c, o->resource, row, f) >= 0) {
            i->claimed = i->locked;
            return 1;
        }
        if (f->kind != FAULT_NOT_FOUND)
            return -1;
        fault_clear(f);
    }
    return fault_raise(
        f, FAULT_CONFLICT,
        "The request with this Idempotency-Key was carried out, but its answer was not kept.%s%s",
        object_id == NULL ? "" : " It made ", object_id == NULL ? "" : object_id);
}

/* 1: answered; 0: there is no row, or it has no answer and the lock isn't ours, which may mean that it is in work. */
static int
replay(struct idempotency *i, struct fault *f)
{
    struct call *c = i->call;
    struct idempotency_find_row row;
    int r = idempotency_find(c->db, i->key.id, &row, f);

    if (r <= 0)
        return r;
    if (!str_equal(row.request, i->request))
        return fault_raise(f, FAULT_UNPROCESSABLE,
                           "This Idempotency-Key was used for another request.");
    if (row.status_null && !i->locked)
        return 0;
    i->headers = c->response->headers_count;
    call_header(c, "Idempotency-Replayed", "true");
    if (row.status_null || row.answer == NULL)
        return answer_again(i, row.object_id, f);
    return idempotency_answer_open(c, &i->key, row.answer, row.status, f) < 0 ? -1 : 1;
}

/* 0: locked, and nobody has used the key; 1: answered. */
static int
enter(struct idempotency *i, struct fault *f)
{
    int64_t until_ms = clock_mono_ms() + WAIT_MS;
    int r;

    for (;;) {
        r = replay(i, f);
        if (r != 0)
            return r;
        if (i->locked)
            return 0; /* Looked once more under the lock. */
        if (try_lock(i, f) < 0)
            return -1;
        if (!i->locked && !wait_a_little(until_ms))
            return in_work(i->call, f);
    }
}

/* --- What the dispatcher calls */

int
idempotency_begin(struct call *c, struct fault *f)
{
    const char *key =
        c->request->method == HTTP_POST ? http_header(c->request, "Idempotency-Key") : NULL;
    struct idempotency *i;
    int r;

    if (key == NULL || (c->operation->flags & (OP_PUBLIC | OP_STREAM)) != 0 ||
        c->db->connection == NULL)
        return 0;
    if (!idempotency_key_check(key))
        return fault_raise_field(f, "Idempotency-Key",
                                 "Idempotency-Key must be 1 to 255 visible ASCII characters.");
    i = ARENA_NEW(c->arena, struct idempotency);
    i->call = c;
    i->request = idempotency_request_digest(c);
    idempotency_key_make(c, key, &i->key);
    c->idempotency = i;
    r = enter(i, f);
    if (r == 0)
        arm(i);
    return r;
}

int
idempotency_retry(struct call *c, struct fault *f)
{
    struct idempotency *i = c->idempotency;
    int r;

    if (i == NULL || !i->overtaken)
        return 0;
    /* The session, and the lock with it, was lost meanwhile. */
    i->armed = i->locked = false;
    c->db->at_commit = NULL;
    c->response->headers_count = i->headers;
    str_clear(&c->response->body);
    fault_clear(f);
    r = enter(i, f);
    return r == 0 ? in_work(c, f) : r;
}

static void
purge(struct db *db)
{
    struct fault f = { 0 };

    if (atomic_fetch_add(&stored, 1) % PURGE_EVERY == 0 && idempotency_purge(db, &f) < 0)
        log_warn("idempotency.purge_failed cause=\"%s\"", f.cause);
}

void
idempotency_end(struct call *c)
{
    struct idempotency *i = c->idempotency;
    int status = c->response->status;
    struct fault f = { 0 };

    if (i == NULL)
        return;
    c->idempotency = NULL;
    c->db->at_commit = NULL;
    /* An effect elsewhere. */
    if (i->armed && !i->claimed && status < 400)
        i->claimed = claim(i, &f) >= 0;
    /* A 5xx after the commit helps nobody as an answer: a repeat is told what there is. */
    if (i->claimed && status < 500) {
        if (idempotency_store(c->db, i->key.id, status,
                              idempotency_answer_seal(c, &i->key, i->headers), &f) < 0)
            log_warn("idempotency.answer_lost operation=%s cause=\"%s\"", c->operation->id,
                     f.cause);
        purge(c->db);
    }
    unlock(i);
}
