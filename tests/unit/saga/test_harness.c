#include "tests/lib/saga_harness.h"

#include "tests/lib/saga_toy.h"
#include "tests/unit/asserts.h"

static struct toy *toy;

static int
start(struct saga_runner *r, struct db_tx *tx, _unused_ void *service, struct fault *f)
{
    struct db_result result;
    int status = db_run(tx->db, NULL,
                        "INSERT INTO object (id, status) VALUES ('" TOY_OBJECT "', 'building')",
                        NULL, 0, &result, f);

    return status < 0 ? status : saga_start(r, tx, &toy_saga, TOY_OBJECT, NULL, f);
}

static int
start_broken(struct saga_runner *r, struct db_tx *tx, _unused_ void *service, struct fault *f)
{
    return saga_start(r, tx, &toy_broken_saga, TOY_OBJECT, NULL, f);
}

static void
test_good_saga(void **state)
{
    const struct saga_harness harness = {
        .saga = &toy_saga,
        .object_id = TOY_OBJECT,
        .service = toy,
        .reset = toy_reset,
        .start = start,
        .snapshot = toy_snapshot,
        .failure_shows = true,
    };

    saga_harness_run(&harness, *state);
}

static void
test_broken_saga_is_found(void **state)
{
    const struct saga_harness harness = {
        .saga = &toy_broken_saga,
        .object_id = TOY_OBJECT,
        .service = toy,
        .reset = toy_reset,
        .start = start_broken,
        .snapshot = toy_snapshot,
    };
    _cleanup_(str_done) struct str report = { 0 };

    assert_true(saga_harness_check(&harness, *state, &report) >= 4);
    assert_non_null(strstr(str_text(&report), "acts twice, step reserve: left another world"));
    assert_non_null(
        strstr(str_text(&report), "fails after the act, step reserve: left another world"));
    assert_non_null(
        strstr(str_text(&report), "killed after the act, step reserve: left another world"));
    assert_null(strstr(str_text(&report), "not killed"));
}

static int
group_setup(void **state)
{
    struct pg *pg = pg_open_migrated(NULL, 0);

    toy_create_tables(pg);
    toy = saga_harness_shared(sizeof(*toy));
    *state = pg;
    return 0;
}

static int
group_teardown(void **state)
{
    pg_close(*state);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_saga),
        cmocka_unit_test(test_broken_saga_is_found),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
