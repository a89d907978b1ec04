/* The generic verbs through the whole dispatcher, on a scratch database: what a resource gets that has no C of its own. */
#include "api/call.h"
#include "api/dispatch.h"
#include "base/clock.h"
#include "base/json.h"
#include "tests/lib/pg.h"
#include "tests/unit/asserts.h"
#include "widget.h"

static struct resource resource;
static struct operation operations[] = {
    { .method = HTTP_GET,
      .path = "/v3/widgets",
      .id = "list",
      .verb = VERB_LIST,
      .view = VIEW_DETAIL,
      .success = 200,
      .flags = OP_PUBLIC },
    { .method = HTTP_POST,
      .path = "/v3/widgets",
      .id = "create",
      .verb = VERB_CREATE,
      .success = 201,
      .flags = OP_PUBLIC },
    { .method = HTTP_GET,
      .path = "/v3/widgets/{id}",
      .id = "show",
      .verb = VERB_SHOW,
      .path_id = "id",
      .success = 200,
      .flags = OP_PUBLIC },
    { .method = HTTP_PATCH,
      .path = "/v3/widgets/{id}",
      .id = "update",
      .verb = VERB_UPDATE,
      .path_id = "id",
      .success = 200,
      .flags = OP_PUBLIC },
    { .method = HTTP_DELETE,
      .path = "/v3/widgets/{id}",
      .id = "delete",
      .verb = VERB_DELETE,
      .path_id = "id",
      .success = 204,
      .flags = OP_PUBLIC },
};
static const struct resource_text unique[] = { { "widget_name_key", "A widget named %s exists." },
                                               { NULL, NULL } };
static const struct resource_text in_use[] = {
    { "part_widget_id_fkey", "[WidgetInUse] The widget has parts." }, { NULL, NULL }
};
static const struct policy_default policies[] = { { "context_is_admin", "role:admin" } };
static const struct api api = { .service = "widget",
                                .dialect = DIALECT_NOVA,
                                .operations = operations,
                                .operations_count = ARRAY_SIZE(operations),
                                .policies = policies,
                                .policies_count = ARRAY_SIZE(policies) };
static struct api_server *server;
static struct arena *arena;

static json_t *
ask(enum http_method method, const char *path, const char *body, int status)
{
    static struct http_pair query[8];
    struct http_request request = { .arena = arena,
                                    .method = method,
                                    .path = arena_strndup(arena, path, strcspn(path, "?")),
                                    .query_text = "",
                                    .query = query,
                                    .started_us = clock_mono_us(),
                                    .body = body,
                                    .body_size = body == NULL ? 0 : strlen(body),
                                    .content_length = body == NULL ? -1 : (int64_t)strlen(body) };
    struct http_response response = { .arena = arena, .status = 200, .file = -1 };
    json_t *answer;

    if (strchr(path, '?') != NULL) {
        size_t count;
        char **parts = str_split(arena, strchr(path, '?') + 1, '&', &count);

        for (size_t i = 0; i < count; i++) {
            char *equals = strchr(parts[i], '=');

            *equals = '\0';
            query[request.query_count++] = (struct http_pair){ parts[i], equals + 1 };
        }
    }
    api_server_handle(server, NULL, &request, &response);
    if (response.status != status)
        fail_msg("%s %s: %d %s", http_method_name(method), path, response.status,
                 str_text(&response.body));
    answer = response.body.size == 0
                 ? NULL
                 : json_own(arena, json_loads(str_text(&response.body), 0, NULL));
    str_done(&response.body);
    return answer;
}

static const char *
message(json_t *answer)
{
    return json_get_text(json_object_iter_value(json_object_iter(answer)), "message");
}

/* "a b c": the names of a list. */
static char *
names(const char *query)
{
    json_t *widget,
        *list =
            json_object_get(ask(HTTP_GET, arena_printf(arena, "/v3/widgets%s", query), NULL, 200),
                            "widgets");
    char *text = arena_strdup(arena, "");
    size_t i;

    json_array_foreach(list, i, widget) text =
        arena_printf(arena, "%s%s%s", text, i == 0 ? "" : " ", json_get_text(widget, "name"));
    return text;
}

static const char *
make(const char *members)
{
    return json_get_text(json_object_get(ask(HTTP_POST, "/v3/widgets",
                                             arena_printf(arena, "{\"widget\": {%s}}", members),
                                             201),
                                         "widget"),
                         "id");
}

static void
test_life(_unused_ void **state)
{
    const char *id =
        make("\"name\": \"life\", \"color\": \"blue\", \"tags\": [\"x\"], \"metadata\": {\"a\": "
             "\"b\"}, \"parts\": [{\"name\": \"p\", \"weight\": 2}]");
    const char *path = arena_printf(arena, "/v3/widgets/%s", id);
    json_t *w = json_object_get(ask(HTTP_GET, path, NULL, 200), "widget");

    assert_int_equal(json_get_int(w, "size"), 7); /* The default. */
    assert_string_equal(json_get_text(w, "color"), "blue");
    assert_string_equal(json_get_text(json_array_get(json_object_get(w, "parts"), 0), "name"), "p");
    assert_non_null(json_get_text(w, "created_at"));
    w = json_object_get(ask(HTTP_PATCH, path,
                            "{\"widget\": {\"size\": null, \"enabled\": true, \"tags\": []}}", 200),
                        "widget");
    assert_true(json_is_null(json_object_get(w, "size")));
    assert_true(json_get_bool(w, "enabled"));
    assert_string_equal(json_get_text(w, "name"), "life"); /* What was not given stays. */
    assert_int_equal(json_array_size(json_object_get(w, "tags")), 0);
    ask(HTTP_PATCH, path, "{\"widget\": {}}", 200);
    assert_null(ask(HTTP_DELETE, path, NULL, 204));
    for (enum http_method m = HTTP_GET; m <= HTTP_DELETE; m++) {
        if (m == HTTP_GET || m == HTTP_PATCH || m == HTTP_DELETE)
            assert_string_equal(message(
                                    ask(m, path, m == HTTP_PATCH ? "{\"widget\": {}}" : NULL, 404)),
                                arena_printf(arena, "Widget %s could not be found.", id));
    }
}

static void
test_refused(_unused_ void **state)
{
    static const char *const bodies[] = {
        "{}",
        "[]",
        "{\"widget\": null}",
        "{\"widget\": []}",
        "{\"widget\": {}}",
        "{\"other\": {\"name\": \"a\"}}",
        "{\"widget\": {\"name\": null}}",
        "{\"widget\": {\"name\": \"\"}}",
        "{\"widget\": {\"name\": \" a\"}}",
        "{\"widget\": {\"name\": \"12345678901\"}}",
        "{\"widget\": {\"name\": 1}}",
        "{\"widget\": {\"name\": \"a\", \"id\": \"mine\"}}",
        "{\"widget\": {\"name\": \"a\", \"project_id\": \"p\"}}",
        "{\"widget\": {\"name\": \"a\", \"unknown\": 1}}",
        "{\"widget\": {\"name\": \"a\", \"size\": 0}}",
        "{\"widget\": {\"name\": \"a\", \"size\": 101}}",
        "{\"widget\": {\"name\": \"a\", \"size\": 1.5}}",
        "{\"widget\": {\"name\": \"a\", \"color\": \"green\"}}",
        "{\"widget\": {\"name\": \"a\", \"tags\": [\"x\", \"x\"]}}",
        "{\"widget\": {\"name\": \"a\", \"metadata\": {\"a\": 1}}}",
        "{\"widget\": {\"name\": \"a\", \"parts\": [{}]}}",
        "{\"widget\": {\"name\": \"a\", \"parts\": [{\"name\": \"p\", \"weight\": -1}]}}",
        "{\"widget\": {\"name\": \"a\", \"created_at\": \"2020-01-01T00:00:00Z\"}}",
    };
    const char *path = arena_printf(arena, "/v3/widgets/%s", make("\"name\": \"refused\""));

    for (size_t i = 0; i < ARRAY_SIZE(bodies); i++)
        ask(HTTP_POST, "/v3/widgets", bodies[i], 400);
    ask(HTTP_PATCH, path, "{\"widget\": {\"color\": \"red\"}}", 400); /* Never changed. */
    ask(HTTP_PATCH, path, "{\"widget\": {\"name\": null}}", 400);
    assert_string_equal(names("?name=a"), "");
}

static void
test_constraints(void **state)
{
    const char *id = make("\"name\": \"one\"");
    const char *path = arena_printf(arena, "/v3/widgets/%s", id);
    const char *other = arena_printf(arena, "/v3/widgets/%s", make("\"name\": \"other\""));
    struct pg *pg = *state;

    assert_string_equal(message(ask(HTTP_POST, "/v3/widgets", "{\"widget\": {\"name\": \"one\"}}",
                                    409)),
                        "A widget named one exists.");
    assert_string_equal(message(ask(HTTP_PATCH, other, "{\"widget\": {\"name\": \"one\"}}", 409)),
                        "A widget named one exists.");
    pg_exec(pg, arena_printf(arena, "INSERT INTO part VALUES ('%s')", id));
    assert_string_equal(message(ask(HTTP_DELETE, path, NULL, 409)), "The widget has parts.");
    ask(HTTP_GET, path, NULL, 200);
    pg_exec(pg, "DELETE FROM part");
    ask(HTTP_DELETE, path, NULL, 204);
}

static void
test_lists(void **state)
{
    static const struct {
        const char *query, *names;
    } cases[] = {
        { "", "c b a" }, /* The newest first. */
        { "?sort_key=name&sort_dir=asc", "a b c" },
        { "?sort_key=size&sort_dir=asc&sort_key=name&sort_dir=desc", "b a c" },
        { "?name=b", "b" },
        { "?name__contains=B", "" },
        { "?name__icontains=B", "b" },
        { "?size=2", "b a" },
        { "?size=gt:2", "c" },
        { "?color=in:red,blue", "c b a" },
        { "?color=blue", "a" },
        { "?enabled=true", "b" },
        { "?name=a&name=c", "c a" },
        { "?limit=2", "c b" },
        { "?limit=0", "" },
        { "?unheard=of", "c b a" },
    };
    static const char *const bad[] = { "?limit=-1",
                                       "?limit=x",
                                       "?marker=nobody",
                                       "?sort_key=note",
                                       "?sort_key=name&sort_dir=up",
                                       "?size=big",
                                       "?enabled=perhaps" };
    json_t *page;

    pg_exec(*state, "DELETE FROM widget");
    make("\"name\": \"a\", \"size\": 2, \"color\": \"blue\"");
    make("\"name\": \"b\", \"size\": 2, \"color\": \"red\", \"enabled\": true");
    make("\"name\": \"c\", \"size\": 3, \"color\": \"red\"");
    pg_exec(*state, "UPDATE widget SET created_at = to_timestamp(ascii(name))");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_string_equal(names(cases[i].query), cases[i].names);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        ask(HTTP_GET, arena_printf(arena, "/v3/widgets%s", bad[i]), NULL, 400);
    page = ask(HTTP_GET, "/v3/widgets?limit=2&name__contains=", NULL, 200);
    assert_non_null(json_object_get(page, "widgets_links"));
    assert_string_equal(
        names(
            arena_printf(arena, "?limit=2&marker=%s",
                         json_get_text(json_array_get(json_object_get(page, "widgets"), 1), "id"))),
        "a");
}

static int
group_setup(void **state)
{
    struct api_server_options options = { .api = &api };
    struct pg *pg = pg_open_migrated(NULL, 0);
    struct fault f = { 0 };

    pg_exec(pg, "CREATE TABLE widget (id text PRIMARY KEY, project_id text, name text NOT NULL "
                "CONSTRAINT widget_name_key UNIQUE, size_gb bigint,"
                " enabled boolean NOT NULL DEFAULT false, color text NOT NULL DEFAULT 'red', tags "
                "jsonb NOT NULL DEFAULT '[]',"
                " metadata jsonb NOT NULL DEFAULT '{}', parts jsonb NOT NULL DEFAULT '[]', "
                "created_at timestamptz NOT NULL DEFAULT clock_timestamp(),"
                " note text);"
                "CREATE TABLE part (widget_id text NOT NULL CONSTRAINT part_widget_id_fkey "
                "REFERENCES widget (id))");
    resource = widget_resource;
    resource.scope = RESOURCE_ANYONE;
    resource.scope_column = NULL;
    resource.unique = unique;
    resource.in_use = in_use;
    for (size_t i = 0; i < ARRAY_SIZE(operations); i++)
        operations[i].resource = &resource;
    options.pool = pg_pool(pg);
    if (api_server_start(&server, &options, &f) < 0) {
        fprintf(stderr, "%s %s\n", f.message, f.cause);
        return -1;
    }
    *state = pg;
    return 0;
}

static int
group_teardown(void **state)
{
    api_server_stop(server);
    pg_close(*state);
    return 0;
}

static int
setup(_unused_ void **state)
{
    arena = arena_new();
    return 0;
}

static int
teardown(_unused_ void **state)
{
    arena_free(arena);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_life, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_constraints, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lists, setup, teardown),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
