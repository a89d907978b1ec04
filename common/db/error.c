/* PostgreSQL's errors as faults. The table of SQLSTATEs is appendix A of the PostgreSQL manual. */
#include <libpq-fe.h>

#include "../base/str.h"
#include "connection.h"

enum sqlstate_use { USE_INTERNAL, USE_CONFLICT, USE_AGAIN, USE_INVALID };

static const struct {
    const char *prefix; /* Of the SQLSTATE: a class or one code. */
    enum sqlstate_use use;
} sqlstates[] = {
    { "23505", USE_CONFLICT }, /* unique_violation */
    { "23503", USE_CONFLICT }, /* foreign_key_violation */
    { "23P01", USE_CONFLICT }, /* exclusion_violation */
    { "2201B", USE_INVALID },  /* invalid_regular_expression: they come from clients only */
    { "40001", USE_AGAIN },    /* serialization_failure */
    { "40P01", USE_AGAIN },    /* deadlock_detected */
    { "55P03", USE_AGAIN },    /* lock_not_available */
    { "57014", USE_AGAIN },    /* query_canceled: statement_timeout */
    { "25006", USE_AGAIN },    /* read_only_sql_transaction: a primary that became a standby */
    { "25P03", USE_AGAIN },    /* idle_in_transaction_session_timeout */
    { "08", USE_AGAIN },       /* connection exceptions */
    { "53", USE_AGAIN },       /* insufficient resources */
    { "57P", USE_AGAIN },      /* shutdown, crash, not yet accepting, database dropped */
    { "58", USE_AGAIN },       /* system error */
};

static enum sqlstate_use
use_of(const char *state)
{
    for (size_t i = 0; i < ARRAY_SIZE(sqlstates); i++)
        if (str_starts(state, sqlstates[i].prefix))
            return sqlstates[i].use;
    return USE_INTERNAL;
}

/* The length of 'text' without the newline that libpq ends its messages with. */
static int
line_length(const char *text)
{
    size_t size = strlen(text);

    while (size > 0 && text[size - 1] == '\n')
        size--;
    return (int)MIN(size, (size_t)400);
}

int
connection_raise_broken(PGconn *pg, const char *what, struct fault *f)
{
    const char *message = pg == NULL ? "out of memory" : PQerrorMessage(pg);
    int r = fault_raise(f, FAULT_UNAVAILABLE, "The database is not available.");

    fault_add_cause(f, "database %s: %.*s", what, line_length(message), message);
    return r;
}

int
connection_raise(PGconn *pg, const PGresult *result, struct fault *f)
{
    const char *state = result == NULL ? NULL : PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message =
        state == NULL ? NULL : PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *constraint, *position;
    int r;

    if (state == NULL || message == NULL) {
        if (PQstatus(pg) != CONNECTION_OK)
            return connection_raise_broken(pg, "connection", f);
        return fault_raise_cause(f, "database: %.*s", line_length(PQerrorMessage(pg)),
                                 PQerrorMessage(pg));
    }
    switch (use_of(state)) {
    case USE_CONFLICT:
        constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
        r = fault_raise_code(f, FAULT_CONFLICT, constraint == NULL ? "" : constraint,
                             "The request conflicts with another object.");
        break;
    case USE_INVALID:
        r = fault_raise(f, FAULT_INVALID, "A regular expression is not valid.");
        break;
    case USE_AGAIN:
        r = fault_raise(f, FAULT_UNAVAILABLE, "The database could not do this now; try again.");
        break;
    case USE_INTERNAL:
    default:
        position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
        return fault_raise_cause(f, "database error %s: %.300s%s%s", state, message,
                                 position == NULL ? "" : " at character ",
                                 position == NULL ? "" : position);
    }
    fault_add_cause(f, "database error %s: %.400s", state, message);
    return r;
}
