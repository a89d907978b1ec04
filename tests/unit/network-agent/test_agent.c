/* The agent as a whole, with the simulated driver, against a network service on a real broker:
 * doorbell, fetch, status, heartbeat, and a service that comes later than the agent. */
#include "tests/unit/asserts.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/str.h"
#include "network_agent_rpc.h"
#include "network_rpc.h"
#include "services/network-agent/agent.h"
#include "states.h"
#include "tests/lib/broker.h"

#define HOST "hosta"
#define PATIENCE_MS 60000

#define wait_until(condition)                                                                      \
    do {                                                                                           \
        int64_t _until = clock_mono_ms() + PATIENCE_MS;                                            \
        while (!(condition)) {                                                                     \
            if (clock_mono_ms() > _until)                                                          \
                fail_msg("waited for '%s' in vain", #condition);                                   \
            usleep(2000);                                                                          \
        }                                                                                          \
    } while (0)

/* The service's side: one network, 'ports' ports, and what it was told. */
static struct {
    _Atomic int64_t generation, reported;
    _Atomic size_t ports, up;
    _Atomic int heartbeats, foreign;
} service;

int
host_state(struct rpc_request *request, const struct host_state_in *in, struct host_state_out *out,
           struct fault *f)
{
    struct arena *a = request->arena;

    (void)f;
    if (!str_equal(in->host, HOST))
        service.foreign++;
    *out = (struct host_state_out){ .generation = service.generation,
                                    .unchanged = in->known_generation == service.generation };
    field_mark(&out->set, HOST_STATE_OUT_F_GENERATION);
    field_mark(&out->set, HOST_STATE_OUT_F_UNCHANGED);
    if (out->unchanged)
        return 0;
    out->networks = ARENA_NEW(a, struct host_network);
    out->networks_count = 1;
    *out->networks = (struct host_network){ .id = NET, .vni = 101, .mtu = 1450 };
    field_mark(&out->networks->set, HOST_NETWORK_F_ID);
    field_mark(&out->networks->set, HOST_NETWORK_F_VNI);
    field_mark(&out->networks->set, HOST_NETWORK_F_MTU);
    out->ports_count = service.ports;
    out->ports = ARENA_ARRAY(a, struct host_port, out->ports_count);
    for (size_t i = 0; i < out->ports_count; i++) {
        out->ports[i] =
            (struct host_port){ .id = arena_printf(a, "%08zx-0000-4000-8000-000000000000", i),
                                .network_id = NET,
                                .mac = "fa:16:3e:00:00:01" };
        field_mark(&out->ports[i].set, HOST_PORT_F_ID);
        field_mark(&out->ports[i].set, HOST_PORT_F_NETWORK_ID);
        field_mark(&out->ports[i].set, HOST_PORT_F_MAC);
    }
    field_mark(&out->set, HOST_STATE_OUT_F_NETWORKS);
    field_mark(&out->set, HOST_STATE_OUT_F_PORTS);
    return 0;
}

int
ports_status(struct rpc_request *request, const struct ports_status_in *in, struct fault *f)
{
    (void)request;
    (void)f;
    service.up = in->up.count;
    service.reported = in->generation;
    return 0;
}

int
agent_report(struct rpc_request *request, const struct agent_report_in *in, struct fault *f)
{
    (void)request;
    (void)f;
    if (str_equal(in->host, HOST) && str_equal(in->tunnel_ip, "10.98.0.1") &&
        str_equal(json_get_text(in->bridge_mappings, "external"), "brex"))
        service.heartbeats++;
    return 0;
}

static void
test_agent(void **state)
{
    struct arena *a = arena_new();
    struct broker *broker = NULL;
    const char *mappings[] = { "external:brex", NULL };
    char dir[] = "/tmp/virga-agent-XXXXXX";
    struct network_agent_config config = {
        .driver = "sim",
        .tunnel_ip = "10.98.0.1",
        .bridge_mappings = mappings,
        .external_bridge = "",
        .external_interface = "",
        .dhcp_user = "nobody",
        .metadata = true,
        .poll_interval_s = 3600,
        .resync_interval_s = 3600,
        .report_interval_s = 3600,
    };
    struct daemon d = { .config = &config.common };
    struct agent *agent = NULL;
    struct rpc *rpc = NULL;
    struct fault f = { 0 };

    (void)state;
    broker = broker_open();
    assert_non_null(mkdtemp(dir));
    config.common.host = HOST;
    config.common.state_dir = dir;
    assert_ok(rpc_open(&d.rpc,
                       &(struct rpc_options){ broker_url(broker, a, "agent@" HOST), "network-agent",
                                              HOST, 1 },
                       &f));
    assert_ok(agent_open(&agent, &d, &f));
    assert_ok(rpc_serve(d.rpc, rpc_queue(a, "network-agent", HOST), network_agent_methods,
                        network_agent_methods_count, agent, &f));
    assert_ok(agent_run(agent, &f));

    /* The service comes up later. */
    service.generation = 3;
    service.ports = 2;
    assert_ok(rpc_open(&rpc,
                       &(struct rpc_options){ broker_url(broker, a, "virga"), "network", "", 2 },
                       &f));
    assert_ok(rpc_serve(rpc, "network", network_methods, network_methods_count, NULL, &f));
    wait_until(service.reported == 3);
    assert_int_equal(service.up, 2);
    wait_until(service.heartbeats > 0);

    /* The doorbell, with an interval of an hour to the next poll. */
    service.ports = 5;
    service.generation = 4;
    assert_ok(
        state_changed_cast(rpc, HOST, NULL, &(struct state_changed_in){ .generation = 4 }, &f));
    wait_until(service.reported == 4);
    assert_int_equal(service.up, 5);
    assert_int_equal(service.foreign, 0);

    rpc_close(rpc);
    rpc_close(d.rpc);
    agent_close(agent);
    broker_close(broker);
    unlink(arena_printf(a, "%s/state.json", dir));
    assert_int_equal(rmdir(dir), 0);
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_agent) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
