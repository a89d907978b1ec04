/* volume.delete and volume.extend. Each step is success when there is nothing left to do. */
#include "agent.h"
#include "base/json.h"
#include "base/str.h"
#include "volumes.h"

/* 1: there it is; 0: gone already. */
static int
find(struct saga_run *run, struct volume *ret, struct fault *f)
{
    if (volume_of_run(run, run->object_id, ret, f) == 0)
        return 1;
    if (f->kind != FAULT_NOT_FOUND)
        return -1;
    fault_clear(f);
    return 0;
}

static int
snapshots(struct saga_run *run, struct fault *f)
{
    struct volume_service *s = run->service;
    struct snapshots_of_row *rows;
    struct volume row;
    size_t count;
    int found = find(run, &row, f);

    if (found <= 0 || !json_get_bool(run->params, "cascade"))
        return found < 0 ? -1 : 0;
    if (snapshots_of(run->db, row.id, &rows, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct snapshot_delete_in in = { .snapshot_id = rows[i].id };
        const char *operation =
            arena_printf(run->arena, "%s.%s.%d", run->id, rows[i].id, run->attempt);

        if (row.host != NULL &&
            s->agent->remove_snapshot(s->daemon->rpc, row.host, operation, run->arena, &in, f) < 0)
            return -1;
        if (snapshot_forget(run->db, rows[i].id, f) < 0)
            return -1;
    }
    return 0;
}

static int
remove_data(struct saga_run *run, struct fault *f)
{
    struct volume_service *s = run->service;
    struct volume_delete_in in = { .volume_id = run->object_id };
    struct volume row;
    int found = find(run, &row, f);

    if (found <= 0 || row.host == NULL)
        return found < 0 ? -1 : 0;
    return s->agent->remove(s->daemon->rpc, row.host,
                            arena_printf(run->arena, "%s.remove.%d", run->id, run->attempt),
                            run->arena, &in, f);
}

static int
forget(struct saga_run *run, struct fault *f)
{
    return volume_forget(run->db, run->object_id, f) < 0 ? -1 : 0;
}

static int
delete_failed(struct saga_run *run, struct fault *f)
{
    return volume_set_fault(run->db, run->object_id, "error_deleting", run->reason->message, f) < 0
               ? -1
               : 0;
}

static const struct saga_step delete_steps[] = {
    { .name = "snapshots", .act = snapshots },
    { .name = "remove", .act = remove_data },
    { .name = "forget", .act = forget },
};
const struct saga volume_delete_saga = { .name = "volume.delete",
                                         .version = 1,
                                         .steps = delete_steps,
                                         .steps_count = ARRAY_SIZE(delete_steps),
                                         .failed = delete_failed };

/* --- Extend */

static int
grow(struct saga_run *run, struct fault *f)
{
    struct volume_service *s = run->service;
    struct volume_extend_in in = { .volume_id = run->object_id,
                                   .size_gb = json_get_int(run->params, "size_gb") };
    struct volume row;

    if (volume_of_run(run, run->object_id, &row, f) < 0)
        return -1;
    return s->agent->extend(s->daemon->rpc, row.host,
                            arena_printf(run->arena, "%s.grow.%d", run->id, run->attempt),
                            run->arena, &in, f);
}

static int
grown(struct saga_run *run, struct fault *f)
{
    return volume_grown(run->db, run->object_id, json_get_int(run->params, "size_gb"), f) < 0 ? -1
                                                                                              : 0;
}

static int
extend_failed(struct saga_run *run, struct fault *f)
{
    if (volume_set_growing(run->db, run->object_id, NULL, f) < 0)
        return -1;
    return volume_set_fault(run->db, run->object_id, "error_extending", run->reason->message, f) < 0
               ? -1
               : 0;
}

static const struct saga_step extend_steps[] = { { .name = "grow", .act = grow },
                                                 { .name = "publish", .act = grown } };
const struct saga volume_extend_saga = { .name = "volume.extend",
                                         .version = 1,
                                         .steps = extend_steps,
                                         .steps_count = ARRAY_SIZE(extend_steps),
                                         .failed = extend_failed };
