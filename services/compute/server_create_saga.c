/* compute.server-create: from a row to a running guest.
 *
 *   schedule   a host is chosen and its resources are claimed     undo: released
 *   network    ports are made or taken and bound to the host      undo: deleted, given back
 *   volumes    attachments are made at block storage              undo: removed
 *   wired      the network agent has the taps ready
 *   spawn      the compute agent makes and starts the guest       undo: destroyed
 *   finish     ACTIVE; nothing after it can fail */
#include "base/json.h"
#include "base/str.h"
#include "guest_description.h"
#include "scheduler.h"
#include "server_network.h"
#include "server_volumes.h"

/* --- schedule */

static json_t *
resources_of(struct arena *a, const struct server *s)
{
    json_t *r = json_own(a, json_pack("{s:I, s:I}", "VCPU", s->vcpus, "MEMORY_MB", s->memory_mb));

    if (s->disk_gb > 0)
        json_object_set_new(r, "DISK_GB", json_integer(s->disk_gb));
    return r;
}

static const char *
resources_query(struct arena *a, const struct server *s)
{
    const char *disk =
        s->disk_gb > 0 ? arena_printf(a, ",DISK_GB:%lld", (long long)s->disk_gb) : "";

    return arena_printf(a, "VCPU:%lld,MEMORY_MB:%lld%s", (long long)s->vcpus,
                        (long long)s->memory_mb, disk);
}

/* Ids of the providers of the candidates, in placement's order. */
static const char **
providers_of(struct arena *a, const json_t *candidates, size_t *ret_count)
{
    const json_t *requests = json_object_get(candidates, "allocation_requests");
    const char **ids = ARENA_ARRAY(a, const char *, json_array_size(requests) + 1);
    json_t *request;
    size_t i;

    json_array_foreach(requests, i, request) ids[i] =
        json_object_iter_key(json_object_iter(json_object_get(request, "allocations")));
    *ret_count = json_array_size(requests);
    return ids;
}

static struct scheduler_host *
hosts_for(struct arena *a, const struct host_row *rows, size_t count)
{
    struct scheduler_host *hosts = ARENA_ARRAY(a, struct scheduler_host, count + 1);

    for (size_t i = 0; i < count; i++)
        hosts[i] =
            (struct scheduler_host){ rows[i].name, rows[i].provider_id, rows[i].availability_zone,
                                     rows[i].up, rows[i].disabled };
    return hosts;
}

static int
no_host(struct remote *r, const struct server *server, const char *reasons, struct fault *f)
{
    return fault_raise(f, FAULT_CONFLICT, "No valid host was found.%s%s", reasons,
                       remote_explain(r, arena_printf(r->arena, "resources=%s",
                                                      resources_query(r->arena, server))));
}

static int
claim_first(struct remote *r, struct saga_run *run, const struct server *server, struct fault *f)
{
    struct scheduler_wish wish = { .zone = server->pinned_availability_zone,
                                   .host = json_get_text(run->params, "host") };
    const char *query =
        arena_printf(run->arena, "resources=%s&limit=50", resources_query(run->arena, server));
    struct host_row *rows;
    const char **providers, *reasons = "";
    json_t *candidates;
    size_t hosts_count, count;

    if (hosts_all(run->db, &rows, &hosts_count, f) < 0 ||
        remote_candidates(r, query, &candidates, f) < 0)
        return -1;
    providers = providers_of(run->arena, candidates, &count);
    for (size_t skip = 0; skip <= count; skip++) {
        int chosen = scheduler_choose(hosts_for(run->arena, rows, hosts_count), hosts_count,
                                      providers + skip, count - skip, &wish, run->arena, &reasons);

        if (chosen < 0)
            return no_host(r, server, reasons, f);
        while (!str_equal(providers[skip], rows[chosen].provider_id))
            skip++;
        if (remote_claim(r, server->id, rows[chosen].provider_id, resources_of(run->arena, server),
                         server->project_id, server->user_id, f) == 0)
            return server_set_host(run->db, server->id, rows[chosen].name, rows[chosen].name,
                                   rows[chosen].availability_zone, f) < 0
                       ? -1
                       : 0;
        if (f->kind != FAULT_CONFLICT)
            return -1;
        fault_clear(f); /* Somebody was quicker: the next one. */
    }
    return no_host(r, server, reasons, f);
}

static int
schedule(struct saga_run *run, struct fault *f)
{
    struct remote r = remote_for_run(run);
    struct server server;

    if (server_of_run(run, &server, f) < 0)
        return -1;
    if (server.host != NULL)
        return 0; /* Done before the last crash. */
    /* A claim whose answer was lost is of a host that nobody noted: begin again from nothing. */
    if (run->attempt > 1 && remote_release(&r, server.id, f) < 0)
        return -1;
    return claim_first(&r, run, &server, f);
}

static int
schedule_undo(struct saga_run *run, struct fault *f)
{
    struct remote r = remote_for_run(run);

    if (remote_release(&r, run->object_id, f) < 0)
        return -1;
    return server_set_host(run->db, run->object_id, NULL, NULL, NULL, f) < 0 ? -1 : 0;
}

/* --- spawn */

static int
spawn(struct saga_run *run, struct fault *f)
{
    struct remote r = remote_for_run(run);
    struct guest_description guest;
    struct guest_spawn_in in = { .guest = &guest };
    struct guest_spawn_out out = { 0 };
    struct server server;

    if (server_of_run(run, &server, f) < 0 || guest_describe(&r, run->db, &server, &guest, f) < 0)
        return -1;
    return guest_spawn_call(r.compute->daemon->rpc, server.host,
                            arena_printf(run->arena, "%s.spawn.%d", run->id, run->attempt),
                            run->arena, &in, &out, f);
}

static int
spawn_undo(struct saga_run *run, struct fault *f)
{
    struct compute *compute = run->service;
    struct guest_destroy_in in = { .guest_id = run->object_id };
    struct server server;

    if (server_of_run(run, &server, f) < 0)
        return -1;
    if (server.host == NULL)
        return 0;
    return guest_destroy_call(compute->daemon->rpc, server.host,
                              arena_printf(run->arena, "%s.undo.%d", run->id, run->attempt),
                              run->arena, &in, f);
}

/* --- finish */

static int
finish(struct saga_run *run, struct fault *f)
{
    if (server_set_launched(run->db, run->object_id, 1, f) < 0)
        return -1;
    return server_task_done(run, f);
}

static const struct saga_step steps[] = {
    { .name = "schedule", .act = schedule, .undo = schedule_undo },
    { .name = "network", .act = step_network, .undo = step_network_undo },
    { .name = "volumes", .act = step_volumes, .undo = step_volumes_undo, .deadline_ms = 1800000 },
    { .name = "wired", .act = step_wired },
    { .name = "spawn", .act = spawn, .undo = spawn_undo, .deadline_ms = 1800000 },
    { .name = "complete", .act = step_volumes_complete },
    { .name = "finish", .act = finish },
};
const struct saga server_create_saga = { .name = "compute.server-create",
                                         .version = 1,
                                         .steps = steps,
                                         .steps_count = ARRAY_SIZE(steps),
                                         .failed = server_task_broke };
