/* A PostgreSQL for tests: a fresh database per test program, a transaction that is rolled back per test.
 *
 * The server is the one that the environment's VIRGA_TEST_PG_URL names (its role must be allowed to create
 * databases; `make check` starts one for all programs), or else one of this program's own: in a folder below
 * $TMPDIR, on a unix socket, without fsync, as user nobody when the program is root. It ends with the program,
 * however that ends.
 *
 * Nothing here returns an error: a database that can't be had ends the program with the reason.
 *
 * In the group's setup:     *state = pg_open_migrated(volume_migrations, volume_migrations_count);
 * In the group's teardown:  pg_close(*state);
 * In each test:             _cleanup_(pg_rollback) struct db db = { 0 };
 *                           pg_begin(*state, &db);
 */
#pragma once

#include "db/migrate.h"
#include "db/pool.h"

struct pg;

/* A fresh, empty database. */
struct pg *pg_open(void);

/* A fresh database with the framework's migrations and 'migrations' applied. */
struct pg *pg_open_migrated(const struct migration *migrations, size_t count);

/* Drops the database, also from under connections to it. NULL does nothing. */
void pg_close(struct pg *p);

/* A libpq connection string of the database. */
const char *pg_url(const struct pg *p);

/* A pool of 8 connections to the database; closed by pg_close(). */
struct db_pool *pg_pool(struct pg *p);

/* Runs SQL without parameters, on a connection of its own, committed. */
void pg_exec(struct pg *p, const char *sql);

/* The first column of the first row as text (heap; NULL when there is none). */
char *pg_ask(struct pg *p, const char *sql);

/* A handle in a transaction that will not be committed; its arena ends with it. db_tx_begin() and
 * db_tx_commit() work in it (as savepoints, after-commit hooks included), and a statement that fails
 * takes back only itself. What it wrote is not seen by other connections: code that takes its own from a
 * pool is tested with pg_pool() and pg_exec("TRUNCATE ..."). */
void pg_begin(struct pg *p, struct db *ret);
void pg_rollback(struct db *db); /* For _cleanup_(pg_rollback). */
