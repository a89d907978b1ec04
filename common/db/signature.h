/* Signatures of queries, as generated code knows them, compared with what PostgreSQL makes of the statements.
 *
 * Each service has a unit test that calls its generated <service>_queries_check() on a migrated database: a column that
 * a migration renamed or retyped fails there, not in a request. */
#pragma once

#include "db.h"

struct db_signature {
    const char *name;
    const char *where; /* file:line */
    const char *sql;
    const char *params;  /* "id text, scope text?" */
    const char *columns; /* The same; NULL: the statement's result is not read. */
};

/* Prepares each and compares the types of parameters and columns, and the order of columns by their names. Runs
 * nothing. All that differs is in the fault's message, a line each. Works inside a transaction and outside. */
int db_check_signatures(struct db *db, const struct db_signature *signatures, size_t count,
                        struct fault *f);
