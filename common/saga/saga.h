/* Sagas: operations of several steps that end, whatever dies on the way.
 *
 * A saga is a row (table 'saga', the framework's own migration): name, version, object it is about, parameters, the
 * steps done, and what they left ('state', a JSON object). It is started in the transaction that records the wish.
 * A runner in any daemon of the service takes it, runs its steps in order, each followed by a write of the row.
 * A step that fails for good starts the undo: the undos of all steps begun, in reverse. kill -9 at any moment: the row's
 * session lock goes with the process, and another runner, or the restarted one, goes on at the step that was begun.
 * So every act and undo must bear being run again after it was done (idempotent by run->id), and an undo must bear that its
 * act never happened or half happened. See docs/adding-a-saga.md; tests: inject.h. */
#pragma once

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "../db/pool.h"
#include "../db/tx.h"

struct saga_run {
    const char *id; /* The operation id of everything it does outside. */
    const char *object_id;
    const char *request_id, *project_id, *user_id; /* Of the request that started it. */
    const json_t *params;                          /* As given to saga_start(). */
    json_t *state;              /* What earlier steps left; written after each step. Small. */
    struct db *db;              /* For the step; no transaction is open. */
    struct arena *arena;        /* Of the step. */
    const struct fault *reason; /* In undos and finish_failed: why. */
    void *service;              /* As given to saga_runner_open(). */
    int attempt;                /* Of this step, from 1. */
    _Atomic bool *cancel;       /* For saga_cancelled(); NULL: never. */
};

/* 0: done. Negative: failed; a transient fault (fault_is_transient) is tried again, first after 0.2 s, up to
 * every 5 s, until the step's deadline; any other starts the undo. An undo that fails is tried again for ever, less often. */
typedef int (*saga_fn)(struct saga_run *run, struct fault *f);

struct saga_step {
    const char *name;
    saga_fn act;
    saga_fn undo;    /* NULL: nothing to take back. */
    int deadline_ms; /* For all tries together; 0: 300 s. */
};

struct saga {
    const char *name; /* "compute.server-create" */
    int version;
    const struct saga_step *steps;
    size_t steps_count;
    saga_fn
        failed; /* After the undos: put the object into its error state, with run->reason. May be NULL. */
};

#define SAGA(name_, version_, steps_)                                                              \
    {                                                                                              \
        .name = (name_), .version = (version_), .steps = (steps_),                                 \
        .steps_count = ARRAY_SIZE(steps_)                                                          \
    }

struct saga_runner;

/* Starts 'threads' runners over the sagas in 'table'. Takes over open sagas at once. */
int saga_runner_open(struct saga_runner **ret, struct db_pool *pool,
                     const struct saga *const *table, size_t count, unsigned threads, void *service,
                     struct fault *f);
void saga_runner_close(
    struct saga_runner
        *r); /* After the steps in work (they see their deadline); the rest is resumed by others. */

/* In the caller's transaction. Fails with FAULT_CONFLICT when the object has an open saga already, unless
 * 'queue_behind': then it begins when the other has ended (delete while building). 'params' may be NULL. */
struct saga_start_options {
    const json_t *params;
    const char *request_id, *project_id, *user_id;
    bool queue_behind;
    bool
        cancel_other; /* The open saga of the object is told to stop and undo; this one runs after it. */
};
int saga_start(struct saga_runner *r, struct db_tx *tx, const struct saga *saga,
               const char *object_id, const struct saga_start_options *options, struct fault *f);

/* Has somebody asked this run to stop? Long steps look now and then. */
bool saga_cancelled(struct saga_run *run);

/* Waits until no saga of the object is open, at most 'wait_ms': true when so. For ?wait= and tests. */
bool saga_wait(struct saga_runner *r, const char *object_id, int wait_ms);

struct saga_stats {
    uint64_t done, failed, retried;
    int64_t open;
};
void saga_stats(struct saga_runner *r, struct saga_stats *ret);
