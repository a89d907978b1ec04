/* Which domain a new project, user or group belongs to when the request doesn't say; names as they are kept. */
#pragma once

#include "service.h"

/* '*domain_id' as given, else the token's domain (of its scope, of its project, of the user). Checks that it exists. */
int owner_domain(struct call *call, struct db_tx *tx, struct field_set *set, unsigned index,
                 const char **domain_id, struct fault *f);

/* A list of what belongs to domains: a token for one domain shows that one only, whatever its roles. */
void owner_narrow(struct call *call, struct list_plan *plan);

/* Without the blanks at both ends. */
const char *owner_trim(struct call *call, const char *name);
