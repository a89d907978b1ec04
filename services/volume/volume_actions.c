/* POST /volumes/{id}/action */
#include "base/json.h"
#include "base/str.h"
#include "base/uuid.h"
#include "quotas.h"
#include "volumes.h"

/* Begins the transaction of an action, with its volume locked and the rule enforced. */
static int
begin(struct call *call, struct db_tx *tx, struct volume *ret, struct fault *f)
{
    *ret = (struct volume){ 0 };
    return db_tx_begin(tx, call->db, f) < 0
               ? -1
               : volume_load_locked(call, tx, call_param(call, "volume_id"), ret, f);
}

/* --- Extend */

/* A guest sees the new size at once only where the backend can do that. */
static int
check_online(struct db *db, const struct volume *row, struct fault *f)
{
    struct backend_row *backends;
    size_t count;

    if (backends_all(db, &backends, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (str_equal(backends[i].host, row->host) &&
            json_get_bool(backends[i].capabilities, "online_extend"))
            return 0;
    }
    return fault_raise(f, FAULT_INVALID,
                       "Invalid volume: Volume %s is in-use, and its backend cannot extend it "
                       "while it is attached.",
                       row->id);
}

int
volume_action_extend(struct call *call, const struct volume_extend_to *in, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    bool in_use_ok = call_at_least(call, 3, 42);
    struct quota_wish wish = { .volume_gb = in->new_size };
    struct volume row;

    if (begin(call, &tx, &row, f) < 0 ||
        volume_check_status(row.id, row.status,
                            STATUS_BIT(AVAILABLE) | (in_use_ok ? STATUS_BIT(IN_USE) : 0), "extend",
                            f) < 0)
        return -1;
    if (in->new_size <= row.size_gb)
        return fault_raise_field(f, "new_size",
                                 "Invalid input received: New size for extend must be greater than "
                                 "current size. (current: %lld, extended: %lld)",
                                 (long long)row.size_gb, (long long)in->new_size);
    if (row.status == VOLUME_STATUS_IN_USE && check_online(tx.db, &row, f) < 0)
        return -1;
    wish.gigabytes = in->new_size - row.size_gb;
    wish.type_name = row.type_name;
    if (quota_claim(call, &tx, row.project_id, &wish, f) < 0 ||
        volume_set_growing(tx.db, row.id, &in->new_size, f) < 0 ||
        start_saga(call, &tx, &volume_extend_saga, row.id,
                   json_own(call->arena, json_pack("{s:I}", "size_gb", in->new_size)), false,
                   f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

/* --- Flags */

int
volume_action_bootable(struct call *call, const struct volume_set_bootable *in, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct volume row;

    if (begin(call, &tx, &row, f) < 0 || volume_set_bootable(tx.db, row.id, in->bootable, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

int
volume_action_readonly(struct call *call, const struct volume_readonly_flag *in, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct volume row;

    if (begin(call, &tx, &row, f) < 0 ||
        volume_check_status(row.id, row.status, STATUS_BIT(AVAILABLE), "update readonly flag", f) <
            0 ||
        volume_set_read_only(tx.db, row.id, in->readonly, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

/* --- Statuses by hand */

/* Makes the volume show 'status': by itself if it can, else as a word that is kept until something changes it. */
static int
force_status(struct db_tx *tx, const char *id, enum volume_status status, struct fault *f)
{
    struct volume row = { 0 };

    if (volume_set_state(tx->db, id, "ready", f) < 0 ||
        resource_load(tx->db, &volume_resource, id, NULL, false, &row, f) < 0)
        return -1;
    if (row.status == status)
        return 0;
    return volume_set_state(tx->db, id, volume_status_names[status], f) < 0 ? -1 : 0;
}

int
volume_action_reset_status(struct call *call, const struct volume_reset_status *in, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    bool status = field_given(&in->set, VOLUME_RESET_STATUS_F_STATUS);
    struct volume row;

    if (!status && !field_given(&in->set, VOLUME_RESET_STATUS_F_ATTACH_STATUS) &&
        !field_given(&in->set, VOLUME_RESET_STATUS_F_MIGRATION_STATUS))
        return fault_raise_field(
            f, "os-reset_status",
            "Must specify 'status', 'attach_status' or 'migration_status' for update.");
    if (begin(call, &tx, &row, f) < 0 || (status && force_status(&tx, row.id, in->status, f) < 0))
        return -1;
    return db_tx_commit(&tx, f);
}

int
volume_action_force_delete(struct call *call, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct volume row;

    if (begin(call, &tx, &row, f) < 0 || volume_start_delete(call, &tx, &row, false, true, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

/* What clients did before attachments: they marked the volume, and unmarked it. From one status to another. */
static int
mark(struct call *call, enum volume_status from, const char *state, const char *what,
     struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct volume row;

    if (begin(call, &tx, &row, f) < 0 ||
        volume_check_status(row.id, row.status, 1u << from, what, f) < 0 ||
        volume_set_state(tx.db, row.id, state, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

int
volume_action_reserve(struct call *call, struct fault *f)
{
    return mark(call, VOLUME_STATUS_AVAILABLE, "attaching", "reserve", f);
}

int
volume_action_begin_detaching(struct call *call, struct fault *f)
{
    return mark(call, VOLUME_STATUS_IN_USE, "detaching", "detach", f);
}

/* Undone once more is no error. */
static int
unmark(struct call *call, const char *state, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct volume row;

    if (begin(call, &tx, &row, f) < 0)
        return -1;
    if (str_equal(row.state, state) && volume_set_state(tx.db, row.id, "ready", f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

int
volume_action_unreserve(struct call *call, struct fault *f)
{
    return unmark(call, "attaching", f);
}

int
volume_action_roll_detaching(struct call *call, struct fault *f)
{
    return unmark(call, "detaching", f);
}

/* --- Image metadata */

static int
reply_metadata(struct call *call, const json_t *metadata)
{
    struct jsonw *w = call_json(call);

    jsonw_object(w, NULL);
    jsonw_json(w, "metadata", metadata);
    jsonw_end(w);
    return 0;
}

int
volume_action_show_image_metadata(struct call *call, struct fault *f)
{
    struct volume row = { 0 };

    return volume_load(call, call->db, call_param(call, "volume_id"), &row, f) < 0
               ? -1
               : reply_metadata(call, row.image_metadata);
}

int
volume_action_set_image_metadata(struct call *call, const struct metadata_map *in, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct volume row;
    json_t *all;

    if (begin(call, &tx, &row, f) < 0)
        return -1;
    all = json_own(call->arena, json_copy(row.image_metadata));
    json_object_update(all, in->metadata);
    if (volume_set_image_metadata(tx.db, row.id, all, f) < 0 || db_tx_commit(&tx, f) < 0)
        return -1;
    return reply_metadata(call, all);
}

int
volume_action_unset_image_metadata(struct call *call, const struct image_metadata_key *in,
                                   struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct volume row;
    json_t *all;

    if (begin(call, &tx, &row, f) < 0)
        return -1;
    all = json_own(call->arena, json_copy(row.image_metadata));
    if (json_object_del(all, in->key) < 0)
        return fault_raise(f, FAULT_NOT_FOUND, "Volume %s has no metadata with key %.255s.", row.id,
                           in->key);
    if (volume_set_image_metadata(tx.db, row.id, all, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

/* --- os-attach and os-detach: the old way in which a compute service says that a volume is in use. What it says is one attachment that
 * was never exported; how the volume is reached is then its own affair. */

int
volume_action_attach(struct call *call, const struct volume_attach_to *in, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    const char *id = uuid_make(call->arena);
    struct volume row;

    if (in->instance_uuid == NULL && in->host_name == NULL)
        return fault_raise_field(
            f, "instance_uuid",
            "Invalid input received: Invalid volume: instance_uuid or host_name is needed.");
    if (begin(call, &tx, &row, f) < 0 ||
        volume_check_status(row.id, row.status, STATUS_BIT(AVAILABLE) | STATUS_BIT(ATTACHING),
                            "attach", f) < 0)
        return -1;
    if (str_equal(row.state, "attaching") && volume_set_state(tx.db, row.id, "ready", f) < 0)
        return -1;
    if (attachment_add(tx.db, id, row.id, row.project_id, in->instance_uuid, in->host_name,
                       in->mode == NULL ? "rw" : in->mode, "attached", NULL, f) < 0 ||
        attachment_set_device(tx.db, id, in->mountpoint, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

int
volume_action_detach(struct call *call, const struct volume_detach_from *in, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct volume row;
    int forgotten;

    if (begin(call, &tx, &row, f) < 0 ||
        volume_check_status(row.id, row.status, STATUS_BIT(IN_USE) | STATUS_BIT(DETACHING),
                            "detach", f) < 0)
        return -1;
    forgotten = attachment_forget_plain(tx.db, row.id, in->attachment_id, f);
    if (forgotten == 0)
        return fault_raise(
            f, FAULT_INVALID,
            "Invalid volume: Volume %s is not attached in this way: delete its attachment.",
            row.id);
    if (forgotten < 0)
        return -1;
    if (str_equal(row.state, "detaching") && volume_set_state(tx.db, row.id, "ready", f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}
