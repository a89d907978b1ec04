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

/* A statement with what it is run with; 'name' and 'values' are not copied. */
struct queued_statement {
    const char *name, *sql;
    const char *id; /* What the server calls it, once prepared. */
    const char *const *values;
    size_t count;
};

enum { CONNECTION_QUEUE = 16 };

struct db_connection {
    PGconn *pg;                           /* NULL: not connected. */
    const char *url;                      /* The pool's. */
    struct connection_counters *counters; /* The pool's. */
    struct map *prepared;                 /* Name -> struct prepared, of this session. */
    unsigned prepared_count;              /* Ever, for the names that the server sees. */
    int64_t heard_us;                     /* When the server last showed that it is there. */
    struct queued_statement queue[CONNECTION_QUEUE]; /* Not sent yet. */
    size_t queued;
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

/* Runs a statement prepared under 'name', preparing it if this session hasn't, together with what was put aside. */
int connection_run(struct db_connection *c, const char *name, const char *sql,
                   const char *const *values, size_t count, PGresult **ret, struct fault *f);

/* Puts a statement aside: it is sent with the next one, before it, and fails as part of that. 'values' must stay until then. Only
 * within a transaction. */
int connection_later(struct db_connection *c, const char *name, const char *sql,
                     const char *const *values, size_t count, struct fault *f);
/* Sends what was put aside. */
int connection_flush(struct db_connection *c, struct fault *f);

/* Begins a transaction; BEGIN itself is sent with the first statement. If that finds the session broken, both are sent to a new one. */
void connection_begin(struct db_connection *c);
/* Is BEGIN still to be sent? */
bool connection_begins(const struct db_connection *c);
/* Sends COMMIT, unless nothing was sent since connection_begin(). The transaction's state is the caller's to change. */
int connection_commit(struct db_connection *c, struct fault *f);

/* Asks for the types of 'sql' without running it. 'ret' is for PQparamtype() and PQftype(). */
int connection_describe(struct db_connection *c, const char *sql, PGresult **ret, struct fault *f);

/* Ends an open transaction without effect; a session that can't even do that is closed. */
void connection_rollback(struct db_connection *c);

/* Between connection.c and statements.c. Answers have to be there by the deadline (of clock_mono_ms()); a session that misses it is
 * given up. */
int64_t connection_deadline(const struct db_connection *c);
/* The next result; NULL after a command's last one. */
int connection_next(struct db_connection *c, int64_t deadline_ms, PGresult **ret, struct fault *f);
/* The last result of a command. */
int connection_last(struct db_connection *c, int64_t deadline_ms, PGresult **ret, struct fault *f);
bool connection_succeeded(const PGresult *result);
/* 'sent' is what PQsend...() returned. On success the answer in 'ret' is no error. On failure it is there too, if there was one, for a
 * look at its SQLSTATE. */
int connection_finish(struct db_connection *c, int sent, PGresult **ret, struct fault *f);
void connection_hang_up(struct db_connection *c);

/* For _cleanup_(connection_clear). */
void connection_clear(PGresult **result);

#define CONNECTION_ANSWER_DEADLINE_MS                                                              \
    35000 /* The server's statement_timeout and some time for the answer. */

/* The fault for an answer that is an error (error.c). NULL: for the error that libpq itself has. */
int connection_raise(PGconn *pg, const PGresult *result, struct fault *f);
/* The one for a session that could not be opened or broke. */
int connection_raise_broken(PGconn *pg, const char *what, struct fault *f);
