/* Migrations, each in a transaction that holds the one migration lock: the history is read again under the lock, so
 * whoever comes second finds the work done. When there is nothing to do no lock is taken. */
#include "migrate.h"

#include <openssl/sha.h>

#include "../base/str.h"
#include "connection.h"
#include "db_queries.h"
#include "schema.h"
#include "tx.h"

#define WORKS_WITH_OLDER "-- works-with-older-builds\n"

/* Migrations of one set. */
struct set {
    const char *name;
    const struct migration *migrations;
    size_t count;
};

static int
set_init(struct set *ret, const struct migration *migrations, size_t count, struct fault *f)
{
    const char *name = migrations[0].set != NULL ? migrations[0].set : "service";

    for (size_t i = 0; i < count; i++)
        if (migrations[i].number <= (i == 0 ? 0 : migrations[i - 1].number))
            return fault_raise(f, FAULT_CONFLICT,
                               "Migrations of %s are not in the order of their numbers: %d %s.",
                               name, migrations[i].number, migrations[i].name);
    *ret = (struct set){ name, migrations, count };
    return 0;
}

static const char *
digest_of(struct arena *a, const char *sql)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];

    SHA256((const unsigned char *)sql, strlen(sql), digest);
    return str_hex(a, digest, sizeof(digest));
}

/* Does the text have the line that says so? */
static bool
works_with_older(const char *sql)
{
    return str_starts(sql, WORKS_WITH_OLDER) || strstr(sql, "\n" WORKS_WITH_OLDER) != NULL;
}

/* Is what was applied what this build has, as far as both go? Numbers may have gaps, the history may not: a migration that
 * comes between others is one that no database may have passed already. In 'ret_pending' the index of the first migration to
 * apply. */
static int
compare(struct arena *a, const struct set *set, const struct migration_history_row *rows,
        size_t rows_count, size_t *ret_pending, struct fault *f)
{
    for (size_t i = 0; i < rows_count; i++) {
        if (i < set->count && rows[i].number != set->migrations[i].number)
            return fault_raise(f, FAULT_CONFLICT,
                               "The database's history of %s has a gap before %d %s.", set->name,
                               rows[i].number, rows[i].name);
        if (i < set->count && !str_equal(rows[i].sha256, digest_of(a, set->migrations[i].sql)))
            return fault_raise(f, FAULT_CONFLICT,
                               "Migration %s %d %s is not what was applied to the database under "
                               "that number (%s).",
                               set->name, rows[i].number, set->migrations[i].name, rows[i].name);
        if (i >= set->count && !rows[i].works_with_older)
            return fault_raise(
                f, FAULT_CONFLICT,
                "The database has migration %s %d %s, which this build is too old for.", set->name,
                rows[i].number, rows[i].name);
    }
    *ret_pending = MIN(rows_count, set->count);
    return 0;
}

static int
check_set(struct db *db, const struct set *set, size_t *ret_pending, struct fault *f)
{
    struct migration_table_exists_row table;
    struct migration_history_row *rows;
    size_t rows_count;
    int r;

    r = migration_table_exists(db, &table, f);
    if (r < 0)
        return r;
    if (!table.found) {
        *ret_pending = 0;
        return 0;
    }
    r = migration_history(db, set->name, &rows, &rows_count, f);
    if (r < 0)
        return r;
    return compare(db->arena, set, rows, rows_count, ret_pending, f);
}

/* Applies the next migration that is not applied. Returns how many are left, this one included; 0: all done. */
static int
apply_next(struct db *db, const struct set *set, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    const struct migration *m;
    size_t pending = 0;
    int r;

    r = db_tx_begin(&tx, db, f);
    if (r < 0)
        return r;
    r = migration_lift_deadlines(db, f);
    if (r < 0)
        return r;
    r = migration_lock(db, f);
    if (r < 0)
        return r;
    r = migration_table_create(db, f);
    if (r < 0)
        return r;
    r = check_set(db, set, &pending, f);
    if (r < 0)
        return r;
    if (pending == set->count)
        return 0;

    m = &set->migrations[pending];
    r = connection_script(db->connection, m->sql, f);
    if (r >= 0)
        r = migration_record(db, set->name, m->number, m->name, digest_of(db->arena, m->sql),
                             works_with_older(m->sql), f);
    if (r >= 0)
        r = db_tx_commit(&tx, f);
    if (r < 0)
        return fault_add_cause(f, "migration %s %d %s", set->name, m->number, m->name);
    return (int)(set->count - pending);
}

static int
bring_up(struct db *db, const struct migration *migrations, size_t count, struct fault *f)
{
    struct set set;
    size_t pending = 0;
    int r;

    if (count == 0)
        return 0;
    r = set_init(&set, migrations, count, f);
    if (r < 0)
        return r;
    r = check_set(db, &set, &pending, f);
    if (r < 0 || pending == count)
        return r;
    do
        r = apply_next(db, &set, f);
    while (r > 1);
    return r < 0 ? r : 0;
}

int
db_migrate(struct db_pool *p, const struct migration *migrations, size_t count, struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    struct db_connection *c;
    int r;

    r = db_pool_get(p, a, &db, f);
    if (r < 0)
        return r;
    c = db.connection;
    c->answer_deadline_ms = -1;
    r = bring_up(&db, framework_migrations, framework_migrations_count, f);
    if (r >= 0)
        r = bring_up(&db, migrations, count, f);
    c->answer_deadline_ms = CONNECTION_ANSWER_DEADLINE_MS;
    if (r < 0)
        return r;
    pool_set_migrations(p, migrations, count);
    return 0;
}

static int
check_complete(struct db *db, const struct migration *migrations, size_t count, struct fault *f)
{
    struct set set;
    size_t pending = 0;
    int r;

    if (count == 0)
        return 0;
    r = set_init(&set, migrations, count, f);
    if (r < 0)
        return r;
    r = check_set(db, &set, &pending, f);
    if (r < 0)
        return r;
    if (pending < count)
        return fault_raise(f, FAULT_UNAVAILABLE, "The database lacks migration %s %d %s.", set.name,
                           migrations[pending].number, migrations[pending].name);
    return 0;
}

int
schema_check(struct db *db, const struct migration *migrations, size_t count, struct fault *f)
{
    int r;

    r = check_complete(db, framework_migrations, framework_migrations_count, f);
    if (r < 0)
        return r;
    return check_complete(db, migrations, count, f);
}
