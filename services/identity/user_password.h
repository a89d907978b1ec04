/* A user's passwords over time. */
#pragma once

#include "service.h"

/* Remembers the password that a user had until now (NULL: none), if the cloud asks for different ones; in the transaction
 * that changes it. */
int user_keep_old_password(struct call *call, struct db *db, const char *user_id, const char *hash,
                           struct fault *f);
