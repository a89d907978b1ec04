/* What common/codegen/sql.py makes, run: the golden files of its own test, and the check of signatures. */
#include "common/base/str.h"
#include "common/codegen/tests/sql/widget_queries.c"
#include "db_queries.h"
#include "tests/lib/pg.h"
#include "tests/unit/asserts.h"

static const char schema[] = "CREATE TABLE widget (id uuid PRIMARY KEY, name text, project_id "
                             "text, status text NOT NULL DEFAULT 'new',"
                             "  size_gb bigint NOT NULL, parts integer, weight float8, ready "
                             "boolean NOT NULL, broken boolean,"
                             "  created_at timestamptz NOT NULL, deleted_at timestamptz, extra "
                             "jsonb NOT NULL, notes jsonb, tags text[] NOT NULL,"
                             "  hosts text[])";

#define ID "5f0c1d0e-8c5a-4f5e-9d35-3a1de2a50a01"

static int
setup(void **state)
{
    *state = pg_open();
    pg_exec(*state, schema);
    return 0;
}

static int
teardown(void **state)
{
    pg_close(*state);
    return 0;
}

static int
put(struct db *db, const char *id, const char *name, bool full, struct fault *f)
{
    static const char *items[] = { "a b", "\"" };
    const struct texts tags = { items, 2 };
    const int32_t parts = -3;
    const double weight = 0.5;
    const bool broken = true;
    const int64_t deleted_at = 2000000;
    json_auto_t *extra = json_pack("{s:i}", "k", 1);

    return widget_put(db, id, name, 5, full ? &parts : NULL, full ? &weight : NULL, true,
                      full ? &broken : NULL, 1000000, full ? &deleted_at : NULL, extra,
                      full ? extra : NULL, &tags, full ? &tags : NULL, f);
}

static void
test_all_types(void **state)
{
    _cleanup_(pg_rollback) struct db db = { 0 };
    struct fault f = { 0 };
    struct widget_row row = { 0 };

    pg_begin(*state, &db);
    assert_int_equal(put(&db, ID, "full", true, &f), 1);
    assert_int_equal(widget_find(&db, "full", &row, &f), 1);
    assert_string_equal(row.id, ID);
    assert_string_equal(row.name, "full");
    assert_int_equal(row.size_gb, 5);
    assert_true(row.ready && row.broken);
    assert_true(row.parts == -3 && row.weight > 0.4 && row.weight < 0.6);
    assert_false(row.parts_null || row.weight_null || row.broken_null || row.deleted_at_null ||
                 row.hosts_null);
    assert_int_equal(row.created_at, 1000000);
    assert_int_equal(row.deleted_at, 2000000);
    assert_int_equal(json_integer_value(json_object_get(row.extra, "k")), 1);
    assert_int_equal(json_integer_value(json_object_get(row.notes, "k")), 1);
    assert_int_equal(row.tags.count, 2);
    assert_string_equal(row.hosts.items[1], "\"");
}

static void
test_all_null(void **state)
{
    _cleanup_(pg_rollback) struct db db = { 0 };
    struct fault f = { 0 };
    struct widget_row *rows;
    size_t count = 1;

    pg_begin(*state, &db);
    assert_ok(widget_list(&db, &rows, &count, &f));
    assert_int_equal(count, 0);
    assert_int_equal(put(&db, ID, NULL, false, &f), 1);
    assert_ok(widget_list(&db, &rows, &count, &f));
    assert_int_equal(count, 1);
    assert_null(rows[0].name);
    assert_null(rows[0].notes);
    assert_true(rows[0].parts_null && rows[0].weight_null && rows[0].broken_null &&
                rows[0].deleted_at_null);
    assert_true(rows[0].hosts_null && rows[0].hosts.count == 0);
}

static void
test_modes(void **state)
{
    _cleanup_(pg_rollback) struct db db = { 0 };
    struct fault f = { 0 };
    struct widget_lock_row lock = { .size_gb = 77 };
    struct widget_total_row total;
    struct widget_row row;

    pg_begin(*state, &db);
    assert_int_equal(widget_find(&db, "none", &row, &f), 0);
    assert_fault(widget_lock(&db, ID, NULL, &lock, &f), f, FAULT_NOT_FOUND,
                 "Widget " ID " could not be found.");
    assert_int_equal(lock.size_gb, 77); /* Outputs are written on success only. */
    assert_int_equal(put(&db, ID, "x", false, &f), 1);
    assert_ok(widget_lock(&db, ID, NULL, &lock, &f));
    assert_string_equal(lock.status, "new");
    assert_int_equal(lock.size_gb, 5);
    assert_fault(widget_lock(&db, ID, "other", &lock, &f), f, FAULT_NOT_FOUND, NULL);
    assert_int_equal(put(&db, "5f0c1d0e-8c5a-4f5e-9d35-3a1de2a50a02", "x", false, &f), 1);
    assert_fault(widget_find(&db, "x", &row, &f), f, FAULT_INTERNAL, NULL);
    assert_non_null(strstr(f.cause, "2 rows"));
    assert_ok(widget_total(&db, &total, &f));
    assert_int_equal(total.total, 2);
    assert_int_equal(widget_remove_all(&db, &f), 2);
    assert_int_equal(widget_remove_all(&db, &f), 0);
}

static void
test_unexpected_null(void **state)
{
    _cleanup_(pg_rollback) struct db db = { 0 };
    struct fault f = { 0 };
    struct db_result answer;
    struct widget_lock_row lock;

    pg_begin(*state, &db);
    assert_int_equal(put(&db, ID, "x", false, &f), 1);
    assert_ok(
        db_run(&db, NULL, "ALTER TABLE widget ALTER status DROP NOT NULL", NULL, 0, &answer, &f));
    assert_ok(db_run(&db, NULL, "UPDATE widget SET status = NULL", NULL, 0, &answer, &f));
    assert_fault(widget_lock(&db, ID, NULL, &lock, &f), f, FAULT_INTERNAL, NULL);
    assert_non_null(strstr(f.cause, "widget_lock_row.status"));
}

static void
test_check(void **state)
{
    _cleanup_(pg_rollback) struct db db = { 0 };
    struct fault f = { 0 };
    struct db_result answer;

    pg_begin(*state, &db);
    if (widget_queries_check(&db, &f) < 0)
        fail_msg("%s%s", f.message, f.cause);
    assert_ok(
        db_run(&db, NULL, "ALTER TABLE widget ALTER parts TYPE bigint", NULL, 0, &answer, &f));
    assert_fault(widget_queries_check(&db, &f), f, FAULT_INTERNAL,
                 "column parts is int4, the statement gives bigint");
    assert_non_null(strstr(f.message, "widgets.sql:7: widget_find: column"));
    assert_non_null(
        strstr(f.message, "widget_put: parameter parts is int4, the statement takes bigint"));
    assert_ok(db_run(&db, NULL, "ALTER TABLE widget DROP status", NULL, 0, &answer, &f));
    assert_fault(widget_queries_check(&db, &f), f, FAULT_INTERNAL, "\"status\" does not exist");
}

static void
test_signatures(void **state)
{
    static const struct {
        const char *sql, *params, *columns;
        const char *wrong; /* NULL: nothing. */
    } cases[] = {
        { "SELECT 1::int4 AS a", "", "a int8", NULL },
        { "SELECT 1::int8 AS a", "", "a int4", "the statement gives bigint" },
        { "SELECT $1::int4 AS a", "x int8", "a int4", "the statement takes integer" },
        { "SELECT 'x'::text AS b, 'y'::text AS a", "", "a text, b text",
          "column a stands where the statement gives b" },
        { "SELECT 'x'::text AS other, 'y'::text AS b", "", "a text, b text", NULL },
        { "SELECT 1, 2", "", "a int4", "has 1 columns, the statement gives 2" },
        { "SELECT $1::text", "", "a text", "has 0 parameters, the statement 1" },
        { "SELECT now()", "", "a timestamptz?", NULL },
        { "SELECT localtimestamp", "", "a timestamptz", "timestamp without time zone" },
        { "SELECT sum(x) AS s FROM (VALUES (1::int8)) v (x)", "", "s int8", "numeric" },
        { "SELECT $1 IS NULL", "x text?", "a bool", "could not determine data type" },
        { "nonsense", "", NULL, "syntax error" },
    };
    struct fault f = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct db_signature s = { .name = "q",
                                        .where = "here:1",
                                        .sql = cases[i].sql,
                                        .params = cases[i].params,
                                        .columns = cases[i].columns };
        struct db db = { 0 };
        int r;

        pg_begin(*state, &db);
        r = db_check_signatures(&db, &s, 1, &f);
        pg_rollback(&db);
        if (cases[i].wrong == NULL && r < 0)
            fail_msg("%s: %s", cases[i].sql, f.message);
        if (cases[i].wrong != NULL)
            assert_fault(r, f, FAULT_INTERNAL, cases[i].wrong);
    }
}

/* The database layer's own queries. */
static void
test_own_queries(void **state)
{
    static const struct migration any[] = { { .number = 1, .name = "any", .sql = "SELECT 1" } };
    struct pg *own = pg_open_migrated(any, 1);
    struct db db = { 0 };
    struct fault f = { 0 };

    (void)state;
    pg_begin(own, &db);
    if (db_queries_check(&db, &f) < 0)
        fail_msg("%s", f.message);
    pg_rollback(&db);
    pg_close(own);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_types),       cmocka_unit_test(test_all_null),
        cmocka_unit_test(test_modes),           cmocka_unit_test(test_check),
        cmocka_unit_test(test_signatures),      cmocka_unit_test(test_own_queries),
        cmocka_unit_test(test_unexpected_null),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
