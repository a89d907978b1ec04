/* The statements of the service, against the schema that its migrations make. */
#include "tests/lib/pg.h"
#include "tests/unit/asserts.h"
#include "volume_queries.h"

extern const struct migration volume_migrations[];
extern const size_t volume_migrations_count;

static int
setup(void **state)
{
    *state = pg_open_migrated(volume_migrations, volume_migrations_count);
    return 0;
}

static int
teardown(void **state)
{
    pg_close(*state);
    return 0;
}

static void
test_signatures(void **state)
{
    _cleanup_(pg_rollback) struct db db = { 0 };
    struct fault f = { 0 };

    pg_begin(*state, &db);
    if (volume_queries_check(&db, &f) < 0)
        fail_msg("%s %s", f.message, f.cause);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_signatures) };

    return cmocka_run_group_tests(tests, setup, teardown);
}
