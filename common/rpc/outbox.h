/* The transactional outbox: messages written with the change they tell of, published after the commit.
 *
 * A row in table 'outbox' (made by the framework's own migration in every service's database); one sender
 * thread per process publishes with confirms, in order per queue, and deletes what was confirmed. A message may
 * go out twice after a crash: receivers are idempotent by operation id. Rows for the same queue and method with the same
 * 'collapse' key are merged while they wait (a doorbell rings once). */
#pragma once

#include "../db/pool.h"
#include "../db/tx.h"
#include "rpc.h"

struct outbox;

/* Starts the sender. */
int outbox_open(struct outbox **ret, struct db_pool *pool, struct rpc *rpc, struct fault *f);
void outbox_close(struct outbox *o);

/* In the caller's transaction. 'target' is a queue name, or "exchange:<name>" for an event. 'collapse' may be NULL. */
int outbox_add(struct outbox *o, struct db_tx *tx, const char *target, const char *method,
               const char *collapse, const json_t *params, struct fault *f);

struct outbox_stats {
    uint64_t sent;
    int64_t waiting; /* Rows, as of the last look. */
};
void outbox_stats(struct outbox *o, struct outbox_stats *ret);
