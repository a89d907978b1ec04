/* Rule sets as text, whole: what a port, a router and dnsmasq get for a given state. And the way
 * from one rule set to another. */
#include "states.h"

#include "../../../services/network-agent/conntrack.h"
#include "../../../services/network-agent/dhcp_text.h"
#include "../../../services/network-agent/port_rules.h"
#include "../../../services/network-agent/router_rules.h"

static void
print_all(struct arena *a, const struct wanted *w, struct str *out)
{
    struct ruleset r;

    ruleset_init(&r, a, "bridge", "virga");
    port_rules_filter(w, NULL, &r);
    assert_int_not_equal(ruleset_diff(NULL, &r, out), 0);
    ruleset_done(&r);
}

static void
assert_has(const struct str *text, const char *part)
{
    if (strstr(str_text(text), part) == NULL)
        fail_msg("not there: %s\nin:\n%s", part, str_text(text));
}

#define STATE(port, rules)                                                                         \
    "{'generation': 1, 'unchanged': false, 'networks': [" NETWORK_JSON "], 'ports': [" port        \
    "], 'security_groups': [{'id': '" GROUP "', 'rules': [" rules "], 'members': ['10.5.0.11']}]}"

static void
test_port_chains(void **state)
{
    struct arena *a = arena_new();
    struct str out = { 0 };
    struct wanted w;

    (void)state;
    read_state(
        a,
        STATE(PORT_JSON(
                  ", 'allowed_address_pairs': [{'ip': '10.6.0.0/16', 'mac': 'fa:16:3e:00:00:77'}]"),
              "{'id': '1', 'direction': 'ingress', 'ethertype': 'IPv4', 'protocol': 'tcp', "
              "'port_min': 22, "
              "'port_max': 23, 'remote_group_id': '" GROUP "'}, "
              "{'id': '2', 'direction': 'egress', 'ethertype': 'IPv6'}"),
        &w);
    assert_int_equal(w.failures_count, 0);
    print_all(a, &w, &out);
#define RULE(chain, rule) assert_has(&out, "add rule bridge virga " chain " " rule "\n")
    RULE(TAP "-s", "meta mark set 0");
    RULE(TAP "-s", "ether type ip ip daddr 169.254.169.254 ip saddr != { 10.5.0.11 } drop");
    RULE(TAP "-s", "ether type ip ether saddr fa:16:3e:00:00:0b ip saddr 0.0.0.0 ip daddr "
                   "255.255.255.255 udp sport 68 "
                   "udp dport 67 @th,288,48 0xfa163e00000b accept");
    RULE(TAP "-s", "ether type ip ether saddr . ip saddr { fa:16:3e:00:00:0b . 10.5.0.11, "
                   "fa:16:3e:00:00:77 . 10.6.0.0/16 } "
                   "accept");
    RULE(TAP "-s", "ether type arp arp htype 1 arp ptype ip arp hlen 6 arp plen 4 ether saddr . "
                   "arp saddr ether . arp saddr "
                   "ip { fa:16:3e:00:00:0b . fa:16:3e:00:00:0b . 10.5.0.11, fa:16:3e:00:00:77 . "
                   "fa:16:3e:00:00:77 . "
                   "10.6.0.0/16, fa:16:3e:00:00:0b . fa:16:3e:00:00:0b . 0.0.0.0 } accept");
    RULE(TAP "-s", "drop");
    RULE(TAP "-o", "meta mark 1 accept");
    RULE(TAP "-o", "jump e-" GROUP);
    RULE(TAP "-i", "jump i-" GROUP);
    RULE(TAP "-i", "counter drop");
    RULE("i-" GROUP, "ether type ip ip saddr @g4-" GROUP " tcp dport 22-23 accept");
    RULE("e-" GROUP, "ether type ip6 accept");
#undef RULE
    assert_has(&out, "add element bridge virga spoof { \"" TAP "\" : goto " TAP "-s }\n");
    assert_has(&out, "add element bridge virga g4-" GROUP " { 10.5.0.11 }\n");
    str_done(&out);
    arena_free(a);
}

static void
test_unsecured_port(void **state)
{
    struct arena *a = arena_new();
    struct str out = { 0 };
    struct wanted w;

    (void)state;
    read_state(a, STATE(PORT_JSON(", 'port_security': false"), ""), &w);
    print_all(a, &w, &out);
    assert_has(&out,
               TAP "-s ether type ip ip daddr 169.254.169.254 ip saddr != { 10.5.0.11 } drop\n");
    assert_null(strstr(str_text(&out), TAP "-s drop"));
    assert_null(strstr(str_text(&out), TAP "-i"));
    str_done(&out);
    arena_free(a);
}

static void
test_broken_port_is_cut_off(void **state)
{
    struct arena *a = arena_new();
    struct map *broken = map_new(NULL);
    struct str out = { 0 };
    struct ruleset r;
    struct wanted w;

    (void)state;
    read_state(a, STATE(PORT_JSON(", 'port_security': false"), ""), &w);
    map_set(broken, PORT, broken);
    ruleset_init(&r, a, "bridge", "virga");
    port_rules_filter(&w, broken, &r);
    ruleset_diff(NULL, &r, &out);
    assert_has(&out, "add rule bridge virga " TAP "-s drop\n");
    assert_has(&out, "add rule bridge virga " TAP "-i counter drop\n");
    ruleset_done(&r);
    map_free(broken);
    str_done(&out);
    arena_free(a);
}

static void
test_rule_lines(void **state)
{
    static const struct {
        const char *members, *line;
    } cases[] = {
        { "'protocol': 'icmp'", "ether type ip meta l4proto 1 accept" },
        { "'protocol': 'icmp', 'port_min': 8", "ether type ip icmp type 8 accept" },
        { "'protocol': 'icmp', 'port_min': 3, 'port_max': 1",
          "ether type ip icmp type 3 icmp code 1 accept" },
        { "'protocol': 'udp', 'port_min': 53, 'port_max': 53",
          "ether type ip udp dport 53 accept" },
        { "'protocol': 'udp', 'port_min': 53", "ether type ip udp dport 53 accept" },
        { "'protocol': 'udp', 'port_max': 53", "ether type ip udp dport 0-53 accept" },
        { "'protocol': 'sctp', 'port_min': 1, 'port_max': 65535",
          "ether type ip sctp dport 1-65535 accept" },
        { "'protocol': 'vrrp'", "ether type ip meta l4proto 112 accept" },
        { "'protocol': 'tcp', 'remote_ip_prefix': '10.1.2.3/8'",
          "ether type ip ip saddr 10.0.0.0/8 meta l4proto 6 accept" },
        { "'remote_ip_prefix': '0.0.0.0/0'", "ether type ip accept" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct arena *a = arena_new();
        struct str out = { 0 };
        struct wanted w;

        read_state(
            a,
            arena_printf(
                a,
                "{'generation': 1, 'unchanged': false, 'security_groups': [{'id': '" GROUP
                "', 'rules': [{'id': '1', 'direction': 'ingress', 'ethertype': 'IPv4', %s}]}]}",
                cases[i].members),
            &w);
        assert_int_equal(w.groups[0].rules_count, 1);
        port_rules_print(&w.groups[0].rules[0], &out);
        assert_string_equal(str_text(&out), cases[i].line);
        str_done(&out);
        arena_free(a);
    }
}

/* What the rules allow and what conntrack_allowed() says is the same question twice. */
static void
test_connections(void **state)
{
    static const struct {
        const char *members;
        const char *peer;
        unsigned protocol;
        int port, icmp_type, icmp_code;
        bool allowed;
    } cases[] = {
        { "'protocol': 'tcp', 'port_min': 22, 'port_max': 30", "10.1.1.1", 6, 22, -1, -1, true },
        { "'protocol': 'tcp', 'port_min': 22, 'port_max': 30", "10.1.1.1", 6, 31, -1, -1, false },
        { "'protocol': 'tcp', 'port_min': 22, 'port_max': 30", "10.1.1.1", 17, 22, -1, -1, false },
        { "'protocol': 'icmp', 'port_min': 8", "10.1.1.1", 1, -1, 8, 0, true },
        { "'protocol': 'icmp', 'port_min': 8, 'port_max': 1", "10.1.1.1", 1, -1, 8, 0, false },
        { "'remote_ip_prefix': '10.1.0.0/16'", "10.1.1.1", 6, 1, -1, -1, true },
        { "'remote_ip_prefix': '10.1.0.0/16'", "10.2.1.1", 6, 1, -1, -1, false },
        { "'remote_group_id': '" GROUP "'", "10.5.0.11", 6, 1, -1, -1, true },
        { "'remote_group_id': '" GROUP "'", "10.5.0.12", 6, 1, -1, -1, false },
        { "'protocol': 'tcp'", "2001:db8::1", 6, 1, -1, -1, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct arena *a = arena_new();
        struct connection c = { .protocol = cases[i].protocol,
                                .destination_port = cases[i].port,
                                .icmp_type = cases[i].icmp_type,
                                .icmp_code = cases[i].icmp_code };
        struct wanted w;

        assert_ok(address_parse(cases[i].peer, &c.source));
        assert_ok(address_parse("10.5.0.11", &c.destination));
        read_state(a,
                   arena_printf(a,
                                "{'generation': 1, 'unchanged': false, 'networks': [" NETWORK_JSON
                                "], 'ports': [" PORT_JSON(
                                    "") "], 'security_groups': [{'id': '" GROUP
                                        "', 'members': ['10.5.0.11'], 'rules': [{'id': '1', "
                                        "'direction': 'ingress', 'ethertype': 'IPv4', %s}]}]}",
                                cases[i].members),
                   &w);
        if (conntrack_allowed(&w.ports[0], true, &c) != cases[i].allowed)
            fail_msg("%s from %s", cases[i].members, cases[i].peer);
        assert_false(conntrack_allowed(&w.ports[0], false, &c));
        arena_free(a);
    }
}

static void
test_router(void **state)
{
    struct arena *a = arena_new();
    struct str out = { 0 };
    struct ruleset r;
    struct wanted w;

    (void)state;
    read_state(a,
               "{'generation': 1, 'unchanged': false, 'networks': [" NETWORK_JSON
               ", {'id': '" EXTERNAL
               "', 'mtu': 1500, 'physical_network': 'external'}], 'routers': [{'id': '" ROUTER
               "', 'interfaces': [{'port_id': '" INSIDE "', 'network_id': '" NET
               "', 'mac': 'fa:16:3e:00:01:01', 'cidrs': ['10.5.0.1/24']}], 'gateway': {'port_id': "
               "'" OUTSIDE "', 'network_id': '" EXTERNAL
               "', 'mac': 'fa:16:3e:00:01:03', 'cidrs': ['203.0.113.10/24'], 'gateway_ips': "
               "['203.0.113.254']}, 'floating_ips': [{'id': 'f', 'floating_ip': '203.0.113.20', "
               "'fixed_ip': '10.5.0.12'}, "
               "{'id': 'g', 'floating_ip': '203.0.113.21 } ; drop', 'fixed_ip': '10.5.0.12'}], "
               "'routes': [{'destination': "
               "'10.0.0.0/8', 'nexthop': '10.5.0.9'}]}]}",
               &w);
    assert_true(has_failure(&w, "floating_ip", "g", "not an IPv4 address"));
    assert_int_equal(w.routers_count, 1);
    ruleset_init(&r, a, "inet", "virga");
    router_rules(&w.routers[0], &r);
    ruleset_diff(NULL, &r, &out);
    assert_has(&out, "add element inet virga floating_in { 203.0.113.20 : 10.5.0.12 }\n");
    assert_has(&out, "add element inet virga floating_out { 10.5.0.12 : 203.0.113.20 }\n");
    assert_has(
        &out,
        "add element inet virga inside { 10.0.0.0/8 }\n"); /* The wider one holds the other. */
    assert_has(
        &out,
        "translate_out oifname \"qg-000000e3-00\" meta nfproto ipv4 snat ip to 203.0.113.10\n");
    assert_has(&out, "input ip daddr 169.254.169.254 drop\n");
    assert_has(&out, "forward oifname \"qg-000000e3-00\" ct state new ip saddr != @inside drop\n");
    ruleset_done(&r);
    str_done(&out);
    arena_free(a);
}

static void
test_dhcp(void **state)
{
    struct arena *a = arena_new();
    struct str hosts = { 0 }, options = { 0 };
    const char **arguments;
    struct wanted w;

    (void)state;
    read_state(
        a,
        "{'generation': 1, 'unchanged': false, 'networks': [{'id': '" NET
        "', 'vni': 101, 'mtu': 1450, 'dns_domain': "
        "'x\\ny', 'dhcp_port': {'id': '" DHCP
        "', 'mac': 'fa:16:3e:00:01:02', 'fixed_ips': [{'subnet_id': '" SUBNET
        "', 'ip': '10.5.0.2'}]}, 'subnets': [{'id': '" SUBNET
        "', 'ip_version': 4, 'cidr': '10.5.0.0/24', 'gateway_ip': '10.5.0.1', 'enable_dhcp': true, "
        "'host_routes': "
        "[{'destination': '198.51.100.0/24', 'nexthop': '10.5.0.9'}]}]}], 'security_groups': "
        "[{'id': '" GROUP "'}], 'ports': [" PORT_JSON(
            ", 'dns_name': 'web', 'extra_dhcp_opts': [{'name': 'bootfile-name', 'value': 'a'}, "
            "{'name': '150', 'value': '192.0.2.1'}]") "]}",
        &w);
    assert_int_equal(w.failures_count, 0);
    dhcp_text_hosts(&w, &w.networks[0], &hosts);
    assert_string_equal(str_text(&hosts), "fa:16:3e:00:00:0b,web,10.5.0.11\n");
    arguments = dhcp_text_arguments(a, &w, &w.networks[0], "ns-x", "/d", "nobody");
    while (*arguments != NULL && !str_starts(*arguments, "--dhcp-mac="))
        arguments++;
    assert_non_null(*arguments);
    assert_string_equal(*arguments, "--dhcp-mac=set:port-" PORT ",fa:16:3e:00:00:0b");
    dhcp_text_options(&w, &w.networks[0], &options);
#define TAG "tag:subnet-" SUBNET ","
    assert_string_equal(
        str_text(&options), TAG
        "option:router,10.5.0.1\n" TAG "option:mtu,1450\n" TAG "option:dns-server,10.5.0.2\n" TAG
        "option:classless-static-route,169.254.169.254/32,10.5.0.2,198.51.100.0/"
        "24,10.5.0.9,0.0.0.0/0,10.5.0.1\n" TAG
        "249,169.254.169.254/32,10.5.0.2,198.51.100.0/24,10.5.0.9,0.0.0.0/0,10.5.0.1\n"
        "tag:port-" PORT ",option:bootfile-name,a\ntag:port-" PORT ",150,192.0.2.1\n");
#undef TAG
    assert_string_equal(w.networks[0].domain,
                        "openstacklocal"); /* The one that was sent is none. */
    str_done(&hosts);
    str_done(&options);
    arena_free(a);
}

/* --- from one rule set to another ------------------------------------------------------------- */

static void
test_diff(void **state)
{
    struct arena *a = arena_new();
    struct ruleset old, new_;
    struct str out = { 0 };
    const char *seal;

    (void)state;
    ruleset_init(&old, a, "bridge", "t");
    ruleset_set(&old, "s", "type ipv4_addr;");
    ruleset_map(&old, "m", "type ifname : verdict;");
    ruleset_element(&old, "s", "10.0.0.1", NULL);
    ruleset_element(&old, "s", "10.0.0.2", NULL);
    ruleset_element(&old, "m", "\"a\"", "goto one");
    ruleset_chain(&old, "one", NULL, "accept\n");
    ruleset_chain(&old, "two", NULL, "drop\n");
    ruleset_init(&new_, a, "bridge", "t");
    ruleset_set(&new_, "s", "type ipv4_addr;");
    ruleset_map(&new_, "m", "type ifname : verdict;");
    ruleset_element(&new_, "s", "10.0.0.2", NULL);
    ruleset_element(&new_, "s", "10.0.0.3", NULL);
    ruleset_element(&new_, "s", "10.0.0.4", NULL);
    ruleset_element(&new_, "m", "\"a\"", "goto three");
    ruleset_chain(&new_, "three", NULL, "accept\n");
    ruleset_chain(&new_, "two", NULL, "drop\naccept\n");

    assert_int_equal(ruleset_diff(&old, &old, &out), 0);
    assert_string_equal(str_text(&out), "");
    assert_int_equal(ruleset_diff(&old, &new_, &out), 8);
    assert_string_equal(str_text(&out), "add chain bridge t three\n"
                                        "add rule bridge t three accept\n"
                                        "flush chain bridge t two\n"
                                        "add rule bridge t two drop\n"
                                        "add rule bridge t two accept\n"
                                        "delete element bridge t s { 10.0.0.1 }\n"
                                        "delete element bridge t m { \"a\" : goto one }\n"
                                        "add element bridge t s { 10.0.0.3, 10.0.0.4 }\n"
                                        "add element bridge t m { \"a\" : goto three }\n"
                                        "flush chain bridge t one\n"
                                        "delete chain bridge t one\n");
    seal = ruleset_seal(&old);
    assert_true(str_starts(seal, "seal-"));
    assert_string_not_equal(seal, ruleset_seal(&new_));
    ruleset_done(&old);
    ruleset_done(&new_);
    str_done(&out);
    arena_free(a);
}

static void
test_zones(void **state)
{
    struct arena *a = arena_new();
    struct zones *z = zones_new();
    struct wanted w = { .arena = a };
    bool seen[65536] = { false };
    unsigned kept;

    (void)state;
    w.networks = ARENA_ARRAY(a, struct wanted_network, 3000);
    w.networks_count = 3000;
    for (size_t i = 0; i < w.networks_count; i++)
        w.networks[i].id = arena_printf(a, "%08zx-0000-4000-8000-000000000000", i);
    zones_assign(z, &w);
    for (size_t i = 0; i < w.networks_count; i++) {
        unsigned zone = zones_get(z, w.networks[i].id);

        assert_in_range(zone, 1, 65535);
        assert_false(seen[zone]);
        seen[zone] = true;
    }
    kept = zones_get(z, w.networks[2999].id);
    w.networks += 2999;
    w.networks_count = 1;
    zones_assign(z, &w);
    assert_int_equal(zones_get(z, w.networks[0].id), kept);
    assert_int_equal(zones_get(z, "00000000-0000-4000-8000-000000000000"), 0);
    zones_free(z);
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_port_chains),
        cmocka_unit_test(test_unsecured_port),
        cmocka_unit_test(test_broken_port_is_cut_off),
        cmocka_unit_test(test_rule_lines),
        cmocka_unit_test(test_connections),
        cmocka_unit_test(test_router),
        cmocka_unit_test(test_dhcp),
        cmocka_unit_test(test_diff),
        cmocka_unit_test(test_zones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
