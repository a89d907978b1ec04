/* Quotas: limits of a project, and what it uses, counted under a lock of the project. */
#pragma once

#include "service.h"

struct quota_wish {
    int64_t instances, cores, ram_mb;
};

/* In the transaction that adds the servers: FAULT_QUOTA when they would be too many. Holds the project's lock until its end. */
int quota_claim(struct call *call, struct db_tx *tx, const char *project_id,
                const struct quota_wish *wish, struct fault *f);

/* The limit of one name: the project's own or the default; -1: none. */
int quota_limit(struct call *call, struct db *db, const char *project_id, const char *name,
                int64_t *ret, struct fault *f);
