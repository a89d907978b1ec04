/* Which form of an error an Accept header asks for, and what the pages look like. */
#include "common/api/error_page.h"
#include "tests/unit/asserts.h"

static void
test_form(void **state)
{
    static const struct {
        const char *accept;
        enum error_form form;
    } cases[] = {
        { "application/json", ERROR_JSON },
        { "Application/JSON; q=0.9, */*", ERROR_JSON },
        { "application/json, text/html", ERROR_JSON },
        { "text/html, application/json", ERROR_HTML },
        { "*/*", ERROR_HTML },
        { "text/html", ERROR_HTML },
        { "image/png", ERROR_PLAIN },
        { "", ERROR_PLAIN },
        { NULL, ERROR_PLAIN },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(error_form_find(cases[i].accept), cases[i].form);
}

static void
test_pages(void **state)
{
    struct http_response r = { .file = -1 };
    struct fault f = { 0 };

    (void)state;
    fault_raise(&f, FAULT_INVALID, "No <b> & \"quotes\"");
    error_page_write(&f, 400, ERROR_HTML, &r);
    assert_int_equal(r.status, 400);
    assert_string_equal(r.content_type, "text/html; charset=UTF-8");
    assert_non_null(strstr(str_text(&r.body), "<h1>400 Bad Request</h1>"));
    assert_non_null(strstr(str_text(&r.body), "No &lt;b&gt; &amp; &quot;quotes&quot;"));
    fault_clear(&f);
    error_page_write(&f, 404, ERROR_PLAIN, &r);
    assert_string_equal(r.content_type, "text/plain; charset=UTF-8");
    assert_string_equal(str_text(&r.body), "404 Not Found\n\nNot Found\n");
    str_done(&r.body);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_form),
        cmocka_unit_test(test_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
