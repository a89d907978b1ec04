#include "../asserts.h"
#include "api/router.h"
#include "base/str.h"

static const struct operation operations[] = {
    { .method = HTTP_GET, .path = "/", .id = "root" },
    { .method = HTTP_GET, .path = "/v2/flavors", .id = "list" },
    { .method = HTTP_POST, .path = "/v2/flavors", .id = "create" },
    { .method = HTTP_GET, .path = "/v2/flavors/detail", .id = "detail" },
    { .method = HTTP_GET, .path = "/v2/flavors/{flavor_id}", .id = "show" },
    { .method = HTTP_GET, .path = "/v2/flavors/{flavor_id}/specs/{key}", .id = "spec" },
    { .method = HTTP_GET, .path = "/v2/flavors/detail/all", .id = "all" },
};

static void
test_find(void **state)
{
    static const struct {
        const char *path, *id, *first, *second;
    } cases[] = {
        { "/", "root", NULL, NULL },
        { "/v2/flavors", "list", NULL, NULL },
        { "/v2/flavors/detail", "detail", NULL, NULL }, /* A literal wins over a parameter. */
        { "/v2/flavors/x", "show", "x", NULL },
        { "/v2/flavors/a%20b", "show", "a b", NULL },
        { "/v2/flavors/detail/specs/k", "spec", "detail",
          "k" }, /* A step back out of the literal. */
        { "/v2/flavors/detail/all", "all", NULL, NULL },
        { "/v2/flavors/", NULL, NULL, NULL }, /* A parameter is never empty. */
        { "/v2/flavors/a%2fb", NULL, NULL, NULL },
        { "/v2/flavors/a%00b", NULL, NULL, NULL },
        { "/v2/flavors/%zz", NULL, NULL, NULL },
        { "/v2/flavors/x/specs", NULL, NULL, NULL },
        { "/v3/flavors", NULL, NULL, NULL },
        { "//v2/flavors", NULL, NULL, NULL },
        { "", NULL, NULL, NULL },
    };
    struct router *r = router_new(operations, ARRAY_SIZE(operations));
    struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct route_match m = { 0 };
        bool found = router_find(r, cases[i].path, a, &m);

        assert_int_equal(found, cases[i].id != NULL);
        if (!found)
            continue;
        assert_string_equal(m.operations[0]->id, cases[i].id);
        assert_true(str_equal(m.params[0].value, cases[i].first) &&
                    str_equal(m.params[1].value, cases[i].second));
    }
    arena_free(a);
    router_free(r);
}

static void
test_methods_and_names(void **state)
{
    struct router *r = router_new(operations, ARRAY_SIZE(operations));
    struct arena *a = arena_new();
    struct route_match m = { 0 };

    (void)state;
    assert_true(router_find(r, "/v2/flavors", a, &m));
    assert_int_equal(m.count, 2);
    assert_true(router_find(r, "/v2/flavors/x/specs/y", a, &m));
    route_name_params(&m, m.operations[0], a);
    assert_string_equal(m.params[0].name, "flavor_id");
    assert_string_equal(m.params[1].name, "key");
    arena_free(a);
    router_free(r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_find),
                                        cmocka_unit_test(test_methods_and_names) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
