/* The file driver's parts, internal to it: qcow2 layers in a folder (store.h), exported over NBD by
 * one storage daemon (storage_daemon.h). One file per subject: driver_file.c (life, lists),
 * file_volumes.c, file_snapshots.c, file_exports.c, file_image.c, file_layers.c and file_nodes.c
 * below them. */
#pragma once

#include "driver.h"
#include "storage_daemon.h"
#include "store.h"

struct file_backend {
    struct volume_backend base;
    const struct volume_agent_config *config;
    struct image_source *images;
    struct storage_daemon *daemon; /* Its lock guards all that follows. */
    struct store store;
    struct map *fills; /* struct fill, by volume id: volumes being filled from an image. */
};

struct fill {
    bool cancelled; /* The volume was deleted meanwhile. */
};

static inline struct file_backend *
file_backend_of(struct volume_backend *b)
{
    return CONTAINER_OF(b, struct file_backend, base);
}

/* --- file_layers.c; the lock is held */

#define GIB ((int64_t)1 << 30)
#define LAYERS_MAX                                                                                 \
    64 /* Of one volume: reading goes through all of them, and each is an open file. */

/* A new, empty layer of 'owner' over 'parent' ("": none). */
int layer_make(struct file_backend *b, const char *owner, const char *parent, int64_t size_gb,
               char ret[LAYER_ID], struct fault *f);
/* Freezes the volume's topmost layer under a new one; the frozen one's id in 'ret_frozen'. The
 * storage daemon has to be told by nodes_apply(). */
int layer_freeze(struct file_backend *b, struct volume *v, char ret_frozen[LAYER_ID],
                 struct fault *f);
/* Grows a layer's file that is not open in the storage daemon. */
int layer_resize(struct file_backend *b, const char *layer, int64_t size_gb, struct fault *f);
/* qemu-img with limits and without its probing: 'argv' has all formats. Called without the lock,
 * too. */
int qemu_img(struct arena *a, const char *const *argv, int64_t deadline_s, int64_t file_bytes,
             struct fault *f);

/* --- file_nodes.c; the lock is held */

/* Makes the storage daemon's nodes and exports of a volume what the store says: opens, stacks new
 * layers on a live volume, adds and ends exports, closes. Repeating it does nothing. */
int nodes_apply(struct file_backend *b, const struct volume *v, struct fault *f);
/* The same for all volumes, and an end to what belongs to none: storage_daemon_options.restore. */
int nodes_restore(void *owner, struct qmp *q, struct fault *f);

/* --- the functions of volume_driver_file */

int file_volume_create(struct volume_backend *base, const struct volume_create_in *in,
                       struct fault *f);
int file_volume_create_from_image(struct volume_backend *base, struct arena *a,
                                  const struct volume_create_from_image_in *in,
                                  int64_t *ret_virtual_bytes, struct fault *f);
int file_volume_create_from_snapshot(struct volume_backend *base,
                                     const struct volume_create_from_snapshot_in *in,
                                     struct fault *f);
int file_volume_clone(struct volume_backend *base, const struct volume_clone_in *in,
                      struct fault *f);
int file_volume_extend(struct volume_backend *base, const struct volume_extend_in *in,
                       struct fault *f);
int file_volume_delete(struct volume_backend *base, const struct volume_delete_in *in,
                       struct fault *f);
int file_export(struct volume_backend *base, struct arena *a, const struct volume_export_in *in,
                struct volume_connection *ret, struct fault *f);
int file_unexport(struct volume_backend *base, const struct volume_unexport_in *in,
                  struct fault *f);
int file_snapshot_create(struct volume_backend *base, const struct snapshot_create_in *in,
                         struct fault *f);
int file_snapshot_delete(struct volume_backend *base, const struct snapshot_delete_in *in,
                         struct fault *f);
