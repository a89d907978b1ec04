/* Quotas: limits of a project, and what it uses, counted under a lock of the project. */
#pragma once

#include "service.h"

struct quota_wish {
    int64_t volumes, snapshots, gigabytes;
    int64_t volume_gb;     /* Size of the one volume that is made or grown; 0: none. */
    const char *type_name; /* Its type, which has limits of its own; may be NULL. */
};

/* In the transaction that adds them: FAULT_QUOTA when they would be too many. Holds the project's lock until its end. */
int quota_claim(struct call *call, struct db_tx *tx, const char *project_id,
                const struct quota_wish *wish, struct fault *f);
