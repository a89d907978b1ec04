/* What a host's agent is told, from rows of every kind; in as many statements for a hundred ports as for one; and what it may say. */
#include <string.h>

#include "../../../services/network/service.h"
#include "../../lib/pg.h"
#include "../asserts.h"
#include "base/str.h"
#include "network_rpc.h"

extern const struct migration network_migrations[];
extern const size_t network_migrations_count;

static struct network_service service;
static struct network_config config;
static struct daemon daemon_;

static int
setup(void **state)
{
    struct pg *p = pg_open_migrated(network_migrations, network_migrations_count);

    daemon_.pool = pg_pool(p);
    config.agent_down_s = 75;
    service.daemon = &daemon_;
    service.config = &config;
    *state = p;
    return 0;
}

static int
teardown(void **state)
{
    pg_close(*state);
    return 0;
}

/* Two hosts; a network with a guest on each and one nowhere; DHCP and a router with gateway and floating IP on h1. */
static void
fill(struct pg *p)
{
    pg_exec(p, "TRUNCATE network, subnet, port, port_ip, security_group, security_group_rule, "
               "port_security_group, router, floatingip, agent, host CASCADE;"
               "INSERT INTO network (id, project_id, mtu, network_type, segmentation_id) VALUES "
               "('n', 'p', 1450, 'vxlan', 7);"
               "INSERT INTO network (id, project_id, mtu, network_type, physical_network, "
               "router_external) VALUES ('x', 'p', 1500, 'flat', 'ext', true);"
               "INSERT INTO subnet (id, project_id, network_id, ip_version, cidr, gateway_ip, "
               "dns_nameservers, host_routes) VALUES"
               " ('s', 'p', 'n', 4, '10.0.0.0/24', '10.0.0.1', '[\"9.9.9.9\"]', "
               "'[{\"destination\": \"10.9.0.0/16\", \"nexthop\": \"10.0.0.9\"}]');"
               "INSERT INTO subnet (id, project_id, network_id, ip_version, cidr, gateway_ip, "
               "enable_dhcp) VALUES ('xs', 'p', 'x', 4, '203.0.113.0/24', '203.0.113.1', false);"
               "INSERT INTO agent (id, host, agent_type, tunnel_ip) VALUES ('a1', 'h1', 'Network "
               "agent', '192.0.2.1'), ('a2', 'h2', 'Network agent', '192.0.2.2');"
               "INSERT INTO security_group (id, project_id, name) VALUES ('g', 'p', 'web'), ('r', "
               "'p', 'remote');"
               "INSERT INTO security_group_rule (id, project_id, security_group_id, direction, "
               "ethertype, protocol, port_range_min, port_range_max) VALUES"
               " ('g1', 'p', 'g', 'ingress', 'IPv4', 'icmp', 0, 0);"
               "INSERT INTO security_group_rule (id, project_id, security_group_id, direction, "
               "ethertype, remote_group_id) VALUES ('g2', 'p', 'g', 'ingress', 'IPv4', 'r');"
               "INSERT INTO port (id, project_id, network_id, mac_address, device_owner, "
               "device_id, binding_host_id, port_security_enabled) VALUES"
               " ('p1', 'p', 'n', 'm1', 'compute:nova', 'server', 'h1', true), ('p2', 'p', 'n', "
               "'m2', 'compute:nova', 'other', 'h2', false),"
               " ('p3', 'p', 'n', 'm3', '', '', '', true), ('pd', 'p', 'n', 'm4', 'network:dhcp', "
               "'dhcp-n', 'h1', false),"
               " ('pi', 'p', 'n', 'm5', 'network:router_interface', 'router', 'h1', false), ('pg', "
               "'', 'x', 'm6', 'network:router_gateway', 'router', 'h1', false),"
               " ('pf', '', 'x', 'm7', 'network:floatingip', 'f', '', false);"
               "INSERT INTO port_ip (port_id, subnet_id, ip, position) VALUES ('p1', 's', "
               "'10.0.0.11', 0), ('p2', 's', '10.0.0.12', 0), ('p3', 's', '10.0.0.13', 0),"
               " ('pd', 's', '10.0.0.2', 0), ('pi', 's', '10.0.0.1', 0), ('pg', 'xs', "
               "'203.0.113.5', 0), ('pf', 'xs', '203.0.113.6', 0);"
               "INSERT INTO port_security_group VALUES ('p1', 'g'), ('p2', 'r');"
               "INSERT INTO router (id, project_id, host, enable_snat) VALUES ('router', 'p', "
               "'h1', false);"
               "INSERT INTO floatingip (id, project_id, floating_network_id, floating_port_id, "
               "floating_ip_address, port_id, fixed_ip_address, router_id)"
               " VALUES ('f', 'p', 'x', 'pf', '203.0.113.6', 'p1', '10.0.0.11', 'router');"
               "INSERT INTO host (name, generation) VALUES ('h1', 5);");
}

static int
ask(struct arena *a, const char *from, const char *host, int64_t known, struct host_state_out *out,
    struct fault *f)
{
    struct rpc_request request = { .arena = a, .from_host = from, .owner = &service };
    struct host_state_in in = { .host = host, .known_generation = known };

    return host_state(&request, &in, out, f);
}

static void
test_whole(void **state)
{
    struct arena *a = arena_new();
    struct host_state_out out = { 0 };
    struct fault f = { 0 };
    const struct host_network *n;
    const struct host_router *r;

    fill(*state);
    if (ask(a, "h1", "h1", 0, &out, &f) < 0)
        fail_msg("%s (%s)", f.message, f.cause);
    assert_int_equal(out.generation, 5);
    assert_false(out.unchanged);
    assert_int_equal(out.networks_count, 2);
    n = &out.networks[0];
    assert_string_equal(n->id, "n");
    assert_int_equal(n->vni, 7);
    assert_int_equal(n->subnets_count, 1);
    assert_string_equal(n->subnets[0].dns_nameservers.items[0], "9.9.9.9");
    assert_string_equal(n->subnets[0].host_routes[0].nexthop, "10.0.0.9");
    assert_string_equal(n->dhcp_port->id, "pd");
    assert_string_equal(n->dhcp_port->fixed_ips[0].ip, "10.0.0.2");
    assert_string_equal(out.networks[1].physical_network, "ext");
    assert_null(out.networks[1].dhcp_port);

    assert_int_equal(out.ports_count, 1); /* The guest; DHCP's and the router's stand elsewhere. */
    assert_string_equal(out.ports[0].id, "p1");
    assert_true(out.ports[0].port_security);
    assert_string_equal(out.ports[0].security_group_ids.items[0], "g");
    assert_int_equal(out.remote_ports_count, 2);
    assert_string_equal(out.remote_ports[0].id, "p2");
    assert_string_equal(out.remote_ports[0].tunnel_ip, "192.0.2.2");
    assert_string_equal(out.remote_ports[1].id, "p3"); /* Nowhere yet, but DHCP is here. */
    assert_null(out.remote_ports[1].tunnel_ip);

    assert_int_equal(out.security_groups_count, 2);
    assert_string_equal(out.security_groups[0].id, "g");
    assert_int_equal(out.security_groups[0].rules_count, 2);
    assert_true(field_given(&out.security_groups[0].rules[0].set,
                            HOST_SECURITY_RULE_F_PORT_MIN)); /* ICMP type 0 is one. */
    assert_int_equal(out.security_groups[1].members.count, 1);
    assert_string_equal(out.security_groups[1].members.items[0], "10.0.0.12");

    assert_int_equal(out.routers_count, 1);
    r = &out.routers[0];
    assert_int_equal(r->interfaces_count, 1);
    assert_string_equal(r->interfaces[0].cidrs.items[0], "10.0.0.1/24");
    assert_string_equal(r->gateway->cidrs.items[0], "203.0.113.5/24");
    assert_string_equal(r->gateway->gateway_ips.items[0], "203.0.113.1");
    assert_false(r->gateway->enable_snat);
    assert_string_equal(r->floating_ips[0].fixed_ip, "10.0.0.11");
    assert_int_equal(out.peers_count, 1);
    assert_string_equal(out.peers[0].tunnel_ip, "192.0.2.2");
    arena_free(a);
}

static void
test_unchanged_and_others(void **state)
{
    struct arena *a = arena_new();
    struct host_state_out out = { 0 };
    struct fault f = { 0 };

    fill(*state);
    assert_ok(ask(a, "h1", "h1", 5, &out, &f));
    assert_true(out.unchanged);
    assert_null(out.networks);
    assert_fault(ask(a, "h2", "h1", 0, &out, &f), f, FAULT_FORBIDDEN, "own state");
    memset(&f, 0, sizeof(f));
    memset(&out, 0, sizeof(out));
    assert_ok(ask(a, "new", "new", 0, &out,
                  &f)); /* A host nobody heard of: all lists are there, and empty. */
    assert_int_equal(out.generation, 1);
    assert_non_null(out.networks);
    assert_int_equal(out.networks_count + out.ports_count + out.routers_count, 0);
    arena_free(a);
}

static uint64_t
cost(void)
{
    struct arena *a = arena_new();
    struct host_state_out out = { 0 };
    struct fault f = { 0 };
    uint64_t before;

    assert_ok(ask(a, "h1", "h1", 0, &out, &f));
    before = db_statements();
    out = (struct host_state_out){ 0 };
    assert_ok(ask(a, "h1", "h1", 0, &out, &f));
    arena_free(a);
    return db_statements() - before;
}

static void
test_cost(void **state)
{
    uint64_t few, many;

    fill(*state);
    few = cost();
    pg_exec(*state,
            "INSERT INTO port (id, project_id, network_id, mac_address, device_owner, device_id, "
            "binding_host_id)"
            " SELECT 'q' || i, 'p', 'n', 'q' || i, 'compute:nova', 's' || i, 'h1' FROM "
            "generate_series(1, 100) i;"
            "INSERT INTO port_security_group SELECT 'q' || i, 'g' FROM generate_series(1, 100) i;"
            "INSERT INTO port_ip (port_id, subnet_id, ip, position) SELECT 'q' || i, 's', "
            "'10.0.0.20'::inet + i, 0 FROM generate_series(1, 100) i");
    many = cost();
    assert_int_equal(few, many);
    assert_true(few <= 14);
}

static void
report(const char *from, int64_t generation, const char *up, const char *failed_kind,
       const char *failed_id, struct fault *f, int *ret)
{
    struct arena *a = arena_new();
    struct rpc_request request = { .arena = a, .from_host = from, .owner = &service };
    struct host_failure failure = { .kind = failed_kind,
                                    .id = failed_id,
                                    .reason = "no such bridge" };
    struct ports_status_in in = { .host = "h1",
                                  .generation = generation,
                                  .failed = &failure,
                                  .failed_count = failed_kind == NULL ? 0 : 1 };

    if (up != NULL)
        in.up = (struct texts){ .items = &up, .count = 1 };
    *ret = ports_status(&request, &in, f);
    arena_free(a);
}

static void
expect(struct pg *p, const char *sql, const char *wanted)
{
    char *text = pg_ask(p, sql);

    assert_string_equal(text == NULL ? "(null)" : text, wanted);
    free(text);
}

static void
test_status(void **state)
{
    struct fault f = { 0 };
    int r;

    fill(*state);
    report("h2", 5, "p1", NULL, NULL, &f, &r);
    assert_fault(r, f, FAULT_FORBIDDEN, "itself");
    expect(*state, "SELECT status FROM port WHERE id = 'p1'", "DOWN");
    report("h1", 4, "p2", NULL, NULL, &f, &r); /* That one is on h2. */
    assert_ok(r);
    expect(*state, "SELECT status FROM port WHERE id = 'p2'", "DOWN");
    report("h1", 4, "p1", NULL, NULL, &f, &r); /* An old generation says nothing of floating IPs. */
    assert_ok(r);
    expect(*state, "SELECT status FROM port WHERE id = 'p1'", "ACTIVE");
    expect(*state, "SELECT status FROM floatingip", "DOWN");
    report("h1", 5, NULL, "floating_ip", "f", &f, &r);
    assert_ok(r);
    expect(*state, "SELECT status FROM floatingip", "ERROR");
    report("h1", 5, NULL, "port", "p1", &f, &r);
    assert_ok(r);
    expect(*state, "SELECT status FROM floatingip", "ACTIVE");
    expect(*state, "SELECT failure FROM port WHERE id = 'p1'", "no such bridge");
    report("h1", 5, "p1", NULL, NULL, &f, &r);
    expect(*state, "SELECT failure FROM port WHERE id = 'p1'", "(null)");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_unchanged_and_others),
        cmocka_unit_test(test_cost),
        cmocka_unit_test(test_status),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
