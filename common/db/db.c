/* Running a statement: parameters in, rows out into the arena. The session's affairs are connection.c's. */
#include "db.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "../base/str.h"
#include "connection.h"
#include "tx.h"

static _Atomic uint64_t statements;

uint64_t
db_statements(void)
{
    return atomic_load(&statements);
}

static void
clear_result(void *object)
{
    PQclear(object);
}

/* Does the statement, or the tag of its answer, change rows? PQcmdTuples() also counts what SELECT found. */
static bool
is_change(const char *tag)
{
    return str_starts(tag, "INSERT") || str_starts(tag, "UPDATE") || str_starts(tag, "DELETE") ||
           str_starts(tag, "MERGE");
}

/* Rows in the arena. The texts stay where libpq put them, which the arena clears at its end. */
static void
take_rows(struct arena *a, PGresult *result, struct db_result *ret)
{
    size_t rows = (size_t)PQntuples(result), columns = (size_t)PQnfields(result);
    size_t count = rows * columns;
    char **cells;

    *ret = (struct db_result){ .rows = rows, .columns = columns };
    if (is_change(PQcmdStatus(result)))
        ret->touched = strtoll(PQcmdTuples(result), NULL, 10);
    if (count == 0) {
        PQclear(result);
        return;
    }
    arena_defer(a, clear_result, result);
    ret->values = ARENA_ARRAY(a, char **, rows);
    cells = ARENA_ARRAY(a, char *, count);
    for (size_t row = 0; row < rows; row++) {
        ret->values[row] = cells + row * columns;
        for (size_t column = 0; column < columns; column++)
            if (!PQgetisnull(result, (int)row, (int)column))
                ret->values[row][column] = PQgetvalue(result, (int)row, (int)column);
    }
}

/* Below a test's transaction a statement of its own stands for one that commits by itself: its failure must not
 * end the test's. */
static bool
wants_savepoint(const struct db_connection *c)
{
    return c->under_test && !c->in_savepoint;
}

/* Below at_commit a change that would commit by itself is a transaction of its own; one that touched nothing has nothing
 * to commit. */
static int
run_alone(struct db *db, const char *name, const char *sql, const struct db_param *params,
          size_t params_count, struct db_result *ret, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    int r;

    r = db_tx_begin(&tx, db, f);
    if (r < 0)
        return r;
    r = db_run(db, name, sql, params, params_count, ret, f);
    if (r < 0 || ret->touched == 0)
        return r;
    return db_tx_commit(&tx, f);
}

static const char **
values_of(struct db *db, const struct db_param *params, size_t count)
{
    const char **ret = ARENA_ARRAY(db->arena, const char *, count + 1);

    for (size_t i = 0; i < count; i++)
        ret[i] = params[i].text;
    return ret;
}

int
db_later(struct db *db, const char *name, const char *sql, const struct db_param *params,
         size_t params_count, struct fault *f)
{
    struct db_connection *c = db->connection;
    struct db_result ignored;
    const char **values;
    int r;

    if (!c->in_tx || c->under_test)
        return db_run(db, name, sql, params, params_count, &ignored, f);
    r = connection_ready(c, f);
    if (r < 0)
        return r;
    values = values_of(db, params, params_count);
    for (size_t i = 0; i < params_count; i++)
        values[i] = values[i] == NULL ? NULL : arena_strdup(db->arena, values[i]);
    atomic_fetch_add(&statements, 1);
    return connection_later(c, name, sql, values, params_count, f);
}

int
db_run(struct db *db, const char *name, const char *sql, const struct db_param *params,
       size_t params_count, struct db_result *ret, struct fault *f)
{
    struct db_connection *c = db->connection;
    const char *const *values;
    PGresult *result = NULL;
    bool savepoint;
    int r;

    if (db->at_commit != NULL && !c->in_tx && is_change(sql))
        return run_alone(db, name, sql, params, params_count, ret, f);
    r = connection_ready(c, f);
    if (r < 0)
        return r;
    values = values_of(db, params, params_count);
    savepoint = wants_savepoint(c) && connection_script(c, "SAVEPOINT virga_statement", f) >= 0;
    atomic_fetch_add(&statements, 1);
    if (name == NULL)
        r = connection_query(c, sql, values, params_count, &result, f);
    else
        r = connection_run(c, name, sql, values, params_count, &result, f);
    if (savepoint) {
        struct fault ignored = { 0 };

        connection_script(
            c,
            r < 0 ? "ROLLBACK TO SAVEPOINT virga_statement; RELEASE SAVEPOINT virga_statement"
                  : "RELEASE SAVEPOINT virga_statement",
            &ignored);
    }
    if (r < 0) {
        if (name != NULL)
            fault_add_cause(f, "query %s", name);
        return r;
    }
    take_rows(db->arena, result, ret);
    return 0;
}
