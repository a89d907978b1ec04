#include "services/compute/scheduler.h"

#include "base/compiler.h"
#include "base/str.h"
#include "tests/unit/asserts.h"

static const struct scheduler_host hosts[] = {
    { .name = "a", .provider_id = "pa", .zone = "nova", .up = true },
    { .name = "b", .provider_id = "pb", .zone = "nova", .up = true, .disabled = true },
    { .name = "c", .provider_id = "pc", .zone = "east", .up = true },
    { .name = "d", .provider_id = "pd", .zone = "nova", .up = false },
    { .name = "e",
      .provider_id = NULL,
      .zone = "nova",
      .up = true }, /* Has never reported what it has. */
};

static void
test_choose(void **state)
{
    static const struct {
        const char *providers[5];
        struct scheduler_wish wish;
        int chosen;
        const char *reasons;
    } cases[] = {
        { { "pa", "pc" }, { 0 }, 0, "" },
        { { "pc", "pa" }, { 0 }, 2, "" }, /* Placement's order counts. */
        { { "pb", "pd", "pc" },
          { 0 },
          2,
          " b: the compute service is disabled. d: the compute agent does not report." },
        { { "pa", "pc" }, { .zone = "east" }, 2, " a: it is in another availability zone." },
        { { "pa", "pc" },
          { .zone = "west" },
          -1,
          " a: it is in another availability zone. c: it is in another availability zone." },
        { { "pa", "pc" }, { .host = "c" }, 2, " a: another host was asked for." },
        { { "pb" }, { .host = "b" }, -1, " b: the compute service is disabled." },
        { { "pa" }, { .host = "nobody" }, -1, " a: another host was asked for." },
        { { "unknown", "pa" }, { 0 }, 0, "" },
        { { "unknown" }, { 0 }, -1, "" },
        { { NULL }, { 0 }, -1, "" },
        { { "pc" }, { .zone = "east", .host = "c" }, 2, "" },
    };
    struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *reasons = NULL;
        size_t count = 0;
        int chosen;

        while (count < 5 && cases[i].providers[count] != NULL)
            count++;
        chosen = scheduler_choose(hosts, ARRAY_SIZE(hosts), cases[i].providers, count,
                                  &cases[i].wish, a, &reasons);
        if (chosen != cases[i].chosen || !str_equal(reasons, cases[i].reasons))
            fail_msg("case %zu: %d,%s", i, chosen, reasons);
    }
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_choose) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
