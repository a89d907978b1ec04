/* Prepared statements, and those that wait for the next one to go along with it (libpq's pipeline mode, chapter 34.5 of the
 * manual): a transaction's BEGIN does, so that it costs no round trip. One failure ends what was sent together: the server
 * skips the rest up to the synchronisation point, COMMIT included. */
#include <stdlib.h>

#include "../base/memory.h"
#include "../base/str.h"
#include "connection.h"

struct prepared {
    char id[16];     /* What the server calls it; its own names end at 63 bytes. */
    uint64_t digest; /* Of the text, to notice one name used for two. */
};

static const char begin[] = "BEGIN", commit[] = "COMMIT";

static uint64_t
digest_of(const char *text)
{
    uint64_t hash =
        0xcbf29ce484222325u; /* FNV-1a: against our own mistakes, not against an enemy. */

    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash;
}

/* Finds or makes the prepared statement. */
static int
prepare(struct db_connection *c, struct queued_statement *s, struct fault *f)
{
    struct prepared *p = map_get(c->prepared, s->name);
    _cleanup_(connection_clear) PGresult *result = NULL;
    uint64_t digest = digest_of(s->sql);
    int r;

    if (p != NULL && p->digest != digest)
        return fault_raise_cause(f, "two statements are called '%s'", s->name);
    if (p == NULL) {
        char id[sizeof(p->id)];

        snprintf(id, sizeof(id), "s%u", ++c->prepared_count);
        r = connection_finish(c, PQsendPrepare(c->pg, id, s->sql, 0, NULL), &result, f);
        if (r < 0)
            return r;
        p = memory_calloc(1, sizeof(*p));
        memcpy(p->id, id, sizeof(id));
        p->digest = digest;
        map_set(c->prepared, s->name, p);
    }
    s->id = p->id;
    return 0;
}

/* Did the statement fail only because it was prepared before a migration, or is no longer there? The name of the
 * server's function tells it in any language; JDBC's driver looks at the same. */
static bool
is_stale(const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *function = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);

    if (str_equal(state, "26000"))
        return true;
    return str_equal(state, "0A000") && str_equal(function, "RevalidateCachedQuery");
}

static int
send(struct db_connection *c, const struct queued_statement *s)
{
    return PQsendQueryPrepared(c->pg, s->id, (int)s->count, s->values, NULL, NULL, 0);
}

/* The answers of a pipeline up to its synchronisation point. 'ret' becomes the last one, or the error. */
static int
collect(struct db_connection *c, PGresult **ret, struct fault *f)
{
    int64_t deadline = connection_deadline(c);
    PGresult *sync = NULL;
    int r = 0;

    for (size_t i = 0; i < c->queued; i++) {
        PGresult *result = NULL;

        if (connection_last(c, deadline, &result, f) < 0)
            return -1;
        if (r < 0) { /* The rest was skipped. */
            PQclear(result);
            continue;
        }
        PQclear(*ret);
        *ret = result;
        if (connection_succeeded(result))
            continue;
        r = connection_raise(c->pg, result, f);
        if (i + 1 < c->queued) /* Of the last one the caller says it. */
            fault_add_cause(f, "query %s", c->queue[i].name);
        if (connection_broken(c))
            return r;
    }
    if (connection_next(c, deadline, &sync, f) < 0)
        return -1;
    PQclear(sync);
    return r;
}

/* Sends all that waits in one go. On failure 'ret' is the answer that was an error, if there was one. */
static int
attempt(struct db_connection *c, PGresult **ret, struct fault *f)
{
    int sent, r;

    for (size_t i = 0; i < c->queued; i++) {
        r = prepare(c, &c->queue[i], f);
        if (r < 0)
            return r;
    }
    if (c->queued == 1)
        return connection_finish(c, send(c, c->queue), ret, f);
    sent = PQenterPipelineMode(c->pg);
    for (size_t i = 0; sent != 0 && i < c->queued; i++)
        sent = send(c, &c->queue[i]);
    if (sent == 0 || PQpipelineSync(c->pg) == 0) {
        r = connection_raise(c->pg, NULL, f);
        connection_hang_up(c);
        return r;
    }
    r = collect(c, ret, f);
    if (!connection_broken(c) && PQexitPipelineMode(c->pg) == 0)
        connection_hang_up(c);
    return r;
}

/* May what just failed be sent again? Nothing was done yet if it stood alone or began the transaction, and if it did not also
 * end it. */
static bool
make_ready_again(struct db_connection *c, const PGresult *result, struct fault *f)
{
    _cleanup_(connection_clear) PGresult *ignored = NULL;
    bool begins = connection_begins(c), stale = result != NULL && is_stale(result);
    struct fault failed = { 0 };

    if (stale)
        map_clear(c->prepared); /* What made one stale made others so. */
    if (c->queue[c->queued - 1].sql == commit)
        return false;
    if (c->in_tx && !begins) {
        if (stale)
            fault_raise(f, FAULT_UNAVAILABLE, "The database schema changed; try again.");
        return false;
    }
    if (begins && connection_broken(c) && f->kind != FAULT_TIMEOUT)
        return connection_ready(c, &failed) >= 0;
    if (!stale)
        return false;
    return !begins || connection_finish(c, PQsendQuery(c->pg, "ROLLBACK"), &ignored, &failed) >= 0;
}

static int
run(struct db_connection *c, PGresult **ret, struct fault *f)
{
    bool begins = connection_begins(c);
    PGresult *result = NULL;
    int r = attempt(c, &result, f);

    if (r < 0 && make_ready_again(c, result, f)) {
        fault_clear(f);
        PQclear(result);
        result = NULL;
        r = attempt(c, &result, f);
    }
    c->queued = 0;
    if (r >= 0) {
        *ret = result;
        return r;
    }
    PQclear(result);
    /* What follows in a transaction that did not even begin must not commit by itself. */
    if (begins && !connection_broken(c) && PQtransactionStatus(c->pg) == PQTRANS_IDLE)
        connection_hang_up(c);
    return r;
}

static void
push(struct db_connection *c, const char *name, const char *sql, const char *const *values,
     size_t count)
{
    c->queue[c->queued++] =
        (struct queued_statement){ .name = name, .sql = sql, .values = values, .count = count };
}

int
connection_run(struct db_connection *c, const char *name, const char *sql,
               const char *const *values, size_t count, PGresult **ret, struct fault *f)
{
    push(c, name, sql, values, count);
    return run(c, ret, f);
}

int
connection_later(struct db_connection *c, const char *name, const char *sql,
                 const char *const *values, size_t count, struct fault *f)
{
    if (c->queued == CONNECTION_QUEUE - 1) { /* The last place is the one's that all wait for. */
        int r = connection_flush(c, f);

        if (r < 0)
            return r;
    }
    push(c, name, sql, values, count);
    return 0;
}

int
connection_flush(struct db_connection *c, struct fault *f)
{
    _cleanup_(connection_clear) PGresult *ignored = NULL;

    return c->queued == 0 ? 0 : run(c, &ignored, f);
}

void
connection_begin(struct db_connection *c)
{
    push(c, "db_begin", begin, NULL, 0);
    c->in_tx = true;
}

bool
connection_begins(const struct db_connection *c)
{
    return c->queued > 0 && c->queue[0].sql == begin;
}

int
connection_commit(struct db_connection *c, struct fault *f)
{
    _cleanup_(connection_clear) PGresult *ignored = NULL;

    if (connection_begins(c) && c->queued == 1) { /* Nothing to commit. */
        c->queued = 0;
        return 0;
    }
    return connection_run(c, "db_commit", commit, NULL, 0, &ignored, f);
}
