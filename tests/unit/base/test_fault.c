#include "base/fault.h"

#include "../asserts.h"
#include "base/str.h"

static void
test_raise(void **state)
{
    struct fault f = { .code = "left", .field = "over", .cause = "before" };
    int r;

    (void)state;
    r = fault_raise(&f, FAULT_CONFLICT, "Volume %s is busy", "v");
    assert_int_equal(r, -(int)FAULT_CONFLICT);
    assert_fault(r, f, FAULT_CONFLICT, "Volume v is busy");
    assert_string_equal(f.code, "");
    assert_string_equal(f.field, "");
    assert_string_equal(f.cause, "");

    r = fault_raise_code(&f, FAULT_CONFLICT, "SubnetInUse", "in use");
    assert_fault(r, f, FAULT_CONFLICT, "in use");
    assert_string_equal(f.code, "SubnetInUse");

    r = fault_raise_field(&f, "server.name", "too long");
    assert_fault(r, f, FAULT_INVALID, "too long");
    assert_string_equal(f.field, "server.name");

    r = fault_raise_cause(&f, "cannot open %s", "/secret/path");
    assert_fault(r, f, FAULT_INTERNAL, NULL);
    assert_null(strstr(f.message, "/secret/path"));
    assert_string_equal(f.cause, "cannot open /secret/path");
    assert_int_equal(fault_add_cause(&f, "errno %d", 2), -(int)FAULT_INTERNAL);
    assert_string_equal(f.cause, "cannot open /secret/path; errno 2");

    fault_clear(&f);
    assert_int_equal(f.kind, FAULT_NONE);
    assert_string_equal(f.message, "");
}

/* Whatever is cut stays UTF-8. */
static void
test_cut(void **state)
{
    char text[4096];

    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        struct fault f = { 0 };
        size_t size = shift;

        memset(text, 'a', sizeof(text));
        for (; size + 5 < sizeof(text); size += 4)
            memcpy(text + size, "\xf0\x9f\x98\x80", 4);
        text[size] = '\0';
        fault_raise(&f, FAULT_INVALID, "%s", text);
        assert_true(strlen(f.message) >= sizeof(f.message) - 4);
        assert_true(str_is_utf8(f.message, strlen(f.message)));
        for (int i = 0; i < 3; i++)
            fault_add_cause(&f, "%s", text);
        assert_true(strlen(f.cause) < sizeof(f.cause));
        assert_true(str_is_utf8(f.cause, strlen(f.cause)));
    }
}

static void
test_kinds(void **state)
{
    static const struct {
        enum fault_kind kind;
        const char *name;
        int status;
    } cases[] = {
#define KIND(name, status) { FAULT_##name, #name, status },
        FAULT_KINDS(KIND)
#undef KIND
    };
    static const struct {
        int status;
        enum fault_kind kind;
    } statuses[] = {
        { 200, FAULT_NONE },      { 204, FAULT_NONE },        { 400, FAULT_INVALID },
        { 404, FAULT_NOT_FOUND }, { 409, FAULT_CONFLICT },    { 418, FAULT_INVALID },
        { 500, FAULT_INTERNAL },  { 502, FAULT_UNAVAILABLE }, { 503, FAULT_UNAVAILABLE },
        { 504, FAULT_TIMEOUT },   { 507, FAULT_INTERNAL },    { 302, FAULT_INTERNAL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(fault_status(cases[i].kind), cases[i].status);
        assert_string_equal(fault_kind_name(cases[i].kind), cases[i].name);
        assert_int_equal(fault_kind_from_name(cases[i].name), cases[i].kind);
    }
    for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
        assert_int_equal(fault_kind_from_status(statuses[i].status), statuses[i].kind);
    assert_int_equal(fault_kind_from_name("NO_SUCH"), FAULT_INTERNAL);
    assert_int_equal(fault_kind_from_name(NULL), FAULT_INTERNAL);
    assert_int_equal(fault_status((enum fault_kind)1000), 500);
    assert_true(fault_is_transient(&(struct fault){ .kind = FAULT_TIMEOUT }));
    assert_false(fault_is_transient(&(struct fault){ .kind = FAULT_CONFLICT }));
}

static void
test_reason(void **state)
{
    struct fault f = { 0 };

    (void)state;
    fault_raise_field(&f, "a.b", "Invalid input for field/attribute %s. Value: %s. %s is too long",
                      "a.b", "x. Value: y. z", "'x'");
    assert_string_equal(fault_reason(&f), "'x' is too long");
    fault_raise_field(&f, "a", "Invalid input for field/attribute %s. '%s' is a required property",
                      "a. b", "c");
    assert_string_equal(fault_reason(&f), "'c' is a required property");
    fault_raise_field(&f, "a", "Nothing like it: %s", "a");
    assert_string_equal(fault_reason(&f), "Nothing like it: a");
    fault_raise(&f, FAULT_CONFLICT, "Else");
    assert_string_equal(fault_reason(&f), "Else");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_raise),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
