#include "services/compute-agent/host_facts.h"

#include <stdio.h>

#include "base/str.h"
#include "base/uuid.h"
#include "services/compute-agent/cpu_traits.h"
#include "services/compute-agent/folder.h"
#include "tests/unit/asserts.h"

static void
test_pressure(void **state)
{
    double some, full;

    (void)state;
    host_pressure_parse("some avg10=1.25 avg60=0.50 avg300=0.10 total=1\nfull avg10=0.75 avg60=0.1 "
                        "avg300=0 total=2\n",
                        &some, &full);
    assert_float_equal(some, 1.25, 0.001);
    assert_float_equal(full, 0.75, 0.001);
    host_pressure_parse("some avg10=3.00 avg60=0\n", &some, &full);
    assert_float_equal(some, 3.0, 0.001);
    assert_float_equal(full, -1, 0.001);
    host_pressure_parse("", &some, &full);
    assert_float_equal(some, -1, 0.001);
}

static void
test_uuid(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    char folder[] = "/tmp/virga-host-XXXXXX";
    const char *first, *second, *other;
    struct fault f = { 0 };
    int r;

    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_ok(host_uuid(a, "", folder, 1, &first, &f));
    assert_true(uuid_check(first));
    assert_ok(host_uuid(a, "", folder, 1, &second, &f));
    assert_string_equal(first, second);
    assert_ok(host_uuid(a, "", folder, 2, &other, &f));
    assert_string_not_equal(first, other);
    assert_ok(host_uuid(a, "c0ffee00-0000-4000-8000-000000000001", folder, 1, &second, &f));
    assert_string_equal(second, "c0ffee00-0000-4000-8000-000000000001");
    r = host_uuid(a, "coffee", folder, 1, &second, &f);
    assert_fault(r, f, FAULT_INVALID, "UUID");
    folder_remove(folder);
}

static void
test_traits(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const char **traits;

    (void)state;
    assert_int_equal(cpu_traits(a, "fpu sse2 avx2 avx512foo", &traits), 2);
    assert_string_equal(traits[0], "HW_CPU_X86_SSE2");
    assert_string_equal(traits[1], "HW_CPU_X86_AVX2");
    assert_int_equal(cpu_traits(a, NULL, &traits), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_pressure),
                                        cmocka_unit_test(test_uuid),
                                        cmocka_unit_test(test_traits) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
