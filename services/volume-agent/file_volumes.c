/* Volumes of the file driver: their making, growing and end. From images: file_image.c. */
#include <string.h>

#include "base/str.h"
#include "file.h"

/* Is a volume of this id there, or on its way? 1: it is there; 0: neither. */
static int
check_new(const struct file_backend *b, const char *id, struct fault *f)
{
    if (store_volume(&b->store, id) != NULL)
        return 1;
    if (map_has(b->fills, id))
        return fault_raise(f, FAULT_UNAVAILABLE, "Volume %s is being filled from an image.", id);
    return 0;
}

static int
add_volume(struct file_backend *b, const char *id, const char *parent, int64_t size_gb,
           struct fault *f)
{
    char layer[LAYER_ID];
    int r;

    r = layer_make(b, id, parent, size_gb, layer, f);
    return r < 0 ? r : store_new_volume(&b->store, id, layer, size_gb, f);
}

int
file_volume_create(struct volume_backend *base, const struct volume_create_in *in, struct fault *f)
{
    struct file_backend *b = file_backend_of(base);
    int r;

    storage_daemon_lock(b->daemon);
    r = check_new(b, in->volume_id, f);
    if (r == 0)
        r = add_volume(b, in->volume_id, "", in->size_gb, f);
    storage_daemon_unlock(b->daemon);
    return MIN(r, 0);
}

static int
from_snapshot(struct file_backend *b, const struct volume_create_from_snapshot_in *in,
              struct fault *f)
{
    const struct snapshot *snapshot = store_snapshot(&b->store, in->snapshot_id);

    if (snapshot == NULL)
        return fault_raise(f, FAULT_NOT_FOUND, "Snapshot %s could not be found.", in->snapshot_id);
    if (in->size_gb < snapshot->size_gb)
        return fault_raise_field(
            f, "size_gb", "Volume size %lld GB cannot be smaller than the snapshot size %lld GB.",
            (long long)in->size_gb, (long long)snapshot->size_gb);
    return add_volume(b, in->volume_id, snapshot->layer, in->size_gb, f);
}

int
file_volume_create_from_snapshot(struct volume_backend *base,
                                 const struct volume_create_from_snapshot_in *in, struct fault *f)
{
    struct file_backend *b = file_backend_of(base);
    int r;

    storage_daemon_lock(b->daemon);
    r = check_new(b, in->volume_id, f);
    if (r == 0)
        r = from_snapshot(b, in, f);
    storage_daemon_unlock(b->daemon);
    return MIN(r, 0);
}

/* The source's topmost layer is frozen and becomes the parent of both. The clone's record comes
 * last: without it the call is made again, and what it left is one empty layer of the source. */
static int
clone_volume(struct file_backend *b, const struct volume_clone_in *in, struct fault *f)
{
    struct volume *source = store_volume(&b->store, in->source_volume_id);
    char frozen[LAYER_ID];
    int r;

    if (source == NULL)
        return fault_raise(f, FAULT_NOT_FOUND, "Volume %s could not be found.",
                           in->source_volume_id);
    if (in->size_gb < source->size_gb)
        return fault_raise_field(
            f, "size_gb", "Volume size %lld GB cannot be smaller than the source's size %lld GB.",
            (long long)in->size_gb, (long long)source->size_gb);
    r = nodes_apply(b, source, f); /* Without the storage daemon there is no use in beginning. */
    if (r == 0)
        r = layer_freeze(b, source, frozen, f);
    if (r == 0)
        r = nodes_apply(b, source, f); /* From here on nobody writes to the frozen layer. */
    if (r == 0)
        r = add_volume(b, in->volume_id, frozen, in->size_gb, f);
    return r;
}

int
file_volume_clone(struct volume_backend *base, const struct volume_clone_in *in, struct fault *f)
{
    struct file_backend *b = file_backend_of(base);
    int r;

    storage_daemon_lock(b->daemon);
    r = check_new(b, in->volume_id, f);
    if (r == 0)
        r = clone_volume(b, in, f);
    storage_daemon_unlock(b->daemon);
    return MIN(r, 0);
}

static int
extend(struct file_backend *b, const struct volume_extend_in *in, struct fault *f)
{
    struct volume *v = store_volume(&b->store, in->volume_id);
    int64_t before;
    int r;

    if (v == NULL)
        return fault_raise(f, FAULT_NOT_FOUND, "Volume %s could not be found.", in->volume_id);
    if (in->size_gb == v->size_gb)
        return 0;
    if (in->size_gb < v->size_gb)
        return fault_raise_field(f, "size_gb",
                                 "New size for extend must be greater than current size. (current: "
                                 "%lld, extended: %lld).",
                                 (long long)v->size_gb, (long long)in->size_gb);
    /* QEMU lets nothing resize a node while it is exported, and its NBD client would not see it. */
    if (!list_empty(&v->exports))
        return fault_raise(f, FAULT_CONFLICT,
                           "Volume %s is attached; it can be extended after it is detached.",
                           in->volume_id);
    r = nodes_apply(b, v, f); /* Closed for sure. */
    if (r == 0)
        r = layer_resize(b, v->layer, in->size_gb, f);
    if (r < 0)
        return r;
    before = v->size_gb;
    v->size_gb = in->size_gb;
    r = store_save_volume(&b->store, v, f);
    if (r < 0)
        v->size_gb = before;
    return r;
}

int
file_volume_extend(struct volume_backend *base, const struct volume_extend_in *in, struct fault *f)
{
    struct file_backend *b = file_backend_of(base);
    int r;

    storage_daemon_lock(b->daemon);
    r = extend(b, in, f);
    storage_daemon_unlock(b->daemon);
    return r;
}

/* A volume whose export could not be ended stays: whoever reads it must be gone before its space is
 * given back. */
static int
delete_volume(struct file_backend *b, const char *id, struct fault *f)
{
    const struct volume *v = store_volume(&b->store, id);
    struct fill *fill = map_get(b->fills, id);
    int r;

    if (fill != NULL)
        fill->cancelled = true;
    if (v == NULL)
        return 0;
    if (!list_empty(&v->exports))
        return fault_raise(f, FAULT_CONFLICT, "Volume %s is attached.", id);
    r = nodes_apply(b, v, f);
    if (r < 0)
        return r;
    r = store_remove_volume(&b->store, id, f);
    if (r < 0)
        return r;
    store_sweep(&b->store);
    return 0;
}

int
file_volume_delete(struct volume_backend *base, const struct volume_delete_in *in, struct fault *f)
{
    struct file_backend *b = file_backend_of(base);
    int r;

    storage_daemon_lock(b->daemon);
    r = delete_volume(b, in->volume_id, f);
    storage_daemon_unlock(b->daemon);
    return r;
}
