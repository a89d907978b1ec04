/* volume.attach, volume.detach: the export of a volume for one attachment. Nothing is forgotten before the agent has said that the
 * export is gone. */
#include "agent.h"
#include "base/json.h"
#include "base/str.h"
#include "volumes.h"

static int
find(struct saga_run *run, struct attachment *ret, struct volume *ret_volume, struct fault *f)
{
    *ret = (struct attachment){ 0 };
    if (resource_load(run->db, &attachment_resource, run->object_id, NULL, false, ret, f) < 0) {
        if (f->kind != FAULT_NOT_FOUND)
            return -1;
        fault_clear(f);
        return 0;
    }
    return volume_of_run(run, ret->volume_id, ret_volume, f) < 0 ? -1 : 1;
}

static int
export_volume(struct saga_run *run, struct fault *f)
{
    struct volume_service *s = run->service;
    struct volume_export_in in = { .attachment_id = run->object_id };
    struct volume_export_out out = { 0 };
    struct attachment row;
    struct volume volume;
    json_t *connection;
    int found = find(run, &row, &volume, f);

    if (found <= 0)
        return found;
    if (volume.host == NULL)
        return fault_raise(f, FAULT_CONFLICT, "Volume %s is on no backend.", volume.id);
    in.volume_id = volume.id;
    in.read_only = str_equal(row.attach_mode, "ro");
    field_mark(&in.set, VOLUME_EXPORT_IN_F_READ_ONLY);
    in.client_address = json_get_text(row.connector, "ip");
    if (str_empty(in.client_address))
        in.client_address = row.host;
    if (s->agent->export_(s->daemon->rpc, volume.host,
                          arena_printf(run->arena, "%s.export.%d", run->id, run->attempt),
                          run->arena, &in, &out, f) < 0)
        return -1;
    connection = json_own(run->arena, json_copy(schema_json(&volume_connection_schema,
                                                            out.connection_info, run->arena)));
    json_object_set_new(connection, "attachment_id", json_string(row.id));
    json_object_set_new(connection, "volume_id", json_string(volume.id));
    json_object_set_new(connection, "access_mode", json_string(row.attach_mode));
    json_object_set_new(connection, "encrypted", json_false());
    return attachment_connected(run->db, row.id, connection, f) < 0 ? -1 : 0;
}

static int
unexport_volume(struct saga_run *run, struct fault *f)
{
    struct volume_service *s = run->service;
    struct volume_unexport_in in = { .attachment_id = run->object_id };
    struct attachment row;
    struct volume volume;
    int found = find(run, &row, &volume, f);

    if (found <= 0)
        return found;
    if (volume.host == NULL || row.connector == NULL) /* Was never exported. */
        return 0;
    in.volume_id = volume.id;
    return s->agent->unexport(s->daemon->rpc, volume.host,
                              arena_printf(run->arena, "%s.unexport.%d", run->id, run->attempt),
                              run->arena, &in, f);
}

static int
attach_failed(struct saga_run *run, struct fault *f)
{
    return attachment_disconnected(run->db, run->object_id, "error_attaching", f) < 0 ? -1 : 0;
}

static const struct saga_step attach_steps[] = {
    { .name = "export", .act = export_volume, .undo = unexport_volume, .deadline_ms = 60000 }
};
const struct saga attachment_attach_saga = { .name = "volume.attach",
                                             .version = 1,
                                             .steps = attach_steps,
                                             .steps_count = ARRAY_SIZE(attach_steps),
                                             .failed = attach_failed };

/* With the last word about the volume: what an older client had marked it with is over. */
static int
forget(struct saga_run *run, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct volume_lock_row locked;
    struct attachment row;
    struct volume volume;
    int found;

    if (db_tx_begin(&tx, run->db, f) < 0)
        return -1;
    found = find(run, &row, &volume, f);
    if (found <= 0)
        return found;
    if (volume_lock(tx.db, volume.id, &locked, f) < 0 || attachment_forget(tx.db, row.id, f) < 0)
        return -1;
    if ((str_equal(volume.state, "attaching") || str_equal(volume.state, "detaching")) &&
        volume_set_state(tx.db, volume.id, "ready", f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

static int
detach_failed(struct saga_run *run, struct fault *f)
{
    return attachment_set_state(run->db, run->object_id, "error_detaching", f) < 0 ? -1 : 0;
}

static const struct saga_step detach_steps[] = { { .name = "unexport", .act = unexport_volume },
                                                 { .name = "forget", .act = forget } };
const struct saga attachment_detach_saga = { .name = "volume.detach",
                                             .version = 1,
                                             .steps = detach_steps,
                                             .steps_count = ARRAY_SIZE(detach_steps),
                                             .failed = detach_failed };
