/* Projects: whose are listed, and their tags. */
#include "access.h"
#include "base/json.h"
#include "base/str.h"
#include "body.h"
#include "http/url.h"
#include "kind.h"
#include "rest.h"
#include "session.h"

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
