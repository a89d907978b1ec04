/* Services and their endpoints, the catalogue, tokens. */
#include "access.h"
#include "base/json.h"
#include "body.h"
#include "kind.h"
#include "kinds.h"
#include "rest.h"
#include "session.h"

/* A service by its id, name or type. */
static int
find_service(struct cli *cli, const char *text, json_t **ret, struct fault *f)
{
    json_t *all, *one, *found = NULL;
    size_t i;

    if (kind_list(cli, SERVICE_IDENTITY, "/services", "services", 0, &all, f) < 0)
        return -1;
    json_array_foreach(all, i, one)
    {
        bool same = str_equal(json_get_text(one, "name"), text) ||
                    str_equal(json_get_text(one, "type"), text);

        if (str_equal(json_get_text(one, "id"), text)) {
            *ret = one;
            return 0;
        }
        if (same && found != NULL)
            return fault_raise(
                f, FAULT_CONFLICT,
                "Multiple service matches found for '%s', use an ID to be more specific: %s, %s",
                text, json_get_text(found, "id"), json_get_text(one, "id"));
        if (same)
            found = one;
    }
    if (found == NULL)
        return fault_raise(f, FAULT_NOT_FOUND, "No service with a type, name or ID of '%s' exists.",
                           text);
    *ret = found;
    return 0;
}

int
access_service_show(struct cli *cli, struct fault *f)
{
    json_t *service;

    if (find_service(cli, args_get(&cli->args, "<service>"), &service, f) < 0)
        return -1;
    return output_fields(cli, NULL, service, f);
}

int
access_service_delete(struct cli *cli, struct fault *f)
{
    const char *text;
    json_t *service;

    for (size_t i = 0; (text = args_nth(&cli->args, "<service>", i)) != NULL; i++) {
        struct rest r = { .service = SERVICE_IDENTITY, .method = HTTP_DELETE };

        if (find_service(cli, text, &service, f) < 0)
            return -1;
        r.path = arena_printf(cli->arena, "/services/%s", json_get_text(service, "id"));
        if (rest_call(cli, &r, f) < 0)
            return -1;
    }
    return 0;
}

int
access_service_set(struct cli *cli, struct fault *f)
{
    struct rest r = { .service = SERVICE_IDENTITY, .method = HTTP_PATCH };
    json_t *service, *body = json_own(cli->arena, json_object());

    if (find_service(cli, args_get(&cli->args, "<service>"), &service, f) < 0 ||
        body_make(cli, body, f) < 0)
        return -1;
    r.path = arena_printf(cli->arena, "/services/%s", json_get_text(service, "id"));
    r.body = json_own(cli->arena, json_pack("{sO}", "service", body));
    return rest_call(cli, &r, f);
}

int
access_endpoint_body(struct cli *cli, json_t *body, struct fault *f)
{
    const char *text = args_get(&cli->args, "<service>");
    json_t *service;

    if (text == NULL)
        text = args_get(&cli->args, "--service");
    if (text == NULL)
        return 0;
    if (find_service(cli, text, &service, f) < 0)
        return -1;
    return json_object_set(body, "service_id", json_object_get(service, "id"));
}

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

int
access_endpoint_list(struct cli *cli, struct fault *f)
{
    _cleanup_(str_done) struct str path = { 0 };
    const char *text = args_get(&cli->args, "--service");
    json_t *services, *rows, *one, *service = NULL;
    const char *project;
    size_t i;

    if (access_option_id(cli, "--project", &project, f) < 0)
        return -1;
    str_add(&path, project == NULL
                       ? "/endpoints"
                       : arena_printf(cli->arena, "/OS-EP-FILTER/projects/%s/endpoints", project));
    if (body_query(cli, &path, f) < 0)
        return -1;
    if (text != NULL) {
        if (find_service(cli, text, &service, f) < 0)
            return -1;
        str_addf(&path, "%cservice_id=%s", strchr(str_text(&path), '?') != NULL ? '&' : '?',
                 json_get_text(service, "id"));
    }
    if (kind_list(cli, SERVICE_IDENTITY, "/services", "services", 0, &services, f) < 0 ||
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

int
access_catalog(struct cli *cli, struct fault *f)
{
    const char *wanted = args_get(&cli->args, "<service>");
    json_t *catalog, *one;
    size_t i;

    if (session_open(cli, false, f) < 0)
        return -1;
    catalog = json_object_get(json_object_get(cli->session->body, "token"), "catalog");
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

/* Always a new one: the cached token is for this program's own use. */
int
access_token_issue(struct cli *cli, struct fault *f)
{
    json_t *shown, *token;
    const char *domain;

    if (session_open(cli, true, f) < 0)
        return -1;
    token = json_object_get(cli->session->body, "token");
    shown = json_own(cli->arena, json_pack("{ss sO ss}", "id", cli->session->token, "expires",
                                           json_object_get(token, "expires_at"), "user_id",
                                           session_user_id(cli)));
    if (session_project_id(cli) != NULL)
        json_object_set_new(shown, "project_id", json_string(session_project_id(cli)));
    domain = json_get_text(json_object_get(token, "domain"), "id");
    if (domain != NULL)
        json_object_set_new(shown, "domain_id", json_string(domain));
    if (json_object_get(token, "system") != NULL)
        json_object_set_new(shown, "system", json_string("all"));
    return output_fields(cli, NULL, shown, f);
}

int
access_token_revoke(struct cli *cli, struct fault *f)
{
    const char *token = args_get(&cli->args, "<token>");
    struct http_exchange x = { .method = HTTP_DELETE };
    char *base, *text;
    size_t size;

    if (str_equal(token, "-")) {
        if (body_file(cli->arena, "-", &text, &size, f) < 0)
            return -1;
        text[strcspn(text, " \r\n")] = '\0';
        token = text;
    }
    if (session_open(cli, false, f) < 0 || session_url(cli, SERVICE_IDENTITY, &base, f) < 0)
        return -1;
    x.url = arena_printf(cli->arena, "%s/auth/tokens", base);
    x.headers = (struct http_pair[]){ { "X-Auth-Token", cli->session->token },
                                      { "X-Subject-Token", token } };
    x.headers_count = 2;
    if (rest_exchange(cli, &x, f) < 0)
        return -1;
    if (x.status == 401 && cli->session->from_cache) {
        if (session_open(cli, true, f) < 0)
            return -1;
        x.headers = (struct http_pair[]){ { "X-Auth-Token", cli->session->token },
                                          { "X-Subject-Token", token } };
        if (rest_exchange(cli, &x, f) < 0)
            return -1;
    }
    return x.status < 400 ? 0 : rest_explain(cli->arena, &x, f);
}
