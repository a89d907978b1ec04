#include "api/policy.h"

#include <unistd.h>

#include "../asserts.h"
#include "base/str.h"

/* A target is a list of name and value, NULL-terminated. */
static const char *
get(const void *object, const char *name)
{
    for (const char *const *pair = object; pair[0] != NULL; pair += 2) {
        if (strcmp(pair[0], name) == 0)
            return pair[1];
    }
    return NULL;
}

static const char *const object[] = {
    "project_id",
    "p1",
    "user_id",
    "u1",
    "target.user.id",
    "u1",
    "target.user.domain_id",
    "d1",
    "shared",
    "True",
    "public",
    "true",
    "empty",
    "",
    "evil",
    "p1%(user_id)s",
    "device_owner",
    "network:dhcp",
    "target.role.name",
    "Member",
    "name",
    "it's",
    "status",
    "in-use",
    NULL,
};
static const struct policy_target target = { get, object };

static const struct policy_default base_rules[] = {
    { "admin", "role:admin" },
    { "owner", "project_id:%(project_id)s" },
    { "admin_or_owner", "rule:admin or rule:owner" },
};

static const char *const admin_roles[] = { "Admin" };
static const char *const member_roles[] = { "reader", "member" };

static const struct auth_context admin = { .user_id = "u9",
                                           .scope = SCOPE_PROJECT,
                                           .project_id = "p9",
                                           .user_domain_id = "d9",
                                           .roles = admin_roles,
                                           .roles_count = 1 };
static const struct auth_context member = { .user_id = "u1",
                                            .scope = SCOPE_PROJECT,
                                            .project_id = "p1",
                                            .user_domain_id = "d1",
                                            .project_domain_id = "d1",
                                            .roles = member_roles,
                                            .roles_count = 2 };
static const struct auth_context system_reader = {
    .user_id = "u3", .scope = SCOPE_SYSTEM, .roles = member_roles, .roles_count = 1
};
static const struct auth_context domain_user = { .user_id = "u4",
                                                 .scope = SCOPE_DOMAIN,
                                                 .domain_id = "d1",
                                                 .roles = member_roles,
                                                 .roles_count = 2 };
static const struct auth_context service = { .user_id = "u1",
                                             .scope = SCOPE_PROJECT,
                                             .project_id = "p1",
                                             .service_user_id = "nova",
                                             .roles = member_roles,
                                             .roles_count = 2 };
static const struct auth_context nobody = { 0 };

static struct policy *
load(const char *rule, struct fault *f)
{
    struct policy_default rules[ARRAY_SIZE(base_rules) + 1];
    struct policy *p = NULL;

    memcpy(rules, base_rules, sizeof(base_rules));
    rules[ARRAY_SIZE(base_rules)] = (struct policy_default){ "tested", rule };
    policy_load(&p, rules, ARRAY_SIZE(rules), NULL, f);
    return p;
}

static void
test_language(void **state)
{
    enum { A = 1, M = 2, S = 4, D = 8, V = 16, N = 32, ALL = 63 };
    static const struct {
        const char *rule;
        int allowed; /* Who: admin, member, system reader, domain user, service, nobody. */
    } cases[] = {
        { "", ALL },
        { "   ", ALL },
        { "@", ALL },
        { "!", 0 },
        { "role:admin", A },
        { "role:ADMIN", A },
        { "role:member", M | D | V },
        { "role:%(target.role.name)s", M | D | V },
        { "roles:reader", M | S | D | V },
        { "rule:admin", A },
        { "rule:admin_or_owner", A | M | V },
        { "rule:no_such_rule", 0 },
        { "not rule:no_such_rule", ALL },
        { "not role:admin", ALL & ~A },
        { "NOT role:admin AND role:member", M | D | V },
        { "not not role:admin", A },
        { "role:admin or role:member and project_id:%(project_id)s", A | M | V },
        { "(role:admin or role:member) and project_id:%(project_id)s", M | V },
        { "role:member and project_id:%(project_id)s or role:admin", A | M | V },
        { "role:admin or not role:admin and !", A },
        { "not (role:admin or role:member)", S | N },
        { "((((role:admin))))", A },
        { "( role:admin )", A },
        { "(role:reader and system_scope:all) or rule:admin", A | S },
        { "system_scope:all", S },
        { "system_scope:none", 0 },
        { "user_id:%(user_id)s", M | V },
        { "user_id:%(target.user.id)s", M | V },
        { "user_id:u9", A },
        { "domain_id:%(target.user.domain_id)s", D },
        { "domain_id:None", ALL & ~D }, /* Whose token is for no domain. */
        { "not domain_id:None", D },
        { "user_domain_id:%(target.user.domain_id)s", M },
        { "token.domain.id:d1", D },
        { "token.project.domain.id:d1", M },
        { "tenant_id:%(project_id)s", M | V },
        { "project_id:%(no_such_member)s", 0 },
        { "project_id:%(empty)s", 0 },
        { "project_id:", 0 },
        { "project_id:%(evil)s", 0 }, /* What a template gives is not read as one. */
        { "project_id:%(project_id)s%(project_id)s", 0 },
        { "user_id:u%(no_such_member)s", 0 },
        { "project_id:p%%1", 0 },
        { "no_such_credential:x", 0 },
        { "no_such_credential:%(project_id)s", 0 },
        { "is_admin:True", A },
        { "is_admin:1", A },
        { "is_admin:False", ALL & ~A },
        { "is_admin_project:True", ALL },
        { "service_roles:service", V },
        { "'p1':%(project_id)s", ALL },
        { "'p2':%(project_id)s", 0 },
        { "\"in-use\":%(status)s", ALL },
        { "'in-use':%(no_such_member)s", 0 },
        { "'in-use':in-use", ALL },
        { "True:%(shared)s", ALL },
        { "True:%(public)s", ALL },
        { "False:%(public)s", 0 },
        { "None:%(no_such_member)s", ALL },
        { "None:%(project_id)s", 0 },
        { "1:1", ALL },
        { "field:networks:shared=True", ALL },
        { "field:networks:shared=False", 0 },
        { "field:port:device_owner=~^network:", ALL },
        { "field:port:device_owner=~^compute:", 0 },
        { "field:port:device_owner=network:dhcp", ALL },
        { "field:port:nothing=x", 0 },
        { "(user_id:%(user_id)s)or role:admin", -1 },
        { "(user_id:%(user_id)s) or role:admin", A | M | V },
    };
    static const struct auth_context *const who[] = { &admin,       &member,  &system_reader,
                                                      &domain_user, &service, &nobody };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fault f = { 0 };
        struct policy *p = load(cases[i].rule, &f);
        int allowed = 0;

        /* "...s)or" is two words in Python's reading too; here the group ends, and 'or' follows. */
        if (cases[i].allowed == -1) {
            policy_free(p);
            continue;
        }
        if (p == NULL)
            fail_msg("'%s': %s", cases[i].rule, f.message);
        for (size_t w = 0; w < ARRAY_SIZE(who); w++)
            allowed |= policy_check(p, "tested", who[w], &target) ? 1 << w : 0;
        if (allowed != cases[i].allowed)
            fail_msg("'%s' allows %x, not %x", cases[i].rule, (unsigned)allowed,
                     (unsigned)cases[i].allowed);
        policy_free(p);
    }
}

static void
test_no_target(void **state)
{
    struct fault f = { 0 };
    struct policy *p = load("project_id:%(project_id)s or field:a:b=c or 'x':%(y)s", &f);

    (void)state;
    assert_non_null(p);
    assert_false(policy_check(p, "tested", &member, NULL));
    assert_false(policy_check(p, "tested", &member, &(struct policy_target){ 0 }));
    assert_true(policy_check(p, "admin", &admin, NULL));
    assert_false(policy_check(p, "unknown", &admin, &target));
    assert_true(policy_has(p, "admin"));
    assert_false(policy_has(p, "unknown"));
    policy_free(p);
    policy_free(NULL);
}

static void
test_refused(void **state)
{
    static const struct {
        const char *rule, *why;
    } cases[] = {
        { "role:admin or", "ends where a check should be" },
        { "or role:admin", "'or' where a check should be" },
        { "role:admin role:member", "'role:member' after its end" },
        { "role:admin and or role:x", "'or' where" },
        { "(role:admin", "')' is missing" },
        { "role:admin)", "')' after its end" },
        { "()", "')' where" },
        { "not", "ends where" },
        { "admin", "is not kind:match" },
        { ":admin", "is not kind:match" },
        { "'unended:x", "is not kind:match" },
        { "rule:", "without a name" },
        { "project_id:%(project_id)", "is not %(member)s" },
        { "project_id:%(project_id)d", "is not %(member)s" },
        { "project_id:%s", "is not %(member)s" },
        { "project_id:%n", "is not %(member)s" },
        { "project_id:%()s", "is not %(member)s" },
        { "project_id:50%", "is not %(member)s" },
        { "http://127.0.0.1/%(x)s", "not supported" },
        { "field:x", "field:resource" },
        { "field:a:b=~(", "regular expression" },
        { "rule:tested", "refers to itself" },
        { "role:x or not (rule:tested)", "refers to itself" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fault f = { 0 };
        struct policy *p = load(cases[i].rule, &f);

        if (p != NULL)
            fail_msg("'%s' was accepted", cases[i].rule);
        assert_fault(-1, f, FAULT_INVALID, cases[i].why);
        assert_non_null(strstr(f.message, "tested"));
        assert_string_equal(f.field, "tested");
    }
}

static void
test_depth(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    static const size_t depths[] = { 60, 70, 5000 };
    struct fault f = { 0 };
    struct policy *p;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(depths); i++) {
        size_t n = depths[i];
        char *rule = arena_alloc(a, 2 * n + 2);
        struct policy_default *rules = ARENA_ARRAY(a, struct policy_default, 3 * n);

        memset(rule, '(', n);
        rule[n] = '@';
        memset(rule + n + 1, ')', n);
        p = load(rule, &f);
        assert_true((p != NULL) == (n < 64));
        policy_free(p);

        /* A chain of rules. */
        for (size_t r = 0; r < n; r++) {
            rules[r].name = arena_printf(a, "r%zu", r);
            rules[r].rule = r + 1 < n ? arena_printf(a, "rule:r%zu", r + 1) : "@";
        }
        p = NULL;
        policy_load(&p, rules, n, NULL, &f);
        assert_true((p != NULL) == (n < 64));
        if (p != NULL)
            assert_true(policy_check(p, "r0", &nobody, NULL));
        policy_free(p);
    }
    {
        char *long_rule = arena_alloc(a, 20001);

        memset(long_rule, 'x', 20000);
        assert_null(load(long_rule, &f));
        assert_fault(-1, f, FAULT_INVALID, "longer than");
    }
}

static void
test_circle(void **state)
{
    static const struct policy_default rules[] = { { "a", "rule:b" },
                                                   { "b", "role:x and rule:c" },
                                                   { "c", "@ or rule:a" } };
    struct policy *p = NULL;
    struct fault f = { 0 };

    (void)state;
    assert_fault(policy_load(&p, rules, 3, NULL, &f), f, FAULT_INVALID, "refers to itself");
}

static int
load_file(const char *text, struct policy **ret, struct fault *f)
{
    char path[] = "/tmp/policy-test-XXXXXX";
    int fd = mkstemp(path);
    int r;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    r = policy_load(ret, base_rules, ARRAY_SIZE(base_rules), path, f);
    unlink(path);
    return r;
}

static void
test_file(void **state)
{
    static const struct {
        const char *text, *refused;
    } cases[] = {
        { "", NULL },
        { "---\n", NULL },
        { "# only a comment\n", NULL },
        { "{}\n", NULL },
        { "admin: \"role:boss\"\n# comment\nnew: rule:admin\n\"compute:get\": '!'\n", NULL },
        { "{\"admin\": \"role:boss\"}", NULL },
        { "admin:\n", NULL }, /* Empty: everybody, as upstream reads it. */
        { "- admin\n", ":1: not one map" },
        { "admin\n", ":1: not one map" },
        { "admin: role:x\nadmin: role:y\n", ":2: rule admin comes twice" },
        { "admin:\n  - role:x\n", ":2: neither a rule's name nor its text" },
        { "admin: {a: b}\n", ":1: neither" },
        { "admin: &a role:x\nb: *a\n", ":1: neither" },
        { "? [a]\n: b\n", ":1: neither" },
        { "a: \"\\0\"\n", "NUL" },
        { "a: [\n", ":" },
        { "a: 'unended\n", ":" },
        { "a: '@': c\n", ":1:" },
        { "\tadmin: x\n", ":1:" },
        { "a: '@'\n---\nb: '@'\n", "not one map" },
        { "admin: 'role:x or'\n", "Policy rule admin: ends where" },
        { "admin: 'rule:admin_or_owner'\n", "refers to itself" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct policy *p = NULL;
        struct fault f = { 0 };
        int r = load_file(cases[i].text, &p, &f);

        if (cases[i].refused == NULL && r < 0)
            fail_msg("'%s': %s", cases[i].text, f.message);
        if (cases[i].refused != NULL)
            assert_fault(r, f, FAULT_INVALID, cases[i].refused);
        policy_free(p);
    }
}

static void
test_file_overrides(void **state)
{
    struct policy *p = NULL;
    struct fault f = { 0 };

    (void)state;
    assert_ok(
        load_file("admin: 'role:member'\n'compute:new': 'rule:admin and user_id:%(user_id)s'\n", &p,
                  &f));
    assert_false(policy_check(p, "admin", &admin, NULL));
    assert_true(policy_check(p, "admin", &member, NULL));
    /* Rules that were not written over refer to the new one. */
    assert_true(policy_check(p, "admin_or_owner", &domain_user, &target));
    assert_true(policy_check(p, "compute:new", &member, &target));
    assert_false(policy_check(p, "compute:new", &domain_user, &target));
    policy_free(p);
    p = NULL;
    assert_fault(policy_load(&p, base_rules, 3, "/nonexistent/policy.yaml", &f), f, FAULT_INVALID,
                 "No such file");
}

static void
test_projects_only(void **state)
{
    static const struct {
        const struct auth_context *who;
        bool before, after;
    } cases[] = { { &member, true, true },
                  { &nobody, true, true },
                  { &system_reader, true, false },
                  { &domain_user, true, false } };
    struct fault f = { 0 };
    struct policy *p = load("@", &f);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(policy_check(p, "tested", cases[i].who, NULL), cases[i].before);
    policy_projects_only(p);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(policy_check(p, "tested", cases[i].who, NULL), cases[i].after);
    policy_free(p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_projects_only), cmocka_unit_test(test_language),
        cmocka_unit_test(test_no_target),     cmocka_unit_test(test_refused),
        cmocka_unit_test(test_depth),         cmocka_unit_test(test_circle),
        cmocka_unit_test(test_file),          cmocka_unit_test(test_file_overrides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
