/* server set and unset: each part is a request of its own. */
#include "access.h"
#include "base/json.h"
#include "body.h"
#include "http/url.h"
#include "kind.h"
#include "kinds.h"
#include "rest.h"
#include "servers.h"

static int
send(struct cli *cli, enum http_method method, const char *path, json_t *body, struct fault *f)
{
    struct rest r = { .service = SERVICE_COMPUTE, .method = method, .path = path, .body = body };

    return rest_call(cli, &r, f);
}

static int
update(struct cli *cli, const char *id, struct fault *f)
{
    json_t *body = json_own(cli->arena, json_object());

    if (body_make(cli, body, f) < 0)
        return -1;
    if (json_object_size(body) == 0)
        return 0;
    return send(cli, HTTP_PUT, arena_printf(cli->arena, "/servers/%s", id),
                json_own(cli->arena, json_pack("{sO}", "server", body)), f);
}

static int
set_properties(struct cli *cli, const char *id, struct fault *f)
{
    json_t *metadata = json_own(cli->arena, json_object());
    const char *text;

    for (size_t i = 0; (text = args_nth(&cli->args, "--property", i)) != NULL; i++) {
        const char *equals = strchr(text, '=');

        json_object_set_new(metadata, arena_strndup(cli->arena, text, (size_t)(equals - text)),
                            json_string(equals + 1));
    }
    if (json_object_size(metadata) == 0)
        return 0;
    return send(cli, HTTP_POST, arena_printf(cli->arena, "/servers/%s/metadata", id),
                json_own(cli->arena, json_pack("{sO}", "metadata", metadata)), f);
}

static int
each_tag(struct cli *cli, const char *id, enum http_method method, struct fault *f)
{
    const char *tag;

    for (size_t i = 0; (tag = args_nth(&cli->args, "--tag", i)) != NULL; i++) {
        if (send(cli, method,
                 arena_printf(cli->arena, "/servers/%s/tags/%s", id, url_encode(cli->arena, tag)),
                 NULL, f) < 0)
            return -1;
    }
    return 0;
}

int
servers_set(struct cli *cli, struct fault *f)
{
    const char *state = args_get(&cli->args, "--state"), *id;

    if (access_option_id(cli, "<server>", &id, f) < 0 || update(cli, id, f) < 0 ||
        set_properties(cli, id, f) < 0)
        return -1;
    if (state != NULL &&
        send(cli, HTTP_POST, arena_printf(cli->arena, "/servers/%s/action", id),
             json_own(cli->arena, json_pack("{s{ss}}", "os-resetState", "state", state)), f) < 0)
        return -1;
    return each_tag(cli, id, HTTP_PUT, f);
}

int
servers_unset(struct cli *cli, struct fault *f)
{
    const char *id, *key;

    if (access_option_id(cli, "<server>", &id, f) < 0 || update(cli, id, f) < 0)
        return -1;
    for (size_t i = 0; (key = args_nth(&cli->args, "--property", i)) != NULL; i++) {
        if (send(cli, HTTP_DELETE,
                 arena_printf(cli->arena, "/servers/%s/metadata/%s", id,
                              url_encode(cli->arena, key)),
                 NULL, f) < 0)
            return -1;
    }
    return each_tag(cli, id, HTTP_DELETE, f);
}
