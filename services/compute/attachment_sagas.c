/* compute.volume-attach, volume-detach: three parties, one row. Nothing is let go before the hypervisor has let go of it. */
#include "base/json.h"
#include "base/str.h"
#include "guest_description.h"
#include "server_volumes.h"

struct pair {
    struct server server;
    struct attachment_row row;
    bool attached; /* The row is there. */
};

static int
load_pair(struct saga_run *run, struct pair *ret, struct fault *f)
{
    int found;

    if (server_of_run(run, &ret->server, f) < 0)
        return -1;
    found = attachment_get(run->db, ret->server.id, json_get_text(run->params, "volume_id"),
                           &ret->row, f);
    ret->attached = found == 1;
    return found < 0 ? -1 : 0;
}

static int
connect_volume(struct saga_run *run, struct fault *f)
{
    struct remote r = remote_for_run(run);
    struct pair p;

    if (load_pair(run, &p, f) < 0)
        return -1;
    return volume_connect(&r, run->db, &p.server, &p.row, f);
}

static int
disconnect_volume(struct saga_run *run, struct fault *f)
{
    struct remote r = remote_for_run(run);
    struct pair p;

    if (load_pair(run, &p, f) < 0)
        return -1;
    return p.attached ? volume_disconnect(&r, run->db, &p.server, &p.row, f) : 0;
}

static int
plug(struct saga_run *run, struct fault *f)
{
    struct compute *compute = run->service;
    struct guest_attach_volume_out out = { 0 };
    struct guest_volume volume;
    struct guest_attach_volume_in in = { .guest_id = run->object_id, .volume = &volume };
    struct pair p;

    if (load_pair(run, &p, f) < 0 || guest_describe_volume(run->arena, &p.row, &volume, f) < 0)
        return -1;
    if (guest_attach_volume_call(compute->daemon->rpc, p.server.host,
                                 server_operation_id(run, "plug"), run->arena, &in, &out, f) < 0)
        return -1;
    return attachment_set_device(run->db, p.server.id, p.row.volume_id, out.device, f) < 0 ? -1 : 0;
}

static int
unplug(struct saga_run *run, struct fault *f)
{
    struct compute *compute = run->service;
    struct guest_detach_volume_in in = { .guest_id = run->object_id,
                                         .volume_id = json_get_text(run->params, "volume_id"),
                                         .timeout_s = 60 };
    struct server server;

    if (server_of_run(run, &server, f) < 0)
        return -1;
    return guest_detach_volume_call(compute->daemon->rpc, server.host,
                                    server_operation_id(run, "unplug"), run->arena, &in, f);
}

static int
complete_volume(struct saga_run *run, struct fault *f)
{
    struct remote r = remote_for_run(run);
    struct pair p;

    if (load_pair(run, &p, f) < 0)
        return -1;
    return remote_attach_complete(&r, p.server.project_id, p.row.attachment_id, f);
}

static int
forget(struct saga_run *run, struct fault *f)
{
    if (attachment_remove(run->db, run->object_id, json_get_text(run->params, "volume_id"), f) < 0)
        return -1;
    return server_task_done(run, f);
}

static int
attach_failed(struct saga_run *run, struct fault *f)
{
    if (attachment_remove(run->db, run->object_id, json_get_text(run->params, "volume_id"), f) < 0)
        return -1;
    return server_task_failed(run, f);
}

static const struct saga_step attach_steps[] = {
    { .name = "connect", .act = connect_volume, .undo = disconnect_volume },
    { .name = "plug", .act = plug, .undo = unplug },
    { .name = "complete", .act = complete_volume },
    { .name = "finish", .act = server_task_done },
};
const struct saga volume_attach_saga = { .name = "compute.volume-attach",
                                         .version = 1,
                                         .steps = attach_steps,
                                         .steps_count = ARRAY_SIZE(attach_steps),
                                         .failed = attach_failed };

static const struct saga_step detach_steps[] = {
    { .name = "unplug", .act = unplug },
    { .name = "disconnect", .act = disconnect_volume },
    { .name = "forget", .act = forget },
};
const struct saga volume_detach_saga = { .name = "compute.volume-detach",
                                         .version = 1,
                                         .steps = detach_steps,
                                         .steps_count = ARRAY_SIZE(detach_steps),
                                         .failed = server_task_failed };
