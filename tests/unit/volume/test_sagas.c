/* Every way that the making of volumes, snapshots and exports can go wrong: afterwards rows and agent must agree. */
#include <string.h>

#include "base/str.h"
#include "services/volume/agent.h"
#include "services/volume/sagas.h"
#include "tests/lib/saga_harness.h"
#include "tests/unit/asserts.h"

extern const struct migration volume_migrations[];
extern const size_t volume_migrations_count;

/* An agent that remembers what it was asked for, in memory that killed runs share. */
struct held {
    char what[16]; /* "volume", "snapshot", "export"; "" free */
    char id[64];
};
static struct held *held;
enum { HELD_MAX = 16 };

static struct held *
find(const char *what, const char *id)
{
    for (size_t i = 0; i < HELD_MAX; i++) {
        if (strcmp(held[i].what, what) == 0 && strcmp(held[i].id, id) == 0)
            return &held[i];
    }
    return NULL;
}

static int
hold(const char *what, const char *id)
{
    for (size_t i = 0; i < HELD_MAX && find(what, id) == NULL; i++) {
        if (held[i].what[0] == '\0') {
            snprintf(held[i].id, sizeof(held[i].id), "%s", id);
            snprintf(held[i].what, sizeof(held[i].what), "%s", what);
        }
    }
    return 0;
}

static int
drop(const char *what, const char *id)
{
    struct held *x = find(what, id);

    if (x != NULL)
        x->what[0] = '\0';
    return 0;
}

static int
sim_create(struct rpc *rpc, const char *host, const char *operation, struct arena *a,
           const struct volume_create_in *in, struct fault *f)
{
    (void)rpc, (void)operation, (void)a, (void)f;
    assert_string_equal("h", host);
    return hold("volume", in->volume_id);
}

static int
sim_remove(struct rpc *rpc, const char *host, const char *operation, struct arena *a,
           const struct volume_delete_in *in, struct fault *f)
{
    (void)rpc, (void)operation, (void)a, (void)f;
    assert_string_equal("h", host);
    return drop("volume", in->volume_id);
}

static int
sim_export(struct rpc *rpc, const char *host, const char *operation, struct arena *a,
           const struct volume_export_in *in, struct volume_export_out *out, struct fault *f)
{
    (void)rpc, (void)operation, (void)f;
    out->connection_info = ARENA_NEW(a, struct volume_connection);
    out->connection_info->host = host;
    field_mark(&out->connection_info->set, VOLUME_CONNECTION_F_HOST);
    return hold("export", in->attachment_id);
}

static int
sim_unexport(struct rpc *rpc, const char *host, const char *operation, struct arena *a,
             const struct volume_unexport_in *in, struct fault *f)
{
    (void)rpc, (void)host, (void)operation, (void)a, (void)f;
    return drop("export", in->attachment_id);
}

static int
sim_snapshot(struct rpc *rpc, const char *host, const char *operation, struct arena *a,
             const struct snapshot_create_in *in, struct fault *f)
{
    (void)rpc, (void)host, (void)operation, (void)a, (void)f;
    return hold("snapshot", in->snapshot_id);
}

static int
sim_remove_snapshot(struct rpc *rpc, const char *host, const char *operation, struct arena *a,
                    const struct snapshot_delete_in *in, struct fault *f)
{
    (void)rpc, (void)host, (void)operation, (void)a, (void)f;
    return drop("snapshot", in->snapshot_id);
}

static const struct agent sim = { .create = sim_create,
                                  .remove = sim_remove,
                                  .export_ = sim_export,
                                  .unexport = sim_unexport,
                                  .snapshot = sim_snapshot,
                                  .remove_snapshot = sim_remove_snapshot };
static struct daemon no_daemon;
static const struct volume_config config = { .thin_ratio = 1.0 };
static struct volume_service service = { .daemon = &no_daemon, .config = &config, .agent = &sim };

/* --- The world */

static void
reset(struct pg *pg, void *owner)
{
    (void)owner;
    memset(held, 0, HELD_MAX * sizeof(*held));
    pg_exec(pg, "TRUNCATE volume, snapshot, attachment, backend, saga");
    pg_exec(pg, "INSERT INTO backend (host, name, driver, capacity_bytes, free_bytes, "
                "provisioned_bytes, volume_count, state, capabilities, "
                "availability_zone, interval_s) VALUES ('h', 'b', 'sim', 1099511627776, "
                "1099511627776, 0, 0, 'up', '{}', 'z', 3600)");
}

static void
reset_with_volume(struct pg *pg, void *owner)
{
    reset(pg, owner);
    hold("volume", "v");
    pg_exec(pg, "INSERT INTO volume (id, project_id, user_id, size_gb, availability_zone, host, "
                "backend_name) VALUES ('v', 'p', 'u', 1, 'z', 'h', 'b')");
}

static void
reset_with_attachment(struct pg *pg, void *owner)
{
    reset_with_volume(pg, owner);
    pg_exec(pg, "INSERT INTO attachment (id, volume_id, project_id, instance, state, connector) "
                "VALUES ('a', 'v', 'p', 'i', 'attaching', '{}')");
}

static char *
world(struct arena *a, struct pg *pg, void *owner)
{
    char *rows =
        pg_ask(pg, "SELECT concat_ws(' ', (SELECT string_agg(concat_ws('/', id, state, host, "
                   "backend_name, size_gb), ' ' ORDER BY id) FROM volume), "
                   "(SELECT string_agg(concat_ws('/', id, state), ' ' ORDER BY id) FROM snapshot), "
                   "(SELECT string_agg(concat_ws('/', id, state, connection_info::text), ' ' ORDER "
                   "BY id) FROM attachment))");
    char *text = arena_printf(a, "%s;", rows);

    (void)owner;
    free(rows);
    for (size_t i = 0; i < HELD_MAX; i++) {
        if (held[i].what[0] != '\0')
            text = arena_printf(a, "%s %s %s", text, held[i].what, held[i].id);
    }
    return text;
}

/* --- The wishes */

static int
run_sql(struct db_tx *tx, const char *sql, struct fault *f)
{
    struct db_result result;

    return db_run(tx->db, NULL, sql, NULL, 0, &result, f);
}

static int
start_create(struct saga_runner *r, struct db_tx *tx, void *owner, struct fault *f)
{
    struct saga_start_options options = { .params = NULL };

    (void)owner;
    if (run_sql(tx,
                "INSERT INTO volume (id, project_id, user_id, size_gb, availability_zone) VALUES "
                "('v', 'p', 'u', 1, 'z')",
                f) < 0)
        return -1;
    return saga_start(r, tx, &volume_create_saga, "v", &options, f);
}

static int
start_snapshot(struct saga_runner *r, struct db_tx *tx, void *owner, struct fault *f)
{
    struct saga_start_options options = { .params = NULL };

    (void)owner;
    if (run_sql(tx,
                "INSERT INTO snapshot (id, project_id, user_id, volume_id, size_gb) VALUES ('s', "
                "'p', 'u', 'v', 1)",
                f) < 0)
        return -1;
    return saga_start(r, tx, &snapshot_create_saga, "s", &options, f);
}

static int
start_attach(struct saga_runner *r, struct db_tx *tx, void *owner, struct fault *f)
{
    struct saga_start_options options = { .params = NULL };

    (void)owner;
    return saga_start(r, tx, &attachment_attach_saga, "a", &options, f);
}

static void
test_create(void **state)
{
    static const struct saga_harness h = { .saga = &volume_create_saga,
                                           .object_id = "v",
                                           .service = &service,
                                           .reset = reset,
                                           .start = start_create,
                                           .snapshot = world,
                                           .failure_shows = true };

    saga_harness_run(&h, *state);
}

static void
test_snapshot(void **state)
{
    static const struct saga_harness h = { .saga = &snapshot_create_saga,
                                           .object_id = "s",
                                           .service = &service,
                                           .reset = reset_with_volume,
                                           .start = start_snapshot,
                                           .snapshot = world,
                                           .failure_shows = true };

    saga_harness_run(&h, *state);
}

static void
test_attach(void **state)
{
    static const struct saga_harness h = { .saga = &attachment_attach_saga,
                                           .object_id = "a",
                                           .service = &service,
                                           .reset = reset_with_attachment,
                                           .start = start_attach,
                                           .snapshot = world,
                                           .failure_shows = true };

    saga_harness_run(&h, *state);
}

static int
setup(void **state)
{
    held = saga_harness_shared(HELD_MAX * sizeof(*held));
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
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_create),
                                        cmocka_unit_test(test_snapshot),
                                        cmocka_unit_test(test_attach) };

    return cmocka_run_group_tests(tests, setup, teardown);
}
