/* Which backend a volume goes to, and why not the others. */
#include <string.h>

#include "base/json.h"
#include "services/volume/placing.h"
#include "tests/unit/asserts.h"

static struct backend_row
backend(struct arena *a, const char *host, const char *name, int64_t capacity_gb,
        int64_t promised_gb)
{
    return (struct backend_row){ .host = host,
                                 .name = name,
                                 .availability_zone = "nova",
                                 .capacity_bytes = capacity_gb << 30,
                                 .promised_gb = promised_gb,
                                 .up = true,
                                 .state = "up",
                                 .capabilities =
                                     json_own(a, json_pack("{s:b, s:b}", "thin_provisioning", 1,
                                                           "multiattach", 0)) };
}

static void
test_choice(void **state)
{
    struct arena *a = *state;
    struct backend_row rows[] = { backend(a, "h1", "file", 100, 150),
                                  backend(a, "h2", "file", 100, 50),
                                  backend(a, "h3", "lvm", 1000, 1999) };
    static const struct {
        struct placing_wish wish;
        int chosen;
        const char *reason; /* Part of it, where nothing was chosen. */
    } cases[] = {
        { { .size_gb = 1, .thin_ratio = 2.0 }, 1, NULL },
        { { .size_gb = 150, .thin_ratio = 2.0 }, 1, NULL },
        { { .size_gb = 151, .thin_ratio = 2.0 }, -1, "151 GiB are wanted, there is room for 150" },
        { { .size_gb = 1, .thin_ratio = 2.0, .host = "h1" }, 0, NULL },
        { { .size_gb = 1, .thin_ratio = 2.0, .backend_name = "lvm" }, 2, NULL },
        { { .size_gb = 2, .thin_ratio = 2.0, .backend_name = "lvm" }, -1, "there is room for 1" },
        { { .size_gb = 1, .thin_ratio = 2.0, .backend_name = "rbd" }, -1, "wants backend rbd" },
        { { .size_gb = 1, .thin_ratio = 2.0, .zone = "mars" },
          -1,
          "it is in zone nova, wanted is mars" },
        { { .size_gb = 1, .thin_ratio = 2.0, .zone = "nova" }, 1, NULL },
        { { .size_gb = 1, .thin_ratio = 2.0, .multiattach = true }, -1, "attach a volume twice" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *reasons;

        assert_int_equal(cases[i].chosen,
                         placing_choose(rows, ARRAY_SIZE(rows), &cases[i].wish, a, &reasons));
        if (cases[i].reason != NULL && strstr(reasons, cases[i].reason) == NULL)
            fail_msg("'%s' does not say '%s'", reasons, cases[i].reason);
    }
}

static void
test_states(void **state)
{
    struct arena *a = *state;
    struct backend_row row = backend(a, "h1", "file", 100, 0);
    const struct placing_wish any = { .size_gb = 1, .thin_ratio = 1.0 },
                              same = { .size_gb = 1, .thin_ratio = 1.0, .host = "h1" };
    const char *reasons;

    row.disabled = true;
    assert_int_equal(-1, placing_choose(&row, 1, &any, a, &reasons));
    assert_string_equal(" file: it is disabled.", reasons);
    assert_int_equal(0,
                     placing_choose(&row, 1, &same, a, &reasons)); /* A copy has no other place. */
    row.up = false;
    assert_int_equal(-1, placing_choose(&row, 1, &same, a, &reasons));
    assert_string_equal(" file: it is down.", reasons);
    assert_int_equal(-1, placing_choose(&row, 0, &any, a, &reasons));
    assert_string_equal("", reasons);
}

static void
test_room(void **state)
{
    struct arena *a = *state;
    struct backend_row row = backend(a, "h1", "file", 100, 30);

    assert_int_equal(170, placing_room_gb(&row, 2.0));
    row.capabilities = json_own(a, json_pack("{s:b}", "thin_provisioning", 0));
    assert_int_equal(70,
                     placing_room_gb(&row,
                                     2.0)); /* What is written whole cannot be promised twice. */
}

static int
setup(void **state)
{
    *state = arena_new();
    return 0;
}

static int
teardown(void **state)
{
    arena_free(*state);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_choice),
                                        cmocka_unit_test(test_states),
                                        cmocka_unit_test(test_room) };

    return cmocka_run_group_tests(tests, setup, teardown);
}
