/* The pool: idle connections on a list, newest first, so that what is hot stays hot. Opening, and opening again, is
 * done by the thread that needs the connection, outside the lock. */
#include "pool.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "../base/memory.h"
#include "connection.h"
#include "schema.h"

#define WAIT_S 5

struct db_pool {
    char *url;
    unsigned size;
    struct connection_counters counters;
    pthread_mutex_t mutex;
    pthread_cond_t freed;
    /* Below, all under 'mutex' (clang's analysis can't name a member of the same struct in C). */
    struct db_connection *idle;
    unsigned made; /* At most 'size'. */
    unsigned in_use;
    const struct migration *migrations;
    size_t migrations_count;
};

int
db_pool_open(struct db_pool **ret, const char *url, unsigned size, struct fault *f)
{
    PQconninfoOption *options = PQconninfoParse(url, NULL);
    pthread_condattr_t attributes;
    struct db_pool *p;

    if (options == NULL)
        return fault_raise_cause(f, "database url is not a libpq connection string");
    PQconninfoFree(options);
    if (size == 0)
        return fault_raise_cause(f, "a database pool of no connections");
    p = memory_calloc(1, sizeof(*p));
    p->url = memory_strdup(url);
    p->size = size;
    pthread_mutex_init(&p->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&p->freed, &attributes);
    pthread_condattr_destroy(&attributes);
    *ret = p;
    return 0;
}

void
db_pool_close(struct db_pool *p)
{
    struct db_connection *next;

    if (p == NULL)
        return;
    assert(p->in_use == 0);
    for (struct db_connection *c = p->idle; c != NULL; c = next) {
        next = c->next;
        connection_free(c);
    }
    pthread_cond_destroy(&p->freed);
    pthread_mutex_destroy(&p->mutex);
    free(p->url);
    free(p);
}

/* A connection for the caller, or NULL when none became free in time. */
static struct db_connection *
take(struct db_pool *p)
{
    struct db_connection *c = NULL;
    struct timespec until;
    int waited = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += WAIT_S;
    pthread_mutex_lock(&p->mutex);
    while (p->idle == NULL && p->made == p->size && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&p->freed, &p->mutex, &until);
    if (p->idle != NULL) {
        c = p->idle;
        p->idle = c->next;
        c->next = NULL;
    } else if (p->made < p->size) {
        c = connection_new(p->url, &p->counters);
        p->made++;
    }
    if (c != NULL)
        p->in_use++;
    pthread_mutex_unlock(&p->mutex);
    return c;
}

static void
give_back(struct db_pool *p, struct db_connection *c)
{
    pthread_mutex_lock(&p->mutex);
    c->next = p->idle;
    p->idle = c;
    p->in_use--;
    pthread_cond_signal(&p->freed);
    pthread_mutex_unlock(&p->mutex);
}

int
db_pool_get(struct db_pool *p, struct arena *a, struct db *ret, struct fault *f)
{
    struct db_connection *c = take(p);
    int r;

    if (c == NULL) {
        r = fault_raise(f, FAULT_UNAVAILABLE, "The service is busy; try again.");
        fault_add_cause(f, "all %u database connections are in use", p->size);
        return r;
    }
    r = connection_ready(c, f);
    if (r < 0) {
        give_back(p, c);
        return r;
    }
    *ret = (struct db){ .connection = c, .pool = p, .arena = a };
    return 0;
}

void
db_release(struct db *db)
{
    if (db->connection == NULL)
        return;
    connection_rollback(db->connection);
    give_back(db->pool, db->connection);
    *db = (struct db){ 0 };
}

void
pool_set_migrations(struct db_pool *p, const struct migration *migrations, size_t count)
{
    pthread_mutex_lock(&p->mutex);
    p->migrations = migrations;
    p->migrations_count = count;
    pthread_mutex_unlock(&p->mutex);
}

int
db_pool_check(struct db_pool *p, struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    const struct migration *migrations;
    size_t count;
    int r;

    r = db_pool_get(p, a, &db, f);
    if (r < 0)
        return r;
    pthread_mutex_lock(&p->mutex);
    migrations = p->migrations;
    count = p->migrations_count;
    pthread_mutex_unlock(&p->mutex);
    if (migrations == NULL) { /* Nobody migrated with this pool: it is enough to be there. */
        struct db_result ignored;

        return db_run(&db, NULL, "SELECT 1", NULL, 0, &ignored, f);
    }
    return schema_check(&db, migrations, count, f);
}

void
db_pool_stats(struct db_pool *p, struct db_pool_stats *ret)
{
    pthread_mutex_lock(&p->mutex);
    ret->in_use = p->in_use;
    pthread_mutex_unlock(&p->mutex);
    ret->size = p->size;
    ret->open = atomic_load(&p->counters.open);
    ret->reconnects = atomic_load(&p->counters.reconnects);
}

const char *
db_pool_url(const struct db_pool *p)
{
    return p->url;
}
