/* Why a host does not fit: each rule, in words. */
#include "services/placement/verdict.h"

#include "base/str.h"
#include "http/url.h"
#include "tests/unit/placement/small_cloud.h"

static const struct mirror_provider *
named(const char *name)
{
    size_t count;
    struct mirror_provider *const *all = mirror_providers(mirror, &count);

    for (size_t i = 0; i < count; i++) {
        if (str_equal(all[i]->name, name))
            return all[i];
    }
    fail_msg("no %s", name);
    return NULL;
}

/* "rule: reason", or "fits". */
static const char *
why(struct arena *a, const char *query, const char *name)
{
    struct candidates_scope scope = candidates_scope(mirror);
    struct http_request http = { .arena = a, .query_text = query };
    struct call call = { .arena = a, .request = &http, .version = 1039 };
    struct verdict v, silent;
    struct candidates_plan *plan;
    struct verdicts *verdicts;
    struct request request;
    struct fault f = { 0 };

    assert_ok(url_parse_query(a, query, &http.query, &http.query_count, &f));
    if (request_parse(&call, &request, &f) < 0 ||
        candidates_plan(mirror, &request, a, &plan, &f) < 0)
        return arena_printf(a, "! %s", f.message);
    verdicts = verdicts_new(&scope, plan, a);
    verdict_of(verdicts, named(name)->tree, true, &v);
    verdict_of(verdicts, named(name)->tree, false, &silent);
    assert_null(silent.reason);
    assert_true(str_equal(silent.rule, v.rule));
    return v.rule == NULL ? "fits" : arena_printf(a, "%s: %s", v.rule, v.reason);
}

static void
test_rules(void **state)
{
    static const struct {
        const char *name, *query, *expected;
    } cases[] = {
        { "h1", "resources=VCPU:2", "fits" },
        { "h1", "resources=VCPU:9", "VCPU: VCPU: wanted 9, available 8.0 of 8 (1.0 x 8, 0 used)" },
        { "h2", "resources=VCPU:4", "VCPU: VCPU: wanted 4, available 2.0 of 8 (1.0 x 8, 6 used)" },
        { "h2", "resources=VCPU:1", "VCPU: VCPU: wanted 1, which is no multiple of 2" },
        { "h1", "resources=VGPU:1", "VGPU: VGPU: wanted 1, there is no inventory of it" },
        { "h1", "resources=VCPU:1&required=HW_CPU_X86_AVX2",
          "required: it lacks the trait HW_CPU_X86_AVX2" },
        { "h1", "resources=VCPU:1&required=in:HW_CPU_X86_AVX2,HW_NIC_SRIOV",
          "required: it lacks the trait HW_CPU_X86_AVX2 or HW_NIC_SRIOV" },
        { "h2", "resources=VCPU:2&required=!HW_CPU_X86_AVX2",
          "required: it has the trait HW_CPU_X86_AVX2, which is excluded" },
        { "h1", "resources=VCPU:2&member_of=11111111-0000-0000-0000-000000000000",
          "member_of: it is in none of the aggregates asked for" },
        { "h2", "resources=VCPU:2&member_of=!11111111-0000-0000-0000-000000000000",
          "member_of: it is in an aggregate that is excluded" },
        { "h1", "resources=VCPU:2&in_tree=00000000-0000-0000-0000-0000000000a2",
          "in_tree: another host was asked for" },
        { "h1", "resources=VCPU:2&root_required=HW_CPU_X86_AVX2",
          "root_required: it lacks the trait HW_CPU_X86_AVX2" },
        { "h2", "resources=VCPU:2&root_required=!HW_CPU_X86_AVX2",
          "root_required: it has the trait HW_CPU_X86_AVX2, which is excluded" },
        { "n", "resources=VCPU:1,SRIOV_NET_VF:5",
          "SRIOV_NET_VF: n1: SRIOV_NET_VF: wanted 5, available 4.0 of 4 (1.0 x 4, 0 used)" },
        { "n", "resources=VCPU:1,SRIOV_NET_VF:4&required=!HW_NIC_SRIOV",
          "SRIOV_NET_VF: n1: SRIOV_NET_VF: wanted 4, one consumer may have 3 at most" },
        { "n", "resources=VCPU:1,VGPU:1&required=HW_NIC_SRIOV",
          "required: the providers that have room lack the traits together" },
        /* Groups with a suffix: who came nearest. */
        { "n", "resources_NET=SRIOV_NET_VF:1&required_NET=HW_CPU_X86_AVX2",
          "required: group _NET: n1: it lacks the trait HW_CPU_X86_AVX2" },
        { "n", "resources_NET=SRIOV_NET_VF:4&required_NET=!HW_NIC_SRIOV",
          "SRIOV_NET_VF: group _NET: n1: SRIOV_NET_VF: wanted 4, one consumer may have 3 at most" },
        { "h1", "resources=VCPU:1&resources_NET=SRIOV_NET_VF:1",
          "SRIOV_NET_VF: group _NET: SRIOV_NET_VF: wanted 1, there is no inventory of it" },
        { "n", "resources_A=VCPU:1,SRIOV_NET_VF:1",
          "together: group _A: no single provider has an inventory of all that the group wants" },
        { "n", "resources_A=VGPU:1&in_tree_A=00000000-0000-0000-0000-0000000000a2",
          "in_tree: group _A: n2a: it is not of the tree asked for" },
        { "n", "resources_A=VGPU:1&member_of_A=11111111-0000-0000-0000-000000000000",
          "member_of: group _A: n2a: it is in none of the aggregates asked for" },
        /* All groups together. */
        { "n",
          "resources1=SRIOV_NET_VF:3&resources2=SRIOV_NET_VF:3&resources3=SRIOV_NET_VF:3&group_"
          "policy=none",
          "SRIOV_NET_VF: SRIOV_NET_VF: all groups together want 9, available 8.0" },
        { "n",
          "resources1=SRIOV_NET_VF:1&resources2=SRIOV_NET_VF:1&resources3=SRIOV_NET_VF:1&group_"
          "policy=isolate",
          "group_policy: its groups cannot each have a provider of their own" },
        { "n", "resources1=SRIOV_NET_VF:1&resources2=SRIOV_NET_VF:1&group_policy=isolate", "fits" },
        { "n",
          "resources_A=VGPU:1&resources_B=SRIOV_NET_VF:4&required_B=HW_NIC_SRIOV&group_policy=none&"
          "same_subtree=_A,_B",
          "fits" },
        { "n",
          "resources_A=VGPU:1&resources_B=SRIOV_NET_VF:1&required_B=!HW_NIC_SRIOV&group_policy="
          "none&same_subtree=_A,_B",
          "same_subtree: the providers that may serve those groups do not stand below one of "
          "them" },
        { "n",
          "resources1=SRIOV_NET_VF:3&resources2=SRIOV_NET_VF:2&resources3=SRIOV_NET_VF:3&group_"
          "policy=none",
          "together: its providers can serve each resource and group alone, not all of them "
          "together" },
        { "n", "resources=NOPE:1",
          "! Invalid resource class in resources parameter: No such resource class NOPE." },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct arena *a = arena_new();
        const char *said = why(a, cases[i].query, cases[i].name);

        if (strcmp(said, cases[i].expected) != 0)
            fail_msg("%s: %s\n said:     %s\n expected: %s", cases[i].name, cases[i].query, said,
                     cases[i].expected);
        arena_free(a);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rules) };

    return cmocka_run_group_tests(tests, setup, teardown);
}
