/* What a volume agent can be asked for: one table, so that sagas are tested against an agent that only remembers. */
#pragma once

#include "volume_agent_rpc.h"

struct agent {
    int (*create)(struct rpc *rpc, const char *host, const char *operation_id, struct arena *a,
                  const struct volume_create_in *in, struct fault *f);
    int (*create_from_image)(struct rpc *rpc, const char *host, const char *operation_id,
                             struct arena *a, const struct volume_create_from_image_in *in,
                             struct volume_create_from_image_out *out, struct fault *f);
    int (*create_from_snapshot)(struct rpc *rpc, const char *host, const char *operation_id,
                                struct arena *a, const struct volume_create_from_snapshot_in *in,
                                struct fault *f);
    int (*clone)(struct rpc *rpc, const char *host, const char *operation_id, struct arena *a,
                 const struct volume_clone_in *in, struct fault *f);
    int (*extend)(struct rpc *rpc, const char *host, const char *operation_id, struct arena *a,
                  const struct volume_extend_in *in, struct fault *f);
    int (*remove)(struct rpc *rpc, const char *host, const char *operation_id, struct arena *a,
                  const struct volume_delete_in *in, struct fault *f);
    int (*export_)(struct rpc *rpc, const char *host, const char *operation_id, struct arena *a,
                   const struct volume_export_in *in, struct volume_export_out *out,
                   struct fault *f);
    int (*unexport)(struct rpc *rpc, const char *host, const char *operation_id, struct arena *a,
                    const struct volume_unexport_in *in, struct fault *f);
    int (*snapshot)(struct rpc *rpc, const char *host, const char *operation_id, struct arena *a,
                    const struct snapshot_create_in *in, struct fault *f);
    int (*remove_snapshot)(struct rpc *rpc, const char *host, const char *operation_id,
                           struct arena *a, const struct snapshot_delete_in *in, struct fault *f);
};

extern const struct agent agent_over_rpc; /* The real ones, by host. */
