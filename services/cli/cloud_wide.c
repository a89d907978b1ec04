/* Zones, quotas and limits: each service that is there is asked; one that is not is left out. */
#include "cloud_wide.h"

#include "access.h"
#include "base/json.h"
#include "kind.h"
#include "rest.h"
#include "session.h"

static void
add_zone(json_t *rows, const json_t *name, const char *status, const char *resource,
         const char *host, const char *service, const char *state)
{
    json_array_append_new(rows, json_pack("{sO ss ss ss ss ss}", "name", name, "status", status,
                                          "resource", resource, "host", host, "service", service,
                                          "service_status", state));
}

/* Compute's and block storage's zones; with hosts where they are told. */
static int
state_zones(struct cli *cli, enum service service, const char *path, json_t *rows, struct fault *f)
{
    json_t *answer = rest_get(cli, service, path, NULL, f), *zone, *services, *one;
    const char *host, *name;
    size_t i;

    if (answer == NULL)
        return -1;
    json_array_foreach(json_object_get(answer, "availabilityZoneInfo"), i, zone)
    {
        const char *status =
            json_is_true(json_object_get(json_object_get(zone, "zoneState"), "available"))
                ? "available"
                : "not available";
        json_t *hosts = json_object_get(zone, "hosts");

        if (!json_is_object(hosts) || json_object_size(hosts) == 0)
            add_zone(rows, json_object_get(zone, "zoneName"), status, "", "", "", "");
        json_object_foreach(hosts, host, services)
        {
            json_object_foreach(services, name, one)
            {
                const char *changed = json_get_text(one, "updated_at");

                add_zone(rows, json_object_get(zone, "zoneName"), status, "", host, name,
                         arena_printf(cli->arena, "%s %s %s",
                                      json_get_bool(one, "active") ? "enabled" : "disabled",
                                      json_get_bool(one, "available") ? ":-)" : "XXX",
                                      changed != NULL ? changed : ""));
            }
        }
    }
    return 0;
}

static int
network_zones(struct cli *cli, json_t *rows, struct fault *f)
{
    json_t *zones, *zone;
    size_t i;

    if (kind_list(cli, SERVICE_NETWORK, "/availability_zones", "availability_zones", 0, &zones, f) <
        0)
        return -1;
    json_array_foreach(zones, i, zone)
    {
        const char *resource = json_get_text(zone, "resource"),
                   *state = json_get_text(zone, "state");

        add_zone(rows, json_object_get(zone, "name"), state != NULL ? state : "",
                 resource != NULL ? resource : "", "", "", "");
    }
    return 0;
}

int
cloud_zones(struct cli *cli, struct fault *f)
{
    bool all = !args_has(&cli->args, "--compute") && !args_has(&cli->args, "--network") &&
               !args_has(&cli->args, "--volume");
    bool details = args_has(&cli->args, "--long");
    json_t *rows = json_own(cli->arena, json_array());
    struct fault away = { 0 };

    if (all || args_has(&cli->args, "--compute")) {
        /* The detailed list is an administrator's. */
        int r = state_zones(cli, SERVICE_COMPUTE,
                            details ? "/os-availability-zone/detail" : "/os-availability-zone",
                            rows, f);

        if (r < 0 && details) {
            fault_clear(f);
            r = state_zones(cli, SERVICE_COMPUTE, "/os-availability-zone", rows, f);
        }
        if (r < 0)
            return -1;
    }
    if ((all || args_has(&cli->args, "--volume")) &&
        state_zones(cli, SERVICE_VOLUME, "/os-availability-zone", rows, all ? &away : f) < 0 &&
        !all)
        return -1;
    if ((all || args_has(&cli->args, "--network")) &&
        network_zones(cli, rows, all ? &away : f) < 0 && !all)
        return -1;
    return output_list(cli, cli->command->columns, rows, f);
}

/* --- quotas */

/* A service's own names, and those that people use. */
static const struct quota_name {
    enum service service;
    const char *member, *shown;
} quota_names[] = {
    { SERVICE_COMPUTE, "cores", "cores" },
    { SERVICE_COMPUTE, "instances", "instances" },
    { SERVICE_COMPUTE, "ram", "ram" },
    { SERVICE_COMPUTE, "key_pairs", "key-pairs" },
    { SERVICE_COMPUTE, "metadata_items", "properties" },
    { SERVICE_COMPUTE, "server_groups", "server-groups" },
    { SERVICE_COMPUTE, "server_group_members", "server-group-members" },
    { SERVICE_COMPUTE, "injected_files", "injected-files" },
    { SERVICE_COMPUTE, "injected_file_content_bytes", "injected-file-size" },
    { SERVICE_COMPUTE, "injected_file_path_bytes", "injected-path-size" },
    { SERVICE_VOLUME, "volumes", "volumes" },
    { SERVICE_VOLUME, "gigabytes", "gigabytes" },
    { SERVICE_VOLUME, "snapshots", "snapshots" },
    { SERVICE_VOLUME, "backups", "backups" },
    { SERVICE_VOLUME, "backup_gigabytes", "backup-gigabytes" },
    { SERVICE_VOLUME, "per_volume_gigabytes", "per-volume-gigabytes" },
    { SERVICE_NETWORK, "network", "networks" },
    { SERVICE_NETWORK, "subnet", "subnets" },
    { SERVICE_NETWORK, "port", "ports" },
    { SERVICE_NETWORK, "router", "routers" },
    { SERVICE_NETWORK, "floatingip", "floating-ips" },
    { SERVICE_NETWORK, "security_group", "secgroups" },
    { SERVICE_NETWORK, "security_group_rule", "secgroup-rules" },
    { SERVICE_NETWORK, "rbac_policy", "rbac-policies" },
    { SERVICE_NETWORK, "subnetpool", "subnetpools" },
};

static const struct {
    enum service service;
    const char *path, *key;
} quota_services[] = {
    { SERVICE_COMPUTE, "/os-quota-sets/%s", "quota_set" },
    { SERVICE_VOLUME, "/os-quota-sets/%s", "quota_set" },
    { SERVICE_NETWORK, "/quotas/%s", "quota" },
};

static char *
quota_path(struct arena *a, const char *service_path, const char *project_id)
{
    return arena_printf(a, "%.*s%s", (int)(strlen(service_path) - 2), service_path, project_id);
}

/* Block storage has quotas per volume type too ("gigabytes_lvm"): shown under their own names. */
static void
take_quotas(enum service service, const json_t *quotas, json_t *shown)
{
    const json_t *value;
    const char *member;

    json_object_foreach((json_t *)(uintptr_t)quotas, member, value)
    {
        const char *name = service == SERVICE_VOLUME && strchr(member, '_') != NULL ? member : NULL;

        for (size_t i = 0; i < ARRAY_SIZE(quota_names); i++) {
            if (quota_names[i].service == service && str_equal(quota_names[i].member, member))
                name = quota_names[i].shown;
        }
        if (name != NULL && json_is_integer(value))
            json_object_set(shown, name, (json_t *)(uintptr_t)value);
    }
}

int
cloud_quota_show(struct cli *cli, struct fault *f)
{
    const char *given = args_get(&cli->args, "<project>"), *id = NULL;
    json_t *shown = json_own(cli->arena, json_object()), *project;
    struct fault away = { 0 };

    if (session_open(cli, false, f) < 0)
        return -1;
    if (args_has(&cli->args, "--class"))
        id = NULL;
    else if (given != NULL && access_option_id(cli, "<project>", &id, f) < 0)
        return -1;
    if (id == NULL)
        id = session_project_id(cli);
    if (id == NULL)
        return fault_raise(f, FAULT_INVALID, "The token has no project: name one.");
    for (size_t i = 0; i < ARRAY_SIZE(quota_services); i++) {
        char *path = quota_path(cli->arena, quota_services[i].path, id);
        bool network = quota_services[i].service == SERVICE_NETWORK;
        json_t *answer;

        if (args_has(&cli->args, "--class") && network)
            continue;
        if (args_has(&cli->args, "--class"))
            path = arena_printf(cli->arena, "/os-quota-class-sets/%s",
                                given != NULL ? given : "default");
        else if (args_has(&cli->args, "--default"))
            path = arena_printf(cli->arena, network ? "%s/default" : "%s/defaults", path);
        answer = rest_get(cli, quota_services[i].service, path, NULL, &away);
        if (answer == NULL) {
            if (i == 0)
                *f = away;
            if (i == 0)
                return -1;
            continue;
        }
        take_quotas(quota_services[i].service,
                    json_object_get(answer, args_has(&cli->args, "--class")
                                                ? "quota_class_set"
                                                : quota_services[i].key),
                    shown);
    }
    project = json_object_get(json_object_get(cli->session->body, "token"), "project");
    json_object_set_new(shown, "project", json_string(id));
    if (str_equal(id, session_project_id(cli)))
        json_object_set(shown, "project_name", json_object_get(project, "name"));
    else if (given != NULL)
        json_object_set_new(shown, "project_name", json_string(given));
    return output_fields(cli, NULL, shown, f);
}

int
cloud_quota_set(struct cli *cli, struct fault *f)
{
    const char *id, *text;

    if (access_option_id(cli, "<project>", &id, f) < 0)
        return -1;
    for (size_t s = 0; s < ARRAY_SIZE(quota_services); s++) {
        struct rest r = { .service = quota_services[s].service,
                          .method = HTTP_PUT,
                          .path = quota_path(cli->arena, quota_services[s].path, id) };
        json_t *quotas = json_own(cli->arena, json_object());

        for (size_t i = 0; i < ARRAY_SIZE(quota_names); i++) {
            if (quota_names[i].service != quota_services[s].service)
                continue;
            text = args_get(&cli->args, arena_printf(cli->arena, "--%s", quota_names[i].shown));
            if (text != NULL)
                json_object_set_new(quotas, quota_names[i].member,
                                    json_integer(strtoll(text, NULL, 10)));
        }
        if (json_object_size(quotas) == 0)
            continue;
        if (args_has(&cli->args, "--force") && quota_services[s].service == SERVICE_COMPUTE)
            json_object_set_new(quotas, "force", json_true());
        r.body = json_own(cli->arena, json_pack("{sO}", quota_services[s].key, quotas));
        if (rest_call(cli, &r, f) < 0)
            return -1;
    }
    return 0;
}

static void
add_limits(json_t *rows, const json_t *answer)
{
    json_t *value;
    const char *name;

    json_object_foreach(json_object_get(json_object_get(answer, "limits"), "absolute"), name, value)
    {
        json_array_append_new(rows, json_pack("{ss sO}", "name", name, "value", value));
    }
}

int
cloud_limits(struct cli *cli, struct fault *f)
{
    json_t *rows = json_own(cli->arena, json_array()), *answer;
    struct fault away = { 0 };
    const char *project_id;

    if (args_has(&cli->args, "--rate"))
        return output_list(cli, cli->command->columns, rows,
                           f); /* No service has rate limits any more. */
    if (access_option_id(cli, "--project", &project_id, f) < 0)
        return -1;
    answer = rest_get(cli, SERVICE_COMPUTE,
                      arena_printf(cli->arena, "/limits%s%s%s",
                                   args_has(&cli->args, "--reserved") ? "?reserved=1" : "?",
                                   project_id != NULL ? "&tenant_id=" : "",
                                   project_id != NULL ? project_id : ""),
                      NULL, f);
    if (answer == NULL)
        return -1;
    add_limits(rows, answer);
    answer = rest_get(cli, SERVICE_VOLUME, "/limits", NULL, &away);
    if (answer != NULL)
        add_limits(rows, answer);
    return output_list(cli, cli->command->columns, rows, f);
}
