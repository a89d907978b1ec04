/* volume.snapshot-create, volume.snapshot-delete: the agent of the host that has the volume does the work. */
#include "agent.h"
#include "base/str.h"
#include "volumes.h"

/* The snapshot and its volume. 1: there; 0: the snapshot is gone. */
static int
find(struct saga_run *run, struct snapshot *ret, struct volume *ret_volume, struct fault *f)
{
    *ret = (struct snapshot){ 0 };
    if (resource_load(run->db, &snapshot_resource, run->object_id, NULL, false, ret, f) < 0) {
        if (f->kind != FAULT_NOT_FOUND)
            return -1;
        fault_clear(f);
        return 0;
    }
    return volume_of_run(run, ret->volume_id, ret_volume, f) < 0 ? -1 : 1;
}

static int
copy(struct saga_run *run, struct fault *f)
{
    struct volume_service *s = run->service;
    struct snapshot_create_in in = { .snapshot_id = run->object_id };
    struct snapshot row;
    struct volume volume;
    int found = find(run, &row, &volume, f);

    if (found <= 0)
        return found;
    in.volume_id = row.volume_id;
    return s->agent->snapshot(s->daemon->rpc, volume.host,
                              arena_printf(run->arena, "%s.copy.%d", run->id, run->attempt),
                              run->arena, &in, f);
}

static int
remove_data(struct saga_run *run, struct fault *f)
{
    struct volume_service *s = run->service;
    struct snapshot_delete_in in = { .snapshot_id = run->object_id };
    struct snapshot row;
    struct volume volume;
    int found = find(run, &row, &volume, f);

    if (found <= 0 || volume.host == NULL)
        return found < 0 ? -1 : 0;
    return s->agent->remove_snapshot(s->daemon->rpc, volume.host,
                                     arena_printf(run->arena, "%s.remove.%d", run->id,
                                                  run->attempt),
                                     run->arena, &in, f);
}

static int
publish(struct saga_run *run, struct fault *f)
{
    return snapshot_set_state(run->db, run->object_id, "ready", f) < 0 ? -1 : 0;
}

static int
create_failed(struct saga_run *run, struct fault *f)
{
    return snapshot_set_state(run->db, run->object_id, "error", f) < 0 ? -1 : 0;
}

static int
forget(struct saga_run *run, struct fault *f)
{
    return snapshot_forget(run->db, run->object_id, f) < 0 ? -1 : 0;
}

static int
delete_failed(struct saga_run *run, struct fault *f)
{
    return snapshot_set_state(run->db, run->object_id, "error_deleting", f) < 0 ? -1 : 0;
}

static const struct saga_step create_steps[] = {
    { .name = "copy", .act = copy, .undo = remove_data }, { .name = "publish", .act = publish }
};
const struct saga snapshot_create_saga = { .name = "volume.snapshot-create",
                                           .version = 1,
                                           .steps = create_steps,
                                           .steps_count = ARRAY_SIZE(create_steps),
                                           .failed = create_failed };

static const struct saga_step delete_steps[] = { { .name = "remove", .act = remove_data },
                                                 { .name = "forget", .act = forget } };
const struct saga snapshot_delete_saga = { .name = "volume.snapshot-delete",
                                           .version = 1,
                                           .steps = delete_steps,
                                           .steps_count = ARRAY_SIZE(delete_steps),
                                           .failed = delete_failed };
