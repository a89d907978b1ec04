/* A session with PostgreSQL on libpq's asynchronous calls, so that a server which stopped answering
 * (frozen, cut off) ends in a fault and not in a hung thread. Two deadlines: the server's own
 * statement_timeout, after which the session goes on, and one a little later here, after which it is
 * given up. An operator who raises the first in the URL's options meets the second. */
#include "connection.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "../base/clock.h"
#include "../base/log.h"
#include "../base/memory.h"
#include "../base/str.h"

/* No jit: none of our statements runs for so long that compiling it pays, whatever the planner guesses. */
#define SESSION_OPTIONS                                                                            \
    "-c statement_timeout=30000 -c idle_in_transaction_session_timeout=120000 -c TimeZone=UTC "    \
    "-c DateStyle=ISO -c IntervalStyle=postgres -c client_min_messages=warning -c "                \
    "bytea_output=hex -c jit=off"

enum { FRESH_US = 1000 };

struct db_connection *
connection_new(const char *url, struct connection_counters *counters)
{
    struct db_connection *c = memory_calloc(1, sizeof(*c));

    c->url = url;
    c->counters = counters;
    c->prepared = map_new(free);
    c->answer_deadline_ms = CONNECTION_ANSWER_DEADLINE_MS;
    return c;
}

void
connection_hang_up(struct db_connection *c)
{
    if (c->pg == NULL)
        return;
    PQfinish(c->pg);
    c->pg = NULL;
    map_clear(c->prepared);
    atomic_fetch_sub(&c->counters->open, 1);
}

void
connection_free(struct db_connection *c)
{
    if (c == NULL)
        return;
    connection_hang_up(c);
    map_free(c->prepared);
    free(c);
}

void
connection_clear(PGresult **result)
{
    PQclear(*result);
}

bool
connection_broken(const struct db_connection *c)
{
    return c->pg == NULL || PQstatus(c->pg) != CONNECTION_OK;
}

/* What the server says without being asked: notices, and the error with which it ends an idle session. */
static void
hear(void *object, const PGresult *said)
{
    struct db_connection *c = object;
    const char *state = PQresultErrorField(said, PG_DIAG_SQLSTATE);

    if (state != NULL && str_starts(state, "57P"))
        c->leaving = true;
    log_debug("db.notice text=%s", PQresultErrorMessage(said));
}

static void
options_freep(PQconninfoOption **options)
{
    PQconninfoFree(*options);
}

/* Session settings with those of the URL behind them, so that an operator can override ours. */
static int
session_options(const char *url, struct str *ret, struct fault *f)
{
    _cleanup_(options_freep) PQconninfoOption *options = NULL;
    char *message = NULL;

    options = PQconninfoParse(url, &message);
    if (options == NULL) {
        /* The parser's message may quote the URL, and so the password. */
        PQfreemem(message);
        return fault_raise_cause(f, "database url is not a libpq connection string");
    }
    str_add(ret, SESSION_OPTIONS);
    for (const PQconninfoOption *o = options; o->keyword != NULL; o++)
        if (str_equal(o->keyword, "options") && o->val != NULL)
            str_addf(ret, " %s", o->val);
    return 0;
}

static int
dial(struct db_connection *c, struct fault *f)
{
    _cleanup_(str_done) struct str options = { 0 };
    int r = session_options(c->url, &options, f);

    if (r < 0)
        return r;

    /* What stands before "dbname" the URL may override. */
    const struct {
        const char *keyword, *value;
    } settings[] = {
        { "connect_timeout", "5" },    { "application_name", program_invocation_short_name },
        { "keepalives_idle", "10" },   { "keepalives_interval", "5" },
        { "keepalives_count", "3" },   { "tcp_user_timeout", "20000" },
        { "gssencmode", "disable" },   { "dbname", c->url },
        { "client_encoding", "UTF8" }, { "options", str_text(&options) },
    };
    const char *keywords[ARRAY_SIZE(settings) + 1] = { NULL };
    const char *values[ARRAY_SIZE(settings) + 1] = { NULL };

    for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
        keywords[i] = settings[i].keyword;
        values[i] = settings[i].value;
    }
    c->pg = PQconnectdbParams(keywords, values, 1);
    if (c->pg == NULL || PQstatus(c->pg) != CONNECTION_OK) {
        r = connection_raise_broken(c->pg, "connect", f);
        PQfinish(c->pg);
        c->pg = NULL;
        return r;
    }
    PQsetNoticeReceiver(c->pg, hear, c);
    c->leaving = false;
    atomic_fetch_add(&c->counters->open, 1);
    if (c->was_open)
        atomic_fetch_add(&c->counters->reconnects, 1);
    c->was_open = true;
    return 0;
}

/* An idle session has nothing to read, unless the server said goodbye. Its last words come before the end of the
 * socket, so both are looked for. */
static bool
said_goodbye(struct db_connection *c)
{
    struct pollfd p = { .fd = PQsocket(c->pg), .events = POLLIN };

    while (poll(&p, 1, 0) > 0) {
        if (PQconsumeInput(c->pg) == 0 || PQstatus(c->pg) != CONNECTION_OK)
            return true;
        PQisBusy(c->pg); /* Takes what came apart, and so calls hear(). */
        if (c->leaving)
            return true;
    }
    return false;
}

/* A request asks several times whether its session is there; one look in a moment is enough. */
static bool
is_fresh(const struct db_connection *c)
{
    return clock_mono_us() - c->heard_us < FRESH_US;
}

int
connection_ready(struct db_connection *c, struct fault *f)
{
    if (c->in_tx && !connection_begins(c)) {
        if (!connection_broken(c))
            return 0;
        return fault_raise(f, FAULT_UNAVAILABLE, "The database went away during the transaction.");
    }
    if (!connection_broken(c) && !c->leaving && is_fresh(c))
        return 0;
    if (!connection_broken(c) && !said_goodbye(c)) {
        c->heard_us = clock_mono_us();
        return 0;
    }
    connection_hang_up(c);
    return dial(c, f);
}

int
connection_next(struct db_connection *c, int64_t deadline_ms, PGresult **ret, struct fault *f)
{
    while (PQisBusy(c->pg)) {
        struct pollfd p = { .fd = PQsocket(c->pg), .events = POLLIN };
        int64_t left = deadline_ms - clock_mono_ms();
        int n = poll(&p, 1, c->answer_deadline_ms < 0 ? -1 : (int)MAX(left, 0));

        if (n == 0) {
            connection_hang_up(c);
            return fault_raise(f, FAULT_TIMEOUT, "The database did not answer in time.");
        }
        if (n > 0 && PQconsumeInput(c->pg) == 0)
            break; /* PQgetResult() tells what happened. */
    }
    *ret = PQgetResult(c->pg);
    switch (PQresultStatus(*ret)) {
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
        PQclear(*ret);
        *ret = NULL;
        connection_hang_up(c);
        return fault_raise_cause(f, "database: COPY is not supported");
    default:
        return 0;
    }
}

int64_t
connection_deadline(const struct db_connection *c)
{
    return clock_mono_ms() + c->answer_deadline_ms;
}

int
connection_last(struct db_connection *c, int64_t deadline_ms, PGresult **ret, struct fault *f)
{
    PGresult *last = NULL, *next = NULL;

    do {
        if (next != NULL) {
            PQclear(last);
            last = next;
        }
        if (connection_next(c, deadline_ms, &next, f) < 0) {
            PQclear(last);
            return -1;
        }
    } while (next != NULL);
    c->heard_us = clock_mono_us();
    *ret = last;
    return 0;
}

bool
connection_succeeded(const PGresult *result)
{
    switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY:
        return true;
    default:
        return false;
    }
}

int
connection_finish(struct db_connection *c, int sent, PGresult **ret, struct fault *f)
{
    int r;

    if (sent == 0)
        return connection_raise(c->pg, NULL, f);
    r = connection_last(c, connection_deadline(c), ret, f);
    if (r < 0)
        return r;
    return connection_succeeded(*ret) ? 0 : connection_raise(c->pg, *ret, f);
}

int
connection_script(struct db_connection *c, const char *sql, struct fault *f)
{
    _cleanup_(connection_clear) PGresult *result = NULL;

    if (connection_flush(c, f) < 0)
        return -1;
    return connection_finish(c, PQsendQuery(c->pg, sql), &result, f);
}

int
connection_query(struct db_connection *c, const char *sql, const char *const *values, size_t count,
                 PGresult **ret, struct fault *f)
{
    PGresult *result = NULL;
    int r;

    r = connection_flush(c, f);
    if (r < 0)
        return r;
    r = connection_finish(c, PQsendQueryParams(c->pg, sql, (int)count, NULL, values, NULL, NULL, 0),
                          &result, f);
    if (r < 0)
        PQclear(result);
    else
        *ret = result;
    return r;
}

int
connection_describe(struct db_connection *c, const char *sql, PGresult **ret, struct fault *f)
{
    _cleanup_(connection_clear) PGresult *prepared = NULL;
    PGresult *result = NULL;
    int r;

    r = connection_flush(c, f);
    if (r < 0)
        return r;
    r = connection_finish(c, PQsendPrepare(c->pg, "", sql, 0, NULL), &prepared, f);
    if (r < 0)
        return r;
    r = connection_finish(c, PQsendDescribePrepared(c->pg, ""), &result, f);
    if (r < 0)
        PQclear(result);
    else
        *ret = result;
    return r;
}

void
connection_rollback(struct db_connection *c)
{
    struct fault ignored = { 0 };
    bool begun = !connection_begins(c);

    if (!c->in_tx)
        return;
    c->in_tx = c->under_test = c->in_savepoint = false;
    c->queued = 0;
    if (!begun)
        return;
    if (connection_broken(c) || connection_script(c, "ROLLBACK", &ignored) < 0)
        connection_hang_up(c);
}
