/* Transactions. What a session in one may and may not do is connection.c's; here is their shape. */
#include "tx.h"

#include "connection.h"
#include "db_queries.h"

struct db_before {
    struct db_before *next;
    int (*fn)(void *object, struct db_tx *tx, struct fault *f);
    void *object;
};

struct db_after {
    struct db_after *next;
    void (*fn)(void *object);
    void *object;
};

/* A savepoint in a test's transaction stands for a transaction. */
static int
begin_savepoint(struct db_connection *c, struct fault *f)
{
    int r;

    if (!c->under_test || c->in_savepoint)
        return fault_raise_cause(f, "database: a transaction is open on this connection already");
    r = connection_ready(c, f);
    if (r < 0)
        return r;
    r = connection_script(c, "SAVEPOINT virga_tx", f);
    if (r >= 0)
        c->in_savepoint = true;
    return r;
}

int
db_tx_begin(struct db_tx *tx, struct db *db, struct fault *f)
{
    struct db_connection *c = db->connection;
    int r;

    if (c->in_tx) {
        r = begin_savepoint(c, f);
    } else {
        r = connection_ready(c, f);
        if (r >= 0)
            connection_begin(c);
    }
    if (r < 0)
        return r;
    *tx = (struct db_tx){ .db = db, .open = true };
    return 0;
}

static int
commit(struct db_tx *tx, struct fault *f)
{
    const struct db_at_commit *last = tx->db->at_commit;
    struct db_connection *c = tx->db->connection;
    int r;

    r = connection_ready(c, f);
    if (r < 0)
        return r;
    /* COMMIT would answer ROLLBACK and no error. */
    if (PQtransactionStatus(c->pg) == PQTRANS_INERROR)
        return fault_raise_cause(f,
                                 "database: commit of a transaction in which a statement failed");
    r = last == NULL ? 0 : last->fn(last->object, tx, f);
    for (struct db_before *before = tx->before; r >= 0 && before != NULL; before = before->next)
        r = before->fn(before->object, tx, f);
    if (r < 0)
        return r;
    if (c->in_savepoint) {
        r = connection_script(c, "RELEASE SAVEPOINT virga_tx", f);
        if (r >= 0)
            c->in_savepoint = false;
        return r;
    }
    r = connection_commit(c, f);
    if (r < 0 && connection_broken(c)) {
        r = fault_raise(f, FAULT_TIMEOUT, "The database went away during the commit.");
        fault_add_cause(f, "database: it is unknown whether the transaction was committed");
    }
    if (r >= 0)
        c->in_tx = false;
    return r;
}

int
db_tx_commit(struct db_tx *tx, struct fault *f)
{
    struct db_after *after;
    int r;

    if (!tx->open)
        return fault_raise_cause(f, "database: commit of a transaction that isn't open");
    r = commit(tx, f);
    if (r < 0) {
        db_tx_done(tx);
        return r;
    }
    after = tx->after;
    *tx = (struct db_tx){ 0 };
    for (; after != NULL; after = after->next)
        after->fn(after->object);
    return 0;
}

void
db_tx_done(struct db_tx *tx)
{
    struct db_connection *c;
    struct fault ignored = { 0 };

    if (!tx->open)
        return;
    c = tx->db->connection;
    *tx = (struct db_tx){ 0 };
    if (c == NULL) /* db_release() came first and has rolled back. */
        return;
    if (!c->in_savepoint) {
        connection_rollback(c);
        return;
    }
    c->in_savepoint = false;
    if (!connection_broken(c))
        connection_script(c, "ROLLBACK TO SAVEPOINT virga_tx; RELEASE SAVEPOINT virga_tx",
                          &ignored);
}

void
db_tx_before_commit(struct db_tx *tx, int (*fn)(void *object, struct db_tx *tx, struct fault *f),
                    void *object)
{
    struct db_before *before = ARENA_NEW(tx->db->arena, struct db_before), **end = &tx->before;

    *before = (struct db_before){ .fn = fn, .object = object };
    while (*end != NULL)
        end = &(*end)->next;
    *end = before;
}

void *
db_tx_told(const struct db_tx *tx, int (*fn)(void *object, struct db_tx *tx, struct fault *f))
{
    for (const struct db_before *before = tx->before; before != NULL; before = before->next) {
        if (before->fn == fn)
            return before->object;
    }
    return NULL;
}

void
db_tx_after_commit(struct db_tx *tx, void (*fn)(void *object), void *object)
{
    struct db_after *after = ARENA_NEW(tx->db->arena, struct db_after), **end = &tx->after;

    *after = (struct db_after){ .fn = fn, .object = object };
    while (*end != NULL)
        end = &(*end)->next;
    *end = after;
}

int
db_tx_lock(struct db_tx *tx, const char *name, struct fault *f)
{
    return db_lock_name(tx->db, name, f);
}
