#include "common/base/str.h"
#include "common/db/db.h"
#include "tests/lib/pg.h"
#include "tests/unit/asserts.h"

static int
setup(void **state)
{
    *state = pg_open();
    return 0;
}

static int
teardown(void **state)
{
    pg_close(*state);
    return 0;
}

/* What the database makes of a parameter cast to 'type': its text. */
static const char *
echo(struct db *db, struct db_param param, const char *type)
{
    struct fault f = { 0 };
    struct db_result answer;
    char sql[64];

    snprintf(sql, sizeof(sql), "SELECT $1::%s", type);
    if (db_run(db, NULL, sql, &param, 1, &answer, &f) < 0)
        fail_msg("%s: %s", sql, f.cause);
    assert_int_equal(answer.rows, 1);
    assert_int_equal(answer.columns, 1);
    return answer.values[0][0];
}

static void
test_numbers(void **state)
{
    static const int64_t integers[] = { 0, -1, 42, INT64_MAX, INT64_MIN };
    static const double doubles[] = { 0, -0.1, 1e300, 16.0, 1.0 / 3 };
    _cleanup_(pg_rollback) struct db db = { 0 };
    struct fault f = { 0 };
    int64_t integer;
    int32_t small;
    double number;

    pg_begin(*state, &db);
    for (size_t i = 0; i < ARRAY_SIZE(integers); i++) {
        assert_ok(db_read_int(echo(&db, db_int(db.arena, integers[i]), "int8"), &integer, &f));
        assert_true(integer == integers[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(doubles); i++) {
        assert_ok(
            db_read_double(echo(&db, db_double(db.arena, doubles[i]), "float8"), &number, &f));
        assert_true(number >= doubles[i] && number <= doubles[i]);
    }
    assert_ok(db_read_int4("-2147483648", &small, &f));
    assert_true(small == INT32_MIN);
    assert_fault(db_read_int4("2147483648", &small, &f), f, FAULT_INTERNAL, NULL);
    assert_fault(db_read_int("9223372036854775808", &integer, &f), f, FAULT_INTERNAL, NULL);
    assert_fault(db_read_int("1.5", &integer, &f), f, FAULT_INTERNAL, NULL);
    assert_fault(db_read_double("x", &number, &f), f, FAULT_INTERNAL, NULL);
}

static void
test_null(void **state)
{
    _cleanup_(pg_rollback) struct db db = { 0 };
    struct fault f = { 0 };
    struct texts texts = { .count = 7 };
    int64_t integer = 1, time_us = 1;
    double number = 1;
    bool truth = true;
    json_t *json = json_true();

    pg_begin(*state, &db);
    assert_null(echo(&db, db_text(NULL), "text"));
    assert_null(echo(&db, db_json(db.arena, NULL), "jsonb"));
    assert_null(echo(&db, db_texts(db.arena, NULL), "text[]"));
    assert_ok(db_read_int(NULL, &integer, &f));
    assert_ok(db_read_time(NULL, &time_us, &f));
    assert_ok(db_read_double(NULL, &number, &f));
    assert_ok(db_read_bool(NULL, &truth, &f));
    assert_ok(db_read_json(db.arena, NULL, &json, &f));
    assert_ok(db_read_texts(db.arena, NULL, &texts, &f));
    assert_int_equal(integer, 0);
    assert_int_equal(time_us, 0);
    assert_false(truth || number > 0);
    assert_null(json);
    assert_int_equal(texts.count, 0);
}

static void
test_text(void **state)
{
    static const char *const texts[] = {
        "", "plain", "'; DROP TABLE x; --", "zażółć 日本語 🦀", "\\x \"q\" \n\t", "%s%n"
    };
    _cleanup_(pg_rollback) struct db db = { 0 };

    pg_begin(*state, &db);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        assert_string_equal(echo(&db, db_text(texts[i]), "text"), texts[i]);
}

static void
test_bool(void **state)
{
    _cleanup_(pg_rollback) struct db db = { 0 };
    struct fault f = { 0 };
    bool truth;

    pg_begin(*state, &db);
    assert_ok(db_read_bool(echo(&db, db_bool(true), "bool"), &truth, &f));
    assert_true(truth);
    assert_ok(db_read_bool(echo(&db, db_bool(false), "bool"), &truth, &f));
    assert_false(truth);
    assert_fault(db_read_bool("true", &truth, &f), f, FAULT_INTERNAL, NULL);
}

static void
test_time(void **state)
{
    static const int64_t times[] = {
        0, 1, -1, 1795339162123456, 1795339162000000, 951782400000000
    };
    _cleanup_(pg_rollback) struct db db = { 0 };
    struct fault f = { 0 };
    int64_t time_us;

    pg_begin(*state, &db);
    for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
        assert_ok(
            db_read_time(echo(&db, db_time(db.arena, times[i]), "timestamptz"), &time_us, &f));
        assert_true(time_us == times[i]);
    }
    assert_fault(db_read_time("infinity", &time_us, &f), f, FAULT_INTERNAL, NULL);
}

static void
test_json(void **state)
{
    _cleanup_(pg_rollback) struct db db = { 0 };
    struct fault f = { 0 };
    json_auto_t *value =
        json_pack("{s:s, s:[i, n, b], s:{}}", "ü\"\\", "\n🦀", "list", 1, 1, "empty");
    json_t *back;

    assert_non_null(value);
    pg_begin(*state, &db);
    assert_ok(db_read_json(db.arena, echo(&db, db_json(db.arena, value), "jsonb"), &back, &f));
    assert_true(json_equal(value, back));
    assert_fault(db_read_json(db.arena, "{", &back, &f), f, FAULT_INTERNAL, NULL);
}

static void
test_texts(void **state)
{
    static const char *items[] = {
        "a", "", "b,c", "{x}", "q\"\\", "NULL", NULL, " blank ", "日本"
    };
    _cleanup_(pg_rollback) struct db db = { 0 };
    struct fault f = { 0 };
    struct texts back;

    pg_begin(*state, &db);
    for (size_t count = 0; count <= ARRAY_SIZE(items); count++) {
        struct texts texts = { items, count };

        assert_ok(
            db_read_texts(db.arena, echo(&db, db_texts(db.arena, &texts), "text[]"), &back, &f));
        assert_int_equal(back.count, count);
        for (size_t i = 0; i < count; i++)
            assert_true(str_equal(back.items[i], items[i]));
    }
}

static void
test_texts_refused(void **state)
{
    static const char *const texts[] = { "",         "a",        "{",         "{a",
                                         "{\"a}",    "{a}b",     "{{a},{b}}", "[0:0]={a}",
                                         "{\"a\"b}", "{a\"b\"}", "{\"a\\",    "{a\\" };
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    struct texts back;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        if (db_read_texts(a, texts[i], &back, &f) >= 0)
            fail_msg("'%s' was taken for an array", texts[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_null),
        cmocka_unit_test(test_text),    cmocka_unit_test(test_bool),
        cmocka_unit_test(test_time),    cmocka_unit_test(test_json),
        cmocka_unit_test(test_texts),   cmocka_unit_test(test_texts_refused),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
