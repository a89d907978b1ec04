#include "common/rpc/envelope.h"

#include "common/base/json.h"
#include "common/rpc/wire.h"
#include "tests/unit/asserts.h"

#define GOOD                                                                                       \
    "\"v\": 1, \"method\": \"m\", \"operation_id\": \"o\", \"request_id\": \"\", \"deadline\": "   \
    "5, "                                                                                          \
    "\"timeout_ms\": 6, \"from\": {\"name\": \"n\", \"host\": \"h\"}"

static void
test_round_trip(_unused_ void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    json_t *params = json_own(a, json_pack("{s:i}", "x", 7));
    const struct envelope e = { "m", "o", "r", "n", "h", 5, 6, params };
    struct fault f = { 0 };
    struct envelope back;
    size_t size;
    char *text;

    assert_ok(envelope_write(a, &e, &text, &size, &f));
    assert_ok(envelope_read(a, text, size, &back, &f));
    assert_string_equal(back.method, "m");
    assert_string_equal(back.operation_id, "o");
    assert_string_equal(back.request_id, "r");
    assert_string_equal(back.from_name, "n");
    assert_string_equal(back.from_host, "h");
    assert_int_equal(back.deadline_us, 5);
    assert_int_equal(back.timeout_ms, 6);
    assert_true(json_equal(back.params, params));
}

static void
test_refused(_unused_ void **state)
{
    static const struct {
        const char *text, *field; /* NULL: accepted. */
    } cases[] = {
        { "{" GOOD "}", NULL },
        { "{" GOOD ", \"params\": {}}", NULL },
        { "{" GOOD ", \"more\": 1}", NULL }, /* A newer release may say more. */
        { "{" GOOD ", \"params\": []}", "params" },
        { "{" GOOD ", \"v\": 1}", "" }, /* Twice. */
        { "", "" },
        { "[]", "v" },
        { "null", "v" },
        { "{}", "v" },
        { "{\"v\": 0}", "v" },
        { "{\"v\": 2}", "v" },
        { "{\"v\": \"1\"}", "v" },
        { "{\"v\": 1}", "method" },
        { "{\"v\": 1, \"method\": 1}", "method" },
        { "{\"v\": 1, \"method\": \"\"}", "method" },
        { "{\"v\": 1, \"method\": \"m\", \"operation_id\": null}", "operation_id" },
        { "{\"v\": 1, \"method\": \"m\", \"operation_id\": \"o\", \"request_id\": []}",
          "request_id" },
        { "{\"v\": 1, \"method\": \"m\", \"operation_id\": \"o\", \"request_id\": \"\", "
          "\"deadline\": -1}",
          "deadline" },
        { "{\"v\": 1, \"method\": \"m\", \"operation_id\": \"o\", \"request_id\": \"\", "
          "\"deadline\": 1, \"timeout_ms\": 1.5}",
          "timeout_ms" },
        { "{\"v\": 1, \"method\": \"m\", \"operation_id\": \"o\", \"request_id\": \"\", "
          "\"deadline\": 1, \"timeout_ms\": 1, "
          "\"from\": \"x\"}",
          "name" },
        { "{\"v\": 1, \"method\": \"m\", \"operation_id\": \"o\", \"request_id\": \"\", "
          "\"deadline\": 1, \"timeout_ms\": 1, "
          "\"from\": {\"name\": \"n\"}}",
          "host" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(arena_freep) struct arena *a = arena_new();
        struct fault f = { 0 };
        struct envelope e;
        int r = envelope_read(a, cases[i].text, strlen(cases[i].text), &e, &f);

        if (cases[i].field == NULL) {
            assert_ok(r);
        } else {
            assert_fault(r, f, FAULT_INVALID, NULL);
            assert_string_equal(f.field, cases[i].field);
        }
    }
}

static void
test_too_large(_unused_ void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    char *large = arena_alloc(a, WIRE_BODY_MAX + 1);
    struct envelope e = { "m", "o", "", "n", "", 0, 0, NULL };
    json_t *result = NULL;
    struct fault f = { 0 };
    size_t size;
    char *text;

    memset(large, 'x', WIRE_BODY_MAX);
    e.params = json_own(a, json_pack("{s:s}", "x", large));
    assert_fault(envelope_write(a, &e, &text, &size, &f), f, FAULT_TOO_LARGE, "m are too large");
    text = envelope_write_answer(a, e.params, NULL, &size);
    assert_true(size < 1000);
    assert_fault(envelope_read_answer(a, text, size, &result, &f), f, FAULT_INTERNAL, NULL);
}

static void
test_answers(_unused_ void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    json_t *value = json_own(a, json_pack("{s:i}", "x", 7)), *result = NULL;
    struct fault f = { 0 }, back = { 0 };
    size_t size;
    char *text;

    text = envelope_write_answer(a, value, NULL, &size);
    assert_ok(envelope_read_answer(a, text, size, &result, &f));
    assert_true(json_equal(result, value));

    fault_raise_code(&f, FAULT_CONFLICT, "SubnetInUse", "In use.");
    fault_add_cause(&f, "by \xff");
    text = envelope_write_answer(a, NULL, &f, &size);
    assert_fault(envelope_read_answer(a, text, size, &result, &back), back, FAULT_CONFLICT,
                 "In use.");
    assert_string_equal(back.code, "SubnetInUse");
    assert_string_equal(back.cause, "by ?");

    text = (char[]){ "{\"v\": 1, \"fault\": {\"kind\": \"NEWER_KIND\"}}" };
    assert_fault(envelope_read_answer(a, text, strlen(text), &result, &back), back, FAULT_INTERNAL,
                 NULL);
    text = (char[]){ "[1" };
    assert_fault(envelope_read_answer(a, text, strlen(text), &result, &back), back, FAULT_INTERNAL,
                 NULL);
}

static void
test_who_may_say_what(_unused_ void **state)
{
    assert_true(envelope_speaks_for("virga", ""));
    assert_true(envelope_speaks_for("virga", "hosta"));
    assert_true(envelope_speaks_for("agent@hosta", "hosta"));
    assert_false(envelope_speaks_for("agent@hosta", "hostb"));
    assert_false(envelope_speaks_for("agent@hosta", ""));
    assert_false(envelope_speaks_for("agent@", "hosta"));
    assert_false(envelope_speaks_for("", "hosta"));

    assert_true(envelope_answers_for("agent@hosta.example", "compute-agent.hosta.example"));
    assert_false(envelope_answers_for("agent@hosta", "compute-agent.hosta.example"));
    assert_false(envelope_answers_for("agent@hosta", "compute"));
    assert_true(envelope_answers_for("virga", "compute"));
    assert_false(envelope_answers_for("", "compute"));
}

static void
test_remaining(_unused_ void **state)
{
    const int64_t second = 1000000, now = 1000 * second, hour = 3600 * second;
    static const struct {
        int64_t deadline_s, timeout_ms, expected_ms; /* Deadline after now. */
    } cases[] = {
        { 4, 10000, 4000 },       { 10, 10000, 10000 },
        { 11, 10000, 10000 }, /* The sender's clock is ahead. */
        { -1, 10000, 10000 }, /* ... or behind. */
        { -3600, 10000, 10000 },  { 3600, 10000, 10000 },
        { -3 * 3600, 10000, -1 }, /* Nobody's clock is so wrong: a replay. */
    };
    struct envelope none = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct envelope e = { .deadline_us = now + 10 * hour + cases[i].deadline_s * second,
                                    .timeout_ms = cases[i].timeout_ms };

        assert_int_equal(envelope_remaining_ms(&e, now + 10 * hour), cases[i].expected_ms);
    }
    assert_int_equal(envelope_remaining_ms(&none, now), INT64_MAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),       cmocka_unit_test(test_refused),
        cmocka_unit_test(test_too_large),        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_who_may_say_what), cmocka_unit_test(test_remaining),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
