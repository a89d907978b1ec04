/* Candidates: what each query finds in a small cloud of hosts, a nested host and a share of disks. */
#include "services/placement/candidates.h"

#include "base/map.h"
#include "base/str.h"
#include "http/url.h"
#include "tests/unit/placement/small_cloud.h"

static bool
take(void *owner, const struct candidate *c)
{
    struct str *out = owner;

    if (out->size > 0)
        str_add(out, " | ");
    for (size_t i = 0; i < c->picks_count; i++)
        str_addf(out, "%s%s:%s=%lld", i == 0 ? "" : " ", c->picks[i].provider->name,
                 mirror_class_name(mirror, c->picks[i].class_id), (long long)c->picks[i].amount);
    return true;
}

/* Candidates as "provider:class=amount ... | ...", or what the fault says. */
static char *
find(struct arena *a, const char *query, int version)
{
    struct http_request http = { .arena = a, .query_text = query };
    struct call call = { .arena = a, .request = &http, .version = version };
    struct candidates_options options = { .nested = version >= 1029 };
    struct candidates_plan *plan;
    struct request request;
    struct str out = { 0 };
    struct fault f = { 0 };
    char *copy;

    assert_ok(url_parse_query(a, query, &http.query, &http.query_count, &f));
    if (request_parse(&call, &request, &f) < 0 ||
        candidates_plan(mirror, &request, a, &plan, &f) < 0)
        return arena_printf(a, "! %s", f.message);
    candidates_walk(mirror, plan, &options, take, &out);
    copy = arena_strdup(a, str_text(&out));
    str_done(&out);
    return copy;
}

static void
test_walk(void **state)
{
    static const struct {
        const char *query;
        int version;
        const char *expected;
    } cases[] = {
        { "resources=VCPU:2", 1039, "h1:VCPU=2 | h2:VCPU=2 | n:VCPU=2" },
        { "resources=VCPU:1", 1039, "h1:VCPU=1 | n:VCPU=1" }, /* h2 gives by twos. */
        { "resources=VCPU:4", 1039, "h1:VCPU=4 | n:VCPU=4" },
        { "resources=VCPU:9", 1039, "n:VCPU=9" }, /* By its ratio. */
        { "resources=VCPU:17", 1039, "" },
        { "resources=VCPU:2,DISK_GB:10", 1039,
          "h1:VCPU=2 h1:DISK_GB=10 | h2:VCPU=2 h2:DISK_GB=10 | n:VCPU=2 s:DISK_GB=10" },
        { "resources=DISK_GB:500", 1039,
          "s:DISK_GB=500" }, /* Once, though it shows at two anchors. */
        { "resources=VCPU:2&required=HW_CPU_X86_AVX2", 1039, "h2:VCPU=2" },
        { "resources=VCPU:2&required=!HW_CPU_X86_AVX2", 1039, "h1:VCPU=2 | n:VCPU=2" },
        { "resources=VCPU:2&required=in:HW_CPU_X86_AVX2,HW_NIC_SRIOV", 1039, "h2:VCPU=2" },
        { "resources=VCPU:2,SRIOV_NET_VF:1&required=HW_NIC_SRIOV", 1039,
          "n:VCPU=2 n2:SRIOV_NET_VF=1" },
        { "resources=VCPU:2&member_of=11111111-0000-0000-0000-000000000000", 1039, "h2:VCPU=2" },
        { "resources=VCPU:2&member_of=!11111111-0000-0000-0000-000000000000", 1039,
          "h1:VCPU=2 | n:VCPU=2" },
        { "resources=VCPU:2&member_of=in:11111111-0000-0000-0000-000000000000,22222222-0000-0000-"
          "0000-000000000000",
          1039, "h2:VCPU=2 | n:VCPU=2" },
        { "resources=VCPU:2&member_of=33333333-0000-0000-0000-000000000000", 1039, "" },
        { "resources=VCPU:2&in_tree=00000000-0000-0000-0000-0000000000b1", 1039, "n:VCPU=2" },
        { "resources=VCPU:2,DISK_GB:1&in_tree=00000000-0000-0000-0000-0000000000b1", 1039,
          "" }, /* The share is another tree. */
        { "resources=VCPU:2&in_tree=00000000-0000-0000-0000-0000000000ff", 1039, "" },
        { "resources=VCPU:1,SRIOV_NET_VF:1", 1039,
          "n:VCPU=1 n1:SRIOV_NET_VF=1 | n:VCPU=1 n2:SRIOV_NET_VF=1" },
        { "resources=VCPU:1,SRIOV_NET_VF:1", 1028, "" },           /* Trees are not known yet. */
        { "resources=SRIOV_NET_VF:4", 1039, "n2:SRIOV_NET_VF=4" }, /* n1: max_unit 3. */
        { "resources1=SRIOV_NET_VF:1&resources2=SRIOV_NET_VF:1&group_policy=isolate", 1039,
          "n1:SRIOV_NET_VF=1 n2:SRIOV_NET_VF=1 | n2:SRIOV_NET_VF=1 n1:SRIOV_NET_VF=1" },
        { "resources1=SRIOV_NET_VF:1&resources2=SRIOV_NET_VF:1&group_policy=none", 1039,
          "n1:SRIOV_NET_VF=2 | n1:SRIOV_NET_VF=1 n2:SRIOV_NET_VF=1 | n2:SRIOV_NET_VF=1 "
          "n1:SRIOV_NET_VF=1 | n2:SRIOV_NET_VF=2" },
        { "resources1=SRIOV_NET_VF:3&resources2=SRIOV_NET_VF:3&group_policy=none", 1039,
          "n1:SRIOV_NET_VF=3 n2:SRIOV_NET_VF=3 | n2:SRIOV_NET_VF=3 n1:SRIOV_NET_VF=3" }, /* Together they exceed it. */
        { "resources=VCPU:1&resources_NET=SRIOV_NET_VF:1&required_NET=HW_NIC_SRIOV", 1039,
          "n:VCPU=1 n2:SRIOV_NET_VF=1" },
        { "resources_A=VGPU:1&resources_B=SRIOV_NET_VF:1&group_policy=none&same_subtree=_A,_B",
          1039, "n2a:VGPU=1 n2:SRIOV_NET_VF=1" },
        { "resources_A=VGPU:1&required_B=HW_NIC_SRIOV&group_policy=none&same_subtree=_A,_B", 1039,
          "n2a:VGPU=1" },
        { "resources=VCPU:2&root_required=HW_CPU_X86_AVX2", 1039, "h2:VCPU=2" },
        { "resources=VCPU:2&root_required=!HW_CPU_X86_AVX2", 1039, "h1:VCPU=2 | n:VCPU=2" },
        { "resources=VCPU:2&required=CUSTOM_NONE", 1039, "! No such trait(s): CUSTOM_NONE." },
        { "resources=CUSTOM_NONE:2", 1039,
          "! Invalid resource class in resources parameter: No such resource class CUSTOM_NONE." },
        { "resources=VCPU:0", 1039, "! Requested resource VCPU requires amount >= 1. Got: 0." },
        { "resources=VCPU:x", 1039,
          "! Requested resource VCPU expected positive integer amount. Got: x." },
        { "resources=VCPU", 1039,
          "! Badly formed resources parameter. Expected resources query string parameter in form: "
          "?resources=VCPU:2,MEMORY_MB:1024. Got: VCPU." },
        { "", 1039, "! There must be at least one resources or resources[$S] parameter." },
        { "", 1035, "! At least one request group (`resources` or `resources{$S}`) is required." },
        { "", 1010,
          "! Invalid query string parameters: 'resources' is a required property\n\nFailed "
          "validating 'required' in schema" },
        { "resources1=VCPU:1&resources2=VCPU:1", 1039,
          "! The \"group_policy\" parameter is required when specifying more than one "
          "\"resources{N}\" parameter." },
        { "resources=VCPU:1&limit=0", 1039,
          "! Invalid query string parameters: '0' does not match '^[1-9][0-9]*$'\n\nFailed "
          "validating 'pattern' in schema['properties']['limit']" },
        { "resources=VCPU:1&limit=1", 1015,
          "! Invalid query string parameters: Additional properties are not allowed ('limit' was "
          "unexpected)\n\nFailed validating 'additionalProperties' in schema" },
        { "resources=VCPU:1&resources_A=VCPU:1", 1032,
          "! Invalid query string parameters: 'resources_A' does not match any of the regexes: "
          "'^in_tree([1-9][0-9]*)?$', '^member_of([1-9][0-9]*)?$', '^required([1-9][0-9]*)?$', "
          "'^resources([1-9][0-9]*)?$'\n\nFailed validating 'additionalProperties' in schema" },
        { "resources=VCPU:1&required=!HW_CPU_X86_AVX2", 1021,
          "! Invalid query string parameters: Expected 'required' parameter value of the form: "
          "HW_CPU_X86_VMX,CUSTOM_MAGIC. Got: "
          "!HW_CPU_X86_AVX2" },
        { "resources=VCPU:1&required=HW_CPU_X86_AVX2,!HW_CPU_X86_AVX2", 1039,
          "! Conflicting required and forbidden traits found in the following traits keys: "
          "required: (HW_CPU_X86_AVX2)" },
        { "resources=VCPU:1&required=HW_CPU_X86_AVX2,!HW_CPU_X86_AVX2&resources1=VCPU:1&group_"
          "policy=none"
          "&required1=in:HW_CPU_X86_SSE,HW_CPU_X86_AVX2&required1=!HW_CPU_X86_AVX2,!HW_CPU_X86_SSE",
          1039,
          "! Conflicting required and forbidden traits found in the following traits keys: "
          "required: (HW_CPU_X86_AVX2), required1: (HW_CPU_X86_SSE, HW_CPU_X86_AVX2)" },
        { "resources=VCPU:1&required=", 1039,
          "! Invalid query string parameters: Expected 'required' parameter value of the form: "
          "HW_CPU_X86_VMX,!CUSTOM_MAGIC. Got an empty trait in: " },
        { "resources=VCPU:1&member_of=x", 1039,
          "! Invalid query string parameters: Expected 'member_of' parameter to contain valid "
          "UUID(s). Got: x" },
        { "required=HW_CPU_X86_AVX2", 1030,
          "! All traits parameters must be associated with resources.  Found the following "
          "orphaned traits keys: required" },
        { "resources=VCPU:1&same_subtree=_X", 1039,
          "! Real suffixes should be specified in `same_subtree`: ['_X'] not found in ['']." },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct arena *a = arena_new();
        const char *found = find(a, cases[i].query, cases[i].version);

        if (strcmp(found, cases[i].expected) != 0)
            fail_msg("%s (%d)\n found:    %s\n expected: %s", cases[i].query, cases[i].version,
                     found, cases[i].expected);
        arena_free(a);
    }
}

static bool
take_one(void *owner, const struct candidate *c)
{
    (void)c;
    return --*(int *)owner > 0;
}

/* It ends when it is told to; and what has found nothing for long ends too, and says so. */
static void
test_bounds(void **state)
{
    struct arena *a = arena_new();
    struct http_request http = { .arena = a };
    struct call call = { .arena = a, .request = &http, .version = 1039 };
    struct candidates_options options = { .nested = true };
    struct candidates_plan *plan;
    struct request request;
    struct fault f = { 0 };
    int left = 1;

    (void)state;
    assert_ok(url_parse_query(a,
                              "resources=VCPU:1,MEMORY_MB:1&resources1=SRIOV_NET_VF:3&resources2="
                              "SRIOV_NET_VF:3&group_policy=none",
                              &http.query, &http.query_count, &f));
    assert_ok(request_parse(&call, &request, &f));
    assert_ok(candidates_plan(mirror, &request, a, &plan, &f));
    options.max_steps = 5; /* To the first of two; what led to it does not count afterwards. */
    assert_true(candidates_walk(mirror, plan, &options, take_one, &left));
    assert_int_equal(left, 0);
    left = 100;
    assert_true(candidates_walk(mirror, plan, &options, take_one, &left));
    assert_int_equal(left, 98);
    options.max_steps = 4;
    left = 100;
    assert_false(candidates_walk(mirror, plan, &options, take_one, &left));
    assert_int_equal(left, 100);
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_walk),
                                        cmocka_unit_test(test_bounds) };

    return cmocka_run_group_tests(tests, setup, teardown);
}
