/* Creating servers, showing them, and what else they can do. */
#include "servers.h"

#include "access.h"
#include "base/json.h"
#include "body.h"
#include "http/url.h"
#include "kind.h"
#include "kinds.h"
#include "rest.h"
#include "wait.h"

int
servers_find(struct cli *cli, json_t **ret, const char **ret_id, struct fault *f)
{
    if (kind_find(cli, &kind_server, args_get(&cli->args, "<server>"), NULL, ret, f) < 0)
        return -1;
    if (ret_id != NULL)
        *ret_id = json_get_text(*ret, "id");
    return 0;
}

static int
add_groups(struct cli *cli, json_t *body, struct fault *f)
{
    const char *text, *id;

    for (size_t i = 0; (text = args_nth(&cli->args, "--security-group", i)) != NULL; i++) {
        if (kind_id(cli, &kind_security_group, text, NULL, &id, f) < 0)
            return -1;
        body_set(body, "security_groups[]", json_pack("{ss}", "name", id));
    }
    return 0;
}

static int
add_user_data(struct cli *cli, json_t *body, struct fault *f)
{
    const char *path = args_get(&cli->args, "--user-data");
    char *data;
    size_t size;

    if (path == NULL)
        return 0;
    if (body_file(cli->arena, path, &data, &size, f) < 0)
        return -1;
    return json_object_set_new(body, "user_data", json_string(str_base64(cli->arena, data, size)));
}

static int
add_files(struct cli *cli, json_t *body, struct fault *f)
{
    const char *text;
    char *data;
    size_t size;

    for (size_t i = 0; (text = args_nth(&cli->args, "--file", i)) != NULL; i++) {
        const char *equals = strchr(text, '=');

        if (equals == NULL)
            return fault_raise(f, FAULT_INVALID, "--file: '%s' is not destination=file", text);
        if (body_file(cli->arena, equals + 1, &data, &size, f) < 0)
            return -1;
        body_set(body, "personality[]",
                 json_pack("{ss% ss}", "path", text, (size_t)(equals - text), "contents",
                           str_base64(cli->arena, data, size)));
    }
    return 0;
}

int
servers_create_body(struct cli *cli, json_t *body, struct fault *f)
{
    const char *drive = args_get(&cli->args, "--config-drive");
    const char *min = args_get(&cli->args, "--min"), *max = args_get(&cli->args, "--max");
    long least = min != NULL ? strtol(min, NULL, 10) : 1,
         most = max != NULL ? strtol(max, NULL, 10) : MAX(least, 1);

    if (least < 1 || most < least)
        return fault_raise(f, FAULT_INVALID, "min instances should be > 0 and <= max instances");
    json_object_set_new(body, "min_count", json_integer(least));
    json_object_set_new(body, "max_count", json_integer(most));
    if (drive != NULL && str_equal_nocase(drive, "true"))
        json_object_set_new(body, "config_drive", json_true());
    if (add_groups(cli, body, f) < 0 || add_user_data(cli, body, f) < 0 ||
        add_files(cli, body, f) < 0)
        return -1;
    return servers_block_devices(cli, body, f) < 0 ? -1 : servers_networks(cli, body, f);
}

/* The scheduler's hints stand beside the server; one that is given twice is a list. */
static json_t *
hints(struct cli *cli)
{
    json_t *all = NULL;
    const char *text;

    for (size_t i = 0; (text = args_nth(&cli->args, "--hint", i)) != NULL; i++) {
        const char *equals = strchr(text, '='),
                   *key = arena_strndup(cli->arena, text, (size_t)(equals - text));
        json_t *value;

        if (all == NULL)
            all = json_own(cli->arena, json_object());
        value = json_object_get(all, key);
        if (value == NULL)
            json_object_set_new(all, key, json_string(equals + 1));
        else if (json_is_array(value))
            json_array_append_new(value, json_string(equals + 1));
        else
            json_object_set_new(all, key, json_pack("[O s]", value, equals + 1));
    }
    return all;
}

int
servers_create(struct cli *cli, struct fault *f)
{
    struct rest r = { .service = SERVICE_COMPUTE, .method = HTTP_POST, .path = "/servers" };
    json_t *body = json_own(cli->arena, json_object()), *whole, *created, *server;
    const char *id;

    if (body_make(cli, body, f) < 0 || servers_create_body(cli, body, f) < 0)
        return -1;
    whole = json_own(cli->arena, json_pack("{sO}", "server", body));
    if (hints(cli) != NULL)
        json_object_set(whole, "os:scheduler_hints", hints(cli));
    r.body = whole;
    if (rest_call(cli, &r, f) < 0)
        return -1;
    created = json_object_get(r.answer, "server");
    id = json_get_text(created, "id");
    if (id == NULL)
        return fault_raise(f, FAULT_INTERNAL, "The service did not say the server's id.");
    if (args_has(&cli->args, "--wait")) {
        if (wait_for(cli, &kind_server, id, "ACTIVE", &server, f) < 0) {
            fprintf(stderr, "Error creating server: %s\n", args_get(&cli->args, "<name>"));
            return -1;
        }
    } else if (kind_find(cli, &kind_server, id, NULL, &server, f) < 0) {
        return -1;
    }
    /* Only this once it is told. */
    json_object_set(server, "adminPass", json_object_get(created, "adminPass"));
    return servers_show(cli, server, f) < 0 ? -1
                                            : output_fields(cli, kind_server.fields, server, f);
}

int
servers_show(struct cli *cli _unused_, json_t *server, struct fault *f _unused_)
{
    json_object_del(server, "links");
    if (json_object_get(server, "adminPass") == NULL)
        json_object_del(server, "adminPass");
    return 0;
}

static int
compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of the images that the rows are of: one request for all of them. */
static json_t *
image_names(struct cli *cli, const json_t *rows)
{
    const char **ids = ARENA_ARRAY(cli->arena, const char *, json_array_size(rows) + 1);
    json_t *names = json_own(cli->arena, json_object()), *images, *one;
    _cleanup_(str_done) struct str path = { 0 };
    struct fault ignored = { 0 };
    size_t i, count = 0, different = 0;

    json_array_foreach(rows, i, one)
    {
        const char *id = json_get_text(json_object_get(one, "image"), "id");

        if (id != NULL)
            ids[count++] = id;
    }
    qsort(ids, count, sizeof(*ids), compare_texts);
    str_add(&path, "/images?id=in:");
    for (i = 0; i < count; i++) {
        if (i == 0 || !str_equal(ids[i], ids[i - 1]))
            str_addf(&path, "%s%s", different++ > 0 ? "," : "", ids[i]);
    }
    if (different == 0)
        return names;
    /* Few are asked for by id; of many, the list is shorter than the question. */
    if (kind_list(cli, SERVICE_IMAGE,
                  different <= 50 ? arena_strdup(cli->arena, str_text(&path))
                                  : "/images?limit=1000",
                  "images", 0, &images, &ignored) < 0)
        return names;
    json_array_foreach(images, i, one)
    {
        json_object_set(names, json_get_text(one, "id"), json_object_get(one, "name"));
    }
    return names;
}

static bool
shows_image_names(const struct cli *cli)
{
    const char *column;

    if (args_has(&cli->args, "--no-name-lookup") || args_has(&cli->args, "-n"))
        return false;
    if (!args_has(&cli->args, "-c") && !args_has(&cli->args, "--column"))
        return true;
    for (size_t i = 0; i < 2; i++) {
        for (size_t n = 0; (column = args_nth(&cli->args, i == 0 ? "-c" : "--column", n)) != NULL;
             n++) {
            if (str_equal_nocase(column, "image"))
                return true;
        }
    }
    return false;
}

int
servers_names(struct cli *cli, json_t *rows, struct fault *f _unused_)
{
    bool wanted = shows_image_names(cli);
    json_t *names = wanted ? image_names(cli, rows) : NULL, *one;
    size_t i;

    json_array_foreach(rows, i, one)
    {
        const char *id = json_get_text(json_object_get(one, "image"), "id");
        json_t *name = id != NULL && names != NULL ? json_object_get(names, id) : NULL;

        json_object_set_new(one, "image_name",
                            id == NULL     ? json_string("N/A (booted from volume)")
                            : name != NULL ? json_incref(name)
                                           : json_string(wanted ? "" : id));
    }
    return 0;
}

int
servers_reboot(struct cli *cli, json_t *body, struct fault *f _unused_)
{
    return json_object_set_new(body, "type",
                               json_string(args_has(&cli->args, "--hard") ? "HARD" : "SOFT"));
}

int
servers_console(struct cli *cli, struct fault *f)
{
    struct rest r = { .service = SERVICE_COMPUTE, .method = HTTP_POST };
    json_t *body = json_own(cli->arena, json_object());
    const char *id, *text;
    size_t size;

    if (access_option_id(cli, "<server>", &id, f) < 0 || body_make(cli, body, f) < 0)
        return -1;
    r.path = arena_printf(cli->arena, "/servers/%s/action", id);
    r.body = json_own(cli->arena, json_pack("{sO}", "os-getConsoleOutput", body));
    if (rest_call(cli, &r, f) < 0)
        return -1;
    text = json_get_text(r.answer, "output");
    size = text != NULL ? strlen(text) : 0;
    if (size > 0)
        fwrite(text, 1, size, stdout);
    if (size > 0 && text[size - 1] != '\n')
        fputc('\n', stdout);
    return 0;
}

int
servers_group_name(struct cli *cli, json_t *body, struct fault *f)
{
    const char *id;

    if (kind_id(cli, &kind_security_group, args_get(&cli->args, "<group>"), NULL, &id, f) < 0)
        return -1;
    return json_object_set_new(body, "name", json_string(id));
}

int
servers_event_show(struct cli *cli, struct fault *f)
{
    const char *id;
    json_t *answer;

    if (access_option_id(cli, "<server>", &id, f) < 0)
        return -1;
    answer = rest_get(cli, SERVICE_COMPUTE,
                      arena_printf(cli->arena, "/servers/%s/os-instance-actions/%s", id,
                                   url_encode(cli->arena, args_get(&cli->args, "<request-id>"))),
                      NULL, f);
    return answer != NULL ? output_fields(cli, NULL, json_object_get(answer, "instanceAction"), f)
                          : -1;
}
