/* Attachments: who uses a volume from where, and how he reaches it.
 *
 * One row, one owner: its saga exports the volume (attach) and ends the export (detach). A request that needs the outcome starts the saga
 * and waits for it; one that is repeated, because its answer was lost, finds the same row and waits for the same saga. */
#include "base/json.h"
#include "base/str.h"
#include "base/uuid.h"
#include "volumes.h"

static int
load_attachment(struct call *call, struct db *db, const char *id, struct attachment *ret,
                struct fault *f)
{
    *ret = (struct attachment){ 0 };
    if (resource_load(db, &attachment_resource, id, call_scope(call, RESOURCE_PROJECT), false, ret,
                      f) < 0)
        return -1;
    return call_enforce(call, call->operation->policy, &attachment_resource, ret, f);
}

/* Its volume's lock orders all that is done with attachments. */
static int
load_locked(struct call *call, struct db_tx *tx, const char *id, struct attachment *ret,
            struct volume *ret_volume, struct fault *f)
{
    struct volume_lock_row locked;

    if (load_attachment(call, tx->db, id, ret, f) < 0 ||
        volume_lock(tx->db, ret->volume_id, &locked, f) < 0)
        return -1;
    *ret_volume = (struct volume){ 0 };
    if (load_attachment(call, tx->db, id, ret, f) < 0)
        return -1;
    return resource_load(tx->db, &volume_resource, ret->volume_id, NULL, false, ret_volume, f);
}

/* The attachment of this instance from this host, if there is one: -1 none. 'same': it has the volume from some host. */
static int
find_same(const struct attachment_row *rows, size_t count, const char *instance, const char *host,
          bool *ret_same)
{
    int found = -1;

    *ret_same = false;
    for (size_t i = 0; i < count && instance != NULL; i++) {
        if (!str_equal(rows[i].instance, instance))
            continue;
        *ret_same = true;
        if (host == NULL || rows[i].host == NULL || str_equal(rows[i].host, host))
            found = (int)i;
    }
    return found;
}

/* --- Waiting for the outcome */

/* The row after its saga has ended; FAULT_UNAVAILABLE when that takes too long: the client asks again. */
static int
wait_for(struct call *call, const char *id, struct attachment *ret, struct fault *f)
{
    struct volume_service *s = service_of(call);

    if (!saga_wait(s->daemon->sagas, id, (int)s->config->attach_wait_s * 1000))
        return fault_raise(f, FAULT_UNAVAILABLE, "Attachment %s is still in work. Ask again.", id);
    *ret = (struct attachment){ 0 };
    return resource_load(call->db, &attachment_resource, id, NULL, false, ret, f);
}

static int
reply_connected(struct call *call, const char *id, bool connected, struct fault *f)
{
    struct attachment row = { 0 };

    if (!connected)
        return resource_load(call->db, &attachment_resource, id, NULL, false, &row, f) < 0
                   ? -1
                   : resource_reply(call, &attachment_resource, &row, f);
    if (wait_for(call, id, &row, f) < 0)
        return -1;
    if (row.status != ATTACHMENT_STATUS_ATTACHING && row.status != ATTACHMENT_STATUS_ATTACHED)
        return fault_raise(f, FAULT_CONFLICT,
                           "Unable to create attachment for volume %s: its status is %s.",
                           row.volume_id, attachment_status_names[row.status]);
    if (!call_at_least(call, 3, 44)) { /* Before os-complete, connected was attached. */
        if (attachment_attached(call->db, id, f) < 0 ||
            resource_load(call->db, &attachment_resource, id, NULL, false, &row, f) < 0)
            return -1;
    }
    return resource_reply(call, &attachment_resource, &row, f);
}

/* --- Create and update */

/* Notes the connector and starts the export; nothing where both are done or under way. */
static int
connect(struct call *call, struct db_tx *tx, const struct attachment *row, const json_t *connector,
        struct fault *f)
{
    switch (row->status) {
    case ATTACHMENT_STATUS_ATTACHED:
        return 0;
    case ATTACHMENT_STATUS_ATTACHING:
        if (row->connector != NULL && json_object_size(row->connection_info) > 0)
            return 0;
        break;
    case ATTACHMENT_STATUS_DETACHING:
    case ATTACHMENT_STATUS_ERROR_DETACHING:
        return fault_raise(f, FAULT_CONFLICT, "Volume %s is being detached from instance %s.",
                           row->volume_id, row->instance == NULL ? "" : row->instance);
    case ATTACHMENT_STATUS_RESERVED:
    case ATTACHMENT_STATUS_ERROR_ATTACHING:
        break;
    }
    if (attachment_set_connector(tx->db, row->id, json_get_text(connector, "host"), connector, f) <
        0)
        return -1;
    if (start_saga(call, tx, &attachment_attach_saga, row->id, NULL, false, f) == 0)
        return 0;
    if (f->kind != FAULT_CONFLICT)
        return -1;
    fault_clear(f); /* It is open: the first try's. */
    return 0;
}

static int
check_free(const struct volume *volume, bool same_instance, struct fault *f)
{
    unsigned allowed = STATUS_BIT(AVAILABLE);

    if (volume->multiattach || same_instance)
        allowed |= STATUS_BIT(IN_USE) | STATUS_BIT(ATTACHING) | STATUS_BIT(RESERVED);
    return volume_check_status(volume->id, volume->status, allowed, "reserve", f);
}

static int
add(struct call *call, struct db_tx *tx, const struct attachment_new *in,
    const struct volume *volume, struct attachment *ret, struct fault *f)
{
    bool read_only =
        (!field_null(&volume->set, VOLUME_F_READ_ONLY) && volume->read_only) ||
        (field_given(&in->set, ATTACHMENT_NEW_F_MODE) && in->mode == ATTACHMENT_NEW_MODE_RO);
    const char *id = uuid_make(call->arena);

    if (attachment_add(tx->db, id, volume->id, volume->project_id, in->instance_uuid,
                       json_get_text(in->connector, "host"), read_only ? "ro" : "rw", "reserved",
                       NULL, f) < 0)
        return -1;
    return resource_load(tx->db, &attachment_resource, id, NULL, false, ret, f);
}

int
attachment_create(struct call *call, const struct attachment_new *in, struct fault *f)
{
    bool connected = json_object_size(in->connector) > 0, same_instance;
    const char *host = connected ? json_get_text(in->connector, "host") : NULL;
    struct texts ids = { .items = ARENA_ARRAY(call->arena, const char *, 1), .count = 1 };
    struct attachment_row *rows;
    struct attachment row = { 0 };
    struct volume volume = { 0 };
    struct db_tx tx = { 0 };
    size_t count;
    int r = -1, found;

    ids.items[0] = in->volume_uuid;
    if (db_tx_begin(&tx, call->db, f) == 0 &&
        volume_load_locked(call, &tx, in->volume_uuid, &volume, f) == 0 &&
        attachments_of(tx.db, &ids, &rows, &count, f) == 0) {
        found = find_same(rows, count, in->instance_uuid, host, &same_instance);
        if (found >= 0)
            r = resource_load(tx.db, &attachment_resource, rows[found].id, NULL, false, &row, f);
        else if (check_free(&volume, same_instance, f) == 0)
            r = add(call, &tx, in, &volume, &row, f);
        if (r == 0 && connected)
            r = connect(call, &tx, &row, in->connector, f);
        if (r == 0)
            r = db_tx_commit(&tx, f);
    }
    db_tx_done(&tx);
    return r < 0 ? -1 : reply_connected(call, row.id, connected, f);
}

int
attachment_connect(struct call *call, const struct attachment_connect *in, struct fault *f)
{
    const char *id = call_param(call, "attachment_id");
    struct attachment row;
    struct volume volume;
    struct db_tx tx = { 0 };
    int r;

    if (json_object_size(in->connector) == 0)
        return fault_raise_field(f, "connector",
                                 "Invalid input for field/attribute connector. A connector is "
                                 "needed to update an attachment.");
    r = db_tx_begin(&tx, call->db, f);
    if (r == 0)
        r = load_locked(call, &tx, id, &row, &volume, f);
    if (r == 0)
        r = connect(call, &tx, &row, in->connector, f);
    if (r == 0)
        r = db_tx_commit(&tx, f);
    db_tx_done(&tx);
    return r < 0 ? -1 : reply_connected(call, id, true, f);
}

int
attachment_complete(struct call *call, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct attachment row;
    struct volume volume;

    if (db_tx_begin(&tx, call->db, f) < 0 ||
        load_locked(call, &tx, call_param(call, "attachment_id"), &row, &volume, f) < 0)
        return -1;
    if (row.status != ATTACHMENT_STATUS_ATTACHING && row.status != ATTACHMENT_STATUS_ATTACHED)
        return fault_raise(f, FAULT_INVALID,
                           "Invalid volume: Attachment %s status must be attaching to be "
                           "completed, but current status is: %s.",
                           row.id, attachment_status_names[row.status]);
    if (attachment_attached(tx.db, row.id, f) < 0)
        return -1;
    if ((str_equal(volume.state, "attaching") || str_equal(volume.state, "reserved")) &&
        volume_set_state(tx.db, volume.id, "ready", f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

/* --- Delete */

/* What a guest uses is taken away by compute, which makes the guest let go of it first; anybody else would pull it from under the guest
 * and could be given another's data. */
static int
check_caller(struct call *call, const struct attachment *row, struct fault *f)
{
    if (row->instance == NULL || row->connector == NULL || call_sees_all(call) ||
        call->auth.service_user_id != NULL)
        return 0;
    return fault_raise(f, FAULT_CONFLICT, "Detach volume from instance %s using the Compute API",
                       row->instance);
}

static int
start_detach(struct call *call, const char *id, struct attachment *ret, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct volume volume;

    if (db_tx_begin(&tx, call->db, f) < 0 || load_locked(call, &tx, id, ret, &volume, f) < 0 ||
        check_caller(call, ret, f) < 0)
        return -1;
    if (ret->status == ATTACHMENT_STATUS_DETACHING)
        return 0;
    if (start_saga(call, &tx, &attachment_detach_saga, ret->id, NULL, true, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

int
attachment_delete(struct call *call, struct fault *f)
{
    const char *id = call_param(call, "attachment_id");
    struct texts ids = { .items = ARENA_ARRAY(call->arena, const char *, 1), .count = 1 };
    struct attachment row, left;
    struct attachment_row *rows;
    struct jsonw *w;
    size_t count;

    if (start_detach(call, id, &row, f) < 0)
        return -1;
    if (wait_for(call, id, &left, f) == 0)
        return fault_raise(f, FAULT_CONFLICT, "Unable to delete attachment %s: its status is %s.",
                           id, attachment_status_names[left.status]);
    if (f->kind != FAULT_NOT_FOUND)
        return -1;
    fault_clear(f);
    ids.items[0] = row.volume_id;
    if (attachments_of(call->db, &ids, &rows, &count, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_array(w, "attachments");
    for (size_t i = 0; i < count; i++) {
        jsonw_object(w, NULL);
        jsonw_text(w, "id", rows[i].id);
        jsonw_text(w, "status", rows[i].status);
        jsonw_text(w, "instance", rows[i].instance);
        jsonw_text(w, "volume_id", rows[i].volume_id);
        jsonw_end(w);
    }
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}
