/* compute.server-start, -stop, -reboot, -reboot-hard: one step at the agent, one in the row. */
#include "base/json.h"
#include "guest_description.h"

static int
start(struct saga_run *run, struct fault *f)
{
    struct compute *compute = run->service;
    struct guest_start_in in = { .guest_id = run->object_id };
    struct guest_start_out out = { 0 };
    struct server server;

    if (server_of_run(run, &server, f) < 0)
        return -1;
    return guest_start_call(compute->daemon->rpc, server.host, server_operation_id(run, "start"),
                            run->arena, &in, &out, f);
}

static int
stop(struct saga_run *run, struct fault *f)
{
    struct compute *compute = run->service;
    struct guest_stop_in in = { .guest_id = run->object_id, .timeout_s = 60 };
    struct guest_stop_out out = { 0 };
    struct server server;

    if (server_of_run(run, &server, f) < 0)
        return -1;
    return guest_stop_call(compute->daemon->rpc, server.host, server_operation_id(run, "stop"),
                           run->arena, &in, &out, f);
}

static int
reboot_as(struct saga_run *run, bool hard, struct fault *f)
{
    struct remote r = remote_for_run(run);
    struct guest_description guest;
    struct guest_reboot_in in = { .guest = &guest, .hard = hard, .timeout_s = 60 };
    struct guest_reboot_out out = { 0 };
    struct server server;

    if (server_of_run(run, &server, f) < 0 || guest_describe(&r, run->db, &server, &guest, f) < 0)
        return -1;
    return guest_reboot_call(r.compute->daemon->rpc, server.host,
                             server_operation_id(run, "reboot"), run->arena, &in, &out, f);
}

static int
reboot_soft(struct saga_run *run, struct fault *f)
{
    return reboot_as(run, false, f);
}

static int
reboot_hard(struct saga_run *run, struct fault *f)
{
    return reboot_as(run, true, f);
}

static int
note_running(struct saga_run *run, struct fault *f)
{
    return server_set_launched(run->db, run->object_id, 1, f) < 0 ? -1 : server_task_done(run, f);
}

static int
note_stopped(struct saga_run *run, struct fault *f)
{
    return server_set_state(run->db, run->object_id, server_vm_state_names[SERVER_VM_STATE_STOPPED],
                            4, f) < 0
               ? -1
               : server_task_done(run, f);
}

/* A server that could not be started is as it was; one whose hard reboot failed has no known state. */
static const struct saga_step start_steps[] = { { .name = "start", .act = start },
                                                { .name = "finish", .act = note_running } };
const struct saga server_start_saga = { .name = "compute.server-start",
                                        .version = 1,
                                        .steps = start_steps,
                                        .steps_count = ARRAY_SIZE(start_steps),
                                        .failed = server_task_failed };

static const struct saga_step stop_steps[] = {
    { .name = "stop", .act = stop, .deadline_ms = 900000 },
    { .name = "finish", .act = note_stopped }
};
const struct saga server_stop_saga = { .name = "compute.server-stop",
                                       .version = 1,
                                       .steps = stop_steps,
                                       .steps_count = ARRAY_SIZE(stop_steps),
                                       .failed = server_task_failed };

static const struct saga_step soft_steps[] = {
    { .name = "reboot", .act = reboot_soft, .deadline_ms = 900000 },
    { .name = "finish", .act = note_running }
};
const struct saga server_reboot_saga = { .name = "compute.server-reboot",
                                         .version = 1,
                                         .steps = soft_steps,
                                         .steps_count = ARRAY_SIZE(soft_steps),
                                         .failed = server_task_broke };

static const struct saga_step hard_steps[] = {
    { .name = "reboot", .act = reboot_hard, .deadline_ms = 900000 },
    { .name = "finish", .act = note_running }
};
const struct saga server_reboot_hard_saga = { .name = "compute.server-reboot-hard",
                                              .version = 1,
                                              .steps = hard_steps,
                                              .steps_count = ARRAY_SIZE(hard_steps),
                                              .failed = server_task_broke };
