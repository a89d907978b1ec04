#include "services/identity/mapping_rules.h"

#include "../asserts.h"
#include "base/json.h"
#include "base/str.h"

/* What an assertion has: "Name=value" as often as there are values. */
static struct assertion
assertion(struct arena *a, const char *const *pairs)
{
    struct assertion out = { 0 };

    for (; *pairs != NULL; pairs++) {
        const char *equals = strchr(*pairs, '=');

        assert_true(assertion_add(a, &out, arena_strndup(a, *pairs, (size_t)(equals - *pairs)),
                                  equals + 1));
    }
    return out;
}

/* Single quotes are easier to read in C. */
static json_t *
rules(struct arena *a, const char *text)
{
    char *copy = arena_strdup(a, text);
    json_t *value;
    struct fault f = { 0 };

    for (char *at = copy; *at != '\0'; at++)
        *at = *at == '\'' ? '"' : *at == '`' ? '\'' : *at;
    assert_ok(json_read(a, copy, strlen(copy), &value, &f));
    return value;
}

static void
add_domain(struct str *out, const struct mapped_domain *d)
{
    if (d->id != NULL)
        str_addf(out, "@%s", d->id);
    if (d->name != NULL)
        str_addf(out, "@name:%s", d->name);
}

/* The result as one line: "id=u1 name=Bob groups=[g1@d]...". */
static const char *
show(struct arena *a, const struct mapped *m)
{
    _cleanup_(str_done) struct str out = { 0 };

    if (m->local)
        str_add(&out, "local ");
    if (m->user_id != NULL)
        str_addf(&out, "id=%s ", m->user_id);
    if (m->user_name != NULL)
        str_addf(&out, "name=%s ", m->user_name);
    if (m->email != NULL)
        str_addf(&out, "email=%s ", m->email);
    add_domain(&out, &m->user_domain);
    for (size_t i = 0; i < m->group_ids.count; i++)
        str_addf(&out, "#%s ", m->group_ids.items[i]);
    for (size_t i = 0; i < m->groups_count; i++) {
        str_addf(&out, "group=%s", m->groups[i].name);
        add_domain(&out, &m->groups[i].domain);
        str_add(&out, " ");
    }
    for (size_t i = 0; i < m->projects_count; i++) {
        str_addf(&out, "project=%s", m->projects[i].name);
        add_domain(&out, &m->projects[i].domain);
        for (size_t j = 0; j < m->projects[i].roles.count; j++)
            str_addf(&out, "/%s", m->projects[i].roles.items[j]);
        str_add(&out, " ");
    }
    return arena_strdup(a, str_text(&out));
}

#define USER "'user': {'name': '{0}'}"
#define RULE(local, remote) "[{'local': [" local "], 'remote': [" remote "]}]"
#define NAME "{'type': 'U'}"

static void
test_apply(void **state)
{
    static const struct {
        const char *rules;
        const char *pairs[8];
        const char *result;  /* NULL: none. */
        const char *refused; /* Part of the message. */
        bool version_2;
    } cases[] = {
        /* Direct: each remote part without a list is the next value. */
        { RULE("{" USER "}", NAME), { "U=bob" }, "name=bob ", NULL, false },
        { RULE("{'user': {'name': '{0} {1}', 'email': '{2}'}}",
               NAME ", {'type': 'L'}, {'type': 'E'}"),
          { "U=Bob", "L=Thompson", "E=b@x" },
          "name=Bob Thompson email=b@x ",
          NULL,
          false },
        { RULE("{" USER "}", NAME ", {'type': 'gone'}"),
          { "U=bob" },
          NULL,
          "Could not map",
          false },
        { RULE("{" USER "}", NAME), { "U=" }, "name= ", NULL, false }, /* There, though empty. */
        { RULE("{'user': {'name': '{1}'}}", NAME), { "U=b" }, NULL, "not there", false },
        { RULE("{'user': {'name': '{0'}}", NAME), { "U=b" }, NULL, "not there", false },
        { RULE("{'user': {'name': '{0.__class__}'}}", NAME), { "U=b" }, NULL, "not there", false },
        { RULE("{'user': {'name': 'a}'}}", NAME), { "U=b" }, NULL, "not there", false },
        { RULE("{'user': {'name': '{{{0}}}'}}", NAME), { "U=b" }, "name={b} ", NULL, false },
        { RULE("{'user': {'name': '{}-{}'}}", NAME ", {'type': 'L'}"),
          { "U=a", "L=b" },
          "name=a-b ",
          NULL,
          false },
        /* A value is no template. */
        { RULE("{" USER "}", NAME), { "U={0}{1}" }, "name={0}{1} ", NULL, false },
        /* Several values read as a list. */
        { RULE("{" USER "}", NAME), { "U=a", "U=b" }, "name=['a', 'b'] ", NULL, false },

        /* Conditions add no value of their own. */
        { RULE("{" USER "}", "{'type': 'T', 'any_one_of': ['x', 'y']}, " NAME),
          { "U=bob", "T=z", "T=y" },
          "name=bob ",
          NULL,
          false },
        { RULE("{" USER "}", "{'type': 'T', 'any_one_of': ['x']}, " NAME),
          { "U=bob", "T=X" },
          NULL,
          "Could not map",
          false },
        { RULE("{" USER "}", NAME ", {'type': 'T', 'not_any_of': ['x']}"),
          { "U=bob", "T=y" },
          "name=bob ",
          NULL,
          false },
        { RULE("{" USER "}", NAME ", {'type': 'T', 'not_any_of': ['x']}"),
          { "U=bob", "T=y", "T=x" },
          NULL,
          "Could not map",
          false },
        { RULE("{" USER "}", NAME ", {'type': 'T', 'not_any_of': ['x']}"), /* Must be there. */
          { "U=bob" },
          NULL,
          "Could not map",
          false },
        { RULE("{" USER "}", NAME ", {'type': 'T', 'any_one_of': ['^a.c$'], 'regex': true}"),
          { "U=bob", "T=abc" },
          "name=bob ",
          NULL,
          false },
        { RULE("{" USER "}", NAME ", {'type': 'T', 'any_one_of': ['^a.c$']}"),
          { "U=bob", "T=abc" },
          NULL,
          "Could not map",
          false },
        { RULE("{" USER "}", NAME ", {'type': 'T', 'not_any_of': ['b'], 'regex': true}"),
          { "U=bob", "T=abc" },
          NULL,
          "Could not map",
          false },

        /* Lists are filtered and passed on. */
        { RULE("{" USER "}, {'groups': '{1}', 'domain': {'id': 'd'}}",
               NAME ", {'type': 'G', 'whitelist': ['a', 'b', 'z']}"),
          { "U=bob", "G=a", "G=c", "G=b", "G=a" },
          "name=bob group=a@d group=b@d ",
          NULL,
          false },
        { RULE("{" USER "}, {'groups': '{1}', 'domain': {'name': 'D'}}",
               NAME ", {'type': 'G', 'blacklist': ['a']}"),
          { "U=bob", "G=a", "G=c" },
          "name=bob group=c@name:D ",
          NULL,
          false },
        { RULE("{" USER "}, {'groups': '{1}', 'domain': {'id': 'd'}}",
               NAME ", {'type': 'G', 'whitelist': ['^dev-'], 'regex': true}"),
          { "U=bob", "G=dev-a", "G=ops-dev-b" },
          "name=bob group=dev-a@d ",
          NULL,
          false },
        { RULE("{" USER "}, {'group_ids': '{1}'}", NAME ", {'type': 'G', 'whitelist': ['a']}"),
          { "U=bob", "G=c" },
          "name=bob ",
          NULL,
          false }, /* Nothing left: no group, but the rule holds. */
        { RULE("{" USER "}, {'group_ids': '{1}'}", NAME ", {'type': 'G'}"),
          { "U=bob", "G=1", "G=2" },
          "name=bob #1 #2 ",
          NULL,
          false },
        { RULE("{" USER "}, {'group_ids': 'x'}, {'group': {'id': 'x'}}, {'group': {'id': 'y'}}",
               NAME),
          { "U=bob" },
          "name=bob #x #y ",
          NULL,
          false },
        { RULE("{" USER "}, {'groups': '[`a`, `p-{0}`]', 'domain': {'id': 'd'}}", NAME),
          { "U=bob" },
          "name=bob group=a@d group=p-bob@d ",
          NULL,
          false },
        { RULE("{" USER ", 'group': {'name': 'g', 'domain': {'name': '{0}'}}}", NAME),
          { "U=bob" },
          "name=bob group=g@name:bob ",
          NULL,
          false },
        { RULE("{" USER ", 'groups': 'g'}", NAME), { "U=bob" }, NULL, "'domain' keywords", false },
        { RULE("{" USER ", 'groups': '{1}'}", NAME ", {'type': 'G'}"),
          { "U=bob", "G=JSON:{\"name\": \"g\", \"domain\": {\"id\": \"d\"}}" },
          "name=bob group=g@d ",
          NULL,
          false },
        /* What a client can put into a value changes no structure: not lists, not domains. */
        { RULE("{" USER ", 'groups': '{0}', 'domain': {'id': 'd'}}", NAME),
          { "U=['admins', 'x']" },
          "name=['admins', 'x'] group=['admins', 'x']@d ",
          NULL,
          false },
        { RULE("{" USER ", 'groups': '[`{0}`]', 'domain': {'id': 'd'}}", NAME),
          { "U=a', 'admins" },
          "name=a', 'admins group=a', 'admins@d ",
          NULL,
          false },
        { RULE("{" USER ", 'groups': '{0}', 'domain': {'id': 'd'}}", NAME),
          { "U=JSON:{\"name\": \"admins\", \"domain\": {\"id\": \"default\"}}" },
          "name=JSON:{\"name\": \"admins\", \"domain\": {\"id\": \"default\"}} "
          "group=JSON:{\"name\": \"admins\", \"domain\": {\"id\": \"default\"}}@d ",
          NULL,
          false },

        /* Rules add up; the first user and the last projects are the ones. */
        { "[{'local': [{" USER "}, {'group': {'id': 'g1'}}], 'remote': [" NAME "]},"
          " {'local': [{'user': {'name': 'other'}, 'group': {'id': 'g2'}}], 'remote': [" NAME "]},"
          " {'local': [{'group': {'id': 'g3'}}], 'remote': [{'type': 'no'}]}]",
          { "U=bob" },
          "name=bob #g1 #g2 ",
          NULL,
          false },
        { RULE("{'user': {'id': '{0}', 'type': 'local', 'domain': {'id': 'd'}}}", NAME),
          { "U=u1" },
          "local id=u1 @d",
          NULL,
          false },
        { RULE("{" USER "}, {'projects': [{'name': 'dropped', 'roles': []}]},"
               "{'projects': [{'name': '{0}s', 'roles': [{'name': 'member'}, {'name': 'x'}]}]}",
               NAME),
          { "U=bob" },
          "name=bob project=bobs/member/x ",
          NULL,
          false },
        { RULE("{'domain': {'id': 'dd'}, " USER ", 'projects': [{'name': 'p', 'roles': []},"
               "{'name': 'q', 'roles': [], 'domain': {'name': 'D'}}]}",
               NAME),
          { "U=bob" },
          "name=bob @ddproject=p@dd project=q@name:D ",
          NULL,
          true },
        { "[]", { "U=bob" }, NULL, "Could not map", false },
        { "[{'local': [{" USER "}], 'remote': []}]", { "U=bob" }, NULL, "Could not map", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(arena_freep) struct arena *a = arena_new();
        struct assertion in = assertion(a, cases[i].pairs);
        struct mapped out = { 0 };
        struct fault f = { 0 };
        int r = mapping_apply(a, rules(a, cases[i].rules), cases[i].version_2, &in, &out, &f);

        if (cases[i].result == NULL) {
            assert_fault(r, f, FAULT_INVALID, cases[i].refused);
        } else {
            assert_ok(r);
            assert_string_equal(show(a, &out), cases[i].result);
        }
    }
}

static void
test_check(void **state)
{
    static const struct {
        const char *rules;
        const char *refused;
        bool version_2;
    } cases[] = {
        { RULE("{" USER "}", NAME), NULL, false },
        { RULE("", NAME), NULL, false },
        { RULE("{}", NAME), NULL, false },
        { "[]", "1 to", false },
        { "{}", "1 to", false },
        { "[1]", "rules[0]", false },
        { "[{'local': []}]", "'remote' is a required", false },
        { "[{'remote': [" NAME "]}]", "'local' is a required", false },
        { RULE("{" USER "}", ""), "too short", false },
        { "[{'local': [], 'remote': [" NAME "], 'x': 1}]", "'x' was unexpected", false },
        { RULE("{'usr': {}}", NAME), "rules[0].local[0]", false },
        { RULE("{'user': {'nam': 'x'}}", NAME), "rules[0].local[0].user", false },
        { RULE("{'user': {'name': 1}}", NAME), "user.name", false },
        { RULE("{'user': {'type': 'nobody'}}", NAME), "user.type", false },
        { RULE("{'user': {'domain': {'x': 'y'}}}", NAME), "user.domain", false },
        { RULE("{'group': {'id': 'g', 'name': 'n'}}", NAME), "by its id, or", false },
        { RULE("{'group': {'name': 'n'}}", NAME), "by its id, or", false },
        { RULE("{'group': {}}", NAME), "by its id, or", false },
        { RULE("{'group': {'name': 'n', 'domain': {'id': 'd'}}}", NAME), NULL, false },
        { RULE("{'groups': ['a']}", NAME), "groups", false },
        { RULE("{'projects': [{'name': 'p'}]}", NAME), "'roles' is a required", false },
        { RULE("{'projects': [{'name': 'p', 'roles': [{}]}]}", NAME), "'name' is a req", false },
        { RULE("{'projects': [{'name': 'p', 'roles': [{'name': 'r'}]}]}", NAME), NULL, false },
        { RULE("{'projects': [{'name': 'p', 'roles': [], 'domain': {'id': 'd'}}]}", NAME),
          "'domain' was unexpected", false },
        { RULE("{'projects': [{'name': 'p', 'roles': [], 'domain': {'id': 'd'}}]}", NAME), NULL,
          true },
        { RULE("{}", "{}"), "'type' is a required", false },
        { RULE("{}", "{'type': 1}"), "type", false },
        { RULE("{}", "{'type': 'T', 'regex': true}"), "exactly one", false },
        { RULE("{}", "{'type': 'T', 'any_one_of': [], 'whitelist': []}"), "exactly one", false },
        { RULE("{}", "{'type': 'T', 'any_one_of': 'x'}"), "any_one_of", false },
        { RULE("{}", "{'type': 'T', 'any_one_of': [1]}"), NULL, false },
        { RULE("{}", "{'type': 'T', 'any_one_of': ['('], 'regex': true}"), "regular exp", false },
        { RULE("{}", "{'type': 'T', 'any_one_of': [1], 'regex': true}"), "regular exp", false },
        { RULE("{}", "{'type': 'T', 'any_one_of': ['(']}"), NULL, false },
        { RULE("{}", "{'type': 'T', 'any_one_of': ['('], 'regex': 'yes'}"), "regex", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(arena_freep) struct arena *a = arena_new();
        struct fault f = { 0 };
        int r = mapping_check(rules(a, cases[i].rules), cases[i].version_2, &f);

        if (cases[i].refused == NULL)
            assert_ok(r);
        else
            assert_fault(r, f, FAULT_INVALID, cases[i].refused);
    }
}

/* A value that makes an expression run away is refused, and soon. */
static void
test_bounds(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    json_t *bomb = rules(a, RULE("{'user': {'name': 'x'}}",
                                 "{'type': 'T', 'any_one_of': ['^(a+)+$'], 'regex': true}"));
    json_t *long_name = rules(a, RULE("{'user': {'name': '{0}{0}{0}{0}{0}'}}", NAME));
    json_t *many = rules(a, RULE("{'groups': '{0}', 'domain': {'id': 'd'}}", NAME));
    struct assertion in = { 0 }, full = { 0 };
    struct mapped out;
    struct fault f = { 0 };
    char text[1001];

    (void)state;
    memset(text, 'a', 1000);
    text[999] = '!';
    text[1000] = '\0';
    assert_true(assertion_add(a, &in, "T", text));
    assert_true(assertion_add(a, &in, "U", text));
    assert_fault(mapping_apply(a, bomb, false, &in, &out, &f), f, FAULT_INVALID, "too many steps");
    fault_clear(&f);
    assert_fault(mapping_apply(a, long_name, false, &in, &out, &f), f, FAULT_INVALID, "too long");
    for (int i = 0; i < ASSERTION_VALUES_MAX; i++)
        assert_true(assertion_add(a, &full, "U", arena_printf(a, "g%d", i)));
    assert_false(assertion_add(a, &full, "U", "one more"));
    fault_clear(&f);
    assert_ok(mapping_apply(a, many, false, &full, &out, &f));
    assert_int_equal(out.groups_count, ASSERTION_VALUES_MAX);
    for (int i = 1; i < ASSERTION_MAX; i++)
        assert_true(assertion_add(a, &full, arena_printf(a, "n%d", i), "v"));
    assert_false(assertion_add(a, &full, "one more", "v"));
    assert_int_equal(assertion_find(&full, "U")->count, ASSERTION_VALUES_MAX);
    assert_null(assertion_find(&full, "one more"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_apply),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
