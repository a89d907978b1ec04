/* Reading the wanted state: what is wrong is left out and named, the rest stays. */
#include "states.h"

#include <sys/socket.h>

static void
test_options(void **state)
{
    static const struct {
        const char *name, *value;
        bool ok;
    } cases[] = {
        { "bootfile-name", "pxelinux.0", true },
        { "tftp-server", "192.0.2.1", true },
        { "67", "pxe/a.0", true },
        { "0", "x", false },
        { "255", "x", false },
        { "domain-name", "x\ndhcp-script=/bin/sh", false },
        { "domain-name", "a=b", false },
        { "domain-name", "\"x\"", false },
        { "domain-name", "x\\y", false },
        { "domain-name", "x#y", false },
        { "router,tag:x", "1", false },
        { "tag:x", "1", false },
        { "", "1", false },
        { "domain name", "1", false },
        { NULL, "1", false },
        { "x", NULL, false },
    };
    char large[70000];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (wanted_check_option(cases[i].name, cases[i].value) != cases[i].ok)
            fail_msg("option %s=%s", cases[i].name, cases[i].value);
    memset(large, 'a', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    assert_false(wanted_check_option("domain-name", large));
    assert_false(wanted_check_option(large, "x"));
}

static void
test_names(void **state)
{
    (void)state;
    assert_true(wanted_check_label("host-1"));
    assert_false(wanted_check_label("-x"));
    assert_false(wanted_check_label("x-"));
    assert_false(wanted_check_label("a.b"));
    assert_false(wanted_check_label("a,b"));
    assert_false(wanted_check_label(""));
    assert_false(
        wanted_check_label("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
    assert_true(wanted_check_domain("example.org."));
    assert_false(wanted_check_domain("example..org"));
    assert_false(wanted_check_domain("a b"));
}

static void
test_port(void **state)
{
    struct arena *a = arena_new();
    struct wanted w;

    (void)state;
    read_state(a,
               "{'generation': 7, 'unchanged': false, 'networks': [" NETWORK_JSON
               "], 'security_groups': [{'id': '" GROUP "'}], 'ports': [" PORT_JSON(
                   ", 'dns_name': 'a b', 'allowed_address_pairs': [{'ip': '10.9.0.0/16'}, "
                   "{'ip': 'x'}]") "]}",
               &w);
    assert_int_equal(w.generation, 7);
    assert_int_equal(w.ports_count, 1);
    assert_string_equal(w.ports[0].tap, TAP);
    assert_string_equal(w.ports[0].network->bridge, "brq000000a1-00");
    assert_true(w.ports[0].up); /* Not said: the safe thing. */
    assert_true(w.ports[0].secured);
    assert_string_equal(w.ports[0].hostname, "host-10-5-0-11");
    assert_int_equal(w.ports[0].groups_count, 1);
    assert_int_equal(w.ports[0].pairs_count, 1);
    assert_true(has_failure(&w, "port", PORT, "address pair"));
    arena_free(a);
}

/* Each breaks one object; the good port beside it stays. */
static void
test_broken_ports(void **state)
{
    static const struct {
        const char *member, *reason;
    } cases[] = {
        { "'mac': '01:00:5e:00:00:01'", "MAC" },
        { "'mac': 'fa:16:3e:00:00'", "MAC" },
        { "'mac': 'fa:16:3e:00:00:0g'", "MAC" },
        { "'mac': '00:00:00:00:00:00'", "MAC" },
        { "'mac': 'fa:16:3e:00:00:0c', 'tap': 'eth0'", "tap" },
        { "'mac': 'fa:16:3e:00:00:0c', 'tap': 'tap\\n0000c-00'", "tap" },
        { "'mac': 'fa:16:3e:00:00:0c', 'network_id': '" OTHER "'", "network" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct arena *a = arena_new();
        const char *id = "0000000c-0000-4000-8000-00000000000c";
        const char *network =
            strstr(cases[i].member, "network_id") != NULL ? "" : ", 'network_id': '" NET "'";
        struct wanted w;

        read_state(a,
                   arena_printf(a,
                                "{'generation': 7, 'unchanged': false, 'networks': [" NETWORK_JSON
                                "], 'security_groups': [{'id': '" GROUP
                                "'}], 'ports': [{'id': '%s', %s%s}, " PORT_JSON("") "]}",
                                id, cases[i].member, network),
                   &w);
        assert_int_equal(w.ports_count, 1);
        assert_string_equal(w.ports[0].id, PORT);
        if (!has_failure(&w, "port", id, cases[i].reason))
            fail_msg("case %zu", i);
        arena_free(a);
    }
}

static void
test_rules(void **state)
{
    static const struct {
        const char *members;
        const char *reason; /* NULL: accepted */
    } cases[] = {
        { "'direction': 'ingress', 'ethertype': 'IPv4'", NULL },
        { "'direction': 'ingress', 'ethertype': 'ipv6', 'protocol': 'ICMP'", NULL },
        { "'direction': 'ingress', 'ethertype': 'IPv4', 'protocol': '112'", NULL },
        { "'direction': 'ingress', 'ethertype': 'IPv4', 'protocol': 'TCP', 'port_min': 22, "
          "'port_max': 22",
          NULL },
        { "'direction': 'ingress', 'ethertype': 'IPv4', 'remote_ip_prefix': '0.0.0.0/0'", NULL },
        { "'direction': 'ingress', 'ethertype': 'IPv4', 'remote_ip_prefix': '0.0.0.0/33'",
          "remote_ip_prefix" },
        { "'direction': 'ingress', 'ethertype': 'IPv4', 'remote_ip_prefix': '::/0'",
          "remote_ip_prefix" },
        { "'direction': 'ingress', 'ethertype': 'IPv6', 'remote_ip_prefix': '::ffff:0:0/96'",
          "remote_ip_prefix" },
        { "'direction': 'ingress', 'ethertype': 'IPv4', 'protocol': 'tcp', 'port_min': 5, "
          "'port_max': 4",
          "empty" },
        { "'direction': 'ingress', 'ethertype': 'IPv4', 'protocol': 'tcp', 'port_min': 0, "
          "'port_max': 65536",
          "port range" },
        { "'direction': 'ingress', 'ethertype': 'IPv4', 'protocol': 'tcp', 'port_min': -1, "
          "'port_max': 4",
          "port range" },
        { "'direction': 'ingress', 'ethertype': 'IPv4', 'protocol': 'icmp', 'port_min': 256",
          "port range" },
        { "'direction': 'ingress', 'ethertype': 'IPv4', 'protocol': 'icmp', 'port_max': 0",
          "code without" },
        { "'direction': 'ingress', 'ethertype': 'IPv4', 'protocol': 'vrrp', 'port_min': 1, "
          "'port_max': 2",
          "without them" },
        { "'direction': 'ingress', 'ethertype': 'IPv4', 'port_min': 1, 'port_max': 2",
          "without them" },
        { "'direction': 'ingress', 'ethertype': 'IPv4', 'protocol': 'x; drop'", "protocol" },
        { "'direction': 'ingress', 'ethertype': 'IPv4', 'protocol': '256'", "protocol" },
        { "'direction': 'sideways', 'ethertype': 'IPv4'", "direction" },
        { "'direction': 'ingress', 'ethertype': 'arp'", "ethertype" },
        { "'direction': 'ingress', 'ethertype': 'IPv4', 'remote_group_id': '" OTHER "'",
          "remote group" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct arena *a = arena_new();
        struct wanted w;

        read_state(
            a,
            arena_printf(a,
                         "{'generation': 1, 'unchanged': false, 'security_groups': [{'id': '" GROUP
                         "', 'rules': [{'id': '" PORT "', %s}]}]}",
                         cases[i].members),
            &w);
        assert_int_equal(w.groups_count, 1);
        if (cases[i].reason == NULL
                ? w.groups[0].rules_count != 1 || w.failures_count != 0
                : w.groups[0].rules_count != 0 ||
                      !has_failure(&w, "security_group", GROUP, cases[i].reason))
            fail_msg("%s: %s", cases[i].members,
                     w.failures_count > 0 ? w.failures[0].reason : "accepted");
        arena_free(a);
    }
}

static void
test_members_are_disjoint(void **state)
{
    struct arena *a = arena_new();
    struct wanted w;

    (void)state;
    read_state(a,
               "{'generation': 1, 'unchanged': false, 'security_groups': [{'id': '" GROUP
               "', 'members': ['10.0.0.5', '10.0.0.5', '10.0.0.0/24', '10.0.0.7', '10.1.0.1', "
               "'10.0.0.0/8', '::1']}]}",
               &w);
    assert_int_equal(w.groups[0].members_count, 2);
    assert_string_equal(address_text(a, &w.groups[0].members[0]), "10.0.0.0/8");
    assert_string_equal(address_text(a, &w.groups[0].members[1]), "::1");
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options), cmocka_unit_test(test_names),
        cmocka_unit_test(test_port),    cmocka_unit_test(test_broken_ports),
        cmocka_unit_test(test_rules),   cmocka_unit_test(test_members_are_disjoint),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
