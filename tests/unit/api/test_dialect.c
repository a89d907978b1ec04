/* How each family writes a fault and a list; the words are those clients match on. */
#include "api/dialect.h"
#include "base/str.h"
#include "tests/unit/asserts.h"

static void
check_error(struct arena *a, enum dialect_id id, enum fault_kind kind, int version, int status,
            const char *body)
{
    struct http_response r = { .arena = a, .status = 200, .file = -1 };
    struct fault f = { 0 };

    fault_raise_code(&f, kind, kind == FAULT_NOT_FOUND ? "WidgetNotFound" : "", "A \"widget\".");
    fault_add_cause(&f, "a secret of the operator's");
    dialect_get(id)->error(&f, "req-1", version, &r);
    if (r.status != status || !str_equal(str_text(&r.body), body))
        fail_msg("dialect %d kind %s: %d %s", id, fault_kind_name(kind), r.status,
                 str_text(&r.body));
    str_done(&r.body);
}

static void
test_errors(void **state)
{
    static const struct {
        enum dialect_id id;
        enum fault_kind kind;
        int version, status;
        const char *body;
    } cases[] = {
        { DIALECT_KEYSTONE, FAULT_NOT_FOUND, 0, 404,
          "{\"error\":{\"code\":404,\"message\":\"A \\\"widget\\\".\",\"title\":\"Not Found\"}}" },
        { DIALECT_KEYSTONE, FAULT_QUOTA, 0, 403,
          "{\"error\":{\"code\":403,\"message\":\"A \\\"widget\\\".\",\"title\":\"Forbidden\"}}" },
        { DIALECT_NOVA, FAULT_INVALID, 2001, 400,
          "{\"badRequest\":{\"code\":400,\"message\":\"A \\\"widget\\\".\"}}" },
        { DIALECT_NOVA, FAULT_FORBIDDEN, 2001, 403,
          "{\"forbidden\":{\"code\":403,\"message\":\"A \\\"widget\\\".\"}}" },
        { DIALECT_NOVA, FAULT_NOT_FOUND, 2001, 404,
          "{\"itemNotFound\":{\"code\":404,\"message\":\"A \\\"widget\\\".\"}}" },
        { DIALECT_NOVA, FAULT_CONFLICT, 2001, 409,
          "{\"conflictingRequest\":{\"code\":409,\"message\":\"A \\\"widget\\\".\"}}" },
        { DIALECT_NOVA, FAULT_QUOTA, 2001, 403,
          "{\"forbidden\":{\"code\":403,\"message\":\"A \\\"widget\\\".\"}}" },
        { DIALECT_NOVA, FAULT_NOT_ACCEPTABLE, 2001, 406,
          "{\"computeFault\":{\"code\":406,\"message\":\"A \\\"widget\\\".\"}}" },
        { DIALECT_NOVA, FAULT_UNAVAILABLE, 2001, 503,
          "{\"serviceUnavailable\":{\"code\":503,\"message\":\"A \\\"widget\\\".\"}}" },
        { DIALECT_CINDER, FAULT_QUOTA, 3000, 413,
          "{\"overLimit\":{\"code\":413,\"message\":\"A \\\"widget\\\".\"}}" },
        { DIALECT_CINDER, FAULT_INTERNAL, 3000, 500,
          "{\"computeFault\":{\"code\":500,\"message\":\"A \\\"widget\\\".\"}}" },
        { DIALECT_NEUTRON, FAULT_NOT_FOUND, 0, 404,
          "{\"NeutronError\":{\"type\":\"WidgetNotFound\",\"message\":\"A "
          "\\\"widget\\\".\",\"detail\":\"\"}}" },
        { DIALECT_NEUTRON, FAULT_QUOTA, 0, 409,
          "{\"NeutronError\":{\"type\":\"OverQuota\",\"message\":\"A "
          "\\\"widget\\\".\",\"detail\":\"\"}}" },
        { DIALECT_NEUTRON, FAULT_FORBIDDEN, 0, 403,
          "{\"NeutronError\":{\"type\":\"PolicyNotAuthorized\",\"message\":\"A "
          "\\\"widget\\\".\",\"detail\":\"\"}}" },
        { DIALECT_PLACEMENT, FAULT_NOT_FOUND, 1022, 404,
          "{\"errors\":[{\"status\":404,\"title\":\"Not Found\",\"detail\":\"A "
          "\\\"widget\\\".\",\"request_id\":\"req-1\"}]}" },
        { DIALECT_PLACEMENT, FAULT_CONFLICT, 1023, 409,
          "{\"errors\":[{\"status\":409,\"title\":\"Conflict\",\"detail\":\"A "
          "\\\"widget\\\".\",\"request_id\":\"req-1\",\"code\":\"placement.undefined_code\"}]}" },
    };
    struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        check_error(a, cases[i].id, cases[i].kind, cases[i].version, cases[i].status,
                    cases[i].body);
    arena_free(a);
}

/* Whatever the family and the fault, the operator's part stays with the operator. */
static void
test_no_cause_on_the_wire(void **state)
{
    struct arena *a = arena_new();

    (void)state;
    for (int id = DIALECT_KEYSTONE; id <= DIALECT_PLACEMENT; id++) {
        for (int kind = FAULT_NONE + 1; kind <= FAULT_INTERNAL; kind++) {
            struct http_response r = { .arena = a, .status = 200, .file = -1 };
            struct fault f = { 0 };

            fault_raise(&f, (enum fault_kind)kind, "Told.");
            fault_add_cause(&f, "hidden");
            dialect_get((enum dialect_id)id)->error(&f, "req-1", 0, &r);
            assert_true(r.status >= 400);
            assert_null(strstr(str_text(&r.body), "hidden"));
            str_done(&r.body);
        }
    }
    arena_free(a);
}

static void
test_list_links(void **state)
{
    static const struct {
        enum dialect_id id;
        const char *next, *previous, *text;
    } cases[] = {
        { DIALECT_KEYSTONE, NULL, NULL,
          "{\"links\":{\"next\":null,\"self\":\"S\",\"previous\":null}}" },
        { DIALECT_KEYSTONE, "N", NULL,
          "{\"links\":{\"next\":\"N\",\"self\":\"S\",\"previous\":null},\"truncated\":true}" },
        { DIALECT_NOVA, NULL, NULL, "{}" },
        { DIALECT_NOVA, "N", NULL, "{\"widgets_links\":[{\"rel\":\"next\",\"href\":\"N\"}]}" },
        { DIALECT_NEUTRON, "N", "P",
          "{\"widgets_links\":[{\"rel\":\"next\",\"href\":\"N\"},{\"rel\":\"previous\",\"href\":"
          "\"P\"}]}" },
        { DIALECT_GLANCE, NULL, NULL, "{\"first\":\"S\",\"schema\":\"/v2/schemas/widgets\"}" },
        { DIALECT_GLANCE, "N", NULL,
          "{\"first\":\"S\",\"next\":\"N\",\"schema\":\"/v2/schemas/widgets\"}" },
        { DIALECT_PLACEMENT, "N", NULL, "{}" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(str_done) struct str s = { 0 };
        struct jsonw w;

        jsonw_init(&w, &s);
        jsonw_object(&w, NULL);
        dialect_list_links(dialect_get(cases[i].id), &w, "widgets", "S", cases[i].next,
                           cases[i].previous);
        jsonw_end(&w);
        assert_string_equal(str_text(&s), cases[i].text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_no_cause_on_the_wire),
        cmocka_unit_test(test_list_links),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
