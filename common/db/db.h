/* The database: a connection with prepared statements, as one thread uses it.
 *
 * Statements are text with $1.. parameters from generated tables; values are never pasted. Each connection
 * prepares a statement the first time it runs it. Results live in the arena that the handle was given.
 * A connection that broke is opened again before the next use outside a transaction; inside one the
 * transaction fails with FAULT_UNAVAILABLE. PostgreSQL's errors become faults: unique, exclusion and foreign
 * key violations FAULT_CONFLICT with the constraint's name in 'code'; serialization, deadlock, a statement that
 * took more than 30 s, a server that is full, going away or read-only FAULT_UNAVAILABLE (run again); a
 * connection that breaks during COMMIT or doesn't answer FAULT_TIMEOUT; the rest FAULT_INTERNAL with the
 * server's message as the cause. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/arena.h"
#include "../base/fault.h"

struct db_pool;
struct db_tx;

/* Called in each transaction of a handle right before its COMMIT; when it fails, so does db_tx_commit(), and all is rolled back.
 * A statement that changes rows outside a transaction is one of its own then. */
struct db_at_commit {
    int (*fn)(void *object, struct db_tx *tx, struct fault *f);
    void *object;
};

/* A connection taken from a pool and the arena its results go to. */
struct db {
    struct db_connection *connection;
    struct db_pool *pool;
    struct arena *arena;
    const struct db_at_commit *at_commit; /* NULL: none. */
};

/* A list of texts, as in jsonb or text[] columns; also what the API's string arrays are. */
#ifndef VIRGA_TEXTS
#define VIRGA_TEXTS
struct texts {
    const char **items;
    size_t count;
};
#endif

/* One parameter. Text format on the wire: 'text' NULL is NULL. */
struct db_param {
    const char *text;
};
struct db_param db_text(const char *value);
struct db_param db_int(struct arena *a, int64_t value);
struct db_param db_double(struct arena *a, double value);
struct db_param db_bool(bool value);
struct db_param db_time(struct arena *a, int64_t us);                 /* timestamptz */
struct db_param db_json(struct arena *a, const json_t *value);        /* NULL: NULL */
struct db_param db_texts(struct arena *a, const struct texts *value); /* text[] */

/* Rows of an answer, valid as long as the arena. */
struct db_result {
    size_t rows, columns;
    int64_t touched; /* Rows that INSERT/UPDATE/DELETE changed. */
    char ***values;  /* values[row][column]; NULL is NULL. */
};

/* Runs a statement that is known by 'name' (unique in the process, NULL: not prepared, parsed each time).
 * All parameters are sent with unspecified type unless the statement casts them. */
int db_run(struct db *db, const char *name, const char *sql, const struct db_param *params,
           size_t params_count, struct db_result *ret, struct fault *f);

/* The same for a statement whose answer nobody waits for: within a transaction it is sent with the next statement or the commit,
 * and its failure is that one's. */
int db_later(struct db *db, const char *name, const char *sql, const struct db_param *params,
             size_t params_count, struct fault *f);

/* Converters for values of a result; NULL gives 0/false/NULL. FAULT_INTERNAL when it isn't one. */
int db_read_int(const char *value, int64_t *ret, struct fault *f);
int db_read_int4(const char *value, int32_t *ret, struct fault *f);
int db_read_double(const char *value, double *ret, struct fault *f);
int db_read_bool(const char *value, bool *ret, struct fault *f);
int db_read_time(const char *value, int64_t *ret_us, struct fault *f);
int db_read_json(struct arena *a, const char *value, json_t **ret, struct fault *f);
int db_read_texts(struct arena *a, const char *value, struct texts *ret,
                  struct fault *f); /* text[] */

/* For generated code: FAULT_INTERNAL; 'column' ("volume_lock_row.status") is NULL, and its signature says that
 * it never is. */
int db_unexpected_null(const char *column, struct fault *f);

/* Statements run by this process since it started: a test checks that a list of 1,000 makes as many as one of 1. */
uint64_t db_statements(void);
