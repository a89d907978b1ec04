/* The sagas of block storage; one file each. */
#pragma once

#include "service.h"

/* Of a volume: volume_create_saga's params are in volume_create_saga.c. */
extern const struct saga volume_create_saga; /* place, fill, publish */
extern const struct saga volume_delete_saga; /* params: cascade; snapshots, remove, forget */
extern const struct saga volume_extend_saga; /* params: size_gb */
extern const struct saga snapshot_create_saga, snapshot_delete_saga;
extern const struct saga attachment_attach_saga; /* Export for one attachment. */
extern const struct saga attachment_detach_saga; /* The end of the export, then of the row. */

/* Starts one in the transaction of a request, which then answers for its project and user. */
static inline int
start_saga(struct call *call, struct db_tx *tx, const struct saga *saga, const char *object_id,
           const json_t *params, bool queue_behind, struct fault *f)
{
    struct saga_start_options options = { .params = params,
                                          .request_id = call->request_id,
                                          .project_id = call->auth.project_id,
                                          .user_id = call->auth.user_id,
                                          .queue_behind = queue_behind };

    return saga_start(service_of(call)->daemon->sagas, tx, saga, object_id, &options, f);
}
