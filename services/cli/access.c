/* Users and groups. */
#include "access.h"

#include "base/json.h"
#include "body.h"
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

/* What identity providers call a user, as the service has it: protocols below their provider. */
static int
add_federated(struct cli *cli, json_t *body, const char *text, struct fault *f)
{
    json_t *parts;
    const char *provider, *protocol, *id;

    if (body_parts(cli->arena, text, "idp,protocol,id", &parts, f) < 0)
        return -1;
    provider = json_get_text(parts, "idp");
    protocol = json_get_text(parts, "protocol");
    id = json_get_text(parts, "id");
    if (provider == NULL || protocol == NULL || id == NULL)
        return fault_raise(f, FAULT_INVALID, "--federated: '%s' lacks idp, protocol or id.", text);
    body_set(body, "federated[]",
             json_pack("{ss s[{ss ss}]}", "idp_id", provider, "protocols", "protocol_id", protocol,
                       "unique_id", id));
    return 0;
}

int
access_user_body(struct cli *cli, json_t *body, struct fault *f)
{
    const char *password, *text;

    for (size_t i = 0; (text = args_nth(&cli->args, "--federated", i)) != NULL; i++) {
        if (add_federated(cli, body, text, f) < 0)
            return -1;
    }
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
