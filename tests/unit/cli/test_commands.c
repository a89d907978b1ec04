/* What every row of the commands' tables must keep. */
#include "services/cli/command.h"

#include "base/str.h"
#include "services/cli/body.h"
#include "tests/unit/asserts.h"

static const struct option *
option_named(const struct command *c, const char *name, size_t size)
{
    for (const struct option *o = c->options; o != NULL && o->name != NULL; o++) {
        const char *own = o->name + (o->name[0] == '<' ? 1 : 2);

        if (strncmp(own, name, size) == 0 && (own[size] == '\0' || own[size] == '>'))
            return o;
    }
    return NULL;
}

/* Each "{name}" of a path is an argument. */
static void
check_path(const struct command *c)
{
    const char *at = c->path;

    while (at != NULL && (at = strchr(at, '{')) != NULL) {
        size_t size = strcspn(++at, "}");

        if (at[0] != '@' && option_named(c, at, size) == NULL)
            fail_msg("%s: %.*s of its path is no argument", c->name, (int)size, at);
    }
}

static void
check_options(const struct command *c)
{
    for (const struct option *o = c->options; o != NULL && o->name != NULL; o++) {
        if (str_empty(o->help))
            fail_msg("%s %s: no help", c->name, o->name);
        if ((o->type == OPTION_ID) != (o->kind != NULL))
            fail_msg("%s %s: an id has a kind, and nothing else has", c->name, o->name);
        if ((o->type == OPTION_FLAG) != (o->json != NULL))
            fail_msg("%s %s: a flag has a value, and nothing else has", c->name, o->name);
        if (o->domain != NULL && option_named(c, o->domain + 2, strlen(o->domain + 2)) == NULL)
            fail_msg("%s %s: there is no %s", c->name, o->name, o->domain);
        if (o->type == OPTION_FLAG && o->to != NULL && o->to[0] != '?') {
            json_t *value = json_loads(o->json, JSON_DECODE_ANY, NULL);

            if (value == NULL)
                fail_msg("%s %s: '%s' is no JSON", c->name, o->name, o->json);
            json_decref(value);
        }
        for (const struct option *other = c->options; other != o; other++) {
            if (str_equal(other->name, o->name))
                fail_msg("%s: %s stands twice", c->name, o->name);
        }
    }
}

static void
check_verb(const struct command *c)
{
    const struct option *first = c->options;

    while (first != NULL && first->name != NULL && first->name[0] != '<')
        first++;
    if (c->verb != VERB_RUN && c->verb != VERB_REQUEST && c->kind == NULL)
        fail_msg("%s: no kind", c->name);
    if ((c->verb == VERB_RUN) != (c->run != NULL))
        fail_msg("%s: 'run' belongs to VERB_RUN", c->name);
    if (c->verb == VERB_LIST && c->columns == NULL)
        fail_msg("%s: a list has columns", c->name);
    if (c->verb == VERB_REQUEST && c->path == NULL)
        fail_msg("%s: a request has a path", c->name);
    if (c->verb == VERB_ACTION && c->action == NULL)
        fail_msg("%s: an action has a key", c->name);
    if ((c->verb == VERB_SHOW || c->verb == VERB_SET || c->verb == VERB_ACTION) &&
        (first == NULL || first->kind != c->kind))
        fail_msg("%s: its first argument is no object of its kind", c->name);
    if (c->wait_for != NULL && option_named(c, "wait", 4) == NULL)
        fail_msg("%s: no --wait", c->name);
}

static void
test_tables(void **state)
{
    size_t count = 0, words;

    (void)state;
    for (const struct command *const *table = command_tables; *table != NULL; table++) {
        for (const struct command *c = *table; c->name != NULL; c++, count++) {
            check_path(c);
            check_options(c);
            check_verb(c);
            if (str_empty(c->help) || c->help[strlen(c->help) - 1] == '.')
                fail_msg("%s: help is one line without a full stop", c->name);
        }
    }
    assert_true(count > 150);
    assert_null(command_find((const char *const[]){ "no", "such" }, 2, &words));
}

static void
test_longest_name_wins(void **state)
{
    static const char *const words[] = { "security", "group", "rule", "list", "x" };
    size_t count;

    (void)state;
    assert_string_equal(command_find(words, ARRAY_SIZE(words), &count)->name,
                        "security group rule list");
    assert_int_equal(count, 4);
}

static void
test_body_paths(void **state)
{
    json_t *body = json_object(),
           *wanted = json_loads("{\"a\": 1, \"b\": {\"c\": 2, \"d\": 3}, \"e\": [4, 5]}", 0, NULL);

    (void)state;
    body_set(body, "a", json_integer(1));
    body_set(body, "b.c", json_integer(2));
    body_set(body, "b.d", json_integer(3));
    body_set(body, "e[]", json_integer(4));
    body_set(body, "e[]", json_integer(5));
    assert_true(json_equal(body, wanted));
    json_decref(body);
    json_decref(wanted);
}

static void
test_body_parts(void **state)
{
    struct arena *a = arena_new();
    struct fault f = { 0 };
    json_t *parts;

    (void)state;
    assert_ok(body_parts(a, "subnet=s,ip-address=10.0.0.1",
                         "subnet=subnet_id,ip-address=ip_address", &parts, &f));
    assert_string_equal(json_string_value(json_object_get(parts, "subnet_id")), "s");
    assert_string_equal(json_string_value(json_object_get(parts, "ip_address")), "10.0.0.1");
    assert_ok(body_parts(a, "start=1,end=2=3", "start,end", &parts, &f));
    assert_string_equal(json_string_value(json_object_get(parts, "end")), "2=3");
    assert_fault(body_parts(a, "x=1", "start,end", &parts, &f), f, FAULT_INVALID,
                 "'x' is none of start,end");
    f = (struct fault){ 0 };
    assert_fault(body_parts(a, "start", "start,end", &parts, &f), f, FAULT_INVALID,
                 "is not key=value");
    arena_free(a);
}

/* A part in brackets stands only where its argument does; values are encoded. */
static void
test_request_paths(void **state)
{
    static const struct option policy = ARG("<policy>", NULL, "x"),
                               region = OPT("--region", "<region>", NULL, "x");
    struct arg items[] = { { &policy, "p" }, { &region, "a b" } };
    struct cli cli = { .arena = arena_new(), .args = { .items = items, .count = 2 } };
    struct fault f = { 0 };
    char *path;

    (void)state;
    assert_ok(body_path(&cli, "/p/{policy}[/r/{region}]/x", &path, &f));
    assert_string_equal(path, "/p/p/r/a%20b/x");
    cli.args.count = 1;
    assert_ok(body_path(&cli, "/p/{policy}[/r/{region}]/x", &path, &f));
    assert_string_equal(path, "/p/p/x");
    assert_fault(body_path(&cli, "/r/{region}", &path, &f), f, FAULT_INVALID,
                 "--region is required");
    arena_free(cli.arena);
}

static void
test_sorting(void **state)
{
    static const struct {
        const char *keys, *order; /* The rows' "id"s; or what is wrong. */
    } cases[] = { { "n", "bdac" },
                  { "n:desc", "cabd" },
                  { "n:asc,id:desc", "dbac" },
                  { "x", "no member 'x'" },
                  { "n:up", "neither asc nor desc" } };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct cli cli = { .arena = arena_new() };
        json_t *rows = json_loads("[{\"id\": \"a\", \"n\": 2}, {\"id\": \"b\", \"n\": 1}, "
                                  "{\"id\": \"c\", \"n\": 3}, {\"id\": \"d\", \"n\": 1}]",
                                  0, NULL),
               *row;
        struct fault f = { 0 };
        char order[8] = "";
        size_t k;
        int r = output_sort(&cli, rows, cases[i].keys, &f);

        if (strlen(cases[i].order) > 4) {
            assert_fault(r, f, FAULT_INVALID, cases[i].order);
        } else {
            assert_ok(r);
            json_array_foreach(rows, k, row)
            {
                order[k] = json_string_value(json_object_get(row, "id"))[0];
            }
            assert_string_equal(order, cases[i].order);
        }
        json_decref(rows);
        arena_free(cli.arena);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),        cmocka_unit_test(test_longest_name_wins),
        cmocka_unit_test(test_body_paths),    cmocka_unit_test(test_body_parts),
        cmocka_unit_test(test_request_paths), cmocka_unit_test(test_sorting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
