#include "base/jsonw.h"

#include <math.h>

#include "../asserts.h"

static void
test_document(void **state)
{
    _cleanup_(str_done) struct str out = { 0 };
    json_auto_t *tree = json_pack("{s:[i,f,b,n],s:{}}", "l", 1, 0.1, 0, "o");
    struct jsonw w;

    (void)state;
    jsonw_init(&w, &out);
    jsonw_object(&w, NULL);
    jsonw_text(&w, "id", "x");
    jsonw_text(&w, "none", NULL);
    jsonw_array(&w, "links");
    jsonw_object(&w, NULL);
    jsonw_end(&w);
    jsonw_int(&w, NULL, INT64_MIN);
    jsonw_int(&w, NULL, INT64_MAX);
    jsonw_int(&w, NULL, 0);
    jsonw_end(&w);
    jsonw_bool(&w, "yes", true);
    jsonw_null(&w, "null");
    jsonw_json(&w, "tree", tree);
    jsonw_json(&w, "no tree", NULL);
    jsonw_raw(&w, "raw", "[1]", 3);
    jsonw_end(&w);
    assert_int_equal(w.depth, 0);
    assert_string_equal(
        out.data, "{\"id\":\"x\",\"none\":null,\"links\":[{},-9223372036854775808,"
                  "9223372036854775807,0],\"yes\":true,\"null\":null,"
                  "\"tree\":{\"l\":[1,0.1,false,null],\"o\":{}},\"no tree\":null,\"raw\":[1]}");
}

static void
test_text(void **state)
{
    static const struct {
        const char *text, *json;
    } cases[] = {
        { "", "\"\"" },
        { "a\"b\\c/d", "\"a\\\"b\\\\c/d\"" },
        { "\n\r\t\x01\x1f\x7f", "\"\\n\\r\\t\\u0001\\u001f\x7f\"" },
        { "\xc3\xa9\xf0\x9f\x98\x80", "\"\xc3\xa9\xf0\x9f\x98\x80\"" },
        { "a\xff\xc3", "\"a\xef\xbf\xbd\xef\xbf\xbd\"" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(str_done) struct str out = { 0 };
        struct jsonw w;

        jsonw_init(&w, &out);
        jsonw_text(&w, NULL, cases[i].text);
        assert_string_equal(out.data, cases[i].json);
    }
}

static void
test_double(void **state)
{
    static const struct {
        double number;
        const char *json;
    } cases[] = {
        { 0.1, "0.1" },       { 16.0, "16.0" },        { 1.5, "1.5" },
        { 1e300, "1e+300" },  { -0.25, "-0.25" },      { 1.0 / 3, "0.3333333333333333" },
        { INFINITY, "null" }, { (double)NAN, "null" }, { 1e15, "1e+15" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(str_done) struct str out = { 0 };
        struct jsonw w;

        jsonw_init(&w, &out);
        jsonw_double(&w, NULL, cases[i].number);
        assert_string_equal(out.data, cases[i].json);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_document),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_double),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
