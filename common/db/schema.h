/* What the pool and the migrations tell each other. Private to common/db. */
#pragma once

#include "migrate.h"

/* Is the schema the one that the framework's migrations and 'migrations' make, or a newer one that works with this
 * build? FAULT_UNAVAILABLE when migrations are missing, FAULT_CONFLICT when the history is another. */
int schema_check(struct db *db, const struct migration *migrations, size_t count, struct fault *f);

/* Remembers what db_migrate() was given, for db_pool_check(). */
void pool_set_migrations(struct db_pool *p, const struct migration *migrations, size_t count);
