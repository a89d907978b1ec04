/* Quotas: how much a project may have. Nothing is counted but the rows themselves. */
#pragma once

#include "service.h"

/* Room for one more 'resource' ("port") in the project? Holds the project's lock until the transaction ends, so that of two
 * callers only one gets the last place. OverQuota otherwise. No project ("") has no quota. */
int quota_claim(struct network_service *service, struct db_tx *tx, const char *project_id,
                const char *resource, struct fault *f);
