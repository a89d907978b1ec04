#include "compute.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access.h"
#include "base/json.h"
#include "body.h"
#include "http/url.h"
#include "kind.h"
#include "kinds.h"
#include "rest.h"

/* --- flavors */

int
compute_flavor_body(struct cli *cli _unused_, json_t *body, struct fault *f _unused_)
{
    const char *id = json_get_text(body, "id");

    if (str_equal(id, "auto"))
        json_object_del(body, "id");
    return 0;
}

/* --property of a flavor: a request of its own. */
static int
set_properties(struct cli *cli, const char *id, json_t **ret, struct fault *f)
{
    struct rest r = { .service = SERVICE_COMPUTE, .method = HTTP_POST };
    json_t *specs = json_own(cli->arena, json_object());
    const char *text;

    for (size_t i = 0; (text = args_nth(&cli->args, "--property", i)) != NULL; i++) {
        const char *equals = strchr(text, '=');

        json_object_set_new(specs, arena_strndup(cli->arena, text, (size_t)(equals - text)),
                            json_string(equals + 1));
    }
    *ret = specs;
    if (json_object_size(specs) == 0)
        return 0;
    r.path = arena_printf(cli->arena, "/flavors/%s/os-extra_specs", url_encode(cli->arena, id));
    r.body = json_own(cli->arena, json_pack("{sO}", "extra_specs", specs));
    return rest_call(cli, &r, f);
}

static int
access_action(struct cli *cli, const char *id, const char *action, struct fault *f)
{
    struct rest r = { .service = SERVICE_COMPUTE, .method = HTTP_POST };
    const char *project_id;

    if (access_option_id(cli, "--project", &project_id, f) < 0)
        return -1;
    if (project_id == NULL)
        return 0;
    r.path = arena_printf(cli->arena, "/flavors/%s/action", url_encode(cli->arena, id));
    r.body = json_own(cli->arena, json_pack("{s{ss}}", action, "tenant", project_id));
    return rest_call(cli, &r, f);
}

int
compute_flavor_created(struct cli *cli, json_t *flavor, struct fault *f)
{
    json_t *specs;

    if (access_action(cli, json_get_text(flavor, "id"), "addTenantAccess", f) < 0 ||
        set_properties(cli, json_get_text(flavor, "id"), &specs, f) < 0)
        return -1;
    return json_object_set(flavor, "extra_specs", specs);
}

static int
delete_property(struct cli *cli, const char *id, const char *key, struct fault *f)
{
    struct rest r = { .service = SERVICE_COMPUTE, .method = HTTP_DELETE };

    r.path = arena_printf(cli->arena, "/flavors/%s/os-extra_specs/%s", url_encode(cli->arena, id),
                          url_encode(cli->arena, key));
    return rest_call(cli, &r, f);
}

int
compute_flavor_set(struct cli *cli, struct fault *f)
{
    const char *description = args_get(&cli->args, "--description"), *id, *key;
    json_t *flavor, *specs, *value;
    void *next;

    if (kind_find(cli, &kind_flavor, args_get(&cli->args, "<flavor>"), NULL, &flavor, f) < 0)
        return -1;
    id = json_get_text(flavor, "id");
    if (description != NULL) {
        struct rest r = { .service = SERVICE_COMPUTE,
                          .method = HTTP_PUT,
                          .path = kind_path(cli->arena, &kind_flavor, id) };

        r.body = json_own(cli->arena, json_pack("{s{ss}}", "flavor", "description", description));
        if (rest_call(cli, &r, f) < 0)
            return -1;
    }
    if (args_has(&cli->args, "--no-property")) {
        json_object_foreach_safe(json_object_get(flavor, "extra_specs"), next, key, value)
        {
            if (delete_property(cli, id, key, f) < 0)
                return -1;
        }
    }
    if (set_properties(cli, id, &specs, f) < 0)
        return -1;
    return access_action(cli, id, "addTenantAccess", f);
}

int
compute_flavor_unset(struct cli *cli, struct fault *f)
{
    const char *id, *key;

    if (access_option_id(cli, "<flavor>", &id, f) < 0)
        return -1;
    for (size_t i = 0; (key = args_nth(&cli->args, "--property", i)) != NULL; i++) {
        if (delete_property(cli, id, key, f) < 0)
            return -1;
    }
    return access_action(cli, id, "removeTenantAccess", f);
}

/* "swap" of none is "" in old versions, which is shown as 0. */
int
compute_flavor_rows(struct cli *cli _unused_, json_t *rows, struct fault *f _unused_)
{
    json_t *one;
    size_t i;

    json_array_foreach(rows, i, one)
    {
        if (str_equal(json_get_text(one, "swap"), ""))
            json_object_set_new(one, "swap", json_integer(0));
    }
    return 0;
}

/* --- key pairs */

static int
save_key(const char *path, const char *text, struct fault *f)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    size_t size = strlen(text);
    bool bad;

    if (fd < 0)
        return fault_raise(f, FAULT_INVALID, "Key file %s can not be saved: %s", path,
                           strerror(errno));
    bad = fchmod(fd, 0600) < 0 || write(fd, text, size) != (ssize_t)size;
    bad = close(fd) < 0 || bad;
    return bad ? fault_raise(f, FAULT_INVALID, "Key file %s can not be saved: %s", path,
                             strerror(errno))
               : 0;
}

int
compute_keypair_create(struct cli *cli, struct fault *f)
{
    const char *save = args_get(&cli->args, "--private-key"), *private_key;
    struct rest r = { .service = SERVICE_COMPUTE, .method = HTTP_POST, .path = "/os-keypairs" };
    json_t *body = json_own(cli->arena, json_object()), *pair;

    if (body_make(cli, body, f) < 0)
        return -1;
    if (json_get_text(body, "public_key") != NULL && save != NULL)
        return fault_raise(f, FAULT_INVALID, "One of --public-key and --private-key, not both.");
    r.body = json_own(cli->arena, json_pack("{sO}", "keypair", body));
    if (rest_call(cli, &r, f) < 0)
        return -1;
    pair = json_object_get(r.answer, "keypair");
    private_key = json_get_text(pair, "private_key");
    if (private_key != NULL && save == NULL) {
        fputs(private_key, stdout);
        return 0;
    }
    if (private_key != NULL && save_key(save, private_key, f) < 0)
        return -1;
    return output_fields(cli, kind_keypair.fields, pair, f);
}

int
compute_keypair_show(struct cli *cli, struct fault *f)
{
    char *path;
    json_t *answer;
    const char *user_id;

    if (access_option_id(cli, "--user", &user_id, f) < 0)
        return -1;
    path = kind_path(cli->arena, &kind_keypair, args_get(&cli->args, "<name>"));
    if (user_id != NULL)
        path = arena_printf(cli->arena, "%s?user_id=%s", path, user_id);
    answer = rest_get(cli, SERVICE_COMPUTE, path, NULL, f);
    if (answer == NULL)
        return -1;
    if (args_has(&cli->args, "--public-key")) {
        const char *key = json_get_text(json_object_get(answer, "keypair"), "public_key");

        printf("%s%s", key != NULL ? key : "", key != NULL && str_ends(key, "\n") ? "" : "\n");
        return 0;
    }
    return output_fields(cli, kind_keypair.fields, json_object_get(answer, "keypair"), f);
}

int
compute_keypair_rows(struct cli *cli _unused_, json_t *rows, struct fault *f _unused_)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_t *inner = json_object_get(json_array_get(rows, i), "keypair");

        if (inner != NULL)
            json_array_set(rows, i, inner);
    }
    return 0;
}

/* --- hosts */

int
compute_hypervisor_show(struct cli *cli _unused_, json_t *hypervisor, struct fault *f _unused_)
{
    json_t *service = json_object_get(hypervisor, "service");

    json_object_set(hypervisor, "service_id", json_object_get(service, "id"));
    json_object_set(hypervisor, "service_host", json_object_get(service, "host"));
    json_object_del(hypervisor, "service");
    return 0;
}

int
compute_service_set(struct cli *cli, struct fault *f)
{
    const char *host = args_get(&cli->args, "<host>"), *binary = args_get(&cli->args, "<service>"),
               *reason = args_get(&cli->args, "--disable-reason");
    bool disable = args_has(&cli->args, "--disable"), enable = args_has(&cli->args, "--enable");
    struct rest r = { .service = SERVICE_COMPUTE, .method = HTTP_PUT };
    json_t *services, *body = json_own(cli->arena, json_object());

    if (reason != NULL && !disable)
        return fault_raise(f, FAULT_INVALID,
                           "Cannot specify option --disable-reason without --disable specified.");
    if (disable || enable)
        json_object_set_new(body, "status", json_string(disable ? "disabled" : "enabled"));
    if (reason != NULL)
        json_object_set_new(body, "disabled_reason", json_string(reason));
    if (args_has(&cli->args, "--up") || args_has(&cli->args, "--down"))
        json_object_set_new(body, "forced_down", json_boolean(args_has(&cli->args, "--down")));
    if (json_object_size(body) == 0)
        return 0;
    if (kind_list(cli, SERVICE_COMPUTE,
                  arena_printf(cli->arena, "/os-services?host=%s&binary=%s",
                               url_encode(cli->arena, host), url_encode(cli->arena, binary)),
                  "services", 0, &services, f) < 0)
        return -1;
    if (json_array_size(services) != 1)
        return fault_raise(f, FAULT_NOT_FOUND,
                           "Compute service for host \"%s\" and binary \"%s\" not found.", host,
                           binary);
    r.path = arena_printf(cli->arena, "/os-services/%s",
                          json_get_text(json_array_get(services, 0), "id"));
    r.body = body;
    return rest_call(cli, &r, f);
}
