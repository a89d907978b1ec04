/* What would fit: in the small cloud as it is, and with ratios, hosts more and hosts less. */
#include "services/placement/simulation.h"

#include "base/str.h"
#include "http/url.h"
#include "tests/unit/placement/small_cloud.h"

static struct mirror_fork snapshot;
static struct simulation_changes none;

static int
setup_fork(void **state)
{
    size_t count;
    int r = setup(state);

    /* The mirror is held already, so this is its fork as mirror_fork() would make it. */
    snapshot.trees = (struct mirror_tree **)(uintptr_t)mirror_trees(mirror, &snapshot.trees_count);
    snapshot.sharing = (struct mirror_provider **)(uintptr_t)mirror_sharing(mirror, &count);
    snapshot.sharing_count = count;
    return r;
}

static const struct mirror_tree *
tree(const char *name)
{
    for (size_t i = 0; i < snapshot.trees_count; i++) {
        if (str_equal(mirror_root(snapshot.trees[i]->members[0])->name, name))
            return snapshot.trees[i];
    }
    fail_msg("no %s", name);
    return NULL;
}

static struct candidates_plan *
plan_of(struct arena *a, const char *query)
{
    struct http_request *http = ARENA_NEW(a, struct http_request);
    struct request *request = ARENA_NEW(a, struct request);
    struct call call = { .arena = a, .request = http, .version = 1039 };
    struct candidates_plan *plan;
    struct fault f = { 0 };

    *http = (struct http_request){ .arena = a, .query_text = query };
    assert_ok(url_parse_query(a, query, &http->query, &http->query_count, &f));
    assert_ok(request_parse(&call, request, &f));
    assert_ok(candidates_plan(mirror, request, a, &plan, &f));
    return plan;
}

static struct simulation_outcome
simulated(struct arena *a, const char *query, struct simulation_changes *changes)
{
    struct simulation_outcome outcome;

    simulation_run(&snapshot, plan_of(a, query), changes, a, &outcome);
    return outcome;
}

static void
test_as_it_is(void **state)
{
    static const struct {
        const char *query;
        int64_t fits, hosts, used;
        const char *runs_out;
    } cases[] = {
        { "resources=VCPU:2", 4 + 1 + 8, 3, 3, "VCPU" },
        { "resources=VCPU:2,MEMORY_MB:512", 2 + 1 + 2, 3, 3, "MEMORY_MB" },
        { "resources=VCPU:1", 8 + 16, 3, 2, "VCPU" },                /* h2 gives by twos. */
        { "resources=VCPU:2,DISK_GB:100", 1 + 1 + 8, 3, 3, "VCPU" }, /* n has disk of the share. */
        { "resources=DISK_GB:100", 12, 3, 3, "DISK_GB" },
        { "resources=VCPU:2,SRIOV_NET_VF:1", 8, 1, 1, "VCPU" },
        { "resources=SRIOV_NET_VF:2", 4, 1, 1, "SRIOV_NET_VF" },
        { "resources=VCPU:2&required=HW_CPU_X86_AVX2", 1, 3, 1, "VCPU" },
        { "resources=VCPU:100", 0, 3, 0, "VCPU" },
        { "resources=NUMA_CORE:1", 0, 0, 0, NULL },
        { "resources=NUMA_CORE:1,VCPU:1", 0, 0, 0, NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct arena *a = arena_new();
        struct simulation_outcome o = simulated(a, cases[i].query, i % 2 == 0 ? NULL : &none);
        const char *first = verdict_counts_first(&o.exhausted);

        if (o.fits != cases[i].fits || o.hosts != cases[i].hosts || o.hosts_used != cases[i].used ||
            !str_equal(first, cases[i].runs_out))
            fail_msg("%s: %lld fit, %lld of %lld hosts used, out runs %s", cases[i].query,
                     (long long)o.fits, (long long)o.hosts_used, (long long)o.hosts, first);
        arena_free(a);
    }
}

static void
test_changes(void **state)
{
    struct arena *a = arena_new();
    const struct mirror_tree *h1[] = { tree("h1") }, *n[] = { tree("n") };
    int vcpu = mirror_class_id(mirror, "VCPU"), disk = mirror_class_id(mirror, "DISK_GB");
    struct simulation_ratio all = { .class_id = vcpu, .ratio = 4 },
                            one = { .class_id = vcpu, .ratio = 16, .trees = h1, .trees_count = 1 },
                            both[] = { all, one }, zero = { .class_id = disk, .ratio = 0 },
                            endless = { .class_id = vcpu, .ratio = 1e38 };
    struct simulation_hosts more[] = { { 3, tree("h2") } };
    struct simulation_changes changes = { .ratios = &all, .ratios_count = 1 };
    char *before = arena_printf(a, "%lld", (long long)simulated(a, "resources=VCPU:2", NULL).fits);

    (void)state;
    assert_int_equal(simulated(a, "resources=VCPU:2", &changes).fits, 16 + 13 + 16);
    changes.ratios = &one;
    assert_int_equal(simulated(a, "resources=VCPU:2", &changes).fits, 50 + 1 + 8 + 14);
    changes.ratios = both;
    changes.ratios_count = 2;
    assert_int_equal(simulated(a, "resources=VCPU:2", &changes).fits, 64 + 13 + 16);
    changes = (struct simulation_changes){ .ratios = &zero, .ratios_count = 1 };
    assert_int_equal(simulated(a, "resources=VCPU:2,DISK_GB:1", &changes).fits, 0);
    changes = (struct simulation_changes){ .ratios = &endless, .ratios_count = 1 };
    assert_true(simulated(a, "resources=VCPU:2", &changes).fits >= INT64_C(1000000000000));

    changes = (struct simulation_changes){ .hosts = more, .hosts_count = 1 };
    assert_int_equal(simulated(a, "resources=VCPU:2", &changes).fits, 4 + 1 + 8 + 3 * 4);
    assert_int_equal(simulated(a, "resources=VCPU:2&required=HW_CPU_X86_AVX2", &changes).fits,
                     1 + 12);
    changes.drained = h1;
    changes.drained_count = 1;
    assert_int_equal(simulated(a, "resources=VCPU:2", &changes).fits, 1 + 8 + 12);
    changes = (struct simulation_changes){ .drained = n, .drained_count = 1 };
    assert_int_equal(simulated(a, "resources=SRIOV_NET_VF:1", &changes).fits, 0);
    assert_string_equal(before,
                        arena_printf(a, "%lld",
                                     (long long)simulated(a, "resources=VCPU:2", NULL).fits));
    arena_free(a);
}

/* A share gives to all, once. */
static void
test_share(void **state)
{
    struct arena *a = arena_new();
    const struct mirror_tree *s[] = { tree("s") };
    struct simulation_hosts more[] = { { 5, tree("n") } };
    struct simulation_changes changes = { .hosts = more, .hosts_count = 1 };

    (void)state;
    /* h1, h2 by their own 100; of the share 1000 is enough for ten, wherever they run. */
    assert_int_equal(simulated(a, "resources=VCPU:1,DISK_GB:100", &changes).fits, 1 + 10);
    changes = (struct simulation_changes){ .drained = s, .drained_count = 1 };
    assert_int_equal(simulated(a, "resources=VCPU:1,DISK_GB:100", &changes).fits, 1);
    arena_free(a);
}

static void
test_reasons(void **state)
{
    struct arena *a = arena_new();
    struct simulation_hosts more[] = { { 1, tree("h1") } };
    struct simulation_changes changes = { .hosts = more, .hosts_count = 1 };
    struct simulation_outcome o = simulated(a, "resources=VCPU:6,MEMORY_MB:100", &changes);

    (void)state;
    assert_int_equal(o.fits, 1 + 0 + 2 + 1);
    assert_int_equal(o.reasons_count, 4);
    assert_string_equal(o.reasons[0].name, "h1");
    assert_string_equal(o.reasons[0].reason,
                        "VCPU: wanted 6, available 2.0 of 8 (1.0 x 8, 6 used)");
    assert_string_equal(o.reasons[3].name, "(added)");
    assert_null(o.reasons[3].uuid);
    arena_free(a);
}

/* Where consumers of drained hosts go: "h2 n n -", and how many more fit then. */
static const char *
moved(struct arena *a, struct simulation_changes *changes, int64_t *ret_fits)
{
    struct simulation_outcome o = simulated(a, "resources=VCPU:1", changes);
    const char *text = "";
    int64_t stuck = 0;

    for (size_t i = 0; i < changes->demands_count; i++) {
        struct simulation_demand *d = &changes->demands[i];

        for (size_t k = 0; k < d->count; k++) {
            size_t at = k < d->placed ? d->moves[k].at : SIZE_MAX;
            const char *name = at == SIZE_MAX ? "-"
                               : at >= snapshot.trees_count
                                   ? "added"
                                   : mirror_root(snapshot.trees[at]->members[0])->name;

            text = arena_printf(a, "%s%s%s", text, text[0] == '\0' ? "" : " ", name);
            stuck += k >= d->placed;
        }
    }
    assert_int_equal(o.stuck, stuck);
    *ret_fits = o.fits;
    return text;
}

static void
test_moves(void **state)
{
    struct arena *a = arena_new();
    const struct mirror_tree *h1[] = { tree("h1") };
    const struct mirror_provider *share[] = { tree("s")->members[0] };
    struct simulation_move moves[2][8] = { 0 };
    struct simulation_demand demands[2] = {
        { .plan = plan_of(a, "resources=VCPU:2"), .moves = moves[0], .count = 3 },
        { .plan = plan_of(a, "resources=VCPU:12"), .moves = moves[1], .count = 1 },
    };
    struct simulation_hosts more[] = { { 2, tree("h1") } };
    struct simulation_changes changes = {
        .drained = h1, .drained_count = 1, .demands = demands, .demands_count = 2
    };
    int64_t fits;

    (void)state;
    /* The large one first: of n's 16 it leaves 4. h2 gives two more. */
    assert_string_equal(moved(a, &changes, &fits), "h2 n n n");
    assert_int_equal(fits, 0);
    demands[0].placed = demands[1].placed = 0;
    demands[0].count = 8;
    assert_string_equal(moved(a, &changes, &fits), "h2 n n - - - - - n");
    assert_int_equal(fits, 0);
    assert_string_equal(verdict_counts_first(&demands[0].refused), "VCPU");
    demands[0].placed = demands[1].placed = 0;
    changes.hosts = more;
    changes.hosts_count = 1;
    assert_string_equal(moved(a, &changes, &fits), "h2 n n added added added added added n");
    assert_int_equal(fits, 16 - 10);
    /* Near the share that keeps its disk: n alone. */
    changes.hosts_count = 0;
    changes.demands_count = 1;
    demands[0] = (struct simulation_demand){ .plan = plan_of(a, "resources=VCPU:6"),
                                             .kept = share,
                                             .kept_count = 1,
                                             .moves = moves[0],
                                             .count = 3 };
    assert_string_equal(moved(a, &changes, &fits), "n n -");
    assert_int_equal(fits, 4);
    assert_string_equal(verdict_counts_first(&demands[0].refused), "kept");
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_it_is), cmocka_unit_test(test_changes),
        cmocka_unit_test(test_share),    cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_moves),
    };

    return cmocka_run_group_tests(tests, setup_fork, teardown);
}
