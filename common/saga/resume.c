/* The runner: threads that take what is due, and a watch that notices who was cancelled, counts, and clears away.
 *
 * Threads are woken by commits of this process; what others started, or left behind when they died, is found by a look each
 * second. The session lock of a dead process is free at once. A thread keeps one session for its life: were it given back
 * to a pool, its lock would go with it to somebody else. */
#include <errno.h>
#include <signal.h>

#include "../base/array.h"
#include "../base/clock.h"
#include "../base/log.h"
#include "../base/memory.h"
#include "../base/str.h"
#include "saga_state.h"

#define POLL_MS 1000
#define PURGE_MS 60000
#define WAIT_LOOK_MS 100

/* 'until' = now + 'wait_ms'; for waiting on conditions of CLOCK_MONOTONIC. */
static struct timespec
time_after(int64_t wait_ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    until.tv_sec += wait_ms / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    return until;
}

bool
saga_runner_closing(struct saga_runner *r)
{
    bool closing;

    pthread_mutex_lock(&r->mutex);
    closing = r->closing;
    pthread_mutex_unlock(&r->mutex);
    return closing;
}

/* ---- Threads ---- */

static const struct saga *
find_saga(const struct saga_runner *r, const struct saga_row *row)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct saga *s = r->table[i];

        if (s->version == row->version && str_equal(s->name, row->name) &&
            row->step < (int64_t)s->steps_count)
            return s;
    }
    return NULL;
}

static void
set_in_work(struct saga_thread *t, const char *id, bool cancel)
{
    pthread_mutex_lock(&t->runner->mutex);
    snprintf(t->id, sizeof(t->id), "%s", id);
    atomic_store(&t->cancel, cancel);
    pthread_mutex_unlock(&t->runner->mutex);
}

/* Runs one saga that is due; false when there was none, or no database. */
static bool
run_one(struct saga_thread *t, struct arena *a)
{
    struct saga_runner *r = t->runner;
    const struct saga *saga;
    struct log_context context = { 0 };
    struct fault f = { 0 };
    struct saga_row row;
    enum saga_result result;
    int status;

    t->db.arena = a;
    status = saga_store_take(r, &t->db, &row, &f);
    if (status < 0)
        log_warn("saga.database kind=%s message=\"%s\" cause=%s", fault_kind_name(f.kind),
                 f.message, f.cause);
    if (status <= 0)
        return false;
    saga = find_saga(r, &row);
    if (saga == NULL) {
        log_error("saga.unknown saga=%s name=%s version=%lld step=%lld", row.id, row.name,
                  (long long)row.version, (long long)row.step);
        saga_store_release(&t->db, row.id);
        return false;
    }
    context = (struct log_context){ .request_id = row.request_id,
                                    .project_id = row.project_id,
                                    .user_id = row.user_id,
                                    .saga_id = row.id };
    log_set_context(&context);
    set_in_work(t, row.id, row.cancel);
    result = saga_run_steps(t, saga, &row, a);
    saga_store_release(&t->db, row.id);
    set_in_work(t, "", false);
    log_set_context(NULL);

    pthread_mutex_lock(&r->mutex);
    if (result == SAGA_ENDED) {
        pthread_cond_broadcast(&r->ended);
        r->work++; /* One that was queued behind it may be due. */
    }
    pthread_mutex_unlock(&r->mutex);
    return result != SAGA_LOST;
}

/* How long to wait when nothing is due: until the next retry, a second at most. */
static int64_t
idle_ms(struct saga_thread *t)
{
    struct saga_next_due_row next;
    struct fault f = { 0 };

    if (saga_next_due(&t->db, &t->runner->known, &next, &f) < 0 || next.wait_ms_null)
        return POLL_MS;
    return MAX(MIN(next.wait_ms, (int64_t)POLL_MS), (int64_t)1);
}

/* Until a commit, or so long. */
static void
wait_for_work(struct saga_runner *r, int64_t wait_ms)
{
    struct timespec until = time_after(wait_ms);
    int waited = 0;

    pthread_mutex_lock(&r->mutex);
    while (r->work == 0 && !r->closing && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&r->wake, &r->mutex, &until);
    if (r->work > 0)
        r->work--;
    pthread_mutex_unlock(&r->mutex);
}

static void *
run_thread(void *object)
{
    struct saga_thread *t = object;
    struct saga_runner *r = t->runner;
    _cleanup_(arena_freep) struct arena *a = arena_new();

    while (!saga_runner_closing(r)) {
        struct fault f = { 0 };

        if (db_pool_get(r->own, a, &t->db, &f) >= 0) {
            do {
                while (!saga_runner_closing(r) && run_one(t, a))
                    arena_reset(a);
                wait_for_work(r, idle_ms(t));
                arena_reset(a);
            } while (!saga_runner_closing(r));
            db_release(&t->db);
        } else {
            log_warn("saga.database kind=%s message=\"%s\" cause=%s", fault_kind_name(f.kind),
                     f.message, f.cause);
            wait_for_work(r, POLL_MS);
        }
    }
    return NULL;
}

/* ---- The watch ---- */

static struct texts
ids_in_work(struct saga_runner *r, struct arena *a)
{
    struct texts ids = { 0 };
    size_t capacity = 0;

    pthread_mutex_lock(&r->mutex);
    for (unsigned i = 0; i < r->threads_count; i++) {
        if (r->threads[i].id[0] != '\0')
            *ARRAY_PUSH(a, ids.items, ids.count, capacity) = arena_strdup(a, r->threads[i].id);
    }
    pthread_mutex_unlock(&r->mutex);
    return ids;
}

static int
notice_cancelled(struct saga_runner *r, struct db *db, struct fault *f)
{
    struct texts ids = ids_in_work(r, db->arena);
    struct saga_cancelled_of_row *rows;
    size_t count;
    int status;

    if (ids.count == 0)
        return 0;
    status = saga_cancelled_of(db, &ids, &rows, &count, f);
    if (status < 0)
        return status;
    pthread_mutex_lock(&r->mutex);
    for (size_t i = 0; i < count; i++) {
        for (unsigned j = 0; j < r->threads_count; j++) {
            if (str_equal(r->threads[j].id, rows[i].id))
                atomic_store(&r->threads[j].cancel, true);
        }
    }
    pthread_mutex_unlock(&r->mutex);
    return 0;
}

static void
watch_once(struct saga_runner *r, struct arena *a, int64_t *purged_ms)
{
    _cleanup_(db_release) struct db db = { 0 };
    struct saga_open_total_row total;
    struct fault f = { 0 };
    int status;

    status = db_pool_get(r->own, a, &db, &f);
    if (status >= 0)
        status = notice_cancelled(r, &db, &f);
    if (status >= 0)
        status = saga_open_total(&db, &total, &f);
    if (status >= 0) {
        atomic_store(&r->open, total.open);
        if (clock_mono_ms() - *purged_ms >= PURGE_MS) {
            status = saga_purge(&db, &f);
            *purged_ms = clock_mono_ms();
        }
    }
    if (status < 0)
        log_warn("saga.database kind=%s message=\"%s\" cause=%s", fault_kind_name(f.kind),
                 f.message, f.cause);
}

static void *
run_watch(void *object)
{
    struct saga_runner *r = object;
    _cleanup_(arena_freep) struct arena *a = arena_new();
    int64_t purged_ms = clock_mono_ms();

    while (!saga_runner_closing(r)) {
        struct timespec until = time_after(POLL_MS);
        int waited = 0;

        watch_once(r, a, &purged_ms);
        arena_reset(a);
        pthread_mutex_lock(&r->mutex);
        while (!r->closing && !r->has_cancelled && waited != ETIMEDOUT)
            waited = pthread_cond_timedwait(&r->look, &r->mutex, &until);
        r->has_cancelled = false;
        pthread_mutex_unlock(&r->mutex);
    }
    return NULL;
}

/* ---- For others ---- */

static void
init(struct saga_runner *r, const struct saga *const *table, size_t count)
{
    pthread_condattr_t attributes;
    size_t capacity = 0;

    r->table = table;
    r->count = count;
    r->arena = arena_new();
    for (size_t i = 0; i < count; i++)
        *ARRAY_PUSH(r->arena, r->known.items, r->known.count, capacity) =
            arena_printf(r->arena, "%s/%d", table[i]->name, table[i]->version);
    pthread_mutex_init(&r->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&r->wake, &attributes);
    pthread_cond_init(&r->look, &attributes);
    pthread_cond_init(&r->ended, &attributes);
    pthread_condattr_destroy(&attributes);
}

static int
start_threads(struct saga_runner *r, unsigned threads, struct fault *f)
{
    sigset_t all, before;
    int error;

    sigfillset(&all); /* Signals are the main thread's. */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&r->watch, NULL, run_watch, r);
    r->watching = error == 0;
    for (unsigned i = 0; error == 0 && i < threads; i++) {
        r->threads[i].runner = r;
        error = pthread_create(&r->threads[i].thread, NULL, run_thread, &r->threads[i]);
        if (error == 0) {
            pthread_mutex_lock(&r->mutex);
            r->threads_count++;
            pthread_mutex_unlock(&r->mutex);
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error == 0 ? 0 : fault_raise_cause(f, "no thread for sagas: %s", strerror(error));
}

int
saga_runner_open(struct saga_runner **ret, struct db_pool *pool, const struct saga *const *table,
                 size_t count, unsigned threads, void *service, struct fault *f)
{
    struct saga_runner *r = memory_calloc(1, sizeof(*r));
    int status;

    r->pool = pool;
    r->service = service;
    r->threads = memory_calloc(MAX(threads, 1U), sizeof(*r->threads));
    init(r, table, count);
    status = db_pool_open(&r->own, db_pool_url(pool), threads + 1, f);
    if (status >= 0)
        status = start_threads(r, threads, f);
    if (status < 0) {
        saga_runner_close(r);
        return status;
    }
    *ret = r;
    return 0;
}

void
saga_runner_close(struct saga_runner *r)
{
    if (r == NULL)
        return;
    pthread_mutex_lock(&r->mutex);
    r->closing = true;
    pthread_cond_broadcast(&r->wake);
    pthread_cond_broadcast(&r->look);
    pthread_cond_broadcast(&r->ended);
    pthread_mutex_unlock(&r->mutex);
    for (unsigned i = 0; i < r->threads_count; i++)
        pthread_join(r->threads[i].thread, NULL);
    if (r->watching)
        pthread_join(r->watch, NULL);
    db_pool_close(r->own);
    pthread_mutex_destroy(&r->mutex);
    pthread_cond_destroy(&r->wake);
    pthread_cond_destroy(&r->look);
    pthread_cond_destroy(&r->ended);
    arena_free(r->arena);
    free(r->threads);
    free(r);
}

static bool
has_open(struct saga_runner *r, const char *object_id)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    struct saga_open_of_row row;
    struct fault f = { 0 };

    if (db_pool_get(r->pool, a, &db, &f) < 0 || saga_open_of(&db, object_id, &row, &f) < 0)
        return true; /* Nobody knows. */
    return row.open > 0;
}

bool
saga_wait(struct saga_runner *r, const char *object_id, int wait_ms)
{
    int64_t deadline_ms = clock_mono_ms() + wait_ms;

    for (;;) {
        int64_t left_ms;

        if (!has_open(r, object_id))
            return true;
        left_ms = deadline_ms - clock_mono_ms();
        if (left_ms <= 0 || saga_runner_closing(r))
            return false;
        /* Another process may run it, so the database is asked now and then. */
        struct timespec until = time_after(MIN(left_ms, (int64_t)WAIT_LOOK_MS));

        pthread_mutex_lock(&r->mutex);
        pthread_cond_timedwait(&r->ended, &r->mutex, &until);
        pthread_mutex_unlock(&r->mutex);
    }
}

void
saga_stats(struct saga_runner *r, struct saga_stats *ret)
{
    *ret = (struct saga_stats){
        .done = atomic_load(&r->done),
        .failed = atomic_load(&r->failed),
        .retried = atomic_load(&r->retried),
        .open = atomic_load(&r->open),
    };
}
