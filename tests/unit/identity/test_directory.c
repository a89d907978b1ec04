/* Directories: what the options mean, and what entries become. */
#include <ldap.h>

#include "base/array.h"
#include "base/json.h"
#include "services/identity/directory_rows.h"
#include "tests/unit/asserts.h"

static const char OPTIONS[] = "{\"ldap\": {\"url\": \"ldap://a,ldaps://b:1636\", \"suffix\": "
                              "\"dc=x\", \"query_scope\": \"sub\","
                              "\"alias_dereferencing\": \"default\", \"tls_req_cert\": \"demand\", "
                              "\"user_id_attribute\": \"uid\","
                              "\"user_name_attribute\": \"cn\", \"user_objectclass\": \"person\", "
                              "\"group_id_attribute\": \"cn\","
                              "\"group_name_attribute\": \"cn\", \"group_objectclass\": "
                              "\"groupOfNames\", \"group_member_attribute\": \"member\"}}";

static int
read_options(struct arena *a, const char *name, const char *value, struct directory *ret,
             struct fault *f)
{
    json_t *options = json_own(a, json_loads(OPTIONS, 0, NULL));

    if (name != NULL)
        json_object_set_new(json_object_get(options, "ldap"), name,
                            json_loads(value, JSON_DECODE_ANY, NULL));
    return directory_config_read(a, "d", options, ret, f);
}

static void
test_options(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    struct directory d;

    (void)state;
    assert_ok(read_options(a, NULL, NULL, &d, &f));
    assert_string_equal(d.users.base, "ou=Users,dc=x");
    assert_string_equal(d.users.filter, "(objectClass=person)");
    assert_string_equal(d.groups.base, "ou=UserGroups,dc=x");
    assert_int_equal(d.scope, LDAP_SCOPE_SUBTREE);
    assert_int_equal(d.require_certificate, LDAP_OPT_X_TLS_DEMAND);
    assert_true(d.timeout_s > 0); /* Never for ever. */
    assert_ok(read_options(a, "user_filter", "\"(mail=*)\"", &d, &f));
    assert_string_equal(d.users.filter, "(&(objectClass=person)(mail=*))");
    assert_ok(read_options(a, "user_filter", "\"mail=*\"", &d, &f));
    assert_string_equal(d.users.filter, "(&(objectClass=person)(mail=*))");
    assert_ok(read_options(a, "user_enabled_emulation", "true", &d, &f));
    assert_string_equal(d.enabled.group_dn, "cn=enabled_users,ou=Users,dc=x");
}

static void
test_refused_options(void **state)
{
    static const struct {
        const char *name, *value;
    } cases[] = {
        { "url", "\"ldapi:///\"" },
        { "url", "\"ldap://a,ldapi:///\"" },
        { "url", "null" },
        { "url", "3" },
        { "query_scope", "\"all\"" },
        { "tls_req_cert", "\"perhaps\"" },
        { "alias_dereferencing", "\"sometimes\"" },
        { "user_id_attribute", "null" },
        { "group_member_attribute", "\"\"" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(arena_freep) struct arena *a = arena_new();
        struct fault f = { 0 };
        struct directory d;

        assert_fault(read_options(a, cases[i].name, cases[i].value, &d, &f), f, FAULT_INVALID, "");
    }
}

static void
test_enabled(void **state)
{
    static const struct {
        const char *value; /* NULL: no such attribute. */
        const char *fallback;
        int64_t mask;
        bool invert, enabled;
    } cases[] = {
        { "TRUE", "True", 0, false, true },
        { "FALSE", "True", 0, false, false },
        { NULL, "True", 0, false, true },
        { NULL, "False", 0, false, false },
        { NULL, NULL, 0, false, false },
        { "TRUE", "False", 0, true, false }, /* nsAccountLock */
        { NULL, "False", 0, true, true },
        { "512", "512", 2, false, true }, /* userAccountControl */
        { "514", "512", 2, false, false },
        { NULL, "512", 2, false, true },
        { "garbage", "512", 2, false, true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(arena_freep) struct arena *a = arena_new();
        struct directory d = { .enabled = { .attribute = "Enabled",
                                            .mask = cases[i].mask,
                                            .invert = cases[i].invert,
                                            .fallback = cases[i].fallback } };
        struct directory_entry e = { .attributes = json_own(a, json_object()) };

        if (cases[i].value != NULL)
            json_object_set_new((json_t *)(uintptr_t)e.attributes, "enabled",
                                json_pack("[s]", cases[i].value));
        assert_int_equal(directory_is_enabled(&d, &e, false), cases[i].enabled);
        d.enabled.group_dn = "cn=enabled";
        assert_true(directory_is_enabled(&d, &e, true));
        assert_false(directory_is_enabled(&d, &e, false));
    }
}

static void
test_texts(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();

    (void)state;
    assert_string_equal(directory_equals(a, "uid", "a*)(b\\"), "(uid=a\\2A\\29\\28b\\5C)");
    assert_string_equal(directory_dn(a, "UID=Ada , OU=People,dc=X"), "uid=ada,ou=people,dc=x");
    assert_string_equal(directory_dn(a, "No DN"), "no dn");
    /* SHA-256 of domain, kind and id, as Keystone makes it. */
    assert_string_equal(directory_public_id(a, "d", "user", "ada"),
                        "4b837d3e40600c2fa7a4a00a7534fbb7f9ea20ee44d91734fdb986605d08d4fe");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_refused_options),
        cmocka_unit_test(test_enabled),
        cmocka_unit_test(test_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
