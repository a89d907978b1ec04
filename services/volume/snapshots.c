/* Snapshots: which volumes may be snapshotted, what a snapshot takes from its volume, and the start of the sagas behind it. The rest
 * is the resource engine's work. */
#include "base/json.h"
#include "base/str.h"
#include "quotas.h"
#include "volumes.h"

static bool
forced(const struct snapshot *row)
{
    bool yes = false;

    if (json_is_string(row->force))
        return str_to_bool(json_string_value(row->force), &yes) == 0 && yes;
    return json_is_true(row->force);
}

/* The lock on the volume, held until the engine commits, is what keeps its status true. */
static int
prepare_create(struct call *call, struct db_tx *tx, struct snapshot *row, struct fault *f)
{
    bool in_use_ok = forced(row) || call_at_least(call, 3, 66);
    struct quota_wish wish = { .snapshots = 1 };
    struct volume_lock_row locked;
    struct volume volume = { 0 };

    if (call_at_least(call, 3, 66) && field_given(&row->set, SNAPSHOT_F_FORCE) && !forced(row))
        return fault_raise_field(
            f, "force",
            "Invalid value '%s' for 'force'. Since microversion 3.66 a snapshot is always forced.",
            json_is_string(row->force) ? json_string_value(row->force) : "False");
    if (volume_lock(tx->db, row->volume_id, &locked, f) < 0 ||
        resource_load(tx->db, &volume_resource, row->volume_id, call_scope(call, RESOURCE_PROJECT),
                      false, &volume, f) < 0)
        return -1;
    if (volume_check_status(volume.id, volume.status,
                            STATUS_BIT(AVAILABLE) | (in_use_ok ? STATUS_BIT(IN_USE) : 0), NULL,
                            f) < 0)
        return -1;
    row->user_id = call->auth.user_id;
    row->project_id = volume.project_id;
    row->size_gb = volume.size_gb;
    if (!field_given(&row->set, SNAPSHOT_F_NAME) && row->display_name != NULL) {
        row->name = row->display_name;
        field_mark(&row->set, SNAPSHOT_F_NAME);
    }
    if (!field_given(&row->set, SNAPSHOT_F_DESCRIPTION) && row->display_description != NULL) {
        row->description = row->display_description;
        field_mark(&row->set, SNAPSHOT_F_DESCRIPTION);
    }
    if (row->metadata == NULL)
        row->metadata = json_own(call->arena, json_object());
    field_mark(&row->set, SNAPSHOT_F_USER_ID);
    field_mark(&row->set, SNAPSHOT_F_PROJECT_ID);
    field_mark(&row->set, SNAPSHOT_F_SIZE_GB);
    field_mark(&row->set, SNAPSHOT_F_METADATA);
    wish.gigabytes = volume.size_gb;
    wish.type_name = volume.type_name;
    return quota_claim(call, tx, volume.project_id, &wish, f);
}

/* From this commit on the saga answers for the snapshot, across crashes and restarts too. */
static int
after_create(struct call *call, struct db_tx *tx, struct snapshot *row, struct fault *f)
{
    row->status = SNAPSHOT_STATUS_CREATING;
    return start_saga(call, tx, &snapshot_create_saga, row->id, NULL, false, f);
}

static int
prepare_update(struct call *call, struct db_tx *tx, const struct snapshot *old,
               struct snapshot *row, struct fault *f)
{
    (void)tx;
    (void)old;
    if (call_at_least(call, 3, 53) &&
        json_object_size(json_object_get(call->body, "snapshot")) == 0)
        return fault_raise_field(f, "snapshot",
                                 "Invalid input for field/attribute snapshot. Value: {}. {} does "
                                 "not have enough properties");
    if (field_given(&row->set, SNAPSHOT_F_DISPLAY_NAME)) {
        row->name = row->display_name;
        field_mark(&row->set, SNAPSHOT_F_NAME);
    }
    if (field_given(&row->set, SNAPSHOT_F_DISPLAY_DESCRIPTION)) {
        row->description = row->display_description;
        field_mark(&row->set, SNAPSHOT_F_DESCRIPTION);
    }
    return 0;
}

static int
start_delete(struct call *call, struct db_tx *tx, const struct snapshot *row, bool force,
             struct fault *f)
{
    struct snapshot_copies_row copies;

    if (row->status == SNAPSHOT_STATUS_DELETING && force)
        return 0;
    if (!force && row->status != SNAPSHOT_STATUS_AVAILABLE &&
        row->status != SNAPSHOT_STATUS_ERROR && row->status != SNAPSHOT_STATUS_ERROR_DELETING)
        return fault_raise(f, FAULT_INVALID,
                           "Invalid snapshot: Snapshot status must be available or error and must "
                           "not be part of a group, but current "
                           "status is: %s.",
                           snapshot_status_names[row->status]);
    if (snapshot_copies(tx->db, row->id, &copies, f) < 0)
        return -1;
    if (copies.copies > 0)
        return fault_raise(f, FAULT_INVALID,
                           "Invalid snapshot: Snapshot %s is being made into a volume.", row->id);
    return start_saga(call, tx, &snapshot_delete_saga, row->id, NULL, force, f);
}

static int
check_delete(struct call *call, struct db_tx *tx, const struct snapshot *row, struct fault *f)
{
    struct snapshot now = { 0 };

    if (resource_load(tx->db, &snapshot_resource, row->id, NULL, false, &now, f) < 0)
        return -1;
    return start_delete(call, tx, &now, false, f) < 0 ? -1 : 1;
}

static int
load(struct call *call, struct db *db, struct snapshot *const *rows, size_t count, struct fault *f)
{
    (void)call;
    (void)db;
    (void)f;
    for (size_t i = 0; i < count; i++) {
        rows[i]->progress = rows[i]->status == SNAPSHOT_STATUS_AVAILABLE ? "100%" : "0%";
        field_mark(&rows[i]->set, SNAPSHOT_F_PROGRESS);
        rows[i]->consumes_quota = true;
        field_mark(&rows[i]->set, SNAPSHOT_F_CONSUMES_QUOTA);
    }
    return 0;
}

const struct snapshot_hooks snapshot_hooks = { .prepare_create = prepare_create,
                                               .after_create = after_create,
                                               .prepare_update = prepare_update,
                                               .check_delete = check_delete,
                                               .load = load };

/* --- Actions */

static int
load_locked(struct call *call, struct db_tx *tx, struct snapshot *ret, struct fault *f)
{
    struct snapshot_lock_row locked;
    const char *id = call_param(call, "snapshot_id");

    if (snapshot_lock(tx->db, id, &locked, f) < 0 ||
        resource_load(tx->db, &snapshot_resource, id, call_scope(call, RESOURCE_PROJECT), false,
                      ret, f) < 0)
        return -1;
    return call_enforce(call, call->operation->policy, &snapshot_resource, ret, f);
}

int
snapshot_action_reset_status(struct call *call, const struct snapshot_reset_status *in,
                             struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    bool ready = in->status == SNAPSHOT_STATUS_AVAILABLE;
    struct snapshot row = { 0 };

    if (db_tx_begin(&tx, call->db, f) < 0 || load_locked(call, &tx, &row, f) < 0 ||
        snapshot_set_state(tx.db, row.id, ready ? "ready" : snapshot_status_names[in->status], f) <
            0)
        return -1;
    return db_tx_commit(&tx, f);
}

int
snapshot_action_force_delete(struct call *call, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct snapshot row = { 0 };

    if (db_tx_begin(&tx, call->db, f) < 0 || load_locked(call, &tx, &row, f) < 0 ||
        start_delete(call, &tx, &row, true, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}
