/* The file driver: qcow2 files in a folder, exported over NBD by qemu-storage-daemon. What it is
 * made of: file.h. */
#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/memory.h"
#include "base/str.h"
#include "file.h"
#include "service.h"

static const char *
folder_of(const struct volume_agent_config *config, struct arena *a)
{
    if (!str_empty(config->folder))
        return config->folder;
    return arena_printf(a, "%s/volumes", config->common.state_dir);
}

static int
open_daemon(struct file_backend *b, struct fault *f)
{
    const struct storage_daemon_options options = {
        .folder = b->store.path,
        .address = b->config->nbd_address,
        .port = (int)b->config->nbd_port,
        .tls_dir = b->config->nbd_tls_dir,
        .restore = nodes_restore,
        .owner = b,
    };

    return storage_daemon_open(&b->daemon, &options, f);
}

static int
file_open(const struct volume_agent_config *config, struct image_source *images,
          struct volume_backend **ret, struct fault *f)
{
    struct file_backend *b = memory_calloc(1, sizeof(*b));
    struct arena *a = arena_new();
    int r;

    b->base.driver = &volume_driver_file;
    b->config = config;
    b->images = images;
    r = store_open(&b->store, folder_of(config, a), f);
    arena_free(a);
    if (r < 0) {
        free(b);
        return r;
    }
    b->fills = map_new(free);
    r = open_daemon(b, f);
    if (r < 0) {
        map_free(b->fills);
        store_close(&b->store);
        free(b);
        return r;
    }
    *ret = &b->base;
    return 0;
}

static void
file_close(struct volume_backend *base)
{
    struct file_backend *b = file_backend_of(base);

    storage_daemon_close(b->daemon, b->config->stop_exports);
    map_free(b->fills);
    store_close(&b->store);
    free(b);
}

/* Own to the volume: its layers that no snapshot and no other volume reads through are not told
 * apart from those that are; the topmost is its alone for sure. */
static void
list_volume(const struct file_backend *b, struct arena *a, const struct volume *v,
            struct volume_held *ret)
{
    struct volume_export *e;
    size_t n = 0;

    ret->volume_id = arena_strdup(a, v->id);
    ret->size_gb = v->size_gb;
    ret->allocated_bytes = store_layer_bytes(&b->store, v->layer);
    LIST_EACH (e, &v->exports, struct volume_export, link)
        n++;
    ret->attachment_ids.items = ARENA_ARRAY(a, const char *, n + 1);
    LIST_EACH (e, &v->exports, struct volume_export, link)
        ret->attachment_ids.items[ret->attachment_ids.count++] = arena_strdup(a, e->attachment_id);
}

static int
file_list(struct volume_backend *base, struct arena *a, struct volume_list_out *ret,
          struct fault *f)
{
    struct file_backend *b = file_backend_of(base);
    struct map_at at = { 0 };

    (void)f;
    storage_daemon_lock(b->daemon);
    ret->volumes = ARENA_ARRAY(a, struct volume_held, map_count(b->store.volumes) + 1);
    while (map_next(b->store.volumes, &at))
        list_volume(b, a, at.value, &ret->volumes[ret->volumes_count++]);
    ret->snapshots = ARENA_ARRAY(a, struct snapshot_held, map_count(b->store.snapshots) + 1);
    at = (struct map_at){ 0 };
    while (map_next(b->store.snapshots, &at)) {
        const struct snapshot *s = at.value;

        ret->snapshots[ret->snapshots_count++] = (struct snapshot_held){
            .snapshot_id = arena_strdup(a, s->id),
            .volume_id = arena_strdup(a, s->volume_id),
            .size_gb = s->size_gb,
        };
    }
    storage_daemon_unlock(b->daemon);
    return 0;
}

static int
file_status(struct volume_backend *base, struct backend_status *ret, struct fault *f)
{
    struct file_backend *b = file_backend_of(base);
    struct map_at at = { 0 };
    struct statvfs vfs;

    if (fstatvfs(b->store.fd, &vfs) < 0)
        return fault_raise_cause(f, "statvfs: %s", strerror(errno));
    *ret = (struct backend_status){
        .capacity_bytes = (int64_t)(vfs.f_blocks * vfs.f_frsize),
        .free_bytes = (int64_t)(vfs.f_bavail * vfs.f_frsize),
        .up = storage_daemon_up(b->daemon),
        .thin_provisioning = true,
        .multiattach = true,
        .online_extend = false, /* QEMU's NBD client does not see that a disk has grown. */
        .online_snapshot = true,
    };
    storage_daemon_lock(b->daemon);
    while (map_next(b->store.volumes, &at))
        ret->provisioned_bytes += ((const struct volume *)at.value)->size_gb * GIB;
    ret->volume_count = (int64_t)map_count(b->store.volumes);
    storage_daemon_unlock(b->daemon);
    return 0;
}

const struct volume_driver volume_driver_file = {
    .name = "file",
    .open = file_open,
    .close = file_close,
    .create = file_volume_create,
    .create_from_image = file_volume_create_from_image,
    .create_from_snapshot = file_volume_create_from_snapshot,
    .clone = file_volume_clone,
    .extend = file_volume_extend,
    .delete = file_volume_delete,
    .export = file_export,
    .unexport = file_unexport,
    .snapshot_create = file_snapshot_create,
    .snapshot_delete = file_snapshot_delete,
    .list = file_list,
    .status = file_status,
};
