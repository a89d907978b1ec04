#include "common/http/url.h"
#include "tests/unit/asserts.h"

static void
test_decode(void **state)
{
    static const struct {
        const char *text, *decoded; /* NULL: refused */
    } cases[] = {
        { "", "" },
        { "abc", "abc" },
        { "a%20b", "a b" },
        { "a+b", "a+b" },
        { "%2F", "/" },
        { "%2f", "/" },
        { "%C3%A9", "\xc3\xa9" },
        { "%", NULL },
        { "a%2", NULL },
        { "%zz", NULL },
        { "%00", NULL },
        { "%ff", NULL },
        { "%c3", NULL },
        { "%41", "A" },
        { "x%41", "xA" },
        { "%+1", NULL },
        { "%ed%a0%80", NULL },
        { "%25%32%30", "%20" },
        { "%2", NULL },
    };
    _cleanup_(arena_freep) struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *got = url_decode(a, cases[i].text, strlen(cases[i].text));

        if (cases[i].decoded == NULL)
            assert_null(got);
        else
            assert_string_equal(got, cases[i].decoded);
    }
    assert_string_equal(url_decode(a, "%41%42", 3), "A"); /* Never beyond 'size'. */
    assert_null(url_decode(a, "%41", 2));
}

static void
test_encode(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(str_done) struct str url = { 0 };

    (void)state;
    assert_string_equal(url_encode(a, "a/b c~\xc3\xa9&="), "a%2Fb%20c~%C3%A9%26%3D");
    assert_string_equal(url_encode(a, ""), "");
    str_add(&url, "/v2/things");
    url_add_query(&url, "name", "a b");
    url_add_query(&url, "marker", "1&2");
    assert_string_equal(str_text(&url), "/v2/things?name=a%20b&marker=1%262");
}

static void
test_query(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct http_pair *q;
    struct fault f = { 0 };
    size_t n;

    (void)state;
    assert_ok(url_parse_query(a, "a=1&b&c=x+y&&a=%32&d=&e=f=g&=h", &q, &n, &f));
    assert_int_equal(n, 7);
    assert_string_equal(q[0].name, "a");
    assert_string_equal(q[0].value, "1");
    assert_string_equal(q[1].name, "b");
    assert_null(q[1].value);
    assert_string_equal(q[2].value, "x y");
    assert_string_equal(q[3].value, "2");
    assert_string_equal(q[4].value, "");
    assert_string_equal(q[5].value, "f=g");
    assert_string_equal(q[6].name, "");
    assert_ok(url_parse_query(a, "", &q, &n, &f));
    assert_int_equal(n, 0);
    assert_fault(url_parse_query(a, "a=%00", &q, &n, &f), f, FAULT_INVALID, "query");
    assert_fault(url_parse_query(a, "%ff=1", &q, &n, &f), f, FAULT_INVALID, "query");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_encode),
        cmocka_unit_test(test_query),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
