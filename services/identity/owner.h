/* Which domain a new project, user or group belongs to when the request doesn't say. */
#pragma once

#include "service.h"

/* '*domain_id' as given, else the token's domain (of its scope, of its project, of the user). Checks that it exists. */
int owner_domain(struct call *call, struct db_tx *tx, struct field_set *set, unsigned index,
                 const char **domain_id, struct fault *f);

/* A list of what belongs to domains: a caller whose token is for one domain sees that one only. */
void owner_narrow(struct call *call, struct list_plan *plan);
