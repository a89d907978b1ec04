/* Endpoints' URLs: which places they may have, and what becomes of them. */
#include "services/identity/endpoint_url.h"
#include "tests/unit/asserts.h"

static void
test_places(void **state)
{
    static const struct {
        const char *url;
        bool good;
        const char *filled;      /* With project "p" and user "u"; NULL: in no catalogue. */
        const char *without_one; /* With no project. */
    } cases[] = {
        { "http://h/", true, "http://h/", "http://h/" },
        { "", true, "", "" },
        { "http://h/%(project_id)s", true, "http://h/p", NULL },
        { "http://h/$(tenant_id)s/%(tenant_id)s/x", true, "http://h/p/p/x", NULL },
        { "http://h/%(user_id)s", true, "http://h/u", "http://h/u" },
        { "http://h/100%%/$5", true, "http://h/100%/$5", "http://h/100%/$5" },
        { "http://h:%(public_port)s/", true, NULL, NULL },
        { "http://h/%(project_id)", false, NULL, NULL },
        { "http://h/%(project_id)d", false, NULL, NULL },
        { "http://h/%(project_ids)s", false, NULL, NULL },
        { "http://h/%(project_i)s", false, NULL, NULL },
        { "http://h/$()s", false, NULL, NULL },
        { "http://h/$(project_id", false, NULL, NULL },
        { "http://h/%", false, NULL, NULL },
        { "http://h/%s", false, NULL, NULL },
        { "http://h/%n%n%n", false, NULL, NULL },
        { "http://h/%%(project_id)s", true, "http://h/%(project_id)s", "http://h/%(project_id)s" },
    };
    struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fault f = { 0 };
        const char *with = endpoint_url_fill(a, cases[i].url, "p", "u");
        const char *without = endpoint_url_fill(a, cases[i].url, NULL, "u");
        int r = endpoint_url_check(cases[i].url, &f);

        if (cases[i].good)
            assert_ok(r);
        else
            assert_fault(r, f, FAULT_INVALID, "invalid URL");
        if ((with == NULL) != (cases[i].filled == NULL) ||
            (without == NULL) != (cases[i].without_one == NULL))
            fail_msg("%s: %s, %s", cases[i].url, with, without);
        if (with != NULL)
            assert_string_equal(with, cases[i].filled);
        if (without != NULL)
            assert_string_equal(without, cases[i].without_one);
    }
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_places) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
