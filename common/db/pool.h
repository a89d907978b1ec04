/* A pool of connections to one database. Thread-safe. */
#pragma once

#include "db.h"

/* Connects lazily, at most 'size' connections. 'url' is a libpq connection string or URI. */
int db_pool_open(struct db_pool **ret, const char *url, unsigned size, struct fault *f);
void db_pool_close(struct db_pool *p);

/* A handle whose results live in 'a'. Waits at most 5 s for a free connection (FAULT_UNAVAILABLE). */
int db_pool_get(struct db_pool *p, struct arena *a, struct db *ret, struct fault *f);
/* Gives it back; an open transaction is rolled back. { 0 } does nothing. For _cleanup_(db_release). */
void db_release(struct db *db);

/* Can the database be reached, and is its schema the one of this build? For /readyz. */
int db_pool_check(struct db_pool *p, struct fault *f);

struct db_pool_stats {
    unsigned open, in_use, size;
    uint64_t reconnects;
};
void db_pool_stats(struct db_pool *p, struct db_pool_stats *ret);

/* The URL a pool connects to, for code that needs a connection of its own (LISTEN, advisory locks). */
const char *db_pool_url(const struct db_pool *p);
