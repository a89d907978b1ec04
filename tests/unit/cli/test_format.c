#include "services/cli/output.h"

#include "base/json.h"
#include "services/cli/trace.h"
#include "tests/unit/asserts.h"

static void
test_values(void **state)
{
    static const struct {
        const char *json, *human, *machine;
    } cases[] = {
        { "\"text\"", "text", "text" },
        { "5", "5", "5" },
        { "1.0", "1.0", "1.0" },
        { "1.5", "1.5", "1.5" },
        { "true", "True", "True" },
        { "null", "None", "None" },
        { "[]", "", "[]" },
        { "{}", "", "{}" },
        { "[\"a\", \"b\"]", "a, b", "['a', 'b']" },
        { "{\"b\": \"2\", \"a\": 1}", "a='1', b='2'", "{'b': '2', 'a': 1}" },
        { "{\"a\": {\"b\": null}}", "a.b='None'", "{'a': {'b': None}}" },
        { "[{\"a\": 1}, {\"a\": 2}]", "a='1'\na='2'", "[{'a': 1}, {'a': 2}]" },
        { "[\"it's\"]", "it's", "[\"it's\"]" },
    };
    struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        json_t *value = json_loads(cases[i].json, JSON_DECODE_ANY, NULL);

        assert_string_equal(format_human(a, value), cases[i].human);
        assert_string_equal(format_machine(a, value), cases[i].machine);
        json_decref(value);
    }
    arena_free(a);
}

/* What --debug prints has no secret. */
static void
test_secrets(void **state)
{
    static const char *const bodies[] = {
        "{\"auth\":{\"identity\":{\"password\":{\"user\":{\"name\":\"u\",\"password\":\"S3CRET\"}}}"
        "}}",
        "{\"auth\":{\"identity\":{\"token\":{\"id\":\"S3CRET\"}}}}",
        "{\"auth\":{\"identity\":{\"application_credential\":{\"id\":\"i\",\"secret\":\"S3CRET\"}}}"
        "}",
        "{\"user\":{\"original_password\":\"S3CRET\",\"password\":\"S3CRET\"}}",
        "{\"server\":{\"adminPass\":\"S3CRET\",\"user_data\":\"S3CRET\",\"personality\":[{"
        "\"contents\":\"S3CRET\"}]}}",
        "{\"keypair\":{\"private_key\":\"S3CRET\"}}",
        "S3CRET, and no JSON",
    };
    struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bodies); i++)
        assert_null(strstr(trace_body(a, bodies[i], strlen(bodies[i])), "S3CRET"));
    assert_non_null(strstr(trace_body(a, bodies[0], strlen(bodies[0])), "\"u\""));
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_values),
                                        cmocka_unit_test(test_secrets) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
