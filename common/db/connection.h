/* One connection to PostgreSQL: opening, waiting with a deadline, prepared statements, errors as faults.
 *
 * Private to common/db and to the tests' database helper; everybody else uses db.h, pool.h and tx.h. A connection
 * belongs to one thread at a time. */
#pragma once

#include <libpq-fe.h>
#include <stdatomic.h>

#include "../base/map.h"
#include "db.h"

/* What all connections of a pool count. */
struct connection_counters {
    _Atomic unsigned open;
    _Atomic uint64_t reconnects;
};

struct db_connection {
    PGconn *pg;                           /* NULL: not connected. */
    const char *url;                      /* The pool's. */
    struct connection_counters *counters; /* The pool's. */
    struct map *prepared;                 /* Name -> struct prepared, of this session. */
    unsigned prepared_count;              /* Ever, for the names that the server sees. */
    int64_t heard_us;                     /* When the server last showed that it is there. */
    bool was_open;
    bool leaving;    /* The server said that it ends the session. */
    bool in_tx;      /* Between db_tx_begin() and its end, also when the session broke meanwhile. */
    bool under_test; /* in_tx is a test's; db_tx_begin() makes a savepoint instead. */
    bool in_savepoint;          /* ... and has made one. */
    int answer_deadline_ms;     /* After it the session is given up; -1: never (a migration). */
    struct db_connection *next; /* In the pool's list of idle ones. */
};

struct db_connection *connection_new(const char *url, struct connection_counters *counters);
void connection_free(struct db_connection *c);

/* Makes sure that there is a live session. Outside a transaction a broken one is opened again; inside one it is
 * FAULT_UNAVAILABLE. */
int connection_ready(struct db_connection *c, struct fault *f);

/* Did the session break? */
bool connection_broken(const struct db_connection *c);

/* Runs a text of one or several statements without parameters or answer: BEGIN, a migration. */
int connection_script(struct db_connection *c, const char *sql, struct fault *f);

/* Runs one statement once. Here and below 'ret' is the caller's to PQclear(), set on success. */
int connection_query(struct db_connection *c, const char *sql, const char *const *values,
                     size_t count, PGresult **ret, struct fault *f);

/* Runs a statement prepared under 'name', preparing it if this session hasn't. */
int connection_run(struct db_connection *c, const char *name, const char *sql,
                   const char *const *values, size_t count, PGresult **ret, struct fault *f);

/* Asks for the types of 'sql' without running it. 'ret' is for PQparamtype() and PQftype(). */
int connection_describe(struct db_connection *c, const char *sql, PGresult **ret, struct fault *f);

/* Ends an open transaction without effect; a session that can't even do that is closed. */
void connection_rollback(struct db_connection *c);

/* For _cleanup_(connection_clear). */
void connection_clear(PGresult **result);

#define CONNECTION_ANSWER_DEADLINE_MS                                                              \
    35000 /* The server's statement_timeout and some time for the answer. */

/* The fault for an answer that is an error (error.c). NULL: for the error that libpq itself has. */
int connection_raise(PGconn *pg, const PGresult *result, struct fault *f);
/* The one for a session that could not be opened or broke. */
int connection_raise_broken(PGconn *pg, const char *what, struct fault *f);
