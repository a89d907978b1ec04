/* Whom identity providers know a user as: member "federated" of users. */
#pragma once

#include "service.h"

/* Puts what the row says in the place of what there was; nothing when it says nothing. 400 names a provider or protocol that is
 * not there; 409: another user is known as that. */
int federated_users_store(struct db *db, const struct user *row, struct fault *f);

/* Fills the member for all rows in one statement. */
int federated_users_load(struct call *call, struct db *db, struct user *const *rows, size_t count,
                         struct fault *f);

/* ?idp_id=, ?protocol_id=, ?unique_id= */
void federated_users_narrow(struct call *call, struct list_plan *plan);
