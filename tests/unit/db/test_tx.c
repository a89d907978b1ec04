#include "common/base/str.h"
#include "common/db/connection.h"
#include "common/db/tx.h"
#include "tests/lib/pg.h"
#include "tests/unit/asserts.h"

static const char schema[] =
    "CREATE TABLE owner (id text PRIMARY KEY);"
    "CREATE TABLE thing (id text CONSTRAINT thing_id_key UNIQUE, size int CHECK (size > 0),"
    "  owner_id text CONSTRAINT thing_owner_fkey REFERENCES owner);";

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
empty(void **state)
{
    pg_exec(*state, "TRUNCATE owner, thing");
    return 0;
}

static int
add(struct db *db, const char *id, struct fault *f)
{
    const struct db_param params[] = { db_text(id) };
    struct db_result answer;
    int r;

    r = db_run(db, "test_add", "INSERT INTO thing (id) VALUES ($1)", params, 1, &answer, f);
    if (r >= 0)
        assert_int_equal(answer.touched, 1);
    return r;
}

static void
assert_things(struct pg *p, const char *want)
{
    char *count = pg_ask(p, "SELECT count(*) FROM thing");

    assert_string_equal(count, want);
    free(count);
}

/* Returns before its commit, as guards do. */
static int
add_and_leave(struct db *db, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };

    assert_ok(db_tx_begin(&tx, db, f));
    assert_ok(add(db, "early", f));
    return fault_raise(f, FAULT_INVALID, "enough");
}

static void
test_early_return_rolls_back(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    struct fault f = { 0 };

    assert_ok(db_pool_get(pg_pool(*state), a, &db, &f));
    assert_fault(add_and_leave(&db, &f), f, FAULT_INVALID, "enough");
    assert_things(*state, "0");
    assert_ok(add(&db, "alone", &f)); /* Outside a transaction: commits by itself. */
    assert_things(*state, "1");
}

static char order[8];

static void
note(void *object)
{
    size_t size = strlen(order);

    order[size] = *(const char *)object;
    order[size + 1] = '\0';
}

static void
test_after_commit(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    struct fault f = { 0 };
    struct db_tx tx = { 0 };
    char first[] = "1", second[] = "2";

    order[0] = '\0';
    assert_ok(db_pool_get(pg_pool(*state), a, &db, &f));
    assert_ok(db_tx_begin(&tx, &db, &f));
    db_tx_after_commit(&tx, note, first);
    db_tx_after_commit(&tx, note, second);
    assert_ok(add(&db, "x", &f));
    assert_string_equal(order, "");
    assert_ok(db_tx_commit(&tx, &f));
    assert_string_equal(order, "12");
    db_tx_done(&tx); /* Nothing more. */
    assert_things(*state, "1");

    assert_ok(db_tx_begin(&tx, &db, &f));
    db_tx_after_commit(&tx, note, first);
    db_tx_done(&tx);
    assert_string_equal(order, "12");

    assert_ok(db_tx_begin(&tx, &db, &f)); /* One that can't be committed. */
    db_tx_after_commit(&tx, note, first);
    assert_fault(add(&db, "x", &f), f, FAULT_CONFLICT, NULL);
    assert_fault(db_tx_commit(&tx, &f), f, FAULT_INTERNAL, NULL);
    assert_string_equal(order, "12");
    assert_ok(add(&db, "y", &f)); /* Its transaction is over. */
    assert_things(*state, "2");
}

static int
note_last(void *object, struct db_tx *tx, struct fault *f)
{
    note(object);
    return *(const char *)object == '!' ? fault_raise(f, FAULT_INVALID, "not so")
                                        : add(tx->db, object, f);
}

static void
test_before_commit(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    struct fault f = { 0 };
    struct db_tx tx = { 0 };
    char first[] = "1", second[] = "2", refuses[] = "!", after[] = "a";

    order[0] = '\0';
    assert_ok(db_pool_get(pg_pool(*state), a, &db, &f));
    assert_ok(db_tx_begin(&tx, &db, &f));
    assert_null(db_tx_told(&tx, note_last));
    db_tx_after_commit(&tx, note, after);
    db_tx_before_commit(&tx, note_last, first);
    db_tx_before_commit(&tx, note_last, second);
    assert_ptr_equal(db_tx_told(&tx, note_last), first);
    assert_ok(add(&db, "x", &f));
    assert_string_equal(order, "");
    assert_ok(db_tx_commit(&tx, &f));
    assert_string_equal(order, "12a");
    assert_things(*state, "3");

    assert_ok(db_tx_begin(&tx, &db, &f)); /* Rolled back: it is not asked. */
    db_tx_before_commit(&tx, note_last, first);
    db_tx_done(&tx);
    assert_string_equal(order, "12a");

    assert_ok(db_tx_begin(&tx, &db, &f)); /* One says no. */
    db_tx_after_commit(&tx, note, after);
    db_tx_before_commit(&tx, note_last, refuses);
    db_tx_before_commit(&tx, note_last, second);
    assert_ok(add(&db, "y", &f));
    assert_fault(db_tx_commit(&tx, &f), f, FAULT_INVALID, "not so");
    assert_string_equal(order, "12a!");
    assert_things(*state, "3");
}

static void
test_misuse(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    struct fault f = { 0 };
    struct db_tx tx = { 0 }, second = { 0 };

    assert_ok(db_pool_get(pg_pool(*state), a, &db, &f));
    assert_fault(db_tx_commit(&tx, &f), f, FAULT_INTERNAL, NULL);
    assert_ok(db_tx_begin(&tx, &db, &f));
    assert_fault(db_tx_begin(&second, &db, &f), f, FAULT_INTERNAL, NULL);
    db_tx_done(&second);
    assert_ok(add(&db, "x", &f));
    assert_ok(db_tx_commit(&tx, &f));
    assert_things(*state, "1");
}

static void
test_errors(void **state)
{
    static const struct {
        const char *sql;
        enum fault_kind kind;
        const char *code;
    } cases[] = {
        { "INSERT INTO thing (id) VALUES ('a'), ('a')", FAULT_CONFLICT, "thing_id_key" },
        { "INSERT INTO thing (id, owner_id) VALUES ('b', 'nobody')", FAULT_CONFLICT,
          "thing_owner_fkey" },
        { "INSERT INTO thing (id, size) VALUES ('c', -1)", FAULT_INTERNAL, "" },
        { "SELECT 1/0", FAULT_INTERNAL, "" },
        { "SELECT", FAULT_NONE, "" },
        { "SELECT * FROM nothing_there", FAULT_INTERNAL, "" },
        { "DO $$ BEGIN RAISE SQLSTATE '40001'; END $$", FAULT_UNAVAILABLE, "" },
        { "DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$", FAULT_UNAVAILABLE, "" },
        { "DO $$ BEGIN RAISE SQLSTATE '53300'; END $$", FAULT_UNAVAILABLE, "" },
        { "DO $$ BEGIN RAISE SQLSTATE '25006'; END $$", FAULT_UNAVAILABLE, "" },
        { "DO $$ BEGIN RAISE SQLSTATE '23514'; END $$", FAULT_INTERNAL, "" },
        { "COPY thing TO STDOUT", FAULT_INTERNAL, "" },
    };
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    struct fault f = { 0 };

    assert_ok(db_pool_get(pg_pool(*state), a, &db, &f));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct db_result answer;
        int r = db_run(&db, NULL, cases[i].sql, NULL, 0, &answer, &f);

        if (cases[i].kind == FAULT_NONE) {
            assert_ok(r);
            continue;
        }
        assert_fault(r, f, cases[i].kind, NULL);
        assert_string_equal(f.code, cases[i].code);
        assert_true(f.cause[0] != '\0');
        assert_null(strstr(f.message, "thing")); /* Names of tables are for the log. */
    }
}

static void
test_lock(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    static const char is_free[] =
        "SELECT pg_try_advisory_xact_lock(hashtextextended('quota:p', 0))";
    struct fault f = { 0 };
    char *answer;

    assert_ok(db_pool_get(pg_pool(*state), a, &db, &f));
    assert_ok(db_tx_begin(&tx, &db, &f));
    assert_ok(db_tx_lock(&tx, "quota:p", &f));
    answer = pg_ask(*state, is_free);
    assert_string_equal(answer, "f");
    free(answer);
    assert_ok(db_tx_commit(&tx, &f));
    answer = pg_ask(*state, is_free);
    assert_string_equal(answer, "t");
    free(answer);
}

/* The tests' own transaction: inner ones work in it, and nothing stays. */
static void
test_within_a_tests_transaction(void **state)
{
    struct db db = { 0 };
    struct fault f = { 0 };
    struct db_tx tx = { 0 }, inner = { 0 };
    char mark[] = "x";

    order[0] = '\0';
    pg_begin(*state, &db);
    assert_ok(add(&db, "a", &f));
    assert_fault(add(&db, "a", &f), f, FAULT_CONFLICT, NULL);
    assert_ok(add(&db, "b", &f)); /* The failed one took back only itself. */

    assert_ok(db_tx_begin(&tx, &db, &f));
    assert_fault(db_tx_begin(&inner, &db, &f), f, FAULT_INTERNAL, NULL);
    db_tx_after_commit(&tx, note, mark);
    assert_ok(add(&db, "c", &f));
    assert_ok(db_tx_commit(&tx, &f));
    assert_string_equal(order, "x");

    assert_ok(db_tx_begin(&tx, &db, &f));
    assert_ok(add(&db, "d", &f));
    assert_fault(add(&db, "d", &f), f, FAULT_CONFLICT, NULL);
    assert_fault(add(&db, "e", &f), f, FAULT_INTERNAL, NULL); /* As in any transaction. */
    db_tx_done(&tx);

    struct db_result answer;

    assert_ok(db_run(&db, NULL, "SELECT string_agg(id, '' ORDER BY id) FROM thing", NULL, 0,
                     &answer, &f));
    assert_string_equal(answer.values[0][0], "abc");
    pg_rollback(&db);
    assert_things(*state, "0");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_early_return_rolls_back, empty),
        cmocka_unit_test_setup(test_after_commit, empty),
        cmocka_unit_test_setup(test_before_commit, empty),
        cmocka_unit_test_setup(test_misuse, empty),
        cmocka_unit_test_setup(test_errors, empty),
        cmocka_unit_test_setup(test_lock, empty),
        cmocka_unit_test_setup(test_within_a_tests_transaction, empty),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
