/* Who was given which role where, and which roles imply which. */
#include "access.h"
#include "base/json.h"
#include "base/str.h"
#include "body.h"
#include "kind.h"
#include "kinds.h"
#include "rest.h"
#include "session.h"

int
access_role_domains(struct cli *cli, json_t *rows, struct fault *f)
{
    const char *text = args_get(&cli->args, "--domain");
    json_t *domain, *role;
    size_t i;

    if (text == NULL)
        return 0;
    if (kind_find(cli, &kind_domain, text, NULL, &domain, f) < 0)
        return -1;
    json_array_foreach(rows, i, role)
    {
        json_object_set(role, "domain", json_object_get(domain, "name"));
    }
    return 0;
}

/* /projects/P/users/U/roles and its relatives; with 'role': of that one. */
static int
grants_path(struct cli *cli, const char *role, const char **ret, struct fault *f)
{
    const char *user, *group, *project, *domain, *where;
    bool system = args_has(&cli->args, "--system"), inherited = args_has(&cli->args, "--inherited");

    if (access_option_id(cli, "--user", &user, f) < 0 ||
        access_option_id(cli, "--group", &group, f) < 0 ||
        access_option_id(cli, "--project", &project, f) < 0 ||
        access_option_id(cli, "--domain", &domain, f) < 0)
        return -1;
    if ((user == NULL) == (group == NULL))
        return fault_raise(f, FAULT_INVALID, "One of --user and --group is required.");
    if ((project != NULL) + (domain != NULL) + system != 1)
        return fault_raise(f, FAULT_INVALID,
                           "One of --project, --domain and --system is required.");
    if (system && inherited)
        return fault_raise(f, FAULT_INVALID, "Nothing is inherited from the system.");
    where = system            ? "/system"
            : project != NULL ? arena_printf(cli->arena, "/projects/%s", project)
                              : arena_printf(cli->arena, "/domains/%s", domain);
    *ret = arena_printf(cli->arena, "%s%s/%s/%s/roles%s%s%s", inherited ? "/OS-INHERIT" : "", where,
                        user != NULL ? "users" : "groups", user != NULL ? user : group,
                        role != NULL ? "/" : "", role != NULL ? role : "",
                        inherited ? "/inherited_to_projects" : "");
    return 0;
}

int
access_role(struct cli *cli, struct fault *f)
{
    struct rest r = { .service = SERVICE_IDENTITY, .method = cli->command->method };
    const char *role, *name = args_get(&cli->args, "<role>");

    if (access_option_id(cli, "<role>", &role, f) < 0 || grants_path(cli, role, &r.path, f) < 0)
        return -1;
    if (rest_call(cli, &r, f) < 0)
        return r.method == HTTP_HEAD && r.status == 404
                   ? fault_raise(f, FAULT_NOT_FOUND, "role %s is not granted", name)
                   : -1;
    if (r.method == HTTP_HEAD)
        printf("role %s is granted\n", name);
    return 0;
}

int
access_grants(struct cli *cli, struct fault *f)
{
    const char *path;
    json_t *rows;

    if (grants_path(cli, NULL, &path, f) < 0 ||
        kind_list(cli, SERVICE_IDENTITY, path, "roles", 0, &rows, f) < 0)
        return -1;
    return output_list(cli, cli->command->columns, rows, f);
}

int
access_implied_ids(struct cli *cli, json_t *rule, struct fault *f)
{
    json_t *role;
    const char *key;
    void *next;

    (void)cli;
    (void)f;
    json_object_foreach_safe(rule, next, key, role)
    {
        json_object_set(rule, key, json_object_get(role, "id"));
    }
    return 0;
}

int
access_implied_rows(struct cli *cli, json_t *rows, struct fault *f)
{
    json_t *pairs = json_own(cli->arena, json_array()), *rule, *implied;
    size_t i, j;

    (void)f;
    json_array_foreach(rows, i, rule)
    {
        json_array_foreach(json_object_get(rule, "implies"), j, implied)
        {
            json_array_append_new(pairs, json_pack("{sO sO}", "prior_role",
                                                   json_object_get(rule, "prior_role"), "implies",
                                                   implied));
        }
    }
    json_array_clear(rows);
    return json_array_extend(rows, pairs);
}

/* "name@domain" with --names, else the id; "" where the assignment has no such part. */
static json_t *
party(const json_t *part, bool names)
{
    const char *name = json_get_text(part, "name"),
               *domain = json_get_text(json_object_get(part, "domain"), "name"),
               *id = json_get_text(part, "id");

    if (part == NULL)
        return json_string("");
    if (!names || name == NULL)
        return json_string(id != NULL ? id : "");
    return domain != NULL ? json_sprintf("%s@%s", name, domain) : json_string(name);
}

int
access_assignments(struct cli *cli, struct fault *f)
{
    _cleanup_(str_done) struct str path = { 0 };
    json_t *all, *one, *rows = json_own(cli->arena, json_array());
    bool names = args_has(&cli->args, "--names");
    size_t i;

    str_add(&path, "/role_assignments");
    if (session_open(cli, false, f) < 0 || body_query(cli, &path, f) < 0)
        return -1;
    if (args_has(&cli->args, "--auth-user"))
        str_addf(&path, "%cuser.id=%s", strchr(str_text(&path), '?') != NULL ? '&' : '?',
                 session_user_id(cli));
    if (args_has(&cli->args, "--auth-project") && session_project_id(cli) != NULL)
        str_addf(&path, "%cscope.project.id=%s", strchr(str_text(&path), '?') != NULL ? '&' : '?',
                 session_project_id(cli));
    if (args_has(&cli->args, "--inherited"))
        str_addf(&path, "%cscope.OS-INHERIT:inherited_to=projects",
                 strchr(str_text(&path), '?') != NULL ? '&' : '?');
    if (kind_list(cli, SERVICE_IDENTITY, arena_strdup(cli->arena, str_text(&path)),
                  "role_assignments", 0, &all, f) < 0)
        return -1;
    json_array_foreach(all, i, one)
    {
        json_t *scope = json_object_get(one, "scope");

        json_array_append_new(rows,
                              json_pack("{so so so so so ss sb}", "role",
                                        party(json_object_get(one, "role"), names), "user",
                                        party(json_object_get(one, "user"), names), "group",
                                        party(json_object_get(one, "group"), names), "project",
                                        party(json_object_get(scope, "project"), names), "domain",
                                        party(json_object_get(scope, "domain"), names), "system",
                                        json_object_get(scope, "system") != NULL ? "all" : "",
                                        "inherited",
                                        json_object_get(scope, "OS-INHERIT:inherited_to") != NULL));
    }
    return output_list(cli, cli->command->columns, rows, f);
}
