/* /servers/{id}/os-volume_attachments */
#include "base/json.h"
#include "base/str.h"
#include "servers.h"

static void
write_attachment(struct call *call, struct jsonw *w, const char *key,
                 const struct attachment_row *row)
{
    jsonw_object(w, key);
    if (!call_at_least(call, 2, 89))
        jsonw_text(w, "id", row->volume_id);
    jsonw_text(w, "serverId", row->server_id);
    jsonw_text(w, "volumeId", row->volume_id);
    jsonw_text(w, "device", row->device);
    if (call_at_least(call, 2, 70))
        jsonw_text(w, "tag", row->tag);
    if (call_at_least(call, 2, 79))
        jsonw_bool(w, "delete_on_termination", row->delete_on_termination);
    if (call_at_least(call, 2, 89)) {
        jsonw_text(w, "attachment_id", row->attachment_id);
        jsonw_text(w, "bdm_uuid", row->volume_id);
    }
    jsonw_end(w);
}

int
attachment_list(struct call *call, struct fault *f)
{
    struct attachment_row *rows;
    struct server server;
    struct jsonw *w;
    size_t count;

    if (server_load(call, call->db, false, &server, f) < 0 ||
        attachments_of(call->db, server.id, &rows, &count, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_array(w, "volumeAttachments");
    for (size_t i = 0; i < count; i++)
        write_attachment(call, w, NULL, &rows[i]);
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

static int
load_attachment(struct call *call, struct db *db, const struct server *server,
                struct attachment_row *ret, struct fault *f)
{
    const char *volume_id = call_param(call, "volume_id");
    int found = attachment_get(db, server->id, volume_id, ret, f);

    if (found == 0)
        return fault_raise(f, FAULT_NOT_FOUND, "Instance %s is not attached to volume %.64s",
                           server->id, volume_id);
    return found < 0 ? -1 : 0;
}

int
attachment_show(struct call *call, struct fault *f)
{
    struct attachment_row row;
    struct server server;
    struct jsonw *w;

    if (server_load(call, call->db, false, &server, f) < 0 ||
        load_attachment(call, call->db, &server, &row, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    write_attachment(call, w, "volumeAttachment", &row);
    jsonw_end(w);
    return 0;
}

/* Is it the caller's, and free? As the caller himself sees it. */
static int
check_volume(struct call *call, const char *volume_id, struct fault *f)
{
    struct remote r = remote_for_call(call);
    json_t *volume;
    const char *status;

    if (remote_volume(&r, call->auth.project_id, volume_id, &volume, f) < 0) {
        if (f->kind != FAULT_NOT_FOUND)
            return -1;
        fault_clear(f);
        return fault_raise(f, FAULT_NOT_FOUND, "Volume %.64s could not be found.", volume_id);
    }
    status = json_get_text(volume, "status");
    if (str_equal(status, "available") ||
        (str_equal(status, "in-use") && json_get_bool(volume, "multiattach")))
        return 0;
    return fault_raise(f, FAULT_INVALID,
                       "Invalid input received: Invalid volume: volume '%.64s' status must be "
                       "'available'. Currently in '%s'",
                       volume_id, status == NULL ? "" : status);
}

int
attachment_create(struct call *call, const struct attachment_create *in, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct saga_start_options options = { .queue_behind = true };
    json_t *params = json_own(call->arena, json_pack("{s:s}", "volume_id", in->volumeId));
    struct attachment_row row = { 0 };
    struct server server;
    struct jsonw *w;
    int found;

    if (server_load(call, call->db, false, &server, f) < 0 ||
        check_volume(call, in->volumeId, f) < 0)
        return -1;
    if (db_tx_begin(&tx, call->db, f) < 0 || server_load(call, tx.db, true, &server, f) < 0 ||
        server_check_action(call, tx.db, &server, "attach_volume",
                            STATE_BIT(ACTIVE) | STATE_BIT(STOPPED), f) < 0)
        return -1;
    found = attachment_get(tx.db, server.id, in->volumeId, &row, f);
    if (found != 0)
        return found < 0
                   ? -1
                   : fault_raise(f, FAULT_CONFLICT, "volume %s already attached", in->volumeId);
    if (attachment_add(tx.db, server.id, in->volumeId, in->device, -1, in->delete_on_termination,
                       in->tag, f) < 0 ||
        server_start_task(call, &tx, &server, &volume_attach_saga, "attach_volume",
                          "compute_attach_volume", params, &options, f) < 0 ||
        db_tx_commit(&tx, f) < 0)
        return -1;
    row = (struct attachment_row){ .server_id = server.id,
                                   .volume_id = in->volumeId,
                                   .device = in->device,
                                   .tag = in->tag,
                                   .delete_on_termination = in->delete_on_termination };
    w = call_json(call);
    jsonw_object(w, NULL);
    write_attachment(call, w, "volumeAttachment", &row);
    jsonw_end(w);
    return 0;
}

int
attachment_delete(struct call *call, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct saga_start_options options = { .queue_behind = true };
    struct attachment_row row;
    struct server server;

    if (db_tx_begin(&tx, call->db, f) < 0 || server_load(call, tx.db, true, &server, f) < 0 ||
        load_attachment(call, tx.db, &server, &row, f) < 0)
        return -1;
    if (server_check_action(call, tx.db, &server, "detach_volume",
                            STATE_BIT(ACTIVE) | STATE_BIT(STOPPED), f) < 0)
        return -1;
    if (row.boot_index == 0)
        return fault_raise(f, FAULT_FORBIDDEN, "Cannot detach a root device volume");
    if (server_start_task(call, &tx, &server, &volume_detach_saga, "detach_volume",
                          "compute_detach_volume",
                          json_own(call->arena, json_pack("{s:s}", "volume_id", row.volume_id)),
                          &options, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}
