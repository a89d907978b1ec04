/* What is to be known of credentials beyond their rows. */
#pragma once

#include "service.h"

/* No token that came of a delegation sees or makes credentials: they would outlive it, and could do more. FAULT_FORBIDDEN. */
int credential_check_primary(struct call *call, struct fault *f);

bool credential_is_ec2(const char *type);
/* Of an "ec2" credential: its id is a digest of its access key, which is how it is found. */
const char *credential_ec2_id(struct arena *a, const char *access);
/* {"access": ..., "secret": ..., ...}. FAULT_INVALID: it isn't. */
int credential_read_ec2(struct arena *a, const char *blob, json_t **ret, struct fault *f);

/* May this user have one more? Holds off others who make one for him until the transaction ends. FAULT_FORBIDDEN. */
int credential_check_limit(struct call *call, struct db_tx *tx, const char *user_id,
                           struct fault *f);
