/* Starting sagas and taking them: the rows. */
#include "../base/log.h"
#include "../base/str.h"
#include "../base/uuid.h"
#include "saga_state.h"

static void
wake_threads(void *object)
{
    struct saga_runner *r = object;

    pthread_mutex_lock(&r->mutex);
    r->work++;
    pthread_cond_signal(&r->wake);
    pthread_mutex_unlock(&r->mutex);
}

static void
wake_watch(void *object)
{
    struct saga_runner *r = object;

    pthread_mutex_lock(&r->mutex);
    r->has_cancelled = true;
    pthread_cond_signal(&r->look);
    pthread_mutex_unlock(&r->mutex);
}

static const char *
or_empty(const char *text)
{
    return text != NULL ? text : "";
}

int
saga_start(struct saga_runner *r, struct db_tx *tx, const struct saga *saga, const char *object_id,
           const struct saga_start_options *options, struct fault *f)
{
    static const struct saga_start_options none = { 0 };
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct saga_open_of_row others;
    char id[UUID_TEXT];
    int status;

    if (options == NULL)
        options = &none;
    /* Until the commit nobody else starts one of this object: so the order of 'seq' is the order of commits. */
    status = db_tx_lock(tx, arena_printf(a, "saga of %s", object_id), f);
    if (status < 0)
        return status;
    status = saga_open_of(tx->db, object_id, &others, f);
    if (status < 0)
        return status;
    if (others.open > 0 && !options->queue_behind && !options->cancel_other)
        return fault_raise(f, FAULT_CONFLICT, "Another operation on %s is in progress.", object_id);
    if (others.open > 0 && options->cancel_other) {
        status = saga_cancel(tx->db, object_id, f);
        if (status < 0)
            return status;
        db_tx_after_commit(tx, wake_watch, r);
    }
    uuid_new(id);
    status = saga_insert(tx->db, id, saga->name, saga->version, object_id, options->params,
                         or_empty(options->request_id), or_empty(options->project_id),
                         or_empty(options->user_id),
                         saga->steps_count > 0 ? saga->steps[0].name : "", f);
    if (status < 0)
        return status;
    db_tx_after_commit(tx, wake_threads, r);
    return 0;
}

int
saga_store_take(struct saga_runner *r, struct db *db, struct saga_row *ret, struct fault *f)
{
    for (;;) {
        struct saga_find_due_row found;
        int status = saga_find_due(db, &r->known, &found, f);

        if (status <= 0)
            return status;
        status = saga_take(db, found.id, ret, f);
        if (status > 0)
            return 1;
        saga_store_release(db, found.id);
        if (status < 0)
            return status;
    }
}

void
saga_store_release(struct db *db, const char *id)
{
    struct saga_unlock_row unlocked;
    struct fault f = { 0 };

    /* Fails only with the session, and the lock goes with that too. */
    if (saga_unlock(db, id, &unlocked, &f) < 0)
        log_debug("saga.unlock-failed saga=%s cause=%s", id, f.cause);
}
