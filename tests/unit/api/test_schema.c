#include "../asserts.h"
#include "base/json.h"
#include "base/str.h"
#include "widget.h"

static int
parse(struct arena *a, const char *text, enum schema_mode mode, int version, struct widget *w,
      struct fault *f)
{
    json_t *json = NULL;

    assert_ok(json_read(a, text, strlen(text), &json, f));
    *w = (struct widget){ 0 };
    fault_clear(f);
    return schema_parse(&widget_schema, json, mode, version, "widget", a, w, f);
}

/* What is refused, with the member that the fault names. */
static void
test_refused(void **state)
{
    static const struct {
        const char *body;
        enum schema_mode mode;
        int version;
        const char *field, *message;
    } cases[] = {
        { "[]", SCHEMA_CREATE, 0, "widget", "not of type 'object'" },
        { "{}", SCHEMA_CREATE, 0, "widget.name", "'name' is a required property" },
        { "{\"name\": 1}", SCHEMA_CREATE, 0, "widget.name", "not of type 'string'" },
        { "{\"name\": null}", SCHEMA_CREATE, 0, "widget.name", "not of type 'string'" },
        { "{\"name\": \"\"}", SCHEMA_CREATE, 0, "widget.name", "too short" },
        { "{\"name\": \"12345678901\"}", SCHEMA_CREATE, 0, "widget.name", "too long" },
        { "{\"name\": \" x\"}", SCHEMA_CREATE, 0, "widget.name", "is not a 'name'" },
        { "{\"name\": \"x\", \"other\": 1}", SCHEMA_CREATE, 0, "widget.other",
          "'other' was unexpected" },
        { "{\"name\": \"x\", \"id\": \"1\"}", SCHEMA_CREATE, 0, "widget.id",
          "not allowed in POST" },
        { "{\"color\": \"red\"}", SCHEMA_UPDATE, 0, "widget.color", "not allowed in PUT" },
        { "{\"name\": \"x\", \"color\": \"green\"}", SCHEMA_CREATE, 0, "widget.color",
          "is not one of ['red', 'blue']" },
        { "{\"name\": \"x\", \"size\": 0}", SCHEMA_CREATE, 0, "widget.size",
          "less than the minimum of 1" },
        { "{\"name\": \"x\", \"size\": 101}", SCHEMA_CREATE, 0, "widget.size",
          "greater than the maximum of 100" },
        { "{\"name\": \"x\", \"size\": 1.5}", SCHEMA_CREATE, 0, "widget.size",
          "not of type 'integer'" },
        { "{\"name\": \"x\", \"size\": \"ten\"}", SCHEMA_CREATE, 0, "widget.size",
          "not of type 'integer'" },
        { "{\"name\": \"x\", \"enabled\": \"true\"}", SCHEMA_CREATE, 0, "widget.enabled",
          "not of type 'boolean'" },
        { "{\"name\": \"x\", \"tags\": [\"a\", \"a\"]}", SCHEMA_CREATE, 0, "widget.tags",
          "non-unique" },
        { "{\"name\": \"x\", \"tags\": [\"a\", \"b\", \"c\"]}", SCHEMA_CREATE, 0, "widget.tags",
          "more than 2" },
        { "{\"name\": \"x\", \"tags\": [1]}", SCHEMA_CREATE, 0, "widget.tags.0",
          "not of type 'string'" },
        { "{\"name\": \"x\", \"metadata\": {\"a\": 1}}", SCHEMA_CREATE, 0, "widget.metadata.a",
          "not of type 'string'" },
        { "{\"name\": \"x\", \"metadata\": {\"\": \"b\"}}", SCHEMA_CREATE, 0, "widget.metadata.",
          "1 to 255" },
        { "{\"name\": \"x\", \"metadata\": []}", SCHEMA_CREATE, 0, "widget.metadata",
          "not of type 'object'" },
        { "{\"name\": \"x\", \"parts\": [{\"weight\": 1}]}", SCHEMA_CREATE, 0,
          "widget.parts.0.name", "required" },
        { "{\"name\": \"x\", \"parts\": [{\"name\": \"a\"}, {\"name\": \"b\", \"weight\": -1}]}",
          SCHEMA_CREATE, 0, "widget.parts.1.weight", "minimum" },
        { "{\"name\": \"x\", \"note\": \"n\"}", SCHEMA_CREATE, 2009, "widget.note", "unexpected" },
        { "{\"name\": \"x\", \"note\": \"n\"}", SCHEMA_CREATE, 2021, "widget.note", "unexpected" },
    };
    struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fault f = { 0 };
        struct widget w;
        int r = parse(a, cases[i].body, cases[i].mode, cases[i].version, &w, &f);

        assert_fault(r, f, FAULT_INVALID, cases[i].message);
        assert_string_equal(f.field, cases[i].field);
    }
    arena_free(a);
}

static void
test_accepted(void **state)
{
    struct arena *a = arena_new();
    struct fault f = { 0 };
    struct widget w;

    (void)state;
    assert_ok(parse(a,
                    "{\"name\": \"\u00e4\u00f6\u00fc4567890\", \"size\": \"10\", \"note\": null, "
                    "\"color\": \"blue\", \"tags\": [\"t\"],"
                    " \"parts\": [{\"name\": \"p\", \"weight\": 3}], \"metadata\": {\"k\": \"v\"}}",
                    SCHEMA_CREATE, 2010, &w, &f));
    assert_int_equal(w.size, 10); /* "10" is coerced. */
    assert_int_equal(w.color, WIDGET_COLOR_BLUE);
    assert_true(field_null(&w.set, WIDGET_F_NOTE));
    assert_false(field_given(&w.set, WIDGET_F_ENABLED));
    assert_int_equal(w.parts_count, 1);
    assert_int_equal(w.parts[0].weight, 3);
    assert_string_equal(json_get_text(w.metadata, "k"), "v");

    assert_ok(parse(a, "{\"name\": \"x\"}", SCHEMA_CREATE, 0, &w, &f));
    assert_int_equal(w.size, 7); /* The default. */
    assert_ok(parse(a, "{\"size\": null}", SCHEMA_UPDATE, 0, &w, &f));
    assert_true(field_given(&w.set, WIDGET_F_SIZE) && field_null(&w.set, WIDGET_F_SIZE));
    assert_false(field_given(&w.set, WIDGET_F_NAME)); /* No defaults, nothing required. */
    /* From our own bus: read-only members are taken, unknown ones left. */
    assert_ok(parse(a, "{\"id\": \"1\", \"new\": true, \"created_at\": \"2026-11-22T10:00:00Z\"}",
                    SCHEMA_TRUSTED, 0, &w, &f));
    assert_string_equal(w.id, "1");
    assert_int_equal(w.created_at, INT64_C(1795341600000000));
    arena_free(a);
}

/* What is written can be read, and is the same. */
static void
test_there_and_back(void **state)
{
    struct arena *a = arena_new();
    struct widget_part parts[] = { { .name = "p", .weight = 2 }, { .name = "q" } };
    const char *tags[] = { "one", "two" };
    struct widget w = { .id = "1",
                        .name = "x",
                        .size = 5,
                        .enabled = true,
                        .tags = { tags, 2 },
                        .parts = parts,
                        .parts_count = 2,
                        .created_at = INT64_C(1795341600000001) };
    struct widget back = { 0 };
    struct fault f = { 0 };
    json_t *json = schema_json(&widget_schema, &w, a);

    (void)state;
    assert_ok(schema_parse(&widget_schema, json, SCHEMA_TRUSTED, 0, "", a, &back, &f));
    assert_string_equal(back.name, "x");
    assert_int_equal(back.size, 5);
    assert_true(back.enabled);
    assert_int_equal(back.tags.count, 2);
    assert_string_equal(back.parts[1].name, "q");
    assert_int_equal(back.created_at, w.created_at);
    assert_false(field_given(&back.set, WIDGET_F_NOTE));
    arena_free(a);
}

static void
test_formats(void **state)
{
    static const struct {
        enum field_format format;
        const char *text;
        bool good;
    } cases[] = {
        { FORMAT_UUID, "3c11cd1e-cbd1-4b3a-8b52-0a1a5b4f6c11", true },
        { FORMAT_UUID, "3c11cd1e", false },
        { FORMAT_IPV4, "10.0.0.1", true },
        { FORMAT_IPV4, "10.0.0.256", false },
        { FORMAT_IPV4, "010.0.0.1", false },
        { FORMAT_IPV6, "::1", true },
        { FORMAT_IPV6, "10.0.0.1", false },
        { FORMAT_IP, "fe80::1", true },
        { FORMAT_CIDR, "10.0.0.0/24", true },
        { FORMAT_CIDR, "10.0.0.0/33", false },
        { FORMAT_CIDR, "::/0", true },
        { FORMAT_CIDR, "::/129", false },
        { FORMAT_CIDR, "10.0.0.0/", false },
        { FORMAT_CIDR, "x/8", false },
        { FORMAT_MAC, "fa:16:3e:00:00:01", true },
        { FORMAT_MAC, "fa:16:3e:00:00", false },
        { FORMAT_MAC, "fa:16:3e:00:00:01x", false },
        { FORMAT_HOSTNAME, "a-b.example.org", true },
        { FORMAT_HOSTNAME, "-a", false },
        { FORMAT_HOSTNAME, "a..b", false },
        { FORMAT_HOSTNAME, "a_b", false },
        { FORMAT_NAME, "a b", true },
        { FORMAT_NAME, "a ", false },
        { FORMAT_NAME, "", false },
        { FORMAT_URI, "http://x", true },
        { FORMAT_URI, "://x", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fault f = { 0 };

        assert_int_equal(schema_check_format(cases[i].format, cases[i].text, "x", &f) == 0,
                         cases[i].good);
    }
}

/* --- Members that no field knows, and texts in an array. */

struct open_thing {
    struct field_set set;
    struct texts tags;
    json_t *extra;
};
static const struct field open_fields[] = {
    { .name = "tags",
      .column = "tags",
      .type = T_TEXTS,
      .offset = offsetof(struct open_thing, tags),
      .pattern = "^[^,]*$",
      .min_length = -1,
      .max_length = 2,
      .item_min = 1,
      .item_max = 3 },
    { .name = "extra",
      .column = "extra",
      .type = T_JSON,
      .flags = F_SPREAD | F_SPREAD_ANY | F_ANY_OBJECT,
      .offset = offsetof(struct open_thing, extra),
      .min_length = -1,
      .max_length = -1 },
};
static const struct schema open_schema = { .name = "thing",
                                           .fields = open_fields,
                                           .count = ARRAY_SIZE(open_fields),
                                           .size = sizeof(struct open_thing),
                                           .open = true };

static void
test_open(void **state)
{
    static const struct {
        const char *body, *extra; /* What is kept; NULL: refused. */
    } cases[] = {
        { "{}", "" },
        { "{\"a\": 1, \"b\": [null, {\"c\": true}], \"d\": null}",
          "{\"a\":1,\"b\":[null,{\"c\":true}],\"d\":null}" },
        { "{\"extra\": {\"a\": 1}}", "{\"extra\":{\"a\":1}}" },
        { "{\"links\": {\"self\": \"x\"}, \"a\": \"b\"}", "{\"a\":\"b\"}" },
        { "{\"\": 1}", NULL },
        { "{\"tags\": [\"abc\", \"\u00e4\u00f6\u00fc\"]}", "" },
        { "{\"tags\": [\"\"]}", NULL },
        { "{\"tags\": [\"abcd\"]}", NULL },
        { "{\"tags\": [\"a,b\"]}", NULL },
        { "{\"tags\": [\"a\", 7]}", NULL },
        { "{\"tags\": [\"a\", \"b\", \"c\"]}", NULL },
    };
    struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct open_thing thing = { 0 };
        struct fault f = { 0 };
        json_t *json = NULL;
        int r;

        assert_ok(json_read(a, cases[i].body, strlen(cases[i].body), &json, &f));
        r = schema_parse(&open_schema, json, SCHEMA_UPDATE, 0, "thing", a, &thing, &f);
        assert_int_equal(r == 0, cases[i].extra != NULL);
        if (r == 0)
            assert_string_equal(thing.extra == NULL ? "" : json_text(a, thing.extra),
                                cases[i].extra);
    }
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_refused),
                                        cmocka_unit_test(test_accepted),
                                        cmocka_unit_test(test_there_and_back),
                                        cmocka_unit_test(test_formats),
                                        cmocka_unit_test(test_open) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
