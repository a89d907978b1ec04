/* Databases, pools and transactions for tests, on the server of pg_server.c. */
#include "pg.h"

#include <unistd.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/str.h"
#include "db/connection.h"
#include "pg_server.h"

#define POOL_SIZE 8

struct pg {
    char *name, *url;
    struct db_pool *pool;
};

static _noreturn_ void
fail(const char *what, const char *why)
{
    fprintf(stderr, "pg: %s: %s\n", what, why);
    exit(1);
}

static PGresult *
run(const char *url, const char *sql)
{
    PGconn *pg = PQconnectdb(url);
    PGresult *result = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail(sql, PQerrorMessage(pg));
    PQfinish(pg);
    return result;
}

/* The server's connection string with another database. */
static char *
url_of(const char *database)
{
    struct str url = { 0 };
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(pg_server_url(), &message);

    if (options == NULL)
        fail("VIRGA_TEST_PG_URL", message);
    str_addf(&url, "dbname=%s", database);
    for (const PQconninfoOption *o = options; o->keyword != NULL; o++) {
        if (o->val == NULL || str_equal(o->keyword, "dbname"))
            continue;
        str_addf(&url, " %s='", o->keyword);
        for (const char *c = o->val; *c != '\0'; c++) {
            if (*c == '\'' || *c == '\\')
                str_add_char(&url, '\\');
            str_add_char(&url, *c);
        }
        str_add_char(&url, '\'');
    }
    PQconninfoFree(options);
    return str_take(&url);
}

struct pg *
pg_open(void)
{
    struct pg *p = memory_calloc(1, sizeof(*p));
    struct fault f = { 0 };
    unsigned char bytes[8];
    char name[48], sql[128];

    random_bytes(bytes, sizeof(bytes));
    snprintf(name, sizeof(name), "t%d_%02x%02x%02x%02x", (int)getpid(), bytes[0], bytes[1],
             bytes[2], bytes[3]);
    snprintf(sql, sizeof(sql), "CREATE DATABASE %s TEMPLATE template0 ENCODING 'UTF8'", name);
    PQclear(run(pg_server_url(), sql));
    p->name = memory_strdup(name);
    p->url = url_of(name);
    if (db_pool_open(&p->pool, p->url, POOL_SIZE, &f) < 0)
        fail("pool", f.cause);
    return p;
}

struct pg *
pg_open_migrated(const struct migration *migrations, size_t count)
{
    struct pg *p = pg_open();
    struct fault f = { 0 };

    if (db_migrate(p->pool, migrations, count, &f) < 0) {
        fprintf(stderr, "pg: %s\n", f.message);
        pg_close(p);
        fail("migrations", f.cause);
    }
    return p;
}

void
pg_close(struct pg *p)
{
    struct db_pool_stats stats;
    char sql[96];

    if (p == NULL)
        return;
    /* A test that failed jumped out over its cleanups. What it left is not the news. */
    db_pool_stats(p->pool, &stats);
    if (stats.in_use == 0)
        db_pool_close(p->pool);
    snprintf(sql, sizeof(sql), "DROP DATABASE %s WITH (FORCE)", p->name);
    PQclear(run(pg_server_url(), sql));
    free(p->name);
    free(p->url);
    free(p);
}

const char *
pg_url(const struct pg *p)
{
    return p->url;
}

struct db_pool *
pg_pool(struct pg *p)
{
    return p->pool;
}

void
pg_exec(struct pg *p, const char *sql)
{
    PQclear(run(p->url, sql));
}

char *
pg_ask(struct pg *p, const char *sql)
{
    PGresult *result = run(p->url, sql);
    char *text = NULL;

    if (PQntuples(result) > 0 && !PQgetisnull(result, 0, 0))
        text = memory_strdup(PQgetvalue(result, 0, 0));
    PQclear(result);
    return text;
}

void
pg_begin(struct pg *p, struct db *ret)
{
    struct fault f = { 0 };

    if (db_pool_get(p->pool, arena_new(), ret, &f) < 0 ||
        connection_script(ret->connection, "BEGIN", &f) < 0)
        fail("begin", f.cause);
    ret->connection->in_tx = ret->connection->under_test = true;
}

void
pg_rollback(struct db *db)
{
    struct arena *a = db->arena;

    db_release(db);
    arena_free(a);
}
