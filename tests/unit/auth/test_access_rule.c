/* Which requests an access rule lets through: the patterns as a table. */
#include "auth/access_rule.h"

#include "../asserts.h"
#include "base/array.h"

static void
test_paths(void **state)
{
    static const struct {
        const char *pattern, *path;
        bool matches;
    } cases[] = {
        { "/v2.1/servers", "/v2.1/servers", true },
        { "/v2.1/servers", "/v2.1/servers/", false },
        { "/v2.1/servers", "/v2.1/servers/x", false },
        { "/v2.1/servers", "/v2.1/server", false },
        { "/v2.1/servers", "/v2x1/servers", false }, /* A dot is a dot. */
        { "/v2.1/servers", "/V2.1/servers", false },
        { "/v2.1/servers/*", "/v2.1/servers/abc", true },
        { "/v2.1/servers/*", "/v2.1/servers/", false }, /* Never empty. */
        { "/v2.1/servers/*", "/v2.1/servers", false },
        { "/v2.1/servers/*", "/v2.1/servers/abc/ips", false },
        { "/v2.1/servers/*/ips", "/v2.1/servers/abc/ips", true },
        { "/v2.1/servers/*/ips", "/v2.1/servers/a/b/ips", false },
        { "/v2.1/servers/*/ips", "/v2.1/servers//ips", false },
        { "/v2.1/servers/*/ips/*", "/v2.1/servers/a/ips/net", true },
        { "/v2.1/servers/{server_id}", "/v2.1/servers/abc", true },
        { "/v2.1/servers/{server_id}", "/v2.1/servers/abc/ips", false },
        { "/v2.1/servers/{server_id}/ips", "/v2.1/servers/abc/ips", true },
        { "/v3/{project_id}/volumes/{id}", "/v3/p/volumes/v", true },
        { "/v3/{}/volumes", "/v3/p/volumes", true },
        { "/v2.1/**", "/v2.1/servers/abc/ips", true },
        { "/v2.1/**", "/v2.1/", true },
        { "/v2.1/**", "/v2.1", false },
        { "/v2.1**", "/v2.1", true },
        { "**", "/", true },
        { "/**", "/x/y", true },
        { "/**/ips", "/v2.1/servers/abc/ips", true },
        { "/**/ips", "/v2.1/servers/abc/ips/x", false },
        { "/**/ips/*", "/a/ips/b/ips/c", true },
        { "/a*c", "/abc", true },
        { "/a*c", "/ac", false }, /* One character at least. */
        { "/a*c", "/abcbc", true },
        { "/a*c", "/ab/c", false },
        { "/a*b*c", "/axbxbxc", true },
        { "/a{x}c", "/abc", true },
        { "/{open", "/{open", true },
        { "/{open", "/x", false },
        { "/***", "/abc/d", true },
        { "/x/**/y/*", "/x/1/2/y/3", true },
        { "/x/**/y/*", "/x/1/2/y/3/4", false },
        { "/x/**y/**/*z", "/x/1y/2/3/az", true },
        { "/", "/", true },
        { "/*", "/", false },
        { "", "", true },
        { "", "/", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        if (access_rule_path_matches(cases[i].pattern, cases[i].path) != cases[i].matches)
            fail_msg("%s and %s: not %d", cases[i].pattern, cases[i].path, cases[i].matches);
    }
}

/* Patterns made to cost much: they must not. */
static void
test_cost(void **state)
{
    char pattern[226], path[8192];

    (void)state;
    for (size_t i = 0; i + 1 < sizeof(pattern); i++)
        pattern[i] = "a*"[i % 2];
    pattern[sizeof(pattern) - 1] = '\0';
    memset(path, 'a', sizeof(path));
    path[sizeof(path) - 2] = '/';
    path[sizeof(path) - 1] = '\0';
    assert_false(access_rule_path_matches(pattern, path));
    for (size_t i = 0; i + 3 < sizeof(pattern); i += 3)
        memcpy(pattern + i, "**a", 3);
    pattern[225] = '\0';
    path[0] = 'b';
    assert_false(access_rule_path_matches(pattern, path));
}

static void
test_rules(void **state)
{
    static const char *const rules[] = { "compute",  "GET",  "/v2.1/servers",
                                         "volumev3", "POST", "/v3/*/volumes" };
    static const char *const compute[] = { "compute", NULL };
    static const char *const volume[] = { "block-storage", "volumev3", NULL };

    (void)state;
    assert_true(access_rules_allow(rules, 6, compute, "GET", "/v2.1/servers"));
    assert_false(access_rules_allow(rules, 6, compute, "HEAD", "/v2.1/servers"));
    assert_false(access_rules_allow(rules, 6, compute, "get", "/v2.1/servers"));
    assert_false(access_rules_allow(rules, 6, compute, "POST", "/v3/p/volumes"));
    assert_true(access_rules_allow(rules, 6, volume, "POST", "/v3/p/volumes"));
    assert_false(access_rules_allow(rules, 6, volume, "GET", "/v2.1/servers"));
    assert_false(access_rules_allow(rules, 0, compute, "GET", "/v2.1/servers"));
    assert_false(access_rules_allow(rules, 2, compute, "GET", "/v2.1/servers"));
    assert_false(access_rules_allow(rules, 6, NULL, "GET", "/v2.1/servers"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_cost),
        cmocka_unit_test(test_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
