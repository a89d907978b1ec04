/* compute.server-delete: the guest first, then what it used, the row last. Each step is success when there is nothing left to do. */
#include "guest_description.h"
#include "server_network.h"
#include "server_volumes.h"

static int
destroy(struct saga_run *run, struct fault *f)
{
    struct compute *compute = run->service;
    struct guest_destroy_in in = { .guest_id = run->object_id };
    struct server server;

    if (server_of_run(run, &server, f) < 0)
        return -1;
    if (server.host == NULL)
        return 0;
    return guest_destroy_call(compute->daemon->rpc, server.host,
                              arena_printf(run->arena, "%s.destroy.%d", run->id, run->attempt),
                              run->arena, &in, f);
}

static int
volumes(struct saga_run *run, struct fault *f)
{
    struct server server;

    return server_of_run(run, &server, f) < 0 ? -1 : server_volumes_release(run, &server, f);
}

static int
network(struct saga_run *run, struct fault *f)
{
    struct server server;

    return server_of_run(run, &server, f) < 0 ? -1 : server_network_release(run, &server, f);
}

static int
release(struct saga_run *run, struct fault *f)
{
    struct remote r = remote_for_run(run);

    return remote_release(&r, run->object_id, f);
}

static int
forget(struct saga_run *run, struct fault *f)
{
    if (server_task_done(run, f) < 0)
        return -1;
    return server_forget(run->db, run->object_id, f) < 0 ? -1 : 0;
}

static const struct saga_step steps[] = {
    { .name = "destroy", .act = destroy }, { .name = "volumes", .act = volumes },
    { .name = "network", .act = network }, { .name = "release", .act = release },
    { .name = "forget", .act = forget },
};
const struct saga server_delete_saga = { .name = "compute.server-delete",
                                         .version = 1,
                                         .steps = steps,
                                         .steps_count = ARRAY_SIZE(steps),
                                         .failed = server_task_broke };
