/* JSON Patch in both media types: what is read, what is refused, what comes out. */
#include "base/json.h"
#include "services/image/patch.h"
#include "tests/unit/asserts.h"

static void
test_media(void **state)
{
    static const struct {
        const char *type;
        int media; /* -1: refused. */
    } cases[] = {
        { "application/openstack-images-v2.1-json-patch", PATCH_V2_1 },
        { "application/openstack-images-v2.0-json-patch", PATCH_V2_0 },
        { "Application/OpenStack-images-v2.1-JSON-patch; charset=utf-8", PATCH_V2_1 },
        { "application/openstack-images-v2.1-json-patchy", -1 },
        { "application/openstack-images-v2.2-json-patch", -1 },
        { "application/json-patch+json", -1 },
        { "application/json", -1 },
        { "", -1 },
        { NULL, -1 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fault f = { 0 };
        enum patch_media media = PATCH_V2_0;
        int r = patch_media_find(cases[i].type, &media, &f);

        if (cases[i].media < 0) {
            assert_fault(r, f, FAULT_MEDIA_TYPE, "v2.1-json-patch");
        } else {
            assert_ok(r);
            assert_int_equal(media, cases[i].media);
        }
    }
}

static void
test_pointer(void **state)
{
    static const struct {
        const char *text, *name; /* NULL: refused. */
    } cases[] = {
        { "/name", "name" }, { "/a~1b", "a/b" }, { "/a~0b", "a~b" },
        { "/~01", "~1" },    { "/a b", "a b" },  { "/\xc3\xa4", "\xc3\xa4" },
        { "name", NULL },    { "/", NULL },      { "", NULL },
        { "/a/b", NULL },    { "//a", NULL },    { "/a/", NULL },
        { "/a~", NULL },     { "/a~2", NULL },   { NULL, NULL },
    };
    _cleanup_(arena_freep) struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *name = patch_pointer(a, cases[i].text);

        if (cases[i].name == NULL)
            assert_null(name);
        else
            assert_string_equal(name, cases[i].name);
    }
}

static bool
is_member(const char *name)
{
    return strcmp(name, "name") == 0 || strcmp(name, "tags") == 0;
}

/* Each body on an image with the properties {"a": "1", "b": "2"}; what comes out is members, then properties. */
static void
test_changes(void **state)
{
    static const struct {
        enum patch_media media;
        const char *body;
        enum fault_kind kind; /* FAULT_NONE: accepted. */
        const char *result;   /* Or part of the message. */
    } cases[] = {
        { PATCH_V2_1, "[]", FAULT_NONE, "{}{\"a\":\"1\",\"b\":\"2\"}" },
        { PATCH_V2_1, "[{\"op\":\"replace\",\"path\":\"/name\",\"value\":\"n\"}]", FAULT_NONE,
          "{\"name\":\"n\"}{\"a\":\"1\",\"b\":\"2\"}" },
        { PATCH_V2_1,
          "[{\"op\":\"add\",\"path\":\"/a\",\"value\":\"3\"},{\"op\":\"remove\",\"path\":\"/b\"}]",
          FAULT_NONE, "{}{\"a\":\"3\"}" },
        { PATCH_V2_1,
          "[{\"op\":\"add\",\"path\":\"/c\",\"value\":\"3\"},{\"op\":\"remove\",\"path\":\"/c\"}]",
          FAULT_NONE, "{}{\"a\":\"1\",\"b\":\"2\"}" },
        { PATCH_V2_1, "[{\"op\":\"replace\",\"path\":\"/name\",\"value\":null}]", FAULT_NONE,
          "{\"name\":null}{\"a\":\"1\",\"b\":\"2\"}" },
        { PATCH_V2_0,
          "[{\"replace\":\"/a\",\"value\":\"3\"},{\"add\":\"/c\",\"value\":\"4\"},{\"remove\":\"/"
          "b\"}]",
          FAULT_NONE, "{}{\"a\":\"3\",\"c\":\"4\"}" },
        { PATCH_V2_0, "[{\"add\":\"/a\",\"value\":\"3\"}]", FAULT_CONFLICT, "already present" },
        { PATCH_V2_1, "[{\"op\":\"replace\",\"path\":\"/c\",\"value\":\"3\"}]", FAULT_CONFLICT,
          "does not exist" },
        { PATCH_V2_1, "[{\"op\":\"remove\",\"path\":\"/c\"}]", FAULT_CONFLICT, "does not exist" },
        { PATCH_V2_1, "[{\"op\":\"remove\",\"path\":\"/b\"},{\"op\":\"remove\",\"path\":\"/b\"}]",
          FAULT_CONFLICT, "does not exist" },
        { PATCH_V2_1, "[{\"op\":\"remove\",\"path\":\"/tags\"}]", FAULT_FORBIDDEN,
          "may not be removed" },
        { PATCH_V2_1, "{}", FAULT_INVALID, "array" },
        { PATCH_V2_1, "[5]", FAULT_INVALID, "JSON objects" },
        { PATCH_V2_1, "[{\"op\":\"copy\",\"path\":\"/a\"}]", FAULT_INVALID, "'copy'" },
        { PATCH_V2_1, "[{\"op\":5,\"path\":\"/a\"}]", FAULT_INVALID, "'op'" },
        { PATCH_V2_1, "[{\"op\":\"add\",\"value\":\"1\"}]", FAULT_INVALID, "'path'" },
        { PATCH_V2_1, "[{\"op\":\"add\",\"path\":\"/a\"}]", FAULT_INVALID, "\"value\"" },
        { PATCH_V2_1, "[{\"op\":\"add\",\"path\":\"/a/-\",\"value\":\"1\"}]", FAULT_INVALID,
          "pointer" },
        { PATCH_V2_0, "[{\"op\":\"add\",\"path\":\"/a\",\"value\":\"1\"}]", FAULT_INVALID,
          "only one member" },
        { PATCH_V2_0, "[{\"add\":\"/a\",\"remove\":\"/a\",\"value\":\"1\"}]", FAULT_INVALID,
          "only one member" },
        { PATCH_V2_0, "[{\"add\":5,\"value\":\"1\"}]", FAULT_INVALID, "pointer" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(arena_freep) struct arena *a = arena_new();
        json_t *members = json_own(a, json_object());
        json_t *properties = json_own(a, json_pack("{s:s, s:s}", "a", "1", "b", "2"));
        struct fault f = { 0 };
        struct patch_change *changes;
        json_t *body;
        size_t count;
        int r;

        assert_ok(json_read(a, cases[i].body, strlen(cases[i].body), &body, &f));
        r = patch_parse(a, body, cases[i].media, &changes, &count, &f);
        if (r == 0)
            r = patch_apply(changes, count, cases[i].media, is_member, members, properties, &f);
        if (cases[i].kind != FAULT_NONE) {
            assert_fault(r, f, cases[i].kind, cases[i].result);
        } else {
            assert_ok(r);
            assert_string_equal(arena_printf(a, "%s%s", json_text(a, members),
                                             json_text(a, properties)),
                                cases[i].result);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_media),
        cmocka_unit_test(test_pointer),
        cmocka_unit_test(test_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
