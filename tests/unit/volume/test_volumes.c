/* What may be done with a volume in which status; and what its status is, by its rows. */
#include <string.h>

#include "services/volume/volumes.h"
#include "tests/lib/pg.h"
#include "tests/unit/asserts.h"

extern const struct migration volume_migrations[];
extern const size_t volume_migrations_count;

static void
test_check_status(void **state)
{
    static const struct {
        enum volume_status status;
        unsigned allowed;
        const char *what;
        const char *refused; /* Part of the message; NULL: accepted. */
    } cases[] = {
        { VOLUME_STATUS_AVAILABLE, STATUS_BIT(AVAILABLE), NULL, NULL },
        { VOLUME_STATUS_IN_USE, STATUS_BIT(AVAILABLE) | STATUS_BIT(IN_USE), NULL, NULL },
        { VOLUME_STATUS_IN_USE, STATUS_BIT(AVAILABLE), NULL,
          "Volume v status must be available, but current status is: in-use." },
        { VOLUME_STATUS_ERROR, STATUS_BIT(AVAILABLE) | STATUS_BIT(IN_USE), "extend",
          "must be available, in-use to extend, but current status is: error." },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fault f = { 0 };
        int r = volume_check_status("v", cases[i].status, cases[i].allowed, cases[i].what, &f);

        if (cases[i].refused == NULL)
            assert_ok(r);
        else
            assert_fault(r, f, FAULT_INVALID, cases[i].refused);
    }
}

static void
run(struct db *db, const char *sql)
{
    struct db_result result;
    struct fault f = { 0 };

    if (db_run(db, NULL, sql, NULL, 0, &result, &f) < 0)
        fail_msg("%s: %s", sql, f.cause);
}

/* Each row: what is done, and the status that the volume has then. */
static void
test_derived_status(void **state)
{
    static const struct {
        const char *sql, *status;
    } steps[] = {
        { "INSERT INTO volume (id, project_id, user_id, size_gb, availability_zone) VALUES ('v', "
          "'p', 'u', 1, 'z')",
          "available" },
        { "INSERT INTO saga (id, name, version, object_id, request_id, project_id, user_id, "
          "step_name) VALUES ('s', 'volume.create', 1, 'v', '', '', '', 'fill')",
          "creating" },
        { "INSERT INTO saga (id, name, version, object_id, request_id, project_id, user_id, "
          "step_name) VALUES ('d', 'volume.delete', 1, 'v', '', '', '', 'remove')",
          "deleting" },
        { "UPDATE saga SET status = 'failed'", "available" },
        { "UPDATE volume SET state = 'error'", "error" },
        { "UPDATE volume SET state = 'ready'", "available" },
        { "INSERT INTO attachment (id, volume_id, project_id, instance, state) VALUES ('a', 'v', "
          "'p', 'i', 'reserved')",
          "reserved" },
        { "UPDATE attachment SET state = 'attaching'", "attaching" },
        { "UPDATE attachment SET state = 'attached'", "in-use" },
        { "INSERT INTO attachment (id, volume_id, project_id, instance, state) VALUES ('b', 'v', "
          "'p', 'j', 'reserved')",
          "in-use" },
        { "DELETE FROM attachment WHERE id = 'b'", "in-use" },
        { "INSERT INTO saga (id, name, version, object_id, request_id, project_id, user_id, "
          "step_name) VALUES ('t', 'volume.detach', 1, 'a', '', '', '', 'unexport')",
          "detaching" },
        { "UPDATE saga SET status = 'failed'", "in-use" },
        { "UPDATE attachment SET state = 'error_detaching'",
          "detaching" }, /* Not attachable by another before the agent has let go. */
        { "DELETE FROM attachment", "available" },
    };
    _cleanup_(pg_rollback) struct db db = { 0 };

    pg_begin(*state, &db);
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        struct volume row = { 0 };
        struct fault f = { 0 };

        run(&db, steps[i].sql);
        assert_ok(resource_load(&db, &volume_resource, "v", NULL, false, &row, &f));
        if (strcmp(volume_status_names[row.status], steps[i].status) != 0)
            fail_msg("step %zu: %s, not %s", i, volume_status_names[row.status], steps[i].status);
    }
}

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

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_check_status),
                                        cmocka_unit_test(test_derived_status) };

    return cmocka_run_group_tests(tests, setup, teardown);
}
