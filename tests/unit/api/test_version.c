#include "../asserts.h"
#include "api/version.h"

static void
test_parse(void **state)
{
    static const struct {
        const char *text;
        int version;
    } cases[] = { { "2.1", 2001 }, { "2.96", 2096 }, { "1.39", 1039 }, { "3.0", 3000 },
                  { "2", -1 },     { "2.", -1 },     { ".1", -1 },     { "2.01", -1 },
                  { "02.1", -1 },  { "2.1.1", -1 },  { "2.x", -1 },    { "-2.1", -1 },
                  { "2.1 ", -1 },  { "2.1000", -1 } };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(version_parse(cases[i].text), cases[i].version);
    assert_true(version_parse("2.10") > version_parse("2.9"));
}

static void
test_negotiate(void **state)
{
    static const struct {
        const char *header, *legacy;
        int version; /* 0: refused with 'kind' */
        enum fault_kind kind;
    } cases[] = {
        { NULL, NULL, 2001, 0 },
        { "compute 2.15", NULL, 2015, 0 },
        { "volume 3.1, compute 2.16", NULL, 2016, 0 },
        { "volume 3.1", NULL, 2001, 0 },
        { "Compute latest", NULL, 2096, 0 },
        { NULL, "2.20", 2020, 0 },
        { "compute 2.15", "2.20", 2015, 0 }, /* The new header wins. */
        { "compute 2.97", NULL, 0, FAULT_NOT_ACCEPTABLE },
        { "compute 2.0", NULL, 0, FAULT_NOT_ACCEPTABLE },
        { "compute two", NULL, 0, FAULT_INVALID },
        { NULL, "", 0, FAULT_INVALID },
    };
    struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct http_pair headers[2];
        struct http_request request = { .arena = a, .headers = headers };
        struct fault f = { 0 };
        const char *asked;
        int version = 0, r;

        if (cases[i].header != NULL)
            headers[request.headers_count++] =
                (struct http_pair){ "OpenStack-API-Version", cases[i].header };
        if (cases[i].legacy != NULL)
            headers[request.headers_count++] =
                (struct http_pair){ "X-OpenStack-Nova-API-Version", cases[i].legacy };
        r = version_negotiate(&request, "compute", "X-OpenStack-Nova-API-Version", 2001, 2096,
                              &version, &asked, &f);
        if (cases[i].version != 0) {
            assert_ok(r);
            assert_int_equal(version, cases[i].version);
        } else {
            assert_true(r < 0);
            assert_int_equal(f.kind, cases[i].kind);
        }
    }
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_parse),
                                        cmocka_unit_test(test_negotiate) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
