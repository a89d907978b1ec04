/* Transactions: begun, then committed, or rolled back when the variable goes out of scope.
 *
 *   _cleanup_(db_tx_done) struct db_tx tx = { 0 };
 *   r = db_tx_begin(&tx, db, f); ... r = db_tx_commit(&tx, f);
 *
 * BEGIN goes to the server with the first statement, so a database that is away shows there.
 * READ COMMITTED; rows that decide are locked with FOR UPDATE. No I/O but the database's inside. */
#pragma once

#include "db.h"

struct db_tx {
    struct db *db;
    bool open;
    struct db_before *before; /* What db_tx_before_commit() was told. */
    struct db_after *after;   /* What db_tx_after_commit() was told. */
};

int db_tx_begin(struct db_tx *tx, struct db *db, struct fault *f);
int db_tx_commit(struct db_tx *tx, struct fault *f);
void db_tx_done(struct db_tx *tx);

/* fn(object, tx) runs as the last of the transaction, in the order in which it was told; when it fails, all is rolled back. For what
 * others have to wait for: it holds them up no longer than the commit takes. */
void db_tx_before_commit(struct db_tx *tx,
                         int (*fn)(void *object, struct db_tx *tx, struct fault *f), void *object);
/* The object that it was told of with this function, so that one may stand for many; NULL: none. */
void *db_tx_told(const struct db_tx *tx,
                 int (*fn)(void *object, struct db_tx *tx, struct fault *f));

/* fn(object) runs right after a successful commit, in this thread: to wake the saga runner or the outbox sender. */
void db_tx_after_commit(struct db_tx *tx, void (*fn)(void *object), void *object);

/* A lock that lives as long as the transaction, named by text (pg_advisory_xact_lock of its hash). */
int db_tx_lock(struct db_tx *tx, const char *name, struct fault *f);
