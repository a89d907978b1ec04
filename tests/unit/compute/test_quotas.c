#include "services/compute/quotas.h"

#include "tests/lib/pg.h"
#include "tests/unit/asserts.h"

extern const struct migration compute_migrations[];
extern const size_t compute_migrations_count;

static const struct compute_config config = { .quota_instances = 3,
                                              .quota_cores = 8,
                                              .quota_ram_mb = 4096,
                                              .quota_key_pairs = 2,
                                              .quota_metadata = 5 };
static struct compute compute = { .config = &config };

static int
setup(void **state)
{
    *state = pg_open_migrated(compute_migrations, compute_migrations_count);
    return 0;
}

static int
teardown(void **state)
{
    pg_close(*state);
    return 0;
}

/* One server of project p: 2 cores, 1024 MiB; one of project q that counts for nobody else. */
static void
add_servers(struct db *db)
{
    static const char *const rows[] = { "1', 'p", "2', 'q" };
    struct fault f = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *sql =
            arena_printf(db->arena,
                         "INSERT INTO server (id, project_id, user_id, name, hostname, vcpus, "
                         "memory_mb, disk_gb, flavor, image_facts, vm_state) "
                         "VALUES ('%s', 'u', 'n', 'n', 2, 1024, 1, '{}', '{}', 'active')",
                         rows[i]);
        struct db_result result;

        if (db_run(db, arena_printf(db->arena, "add_%zu", i), sql, NULL, 0, &result, &f) < 0)
            fail_msg("%s %s", f.message, f.cause);
    }
}

static int
claim(struct db *db, const char *project_id, const struct quota_wish *wish, struct fault *f)
{
    struct call call = { .arena = db->arena, .db = db, .service = &compute };
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };

    if (db_tx_begin(&tx, db, f) < 0)
        return -1;
    return quota_claim(&call, &tx, project_id, wish, f);
}

static void
test_claim(void **state)
{
    static const struct {
        const char *project;
        const char *name; /* A limit of the project's own. */
        int64_t limit;
        struct quota_wish wish;
        const char *refused; /* NULL: fits */
    } cases[] = {
        { "p", NULL, 0, { 2, 6, 3072 }, NULL }, /* Exactly what is left. */
        { "p",
          NULL,
          0,
          { 3, 3, 300 },
          "Quota exceeded for instances: Requested 3, but already used 1 of 3 instances" },
        { "p",
          NULL,
          0,
          { 1, 7, 300 },
          "Quota exceeded for cores: Requested 7, but already used 2 of 8 cores" },
        { "p",
          NULL,
          0,
          { 1, 1, 3073 },
          "Quota exceeded for ram: Requested 3073, but already used 1024 of 4096 ram" },
        { "new", NULL, 0, { 3, 8, 4096 }, NULL },
        { "new", NULL, 0, { 4, 8, 4096 }, "instances" },
        { "p", "instances", 1, { 1, 1, 1 }, "already used 1 of 1" },
        { "p", "instances", 0, { 1, 1, 1 }, "already used 1 of 0" },
        { "p", "instances", -1, { 100, 1, 1 }, NULL },
        { "p", "cores", -1, { 1, 1000000, 1 }, NULL },
        { "p", "ram", 1024, { 1, 1, 1 }, "ram" },
        { "q",
          "cores",
          2,
          { 1, 0, 1 },
          NULL }, /* Nothing more of what is full is no claim on it. */
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(pg_rollback) struct db db = { 0 };
        struct fault f = { 0 };
        int r;

        pg_begin(*state, &db);
        add_servers(&db);
        if (cases[i].name != NULL)
            assert_int_equal(quota_set_row(&db, cases[i].project, cases[i].name, cases[i].limit,
                                           &f),
                             1);
        r = claim(&db, cases[i].project, &cases[i].wish, &f);
        if (cases[i].refused != NULL) {
            if (r >= 0)
                fail_msg("case %zu fits", i);
            assert_fault(r, f, FAULT_QUOTA, cases[i].refused);
        } else if (r < 0) {
            fail_msg("case %zu: %s", i, f.message);
        }
    }
}

static void
test_limits(void **state)
{
    _cleanup_(pg_rollback) struct db db = { 0 };
    struct call call = { .service = &compute };
    struct fault f = { 0 };
    int64_t limit = 0;

    pg_begin(*state, &db);
    call.arena = db.arena;
    call.db = &db;
    assert_ok(quota_limit(&call, &db, "p", "metadata_items", &limit, &f));
    assert_int_equal(limit, 5);
    assert_int_equal(quota_set_row(&db, "p", "metadata_items", 7, &f), 1);
    assert_int_equal(quota_set_row(&db, "p", "metadata_items", 9, &f), 1); /* Again: replaced. */
    assert_ok(quota_limit(&call, &db, "p", "metadata_items", &limit, &f));
    assert_int_equal(limit, 9);
    assert_ok(quota_limit(&call, &db, "q", "metadata_items", &limit, &f));
    assert_int_equal(limit, 5);
    assert_int_equal(quota_forget(&db, "p", &f), 1);
    assert_ok(quota_limit(&call, &db, "p", "metadata_items", &limit, &f));
    assert_int_equal(limit, 5);
    assert_ok(quota_limit(&call, &db, "p", "no such name", &limit, &f));
    assert_int_equal(limit, -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_claim),
                                        cmocka_unit_test(test_limits) };

    return cmocka_run_group_tests(tests, setup, teardown);
}
