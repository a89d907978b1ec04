/* Snapshots of the file driver: a frozen layer and a record that holds it. */
#include <string.h>

#include "base/str.h"
#include "file.h"

/* The record comes last, when nobody writes to the frozen layer any more, as with clones. */
static int
create(struct file_backend *b, const struct snapshot_create_in *in, struct fault *f)
{
    const struct snapshot *old = store_snapshot(&b->store, in->snapshot_id);
    struct volume *v = store_volume(&b->store, in->volume_id);
    struct snapshot snapshot = { 0 };
    int r;

    if (old != NULL && !str_equal(old->volume_id, in->volume_id))
        return fault_raise(f, FAULT_CONFLICT, "Snapshot %s is of another volume.", in->snapshot_id);
    if (old != NULL)
        return 0;
    if (v == NULL)
        return fault_raise(f, FAULT_NOT_FOUND, "Volume %s could not be found.", in->volume_id);
    r = nodes_apply(b, v, f); /* Without the storage daemon there is no use in beginning. */
    if (r == 0)
        r = layer_freeze(b, v, snapshot.layer, f);
    if (r == 0)
        r = nodes_apply(b, v, f);
    if (r < 0)
        return r;
    snprintf(snapshot.id, sizeof(snapshot.id), "%s", in->snapshot_id);
    snprintf(snapshot.volume_id, sizeof(snapshot.volume_id), "%s", in->volume_id);
    snapshot.size_gb = v->size_gb;
    return store_put_snapshot(&b->store, &snapshot, f);
}

int
file_snapshot_create(struct volume_backend *base, const struct snapshot_create_in *in,
                     struct fault *f)
{
    struct file_backend *b = file_backend_of(base);
    int r;

    storage_daemon_lock(b->daemon);
    r = create(b, in, f);
    storage_daemon_unlock(b->daemon);
    return r;
}

int
file_snapshot_delete(struct volume_backend *base, const struct snapshot_delete_in *in,
                     struct fault *f)
{
    struct file_backend *b = file_backend_of(base);
    int r = 0;

    storage_daemon_lock(b->daemon);
    if (store_snapshot(&b->store, in->snapshot_id) != NULL)
        r = store_remove_snapshot(&b->store, in->snapshot_id, f);
    if (r == 0)
        store_sweep(&b->store);
    storage_daemon_unlock(b->daemon);
    return r;
}
