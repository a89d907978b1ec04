/* Migrations: SQL files built into the daemon, run once each, in order, forward only, under an advisory lock,
 * so that any number of daemons may start at once.
 *
 * migrations/<set>/NNNN-what-changes.sql, in the order of their numbers, which may have gaps; common/codegen/migrations.py makes
 * gen/<set>_migrations.[ch] of them. Each file is one transaction with its row in table schema_migration. Its text may
 * not change once it was applied anywhere: the digest is compared. A file that leaves older daemons working says so
 * in a line "-- works-with-older-builds". */
#pragma once

#include "pool.h"

struct migration {
    int number; /* From the file name NNNN-what-changes.sql. */
    const char *name;
    const char *sql;
    const char *set; /* The folder's name; NULL: "service". */
};

/* The framework's own tables, brought up to date first in every service's database (migrations/framework). */
extern const struct migration framework_migrations[];
extern const size_t framework_migrations_count;

/* Brings the schema to the newest of 'migrations' (ascending). A database that is newer than this build is
 * accepted when its migrations say so (N+1 must work with N): only a gap or another history is a fault.
 * The pool remembers the list for db_pool_check(), so it must live as long. */
int db_migrate(struct db_pool *p, const struct migration *migrations, size_t count,
               struct fault *f);
