#include "volumes.h"

#include "access.h"
#include "base/json.h"
#include "body.h"
#include "http/url.h"
#include "kind.h"
#include "kinds.h"
#include "rest.h"

static int
action(struct cli *cli, const char *id, json_t *body, struct fault *f)
{
    struct rest r = { .service = cli->command->kind->service, .method = HTTP_POST };

    r.path = arena_printf(cli->arena, "%s/action", kind_path(cli->arena, cli->command->kind, id));
    r.body = json_own(cli->arena, body);
    return rest_call(cli, &r, f);
}

int
volumes_create_body(struct cli *cli, json_t *body, struct fault *f)
{
    if (args_has(&cli->args, "--size") || args_has(&cli->args, "--snapshot") ||
        args_has(&cli->args, "--source"))
        return 0;
    (void)body;
    return fault_raise(
        f, FAULT_INVALID,
        "--size is a required option if snapshot or source volume are not specified.");
}

static int
set_flags(struct cli *cli, const char *id, struct fault *f)
{
    bool bootable = args_has(&cli->args, "--bootable"),
         read_only = args_has(&cli->args, "--read-only");

    if ((bootable || args_has(&cli->args, "--non-bootable")) &&
        action(cli, id, json_pack("{s{sb}}", "os-set_bootable", "bootable", bootable), f) < 0)
        return -1;
    if ((read_only || args_has(&cli->args, "--read-write")) &&
        action(cli, id, json_pack("{s{sb}}", "os-update_readonly_flag", "readonly", read_only), f) <
            0)
        return -1;
    return 0;
}

int
volumes_after(struct cli *cli, json_t *volume, struct fault *f)
{
    const char *id = json_get_text(volume, "id"), *size = args_get(&cli->args, "--size"),
               *state = args_get(&cli->args, "--state"), *type = args_get(&cli->args, "--type"),
               *policy = args_get(&cli->args, "--retype-policy");
    bool creates = cli->command->verb == VERB_CREATE;

    if (!creates && size != NULL &&
        action(cli, id,
               json_pack("{s{sI}}", "os-extend", "new_size", (json_int_t)strtoll(size, NULL, 10)),
               f) < 0)
        return -1;
    if (state != NULL &&
        action(cli, id, json_pack("{s{ss}}", "os-reset_status", "status", state), f) < 0)
        return -1;
    if (!creates && type != NULL &&
        action(cli, id,
               json_pack("{s{ss ss}}", "os-retype", "new_type", type, "migration_policy",
                         policy != NULL ? policy : "never"),
               f) < 0)
        return -1;
    return set_flags(cli, id, f);
}

/* 'set' adds to the properties that are there; the API's update replaces them. */
int
volumes_set_body(struct cli *cli, json_t *body, struct fault *f)
{
    const struct kind *kind = cli->command->kind;
    json_t *given = json_object_get(body, "metadata"), *now, *all;
    const char *name = kind == &kind_volume ? "<volume>" : "<snapshot>";

    if (given == NULL && !args_has(&cli->args, "--no-property"))
        return 0;
    all = json_own(cli->arena, json_object());
    if (!args_has(&cli->args, "--no-property")) {
        if (kind_find(cli, kind, args_get(&cli->args, name), NULL, &now, f) < 0)
            return -1;
        json_object_update(all, json_object_get(now, "metadata"));
    }
    if (given != NULL)
        json_object_update(all, given);
    return json_object_set(body, "metadata", all);
}

int
volumes_unset(struct cli *cli, struct fault *f)
{
    const struct kind *kind = cli->command->kind;
    const char *id, *key;

    if (access_option_id(cli, kind == &kind_volume ? "<volume>" : "<snapshot>", &id, f) < 0)
        return -1;
    for (size_t i = 0; (key = args_nth(&cli->args, "--property", i)) != NULL; i++) {
        struct rest r = { .service = kind->service, .method = HTTP_DELETE };

        r.path = arena_printf(cli->arena, "%s/metadata/%s", kind_path(cli->arena, kind, id),
                              url_encode(cli->arena, key));
        if (rest_call(cli, &r, f) < 0)
            return -1;
    }
    return 0;
}

int
volumes_type_created(struct cli *cli, json_t *type, struct fault *f)
{
    const char *id = json_get_text(type, "id"), *project_id, *text;
    json_t *specs = json_own(cli->arena, json_object());

    if (access_option_id(cli, "--project", &project_id, f) < 0)
        return -1;
    if (project_id != NULL &&
        action(cli, id, json_pack("{s{ss}}", "addProjectAccess", "project", project_id), f) < 0)
        return -1;
    for (size_t i = 0; (text = args_nth(&cli->args, "--property", i)) != NULL; i++) {
        const char *equals = strchr(text, '=');

        json_object_set_new(specs, arena_strndup(cli->arena, text, (size_t)(equals - text)),
                            json_string(equals + 1));
    }
    if (json_object_size(specs) > 0) {
        struct rest r = { .service = SERVICE_VOLUME, .method = HTTP_POST };

        r.path = arena_printf(cli->arena, "/types/%s/extra_specs", id);
        r.body = json_own(cli->arena, json_pack("{sO}", "extra_specs", specs));
        if (rest_call(cli, &r, f) < 0)
            return -1;
        json_object_set(type, "extra_specs", specs);
    }
    return 0;
}

int
volumes_type_unset(struct cli *cli, struct fault *f)
{
    const char *id, *key, *project_id;

    if (access_option_id(cli, "<volume-type>", &id, f) < 0 ||
        access_option_id(cli, "--project", &project_id, f) < 0)
        return -1;
    for (size_t i = 0; (key = args_nth(&cli->args, "--property", i)) != NULL; i++) {
        struct rest r = { .service = SERVICE_VOLUME, .method = HTTP_DELETE };

        r.path =
            arena_printf(cli->arena, "/types/%s/extra_specs/%s", id, url_encode(cli->arena, key));
        if (rest_call(cli, &r, f) < 0)
            return -1;
    }
    return project_id != NULL
               ? action(cli, id, json_pack("{s{ss}}", "removeProjectAccess", "project", project_id),
                        f)
               : 0;
}

/* Without --volume the snapshot's own name is the volume's. */
int
volumes_snapshot_body(struct cli *cli, json_t *body, struct fault *f)
{
    const char *id;

    if (json_object_get(body, "volume_id") != NULL)
        return 0;
    if (kind_id(cli, &kind_volume, args_get(&cli->args, "<name>"), NULL, &id, f) < 0)
        return -1;
    return json_object_set_new(body, "volume_id", json_string(id));
}

/* "Attached to NAME": the servers' names, asked for once if anything is attached. */
int
volumes_attachments(struct cli *cli, json_t *rows, struct fault *f _unused_)
{
    json_t *volume, *attachment, *servers = NULL, *server;
    struct fault ignored = { 0 };
    size_t i, k, n;

    json_array_foreach(rows, i, volume)
    {
        json_array_foreach(json_object_get(volume, "attachments"), k, attachment)
        {
            if (servers == NULL &&
                kind_list(cli, SERVICE_COMPUTE,
                          args_has(&cli->args, "--all-projects") ? "/servers?all_tenants=1"
                                                                 : "/servers",
                          "servers", 0, &servers, &ignored) < 0)
                servers = json_own(cli->arena, json_array());
            json_array_foreach(servers, n, server)
            {
                if (cli->output.format == OUTPUT_TABLE &&
                    str_equal(json_get_text(server, "id"), json_get_text(attachment, "server_id")))
                    json_object_set(attachment, "server_id", json_object_get(server, "name"));
            }
        }
    }
    return 0;
}
