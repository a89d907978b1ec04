/* What the rest of the service reads of a domain's configuration: its own over the defaults, with its secrets in their places. */
#include "services/identity/domain_config.h"

#include "base/str.h"
#include "tests/lib/pg.h"
#include "tests/unit/asserts.h"

extern const struct migration identity_migrations[];
extern const size_t identity_migrations_count;

static int
setup(void **state)
{
    *state = pg_open_migrated(identity_migrations, identity_migrations_count);
    return 0;
}

static int
teardown(void **state)
{
    pg_close(*state);
    return 0;
}

static void
put(struct db *db, bool secret, const char *name, const char *json)
{
    json_auto_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
    struct fault f = { 0 };

    assert_non_null(value);
    assert_int_equal(secret ? domain_secret_put(db, "d", "ldap", name, value, &f)
                            : domain_config_put(db, "d", "ldap", name, value, &f),
                     1);
}

static void
test_load(void **state)
{
    _cleanup_(pg_rollback) struct db db = { 0 };
    struct fault f = { 0 };
    json_t *config;

    pg_begin(*state, &db);
    assert_int_equal(boot_domain(&db, "d", "D", &f), 1);
    assert_int_equal(domain_config_load(&db, "d", &config, &f), 0);
    assert_string_equal(domain_config_text(config, "ldap", "url"), "ldap://localhost");
    assert_string_equal(domain_config_text(config, "identity", "driver"), "sql");
    assert_null(domain_config_text(config, "ldap", "user"));
    assert_int_equal(domain_config_int(config, "ldap", "pool_size"), 10);
    assert_true(domain_config_bool(config, "ldap", "use_pool"));

    put(&db, false, "url", "\"ldap://%(password)s@h/%%/%(other)s/%(\"");
    put(&db, false, "pool_size", "\"12\"");
    put(&db, false, "use_pool", "\"no\"");
    put(&db, false, "user_objectclass", "null");
    put(&db, true, "password", "\"se%cret\"");
    assert_int_equal(domain_config_load(&db, "d", &config, &f), 1);
    assert_string_equal(domain_config_text(config, "ldap", "url"),
                        "ldap://se%cret@h/%/%(other)s/%(");
    assert_string_equal(domain_config_text(config, "ldap", "password"), "se%cret");
    assert_int_equal(domain_config_int(config, "ldap", "pool_size"), 12);
    assert_int_equal(domain_config_int(config, "ldap", "url"), 0);
    assert_false(domain_config_bool(config, "ldap", "use_pool"));
    assert_null(domain_config_text(config, "ldap", "user_objectclass"));
    assert_string_equal(domain_config_text(config, "ldap", "user_id_attribute"), "cn");
    assert_null(domain_config_text(config, "bogus", "url"));
    assert_int_equal(domain_config_load(&db, "other", &config, &f), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_load) };

    return cmocka_run_group_tests(tests, setup, teardown);
}
