/* Many that share: what a request costs follows what it returns, not hosts times sharing providers. */
#include <time.h>

#include "base/str.h"
#include "tests/unit/placement/mirror_lab.h"

/* 5,000 hosts have VCPU and no disk. Host n is in aggregate n % 500, and so are the 1,000 sharing providers, of which every tenth has room.
 * Those with an odd number are all in one aggregate more, where the sharing providers have IPV4_ADDRESS. */
static const char setup_sql[] =
    "INSERT INTO provider (id, uuid, name, root_id) OVERRIDING SYSTEM VALUE"
    "  SELECT n, gen_random_uuid(), CASE WHEN n > 100000 THEN 's' ELSE 'h' END || n, n"
    "  FROM (SELECT generate_series(1, 5000) AS n UNION ALL SELECT generate_series(100001, "
    "101000)) x;"
    "INSERT INTO inventory SELECT id, 0, 8, 0, 1, 8, 1, 1.0, 0 FROM provider WHERE id <= 5000;"
    "INSERT INTO inventory SELECT id, 2, 100, 0, 1, 100, 1, 1.0, CASE WHEN id % 10 = 0 THEN 0 ELSE "
    "100 END FROM provider WHERE id > 100000;"
    "INSERT INTO inventory SELECT id, (SELECT id FROM resource_class WHERE name = 'IPV4_ADDRESS'), "
    "100, 0, 1, 100, 1, 1.0, 0 FROM provider WHERE id > 100000 "
    "AND id % 2 = 1;"
    "INSERT INTO provider_trait SELECT p.id, t.id FROM provider p, trait t WHERE t.name = "
    "'MISC_SHARES_VIA_AGGREGATE' AND p.id > 100000;"
    "INSERT INTO provider_aggregate SELECT id, ('00000000-0000-0000-0000-' || lpad((id % "
    "500)::text, 12, '0')) FROM provider;"
    "INSERT INTO provider_aggregate SELECT id, '11111111-0000-0000-0000-000000000000' FROM "
    "provider WHERE id % 2 = 1;";

static int
setup(void **state)
{
    struct fault f = { 0 };

    (void)state;
    lab_open(setup_sql);
    assert_ok(mirror_read(mirror, &db, &f));
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    mirror_done(mirror);
    lab_close();
    return 0;
}

static bool
take(void *owner, const struct candidate *c)
{
    size_t *left = owner;

    (void)c;
    return --*left > 0;
}

/* Processor time: what others do at the same time does not count. */
static int64_t
used_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

static void
test_costs(void **state)
{
    static const struct {
        const char *query;
        size_t limit, found;
    } cases[] = {
        { "resources=VCPU:1", 10, 10 },
        { "resources=VCPU:1,DISK_GB:1", 10, 10 },
        { "resources=VCPU:1,DISK_GB:1", 1000, 1000 },
        { "resources=VCPU:1,DISK_GB:101", 10, 0 },
        { "resources=VCPU:1,IPV4_ADDRESS:1", 10, 10 },
        { "resources=VCPU:1,IPV4_ADDRESS:1", 1000, 1000 },
        { "resources=VCPU:9,IPV4_ADDRESS:1", 10, 0 },
        { "resources=VCPU:1,IPV4_ADDRESS:1,DISK_GB:1", 1000, 0 },
        { "resources=VCPU:1,IPV4_ADDRESS:1&required=HW_CPU_X86_AVX2", 10, 0 },
        { "resources1=VCPU:1&resources2=IPV4_ADDRESS:1&resources3=DISK_GB:1&group_policy=isolate",
          1000, 0 },
        { "resources1=VCPU:1&resources2=IPV4_ADDRESS:1&group_policy=isolate", 1000, 1000 },
        { "resources1=VCPU:1&resources2=IPV4_ADDRESS:101&group_policy=isolate", 1000, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena *a = arena_new();
        struct candidates_options options = { .nested = true, .limit = (int64_t)cases[i].limit };
        size_t left = cases[i].limit;
        int64_t began, us;

        began = used_us();
        candidates_walk(mirror, plan_of(a, cases[i].query), &options, take, &left);
        us = used_us() - began;
        print_message("%-90s %4zu: %6lld us, %zu KB\n", cases[i].query, cases[i].limit - left,
                      (long long)us, arena_used(a) / 1024);
        assert_int_equal(cases[i].limit - left, cases[i].found);
        assert_true(us < 500000); /* With sanitizers; seconds if each was compared with each. */
        arena_free(a);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_costs) };

    return cmocka_run_group_tests(tests, setup, teardown);
}
