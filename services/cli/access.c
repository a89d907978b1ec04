/* Users, groups, role assignments. */
#include "access.h"

#include "base/json.h"
#include "body.h"
#include "http/url.h"
#include "kind.h"
#include "kinds.h"
#include "password.h"
#include "rest.h"
#include "session.h"

int
access_option_id(struct cli *cli, const char *option, const char **ret, struct fault *f)
{
    *ret = NULL;
    for (size_t i = cli->args.count; i-- > 0;) {
        if (str_equal(cli->args.items[i].option->name, option))
            return body_value(cli, &cli->args.items[i], ret, f);
    }
    return 0;
}

/* The query of a list whose path the options decide. */
static int
list_at(struct cli *cli, const char *path, struct fault *f)
{
    _cleanup_(str_done) struct str s = { 0 };
    json_t *rows;

    str_add(&s, path);
    if (body_query(cli, &s, f) < 0 ||
        kind_list(cli, SERVICE_IDENTITY, arena_strdup(cli->arena, str_text(&s)),
                  cli->command->kind->plural, 0, &rows, f) < 0)
        return -1;
    return output_list(cli, cli->command->columns, rows, f);
}

int
access_ask_password(struct cli *cli, json_t *body, struct fault *f)
{
    const char *password;

    if (!args_has(&cli->args, "--password-prompt"))
        return 0;
    if (password_ask(cli->arena, "User Password: ", true, &password, f) < 0)
        return -1;
    json_object_set_new(body, "password", json_string(password));
    return 0;
}

int
access_own_password(struct cli *cli, json_t *body, struct fault *f)
{
    const char *old = args_get(&cli->args, "--original-password"),
               *new = args_get(&cli->args, "--password");

    if (old == NULL && password_ask(cli->arena, "Current Password: ", false, &old, f) < 0)
        return -1;
    if (new == NULL && password_ask(cli->arena, "New Password: ", true, &new, f) < 0)
        return -1;
    json_object_set_new(body, "user",
                        json_pack("{ss ss}", "original_password", old, "password", new));
    return 0;
}

/* The projects of --user, or one's own: of --my-projects, or when one may list no others. */
int
access_project_list(struct cli *cli, struct fault *f)
{
    bool mine = args_has(&cli->args, "--my-projects");
    const char *user_id, *sort = args_get(&cli->args, "--sort");
    _cleanup_(str_done) struct str path = { 0 };
    json_t *rows;
    int r;

    if (session_open(cli, false, f) < 0 || access_option_id(cli, "--user", &user_id, f) < 0)
        return -1;
    if (mine)
        user_id = session_user_id(cli);
    if (user_id != NULL)
        str_addf(&path, "/users/%s", user_id);
    str_add(&path, "/projects");
    if (!mine && body_query(cli, &path, f) < 0)
        return -1;
    r = kind_list(cli, SERVICE_IDENTITY, arena_strdup(cli->arena, str_text(&path)), "projects", 0,
                  &rows, f);
    if (r < 0 && f->kind == FAULT_FORBIDDEN && str_equal(str_text(&path), "/projects")) {
        fault_clear(f);
        r = kind_list(cli, SERVICE_IDENTITY,
                      arena_printf(cli->arena, "/users/%s/projects", session_user_id(cli)),
                      "projects", 0, &rows, f);
    }
    if (r < 0 || (sort != NULL && output_sort(cli, rows, sort, f) < 0))
        return -1;
    return output_list(cli, cli->command->columns, rows, f);
}

int
access_project_tags(struct cli *cli, json_t *body, struct fault *f)
{
    const char *tag;
    json_t *tags;

    (void)f;
    if (!args_has(&cli->args, "--clear-tags"))
        return 0;
    tags = json_array();
    for (size_t i = 0; (tag = args_nth(&cli->args, "--tag", i)) != NULL; i++)
        json_array_append_new(tags, json_string(tag));
    json_object_set_new(body, "tags", tags);
    return 0;
}

/* Each by a request of its own: what others change at the same time stays. */
static int
change_tags(struct cli *cli, const char *project_id, const char *option, enum http_method method,
            struct fault *f)
{
    const char *tag;

    for (size_t i = 0; (tag = args_nth(&cli->args, option, i)) != NULL; i++) {
        struct rest r = { .service = SERVICE_IDENTITY,
                          .method = method,
                          .path = arena_printf(cli->arena, "/projects/%s/tags/%s", project_id,
                                               url_encode(cli->arena, tag)) };

        if (rest_call(cli, &r, f) < 0 && (method != HTTP_DELETE || r.status != 404))
            return -1;
        fault_clear(f);
    }
    return 0;
}

int
access_project_tags_each(struct cli *cli, json_t *project, struct fault *f)
{
    const char *id = json_get_text(project, "id");

    if (!args_has(&cli->args, "--clear-tags") && change_tags(cli, id, "--tag", HTTP_PUT, f) < 0)
        return -1;
    return change_tags(cli, id, "--remove-tag", HTTP_DELETE, f);
}

/* Users with a role in a project: the assignments name them, each is then fetched. */
static int
users_of_project(struct cli *cli, const char *project_id, struct fault *f)
{
    json_t *assignments, *one, *users = json_own(cli->arena, json_object()),
                               *rows = json_own(cli->arena, json_array()), *user;
    const char *id;
    size_t i;

    if (kind_list(cli, SERVICE_IDENTITY,
                  arena_printf(cli->arena, "/role_assignments?scope.project.id=%s", project_id),
                  "role_assignments", 0, &assignments, f) < 0)
        return -1;
    json_array_foreach(assignments, i, one)
    {
        id = json_get_text(json_object_get(one, "user"), "id");
        if (id != NULL && json_object_get(users, id) == NULL) {
            if (kind_find(cli, &kind_user, id, NULL, &user, f) < 0)
                return -1;
            json_object_set_new(users, id, json_true());
            json_array_append(rows, user);
        }
    }
    return output_list(cli, cli->command->columns, rows, f);
}

int
access_user_list(struct cli *cli, struct fault *f)
{
    const char *group_id, *project_id;

    if (access_option_id(cli, "--group", &group_id, f) < 0 ||
        access_option_id(cli, "--project", &project_id, f) < 0)
        return -1;
    if (project_id != NULL)
        return users_of_project(cli, project_id, f);
    return list_at(cli,
                   group_id != NULL ? arena_printf(cli->arena, "/groups/%s/users", group_id)
                                    : "/users",
                   f);
}

int
access_group_list(struct cli *cli, struct fault *f)
{
    const char *user_id;

    if (access_option_id(cli, "--user", &user_id, f) < 0)
        return -1;
    return list_at(cli,
                   user_id != NULL ? arena_printf(cli->arena, "/users/%s/groups", user_id)
                                   : "/groups",
                   f);
}

/* One user in, out of, or asked for in a group. */
static int
group_user(struct cli *cli, const char *group_id, const struct arg *arg, struct fault *f)
{
    struct rest r = { .service = SERVICE_IDENTITY, .method = cli->command->method };
    const char *user_id, *group = args_get(&cli->args, "<group>");

    if (body_value(cli, arg, &user_id, f) < 0)
        return -1;
    r.path = arena_printf(cli->arena, "/groups/%s/users/%s", group_id, user_id);
    if (rest_call(cli, &r, f) < 0)
        return r.method == HTTP_HEAD && r.status == 404
                   ? fault_raise(f, FAULT_NOT_FOUND, "%s not in group %s", arg->text, group)
                   : -1;
    if (r.method == HTTP_HEAD)
        printf("%s in group %s\n", arg->text, group);
    return 0;
}

/* All of them, also when one fails. */
int
access_group_users(struct cli *cli, struct fault *f)
{
    const char *group_id;
    int count = 0;

    if (access_option_id(cli, "<group>", &group_id, f) < 0)
        return -1;
    for (size_t i = 0; i < cli->args.count; i++) {
        if (!str_equal(cli->args.items[i].option->name, "<user>"))
            continue;
        count++;
        if (group_user(cli, group_id, &cli->args.items[i], f) < 0) {
            if (args_nth(&cli->args, "<user>", 1) == NULL)
                return -1;
            fprintf(stderr, "%s: %s\n", cli->args.items[i].text, f->message);
            fault_clear(f);
            cli->failures++;
        }
    }
    return cli->failures == 0 ? 0
                              : fault_raise(f, FAULT_CONFLICT, "%d of %d users not %s group %s.",
                                            cli->failures, count,
                                            cli->command->method == HTTP_PUT      ? "added to"
                                            : cli->command->method == HTTP_DELETE ? "removed from"
                                                                                  : "in",
                                            args_get(&cli->args, "<group>"));
}

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
