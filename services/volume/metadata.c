/* /volumes/{id}/metadata and /snapshots/{id}/metadata: the same operations on two tables. */
#include "base/json.h"
#include "base/str.h"
#include "volumes.h"

/* The object that the path names, and its metadata. */
struct owner {
    const char *id;
    json_t *metadata;
    bool is_snapshot;
};

static int
load(struct call *call, struct db *db, bool lock, struct owner *ret, struct fault *f)
{
    const char *snapshot_id = call_param_find(call, "snapshot_id"),
               *scope = call_scope(call, RESOURCE_PROJECT);
    struct snapshot snapshot = { 0 };
    struct volume volume = { 0 };

    ret->is_snapshot = snapshot_id != NULL;
    if (snapshot_id != NULL) {
        if (resource_load(db, &snapshot_resource, snapshot_id, scope, lock, &snapshot, f) < 0 ||
            call_enforce(call, call->operation->policy, &snapshot_resource, &snapshot, f) < 0)
            return -1;
        ret->id = snapshot.id;
        ret->metadata = snapshot.metadata;
        return 0;
    }
    if (resource_load(db, &volume_resource, call_param(call, "volume_id"), scope, lock, &volume,
                      f) < 0 ||
        call_enforce(call, call->operation->policy, &volume_resource, &volume, f) < 0)
        return -1;
    ret->id = volume.id;
    ret->metadata = volume.metadata;
    return 0;
}

static void
reply(struct call *call, const char *key, const json_t *metadata)
{
    struct jsonw *w = call_json(call);

    jsonw_object(w, NULL);
    jsonw_json(w, key, metadata);
    jsonw_end(w);
}

static int
absent(struct call *call, const struct owner *owner, struct fault *f)
{
    return fault_raise(f, FAULT_NOT_FOUND, "%s %s has no metadata with key %.255s.",
                       owner->is_snapshot ? "Snapshot" : "Volume", owner->id,
                       call_param(call, "key"));
}

static int
check_items(const json_t *items, struct fault *f)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)items, key, value)
    {
        (void)value;
        if (key[0] == '\0')
            return fault_raise_field(f, "metadata",
                                     "Invalid volume metadata: Metadata property key blank.");
        if (str_utf8_length(key) > 255)
            return fault_raise_field(
                f, "metadata",
                "Invalid volume metadata size: Metadata property key greater than 255 characters.");
    }
    return 0;
}

enum change { CHANGE_MERGE, CHANGE_REPLACE, CHANGE_REMOVE };

/* Under the owner's lock, so that two changes at once both stay. */
static int
change(struct call *call, enum change how, const json_t *given, json_t **ret, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct owner owner;
    json_t *all;

    if (given != NULL && check_items(given, f) < 0)
        return -1;
    if (db_tx_begin(&tx, call->db, f) < 0 || load(call, tx.db, true, &owner, f) < 0)
        return -1;
    all = json_own(call->arena, how == CHANGE_REPLACE ? json_object() : json_copy(owner.metadata));
    if (how == CHANGE_REMOVE && json_object_del(all, call_param(call, "key")) < 0)
        return absent(call, &owner, f);
    if (given != NULL)
        json_object_update(all, (json_t *)(uintptr_t)given);
    if ((owner.is_snapshot ? snapshot_set_metadata(tx.db, owner.id, all, f)
                           : volume_set_metadata(tx.db, owner.id, all, f)) < 0)
        return -1;
    if (ret != NULL)
        *ret = all;
    return db_tx_commit(&tx, f);
}

int
metadata_list(struct call *call, struct fault *f)
{
    struct owner owner;

    if (load(call, call->db, false, &owner, f) < 0)
        return -1;
    reply(call, "metadata", owner.metadata);
    return 0;
}

int
metadata_merge(struct call *call, const struct metadata_map *in, struct fault *f)
{
    json_t *all;

    if (change(call, CHANGE_MERGE, in->metadata, &all, f) < 0)
        return -1;
    reply(call, "metadata", all);
    return 0;
}

int
metadata_replace(struct call *call, const struct metadata_map *in, struct fault *f)
{
    json_t *all;

    if (change(call, CHANGE_REPLACE, in->metadata, &all, f) < 0)
        return -1;
    reply(call, "metadata", all);
    return 0;
}

int
metadata_show(struct call *call, struct fault *f)
{
    const char *key = call_param(call, "key");
    struct owner owner;

    if (load(call, call->db, false, &owner, f) < 0)
        return -1;
    if (json_object_get(owner.metadata, key) == NULL)
        return absent(call, &owner, f);
    reply(call, "meta",
          json_own(call->arena, json_pack("{s:O}", key, json_object_get(owner.metadata, key))));
    return 0;
}

int
metadata_set(struct call *call, const struct metadata_item *in, struct fault *f)
{
    if (json_object_size(in->meta) != 1 ||
        json_object_get(in->meta, call_param(call, "key")) == NULL)
        return fault_raise_field(f, "meta", "Request body and URI mismatch");
    if (change(call, CHANGE_MERGE, in->meta, NULL, f) < 0)
        return -1;
    reply(call, "meta", in->meta);
    return 0;
}

int
metadata_delete(struct call *call, struct fault *f)
{
    return change(call, CHANGE_REMOVE, NULL, NULL, f);
}
