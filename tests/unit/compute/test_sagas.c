/* compute's sagas in every way they can go wrong, between neighbours that exist in memory. */
#include "neighbours_fake.h"
#include "tests/lib/saga_harness.h"
#include "tests/unit/asserts.h"

extern const struct migration compute_migrations[];
extern const size_t compute_migrations_count;

#define RESET_SQL                                                                                  \
    "DELETE FROM saga; DELETE FROM server; DELETE FROM host; DELETE FROM action; DELETE FROM "     \
    "action_event;"                                                                                \
    "INSERT INTO host (name, id, provider_id, interval_s) VALUES ('h', 'h', '" PROVIDER_ID         \
    "', 100000);"
/* A server that is wanted; one that runs, with the port that was brought. */
#define WANTED_SQL                                                                                 \
    "INSERT INTO server (id, project_id, user_id, name, hostname, vm_state, flavor, vcpus, "       \
    "memory_mb, disk_gb, image_facts)"                                                             \
    " VALUES ('" SERVER_ID "', '" PROJECT_ID                                                       \
    "', 'u', 'n', 'n', 'building', '{\"id\": \"f\", \"name\": \"f\"}', 1, 64, 1, '{}');"           \
    "INSERT INTO action (server_id, request_id, action, user_id, project_id) VALUES ('" SERVER_ID  \
    "', 'req', 'a', 'u', 'p');"                                                                    \
    "INSERT INTO action_event (server_id, request_id, event) VALUES ('" SERVER_ID                  \
    "', 'req', 'e');"
#define RUNNING_SQL                                                                                \
    WANTED_SQL "UPDATE server SET vm_state = 'active', host = 'h', node = 'h', power_state = 1, "  \
               "launched_at = now(), network_info = "                                              \
               "'[{\"port_id\": \"" PORT_BROUGHT "\", \"network_id\": \"" NETWORK_ID               \
               "\", \"network_name\": \"net\","                                                    \
               " \"mac\": \"fa:16:3e:00:00:01\", \"owned\": false}]';"
#define BROUGHT_SQL                                                                                \
    "INSERT INTO attachment (server_id, volume_id, boot_index) VALUES ('" SERVER_ID                \
    "', '" VOLUME_BROUGHT "', -1);"
#define CONNECTED_SQL                                                                              \
    "UPDATE attachment SET attachment_id = volume_id, device = '/dev/vdb', connection = "          \
    "'{\"host\": \"192.0.2.1\", \"port\": 10809,"                                                  \
    " \"export\": \"x\"}';"

static char *
world(struct arena *a, struct pg *pg, void *service)
{
    char *rows = pg_ask(pg, "SELECT concat_ws(E'\\n',"
                            " (SELECT concat_ws(' ', 'server', vm_state, 'host', host, 'power', "
                            "power_state, 'nics', jsonb_array_length(network_info),"
                            "  launched_at IS NOT NULL, fault IS NOT NULL) FROM server),"
                            " (SELECT string_agg(concat_ws(' ', 'attachment', boot_index, "
                            "attachment_id IS NOT NULL, connection IS NOT NULL, device), E'\\n'"
                            "  ORDER BY volume_id) FROM attachment),"
                            " (SELECT concat_ws(' ', 'event', e.result, a.message IS NOT NULL) "
                            "FROM action_event e JOIN action a USING (server_id, request_id)))");
    char *text = arena_printf(a, "%s%s\n", neighbours_text(a, service), rows);

    free(rows);
    return text;
}

static int
start_with(struct saga_runner *r, struct db_tx *tx, const struct saga *saga, const char *params,
           struct fault *f)
{
    const struct saga_start_options options = { .params = json_own(tx->db->arena,
                                                                   json_loads(params, 0, NULL)),
                                                .request_id = "req",
                                                .project_id = PROJECT_ID,
                                                .user_id = "u" };

    return saga_start(r, tx, saga, SERVER_ID, &options, f);
}

/* --- server-create: a port and a volume that are brought, a port and a volume that are made. */

static void
reset_wanted(struct pg *pg, void *service)
{
    neighbours_reset(service);
    pg_exec(pg, RESET_SQL WANTED_SQL BROUGHT_SQL);
}

static int
start_create(struct saga_runner *r, struct db_tx *tx, _unused_ void *service, struct fault *f)
{
    return start_with(
        r, tx, &server_create_saga,
        "{\"event\": \"e\", \"networks\": [{\"network\": \"" NETWORK_ID
        "\"}, {\"port\": \"" PORT_BROUGHT "\"}], \"security_groups\": [],"
        " \"attach\": [{\"volume_id\": \"" VOLUME_BROUGHT "\"}],"
        " \"new_volumes\": [{\"size\": 1, \"boot_index\": 1, \"delete_on_termination\": false}]}",
        f);
}

static void
run(void **state, struct saga_harness h)
{
    h.service = agent;
    h.object_id = SERVER_ID;
    h.snapshot = world;
    saga_harness_run(&h, *state);
}

static void
test_create(void **state)
{
    run(state, (struct saga_harness){ .saga = &server_create_saga,
                                      .reset = reset_wanted,
                                      .start = start_create,
                                      .failure_shows = true });
}

/* --- The others begin with a server that runs, with the brought port. */

static void
runs(struct neighbours *n)
{
    neighbours_reset(n);
    set(n->claimed, PROVIDER_ID);
    set(n->ports[0].device, SERVER_ID);
    set(n->ports[0].host, "h");
    n->guest = true;
}

static void
reset_running(struct pg *pg, void *service)
{
    runs(service);
    pg_exec(pg, RESET_SQL RUNNING_SQL);
}

static void
reset_attached(struct pg *pg, void *service)
{
    struct neighbours *n = service;

    runs(n);
    pg_exec(pg, RESET_SQL RUNNING_SQL BROUGHT_SQL CONNECTED_SQL);
    n->guest_has_volume = n->volumes[0].attached = n->volumes[0].complete = true;
}

static int
start_delete(struct saga_runner *r, struct db_tx *tx, _unused_ void *service, struct fault *f)
{
    return start_with(r, tx, &server_delete_saga, "{\"event\": \"e\"}", f);
}

static void
test_delete(void **state)
{
    run(state, (struct saga_harness){ .saga = &server_delete_saga,
                                      .reset = reset_attached,
                                      .start = start_delete,
                                      .failure_shows = true,
                                      .forward_only = true });
}

static int
start_attach(struct saga_runner *r, struct db_tx *tx, _unused_ void *service, struct fault *f)
{
    if (attachment_add(tx->db, SERVER_ID, VOLUME_BROUGHT, NULL, -1, false, NULL, f) < 0)
        return -1;
    return start_with(r, tx, &volume_attach_saga,
                      "{\"event\": \"e\", \"volume_id\": \"" VOLUME_BROUGHT "\"}", f);
}

static void
test_attach(void **state)
{
    run(state, (struct saga_harness){ .saga = &volume_attach_saga,
                                      .reset = reset_running,
                                      .start = start_attach,
                                      .failure_shows = true });
}

static int
start_detach(struct saga_runner *r, struct db_tx *tx, _unused_ void *service, struct fault *f)
{
    return start_with(r, tx, &volume_detach_saga,
                      "{\"event\": \"e\", \"volume_id\": \"" VOLUME_BROUGHT "\"}", f);
}

static void
test_detach(void **state)
{
    run(state, (struct saga_harness){ .saga = &volume_detach_saga,
                                      .reset = reset_attached,
                                      .start = start_detach,
                                      .failure_shows = true,
                                      .forward_only = true });
}

static int
setup(void **state)
{
    agent = saga_harness_shared(sizeof(*agent));
    agent->compute = (struct compute){ .daemon = &agent->daemon, .config = &agent->config };
    agent->config.port_deadline_s = 5;
    agent->config.dns_domain = "";
    *state = pg_open_migrated(compute_migrations, compute_migrations_count);
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_delete),
        cmocka_unit_test(test_attach),
        cmocka_unit_test(test_detach),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
