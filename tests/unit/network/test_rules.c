/* Security group rules and ports: what they may say, without a database. */
#include <string.h>

#include "../../../services/network/port_check.h"
#include "../../../services/network/security_groups.h"
#include "../asserts.h"
#include "base/json.h"

static void
test_rules(void **state)
{
    static const struct {
        const char *json, *code; /* NULL: fine. */
    } cases[] = {
        { "{\"protocol\": \"TCP\", \"port_range_min\": 1, \"port_range_max\": 65535}", NULL },
        { "{\"protocol\": \"any\"}", NULL },
        { "{\"protocol\": 6, \"port_range_min\": 22, \"port_range_max\": 22}", NULL },
        { "{\"protocol\": \"icmp\", \"port_range_min\": 8}", NULL },
        { "{\"protocol\": \"icmp\", \"port_range_min\": 0, \"port_range_max\": 0}", NULL },
        { "{\"protocol\": \"icmp\", \"port_range_min\": -1}", "SecurityGroupInvalidIcmpValue" },
        { "{\"protocol\": \"tcp\", \"port_range_min\": -1, \"port_range_max\": -1}",
          "SecurityGroupInvalidPortValue" },
        { "{\"protocol\": \"sctp\", \"port_range_max\": 5}", "SecurityGroupInvalidPortRange" },
        { "{\"protocol\": -1}", "SecurityGroupRuleInvalidProtocol" },
        { "{\"protocol\": \"\"}", "SecurityGroupRuleInvalidProtocol" },
        { "{\"ethertype\": \"IPv6\", \"protocol\": \"icmpv6\"}", NULL },
        { "{\"ethertype\": \"ARP\"}", "SecurityGroupRuleInvalidEtherType" },
        { "{\"remote_ip_prefix\": \"10.0.0.5\"}", NULL },
        { "{\"remote_ip_prefix\": \"::ffff:0:0/96\"}", "SecurityGroupRuleParameterConflict" },
        { "{\"remote_ip_prefix\": \"10.0.0.5/\"}", "InvalidCIDR" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct arena *a = arena_new();
        struct security_group_rule row = { 0 };
        struct fault f = { 0 };
        json_t *body;
        int r;

        assert_ok(json_read(a, cases[i].json, strlen(cases[i].json), &body, &f));
        json_object_set_new(body, "security_group_id", json_string("g"));
        json_object_set_new(body, "direction", json_string("ingress"));
        assert_ok(
            schema_parse(&security_group_rule_schema, body, SCHEMA_CREATE, 0, "", a, &row, &f));
        r = rule_check(&row, a, &f);
        if (cases[i].code == NULL && r < 0)
            fail_msg("%s: %s", cases[i].json, f.message);
        if (cases[i].code != NULL)
            assert_string_equal(f.code, cases[i].code);
        arena_free(a);
    }
}

static void
test_dhcp_options(void **state)
{
    static const struct {
        const char *name, *value;
        bool ok;
    } cases[] = {
        { "bootfile-name", "pxelinux.0", true },
        { "150", "192.0.2.1", true },
        { "option:mtu", "1400", true },
        { "a=b", "1", false },
        { "a\nb", "1", false },
        { "a", "1\n2", false },
        { "a", "say \"x\"", false },
        { "a", "back\\slash", false },
        { "a", "", false },
        { "a", "Grüße", false },
        { "a", "1, 2;3", true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct arena *a = arena_new();
        struct dhcp_option option = { .opt_name = cases[i].name, .opt_value = cases[i].value };
        struct port row = { .extra_dhcp_opts = &option, .extra_dhcp_opts_count = 1 };
        struct fault f = { 0 };

        field_mark(&row.set, PORT_F_EXTRA_DHCP_OPTS);
        if ((port_check(&row, NULL, a, &f) == 0) != cases[i].ok)
            fail_msg("%s=%s: %s", cases[i].name, cases[i].value, f.message);
        arena_free(a);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_dhcp_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
