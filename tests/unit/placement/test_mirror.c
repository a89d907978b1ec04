/* The mirror's feed: what is committed is seen at the next read, whenever it began and whatever else is under way. */
#include "services/placement/mirror_state.h"

#include "db/tx.h"
#include "tests/lib/pg.h"
#include "tests/unit/asserts.h"

extern const struct migration placement_migrations[];
extern const size_t placement_migrations_count;

static struct pg *pg;

struct session {
    struct arena *arena;
    struct db db;
    struct db_tx tx;
};

static void
session_open(struct session *s)
{
    struct fault f = { 0 };

    *s = (struct session){ .arena = arena_new() };
    assert_ok(db_pool_get(pg_pool(pg), s->arena, &s->db, &f));
}

static void
session_done(struct session *s)
{
    db_tx_done(&s->tx);
    db_release(&s->db);
    arena_free(s->arena);
}

static void
run(struct session *s, const char *sql)
{
    struct db_result result;
    struct fault f = { 0 };

    if (db_run(&s->db, NULL, sql, NULL, 0, &result, &f) < 0)
        fail_msg("%s: %s %s", sql, f.message, f.cause);
}

static void
begin(struct session *s)
{
    struct fault f = { 0 };

    assert_ok(db_tx_begin(&s->tx, &s->db, &f));
}

static void
commit(struct session *s)
{
    struct fault f = { 0 };

    assert_ok(db_tx_commit(&s->tx, &f));
}

static const char *const insert_a =
    "INSERT INTO provider (uuid, name, root_id) VALUES ('a', 'a', currval('provider_id_seq'))";
static const char *const insert_b =
    "INSERT INTO provider (uuid, name, root_id) VALUES ('b', 'b', currval('provider_id_seq'))";

static int
setup(void **state)
{
    (void)state;
    pg = pg_open_migrated(placement_migrations, placement_migrations_count);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    pg_close(pg);
    return 0;
}

static int
empty(void **state)
{
    (void)state;
    pg_exec(pg, "DELETE FROM provider; DELETE FROM provider_change WHERE provider_id <> 0");
    return 0;
}

static bool
sees(struct mirror *m, struct session *s, const char *uuid)
{
    struct fault f = { 0 };
    bool found;

    assert_ok(mirror_read(m, &s->db, &f));
    found = mirror_find(m, uuid) != NULL;
    mirror_done(m);
    return found;
}

/* A began first and commits last; B is seen before, A after, and a third who never commits holds nobody up. */
static void
test_late_commit(void **state)
{
    struct session a, b, reader, idle;
    struct mirror *m = mirror_new();

    (void)state;
    session_open(&a);
    session_open(&b);
    session_open(&reader);
    session_open(&idle);
    begin(&idle);
    run(&idle,
        "INSERT INTO trait (name) VALUES ('CUSTOM_NEVER')"); /* Takes the lowest transaction id. */
    assert_false(sees(m, &reader, "a"));
    begin(&a);
    run(&a, insert_a);
    begin(&b);
    run(&b, insert_b);
    commit(&b);
    assert_true(sees(m, &reader, "b"));
    assert_false(sees(m, &reader, "a"));
    run(&b, "UPDATE provider SET generation = generation + 1 WHERE uuid = 'b'");
    assert_true(sees(m, &reader, "b"));
    commit(&a);
    assert_true(sees(m, &reader, "a"));
    assert_true(sees(m, &reader, "b"));
    session_done(&idle);
    session_done(&a);
    session_done(&b);
    session_done(&reader);
    mirror_free(m);
}

static void
test_rollback_and_end(void **state)
{
    struct session s, reader;
    struct mirror *m = mirror_new();

    (void)state;
    session_open(&s);
    session_open(&reader);
    begin(&s);
    run(&s, insert_a);
    assert_false(sees(m, &reader, "a"));
    db_tx_done(&s.tx);
    assert_false(sees(m, &reader, "a"));
    run(&s, insert_a);
    assert_true(sees(m, &reader, "a"));
    run(&s, "DELETE FROM provider");
    assert_false(sees(m, &reader, "a"));
    run(&s, insert_a); /* The same UUID, another provider. */
    assert_true(sees(m, &reader, "a"));
    session_done(&s);
    session_done(&reader);
    mirror_free(m);
}

static void
test_content(void **state)
{
    struct session s;
    struct mirror *m = mirror_new();
    const struct mirror_provider *p;
    const struct mirror_stock *stock;
    struct fault f = { 0 };
    size_t count;

    (void)state;
    session_open(&s);
    assert_false(sees(m, &s, "a"));
    run(&s, insert_a);
    run(&s, "INSERT INTO provider (uuid, name, parent_id, root_id) SELECT 'c', 'c', id, id FROM "
            "provider WHERE uuid = 'a'");
    run(&s, "INSERT INTO inventory SELECT id, 0, 8, 2, 1, 4, 2, 16.0, 6 FROM provider WHERE uuid = "
            "'a'");
    run(&s, "INSERT INTO inventory SELECT id, 1, 1024, 0, 1, 1024, 1, 1.5, 0 FROM provider WHERE "
            "uuid = 'a'");
    run(&s, "INSERT INTO provider_trait SELECT p.id, t.id FROM provider p, trait t WHERE p.uuid = "
            "'a' AND t.name IN "
            "('MISC_SHARES_VIA_AGGREGATE', 'HW_CPU_X86_AVX2')");
    run(&s, "INSERT INTO provider_aggregate SELECT id, 'agg' FROM provider WHERE uuid = 'a'");
    run(&s, "UPDATE provider SET generation = 7 WHERE uuid = 'a'");
    assert_ok(mirror_read(m, &s.db, &f));
    p = mirror_find(m, "a");
    assert_non_null(p);
    assert_int_equal(p->generation, 7);
    assert_true(p->sharing);
    assert_null(p->parent);
    stock = mirror_stock(p, mirror_class_id(m, "VCPU"));
    assert_non_null(stock);
    assert_int_equal(stock->total, 8);
    assert_int_equal(stock->reserved, 2);
    assert_int_equal(stock->max_unit, 4);
    assert_int_equal(stock->step_size, 2);
    assert_int_equal(stock->used, 6);
    assert_true(stock->allocation_ratio > 15.9 && stock->allocation_ratio < 16.1);
    assert_non_null(mirror_stock(p, mirror_class_id(m, "MEMORY_MB")));
    assert_null(mirror_stock(p, mirror_class_id(m, "DISK_GB")));
    assert_true(mirror_has_trait(p, mirror_trait_id(m, "HW_CPU_X86_AVX2")));
    assert_false(mirror_has_trait(p, mirror_trait_id(m, "HW_CPU_X86_AVX")));
    assert_true(mirror_in_aggregate(p, mirror_aggregate_id(m, "agg")));
    assert_ptr_equal(mirror_find(m, "c")->parent, p);
    assert_ptr_equal(mirror_find(m, "c")->tree, p->tree);
    mirror_sharing(m, &count);
    assert_int_equal(count, 1);
    mirror_trees(m, &count);
    assert_int_equal(count, 1);
    mirror_done(m);

    run(&s, "UPDATE provider SET parent_id = NULL, root_id = id WHERE uuid = 'c'");
    run(&s, "DELETE FROM provider_trait");
    run(&s, "UPDATE provider SET generation = 8 WHERE uuid = 'a'");
    assert_ok(mirror_read(m, &s.db, &f));
    assert_null(mirror_find(m, "c")->parent);
    mirror_sharing(m, &count);
    assert_int_equal(count, 0);
    mirror_trees(m, &count);
    assert_int_equal(count, 2);
    mirror_done(m);
    session_done(&s);
    mirror_free(m);
}

/* Rows newer than the list of changes: a parent that nobody has told of yet, and one that ended before its child did. */
static void
test_half_told(void **state)
{
    static char a[] = "a", b[] = "b";
    struct mirror_state_row below = { .id = 5, .uuid = a, .name = a, .parent_id = 4, .root_id = 4 };
    struct mirror_state_row parent = {
        .id = 4, .uuid = b, .name = b, .parent_id_null = true, .root_id = 4
    };
    struct mirror_state_row gone = { .id = 4 };
    struct mirror_state s;

    (void)state;
    mirror_state_init(&s);
    assert_false(mirror_state_apply(&s, &below, 1));
    assert_null(s.providers[0]->parent);
    assert_ptr_equal(mirror_root(s.providers[0]), s.providers[0]);
    assert_true(mirror_state_apply(&s, &parent, 1));
    assert_true(mirror_state_apply(&s, &below, 1));
    assert_ptr_equal(s.providers[1]->parent, s.providers[0]);
    assert_false(mirror_state_apply(&s, &gone, 1));
    assert_int_equal(s.providers_count, 1);
    assert_null(s.providers[0]->parent);
    mirror_state_done(&s);
}

static void
test_names(void **state)
{
    struct session s;
    struct mirror *m = mirror_new();
    struct fault f = { 0 };

    (void)state;
    session_open(&s);
    assert_ok(mirror_refresh(m, &s.db, &f));
    run(&s, "INSERT INTO trait (name) VALUES ('CUSTOM_NEW')");
    run(&s, "INSERT INTO resource_class (name) VALUES ('CUSTOM_OLD')");
    assert_ok(mirror_read(m, &s.db, &f));
    assert_true(mirror_trait_id(m, "CUSTOM_NEW") >= 0);
    assert_int_equal(mirror_class_id(m, "CUSTOM_OLD"), 10000);
    mirror_done(m);
    run(&s, "DELETE FROM trait WHERE name = 'CUSTOM_NEW'");
    run(&s, "UPDATE resource_class SET name = 'CUSTOM_BETTER' WHERE id = 10000");
    assert_ok(mirror_read(m, &s.db, &f));
    assert_int_equal(mirror_trait_id(m, "CUSTOM_NEW"), -1);
    assert_int_equal(mirror_class_id(m, "CUSTOM_OLD"), -1);
    assert_string_equal(mirror_class_name(m, 10000), "CUSTOM_BETTER");
    mirror_done(m);
    session_done(&s);
    mirror_free(m);
}

/* Connections that broke: the database may have become another one, so all is read again; and nothing is lost in between. */
static void
test_reconnect(void **state)
{
    struct session s;
    struct mirror *m = mirror_new();
    struct fault f = { 0 };

    (void)state;
    session_open(&s);
    run(&s, insert_a);
    assert_true(sees(m, &s, "a"));
    pg_exec(pg, "DELETE FROM provider");
    pg_exec(
        pg,
        "DELETE FROM provider_change WHERE provider_id <> 0"); /* As if another database had never known it. */
    pg_exec(pg, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> "
                "pg_backend_pid() AND datname = current_database()");
    while (mirror_refresh(m, &s.db, &f) <
           0) /* The first use notices that the connection is gone. */
        fault_clear(&f);
    assert_false(sees(m, &s, "a"));
    session_done(&s);
    mirror_free(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_late_commit, empty),
        cmocka_unit_test_setup(test_rollback_and_end, empty),
        cmocka_unit_test_setup(test_content, empty),
        cmocka_unit_test_setup(test_names, empty),
        cmocka_unit_test_setup(test_reconnect, empty),
        cmocka_unit_test(test_half_told),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
