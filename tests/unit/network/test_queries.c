/* Every statement of the network service against its own migrations. */
#include "../../lib/pg.h"
#include "../asserts.h"
#include "network_queries.h"

extern const struct migration network_migrations[];
extern const size_t network_migrations_count;

static int
setup(void **state)
{
    *state = pg_open_migrated(network_migrations, network_migrations_count);
    return 0;
}

static int
teardown(void **state)
{
    pg_close(*state);
    return 0;
}

static void
test_types(void **state)
{
    _cleanup_(pg_rollback) struct db db = { 0 };
    struct fault f = { 0 };

    pg_begin(*state, &db);
    if (network_queries_check(&db, &f) < 0)
        fail_msg("%s (%s)", f.message, f.cause);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
