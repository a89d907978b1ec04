/* compute.interface-attach, interface-detach. The port exists when the first begins; who made it decides whether it dies with the second. */
#include "base/json.h"
#include "base/str.h"
#include "guest_description.h"
#include "server_network.h"

static const struct network_info *
nic_of(const struct server *server, const char *port_id)
{
    for (size_t i = 0; i < server->network_info_count; i++) {
        if (str_equal(server->network_info[i].port_id, port_id))
            return &server->network_info[i];
    }
    return NULL;
}

static int
bind_port(struct saga_run *run, struct fault *f)
{
    struct remote r = remote_for_run(run);
    const char *port_id = json_get_text(run->params, "port_id");
    json_t *owned = json_own(run->arena, json_array());
    struct server server;

    if (server_of_run(run, &server, f) < 0 || server_network_take(&r, &server, port_id, f) < 0)
        return -1;
    if (json_get_bool(run->params, "owned"))
        json_array_append_new(owned, json_string(port_id));
    return server_network_refresh(&r, run->db, &server, owned, f);
}

static int
release_port(struct saga_run *run, struct fault *f)
{
    struct remote r = remote_for_run(run);
    const char *port_id = json_get_text(run->params, "port_id");
    json_t *nobody = json_own(run->arena, json_pack("{s:s, s:s, s:s}", "device_id", "",
                                                    "device_owner", "", "binding:host_id", ""));
    const struct network_info *nic;
    struct server server;
    bool owned;
    int result;

    if (server_of_run(run, &server, f) < 0)
        return -1;
    nic = nic_of(&server, port_id);
    owned = json_get_bool(run->params, "owned") || (nic != NULL && nic->owned);
    result = owned ? remote_port_delete(&r, port_id, f)
                   : remote_port_update(&r, port_id, nobody, NULL, f);
    if (result < 0 && f->kind != FAULT_NOT_FOUND)
        return -1;
    fault_clear(f);
    return server_network_refresh(&r, run->db, &server, NULL, f);
}

static int
plug(struct saga_run *run, struct fault *f)
{
    struct compute *compute = run->service;
    const char *port_id = json_get_text(run->params, "port_id");
    const struct network_info *info;
    struct guest_nic nic;
    struct guest_attach_nic_in in = { .guest_id = run->object_id, .nic = &nic };
    struct server server;

    if (server_of_run(run, &server, f) < 0)
        return -1;
    info = nic_of(&server, port_id);
    if (info == NULL)
        return fault_raise(f, FAULT_CONFLICT, "Port %.64s is gone.", port_id);
    nic = guest_describe_nic(info);
    return guest_attach_nic_call(compute->daemon->rpc, server.host,
                                 server_operation_id(run, "plug"), run->arena, &in, f);
}

static int
unplug(struct saga_run *run, struct fault *f)
{
    struct compute *compute = run->service;
    struct guest_detach_nic_in in = { .guest_id = run->object_id, .timeout_s = 60 };
    const struct network_info *info;
    struct server server;

    if (server_of_run(run, &server, f) < 0)
        return -1;
    info = nic_of(&server, json_get_text(run->params, "port_id"));
    if (info == NULL)
        return 0;
    in.mac = info->mac;
    return guest_detach_nic_call(compute->daemon->rpc, server.host,
                                 server_operation_id(run, "unplug"), run->arena, &in, f);
}

/* Also when it was called off before its first step: a port that was made for it is nobody's. */
static int
attach_failed(struct saga_run *run, struct fault *f)
{
    struct remote r = remote_for_run(run);

    if (json_get_bool(run->params, "owned") &&
        remote_port_delete(&r, json_get_text(run->params, "port_id"), f) < 0)
        return -1;
    return server_task_failed(run, f);
}

static const struct saga_step attach_steps[] = {
    { .name = "bind", .act = bind_port, .undo = release_port },
    { .name = "wired", .act = step_wired },
    { .name = "plug", .act = plug, .undo = unplug },
    { .name = "finish", .act = server_task_done },
};
const struct saga interface_attach_saga = { .name = "compute.interface-attach",
                                            .version = 1,
                                            .steps = attach_steps,
                                            .steps_count = ARRAY_SIZE(attach_steps),
                                            .failed = attach_failed };

static const struct saga_step detach_steps[] = {
    { .name = "unplug", .act = unplug },
    { .name = "release", .act = release_port },
    { .name = "finish", .act = server_task_done },
};
const struct saga interface_detach_saga = { .name = "compute.interface-detach",
                                            .version = 1,
                                            .steps = detach_steps,
                                            .steps_count = ARRAY_SIZE(detach_steps),
                                            .failed = server_task_failed };
