#include "../../../services/network/subnet_check.h"

#include <string.h>

#include "../asserts.h"
#include "base/json.h"

/* A subnet as the API would parse it. */
static int
check_new(struct arena *a, const char *json, struct subnet *ret, struct fault *f)
{
    json_t *body;

    assert_ok(json_read(a, json, strlen(json), &body, f));
    if (schema_parse(&subnet_schema, body, SCHEMA_CREATE, 0, "subnet", a, ret, f) < 0)
        return -1;
    return subnet_check_new(ret, a, f);
}

#define HEAD "{\"network_id\": \"00000000-0000-4000-8000-000000000000\", "

static void
test_pools(void **state)
{
    static const struct {
        const char *json, *pools; /* "start-end start-end" */
    } cases[] = {
        { HEAD "\"ip_version\": 4, \"cidr\": \"10.0.0.0/24\"}", "10.0.0.2-10.0.0.254" },
        { HEAD "\"ip_version\": 4, \"cidr\": \"10.0.0.0/24\", \"gateway_ip\": null}",
          "10.0.0.1-10.0.0.254" },
        { HEAD "\"ip_version\": 4, \"cidr\": \"10.0.0.0/24\", \"gateway_ip\": \"10.0.0.254\"}",
          "10.0.0.1-10.0.0.253" },
        { HEAD "\"ip_version\": 4, \"cidr\": \"10.0.0.0/24\", \"gateway_ip\": \"192.0.2.1\"}",
          "10.0.0.1-10.0.0.254" },
        { HEAD "\"ip_version\": 4, \"cidr\": \"10.0.0.0/30\"}", "10.0.0.2-10.0.0.2" },
        { HEAD "\"ip_version\": 4, \"cidr\": \"10.0.0.0/31\"}", "10.0.0.1-10.0.0.1" },
        { HEAD "\"ip_version\": 4, \"cidr\": \"10.0.0.7/32\"}", "10.0.0.7-10.0.0.7" },
        { HEAD "\"ip_version\": 6, \"cidr\": \"2001:db8::/126\"}", "2001:db8::2-2001:db8::3" },
        { HEAD "\"ip_version\": 6, \"cidr\": \"2001:db8::/64\", \"gateway_ip\": null}",
          "2001:db8::1-2001:db8::ffff:ffff:ffff:ffff" },
        { HEAD "\"ip_version\": 4, \"cidr\": \"10.0.0.0/24\", \"allocation_pools\": []}", "" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct arena *a = arena_new();
        struct subnet row = { 0 };
        struct fault f = { 0 };
        char text[256] = "";

        if (check_new(a, cases[i].json, &row, &f) < 0)
            fail_msg("%s: %s", cases[i].json, f.message);
        for (size_t j = 0; j < row.allocation_pools_count; j++)
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s-%s", j == 0 ? "" : " ",
                     row.allocation_pools[j].start, row.allocation_pools[j].end);
        assert_string_equal(text, cases[i].pools);
        arena_free(a);
    }
}

static void
test_refused(void **state)
{
    static const struct {
        const char *json, *code, *part;
        enum fault_kind kind;
    } cases[] = {
        { HEAD "\"ip_version\": 4, \"cidr\": \"10.0.0.5/24\"}", "", "'10.0.0.0/24' is recommended",
          FAULT_INVALID },
        { HEAD "\"ip_version\": 6, \"cidr\": \"10.0.0.0/24\"}", "InvalidInput", "does not match",
          FAULT_INVALID },
        { HEAD "\"ip_version\": 5, \"cidr\": \"10.0.0.0/24\"}", "", "not in [4, 6]",
          FAULT_INVALID },
        { HEAD "\"ip_version\": 4, \"cidr\": \"127.1.0.0/16\"}", "InvalidInput", "loopback",
          FAULT_INVALID },
        { HEAD "\"ip_version\": 6, \"cidr\": \"fe80::/64\"}", "InvalidInput", "link-local",
          FAULT_INVALID },
        { HEAD "\"ip_version\": 6, \"cidr\": \"::/64\"}", "InvalidInput", "reserved",
          FAULT_INVALID },
        { HEAD "\"ip_version\": 4, \"cidr\": \"10.0.0.0/24\", \"gateway_ip\": \"10.0.0.255\"}",
          "InvalidInput", "Gateway", FAULT_INVALID },
        { HEAD "\"ip_version\": 4, \"cidr\": \"10.0.0.0/24\", \"allocation_pools\": [{\"start\": "
               "\"10.0.0.1\", \"end\": \"10.0.0.9\"}]}",
          "GatewayConflictWithAllocationPools", "10.0.0.1", FAULT_CONFLICT },
        { HEAD "\"ip_version\": 4, \"cidr\": \"10.0.0.0/24\", \"allocation_pools\": [{\"start\": "
               "\"10.0.0.2\", \"end\": \"2001:db8::1\"}]}",
          "InvalidAllocationPool", "10.0.0.2", FAULT_INVALID },
        { HEAD "\"ip_version\": 6, \"cidr\": \"2001:db8::/64\", \"ipv6_ra_mode\": \"slaac\", "
               "\"ipv6_address_mode\": \"dhcpv6-stateless\"}",
          "InvalidInput", "same value", FAULT_INVALID },
        { HEAD "\"ip_version\": 4, \"cidr\": \"10.0.0.0/24\", \"service_types\": [\"nothing\"]}",
          "InvalidSubnetServiceType", "nothing", FAULT_INVALID },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct arena *a = arena_new();
        struct subnet row = { 0 };
        struct fault f = { 0 };

        assert_fault(check_new(a, cases[i].json, &row, &f), f, cases[i].kind, cases[i].part);
        assert_string_equal(f.code, cases[i].code);
        arena_free(a);
    }
}

static void
test_auto(void **state)
{
    (void)state;
    assert_true(subnet_is_auto(6, "slaac"));
    assert_true(subnet_is_auto(6, "dhcpv6-stateless"));
    assert_false(subnet_is_auto(6, "dhcpv6-stateful"));
    assert_false(subnet_is_auto(6, NULL));
    assert_false(subnet_is_auto(4, "slaac"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pools),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_auto),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
