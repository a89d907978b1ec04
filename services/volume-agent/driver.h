/* Storage drivers: one table of functions each.
 *
 * A driver keeps volumes, snapshots and exports on its own; what it keeps survives the agent, and
 * open() finds it again. Each function may be called again with the same ids, by another thread at
 * the same time too, and then leaves one of what it makes. Ids are UUIDs, checked by the caller. A
 * driver's faults: CONFLICT where another object is in the way, NOT_FOUND for a missing source,
 * TOO_LARGE where space lacks, UNAVAILABLE where trying again helps. */
#pragma once

#include "volume_agent_rpc.h"

struct volume_agent_config;
struct image_source;

struct backend_status {
    int64_t capacity_bytes, free_bytes, provisioned_bytes, volume_count;
    bool up;
    bool thin_provisioning, multiattach, online_extend, online_snapshot;
};

/* Every driver's own struct starts with this. */
struct volume_backend {
    const struct volume_driver *driver;
};

struct volume_driver {
    const char *name;

    int (*open)(const struct volume_agent_config *config, struct image_source *images,
                struct volume_backend **ret, struct fault *f);
    void (*close)(struct volume_backend *b);

    int (*create)(struct volume_backend *b, const struct volume_create_in *in, struct fault *f);
    int (*create_from_image)(struct volume_backend *b, struct arena *a,
                             const struct volume_create_from_image_in *in,
                             int64_t *ret_virtual_bytes, struct fault *f);
    int (*create_from_snapshot)(struct volume_backend *b,
                                const struct volume_create_from_snapshot_in *in, struct fault *f);
    int (*clone)(struct volume_backend *b, const struct volume_clone_in *in, struct fault *f);
    int (*extend)(struct volume_backend *b, const struct volume_extend_in *in, struct fault *f);
    int (*delete)(struct volume_backend *b, const struct volume_delete_in *in, struct fault *f);

    int (*export)(struct volume_backend *b, struct arena *a, const struct volume_export_in *in,
                  struct volume_connection *ret, struct fault *f);
    int (*unexport)(struct volume_backend *b, const struct volume_unexport_in *in, struct fault *f);

    int (*snapshot_create)(struct volume_backend *b, const struct snapshot_create_in *in,
                           struct fault *f);
    int (*snapshot_delete)(struct volume_backend *b, const struct snapshot_delete_in *in,
                           struct fault *f);

    int (*list)(struct volume_backend *b, struct arena *a, struct volume_list_out *ret,
                struct fault *f);
    int (*status)(struct volume_backend *b, struct backend_status *ret, struct fault *f);
};

extern const struct volume_driver volume_driver_file;
extern const struct volume_driver volume_driver_sim;

/* By name; NULL: there is none. */
const struct volume_driver *volume_driver_find(const char *name);
