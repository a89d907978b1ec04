/* Revoking: a row here for keeps, an entry in our own memory, an event to everyone else, all with the change that causes it. */
#pragma once

#include "auth/revocation.h"
#include "service.h"

/* In the caller's transaction; takes effect here at its commit. 'r->issued_before_us' 0: now. */
int revoke_tokens(struct call *call, struct db_tx *tx, struct revocation *r, struct fault *f);
/* The same where there is no call; the arena lives until the commit. */
int revoke_tokens_of(struct identity *identity, struct arena *a, struct db_tx *tx,
                     struct revocation *r, struct fault *f);
/* All tokens of a user; of a project; of a domain. */
int revoke_user(struct call *call, struct db_tx *tx, const char *user_id, struct fault *f);
int revoke_project(struct call *call, struct db_tx *tx, const char *project_id, struct fault *f);
int revoke_domain(struct call *call, struct db_tx *tx, const char *domain_id, struct fault *f);
/* All tokens with a role. One of a domain stands in no token, only what it implies: then all tokens of that domain. */
int revoke_role(struct call *call, struct db_tx *tx, const char *role_id, const char *domain_id,
                struct fault *f);

/* What the table has and was not read yet, into memory: at the start, and when another daemon has added to it. One thread at a time. */
int revocations_load(struct identity *identity, struct fault *f);
