/* Endpoints, their groups and policies, the catalogue. */
#include "access.h"
#include "base/json.h"
#include "body.h"
#include "kind.h"
#include "kinds.h"
#include "rest.h"
#include "session.h"

static void
add_names(json_t *endpoint, const json_t *services)
{
    const json_t *one;
    size_t i;

    json_array_foreach(services, i, one)
    {
        if (str_equal(json_get_text(one, "id"), json_get_text(endpoint, "service_id"))) {
            json_object_set(endpoint, "service_name", json_object_get(one, "name"));
            json_object_set(endpoint, "service_type", json_object_get(one, "type"));
        }
    }
}

int
access_endpoint_names(struct cli *cli, json_t *endpoint, struct fault *f)
{
    json_t *services;

    if (kind_list(cli, SERVICE_IDENTITY, "/services", "services", 0, &services, f) < 0)
        return -1;
    add_names(endpoint, services);
    return 0;
}

/* Who was let see an endpoint: projects, not endpoints. */
static int
list_projects_of(struct cli *cli, const char *endpoint, struct fault *f)
{
    static const struct column columns[] = { { .title = "ID", .path = "id" },
                                             { .title = "Name", .path = "name" },
                                             { .title = NULL } };
    json_t *rows;

    if (kind_list(cli, SERVICE_IDENTITY,
                  arena_printf(cli->arena, "/OS-EP-FILTER/endpoints/%s/projects", endpoint),
                  "projects", 0, &rows, f) < 0)
        return -1;
    return output_list(cli, columns, rows, f);
}

int
access_endpoint_list(struct cli *cli, struct fault *f)
{
    _cleanup_(str_done) struct str path = { 0 };
    const char *project, *endpoint, *group;
    json_t *services, *rows, *one;
    size_t i;

    if (access_option_id(cli, "--project", &project, f) < 0 ||
        access_option_id(cli, "--endpoint", &endpoint, f) < 0 ||
        access_option_id(cli, "--endpointgroup", &group, f) < 0)
        return -1;
    if ((project != NULL) + (endpoint != NULL) + (group != NULL) > 1)
        return fault_raise(f, FAULT_INVALID,
                           "Give one of --project, --endpoint and --endpointgroup.");
    if (endpoint != NULL)
        return list_projects_of(cli, endpoint, f);
    if (project != NULL)
        str_addf(&path, "/OS-EP-FILTER/projects/%s", project);
    if (group != NULL)
        str_addf(&path, "/OS-EP-FILTER/endpoint_groups/%s", group);
    str_add(&path, "/endpoints");
    if (body_query(cli, &path, f) < 0 ||
        kind_list(cli, SERVICE_IDENTITY, "/services", "services", 0, &services, f) < 0 ||
        kind_list(cli, SERVICE_IDENTITY, arena_strdup(cli->arena, str_text(&path)), "endpoints", 0,
                  &rows, f) < 0)
        return -1;
    json_array_foreach(rows, i, one)
    {
        add_names(one, services);
    }
    return output_list(cli, cli->command->columns, rows, f);
}

/* The file's text as what it says. */
int
access_group_filters(struct cli *cli, json_t *body, struct fault *f)
{
    const char *text = json_get_text(body, "filters");
    json_t *filters;

    if (text == NULL)
        return 0;
    filters = json_loads(text, 0, NULL);
    if (!json_is_object(filters)) {
        json_decref(filters);
        return fault_raise(f, FAULT_INVALID, "The file with the filters is no JSON object.");
    }
    (void)cli;
    json_object_set_new(body, "filters", filters);
    return 0;
}

int
access_endpoint_group_list(struct cli *cli, struct fault *f)
{
    const char *group, *project, *path = "/OS-EP-FILTER/endpoint_groups";
    json_t *rows;

    if (access_option_id(cli, "--endpointgroup", &group, f) < 0 ||
        access_option_id(cli, "--project", &project, f) < 0)
        return -1;
    if (group != NULL && project != NULL)
        return fault_raise(f, FAULT_INVALID, "Give one of --endpointgroup and --project.");
    if (group != NULL)
        path = arena_printf(cli->arena, "/OS-EP-FILTER/endpoint_groups/%s/projects", group);
    if (project != NULL)
        path = arena_printf(cli->arena, "/OS-EP-FILTER/projects/%s/endpoint_groups", project);
    if (kind_list(cli, SERVICE_IDENTITY, path, group != NULL ? "projects" : "endpoint_groups", 0,
                  &rows, f) < 0)
        return -1;
    return output_list(cli, cli->command->columns, rows, f);
}

/* As it is now: the one that came with a cached token may be old. A token without a scope has none. */
int
access_catalog(struct cli *cli, struct fault *f)
{
    const char *wanted = args_get(&cli->args, "<service>");
    json_t *answer, *catalog, *one;
    size_t i;

    answer = rest_get(cli, SERVICE_IDENTITY, "/auth/catalog", NULL, f);
    if (answer == NULL && f->kind != FAULT_FORBIDDEN)
        return -1;
    fault_clear(f);
    catalog =
        json_object_get(answer != NULL ? answer : json_object_get(cli->session->body, "token"),
                        "catalog");
    if (wanted == NULL)
        return output_list(cli, cli->command->columns, catalog, f);
    json_array_foreach(catalog, i, one)
    {
        if (str_equal(json_get_text(one, "type"), wanted) ||
            str_equal(json_get_text(one, "name"), wanted) ||
            str_equal(json_get_text(one, "id"), wanted))
            return output_fields(cli,
                                 cli->output.format == OUTPUT_TABLE ? access_catalog_fields : NULL,
                                 one, f);
    }
    return fault_raise(f, FAULT_NOT_FOUND, "service %s not found", wanted);
}

/* "endpoint contains project": is the second in the first? */
int
access_contains(struct cli *cli, struct fault *f)
{
    struct rest r = { .service = SERVICE_IDENTITY, .method = HTTP_HEAD };
    const char *verb = strstr(cli->command->name, " contains "),
               *region = args_get(&cli->args, "--region"), *texts[2] = { "", "" };
    size_t count = 0;
    char *path, *what;

    for (size_t i = 0; i < cli->args.count && count < ARRAY_SIZE(texts); i++) {
        if (cli->args.items[i].option->name[0] == '<')
            texts[count++] = cli->args.items[i].text;
    }
    if (body_path(cli, cli->command->path, &path, f) < 0)
        return -1;
    r.path = path;
    what = arena_printf(cli->arena, "%s %s%s%s", verb + strlen(" contains "), texts[1],
                        region != NULL ? " in region " : "", region != NULL ? region : "");
    if (rest_call(cli, &r, f) < 0)
        return r.status == 404 ? fault_raise(f, FAULT_NOT_FOUND, "%.*s %s does not contain %s",
                                             (int)(verb - cli->command->name), cli->command->name,
                                             texts[0], what)
                               : -1;
    printf("%.*s %s contains %s\n", (int)(verb - cli->command->name), cli->command->name, texts[0],
           what);
    return 0;
}
