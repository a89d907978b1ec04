/* Revoking: a row here for keeps, an entry in our own memory, an event to everyone else, all with the change that causes it.
 *
 * A revocation ends what was issued up to its moment, so every token must be either older than it or made from what the change left. A login
 * that reads while the change is not yet committed would be neither. So the two are put in order by one lock of the database:
 *
 *   - what ends tokens has it alone: it takes it as the last thing in its transaction, has the moment from the database's clock, and lets
 *     go of it by the commit;
 *   - a login takes it shared, before it reads anything, has its moment from the same clock, and lets go of it at once.
 *
 * A login that has the lock first has the earlier moment: its token ends. One that has it later begins after the commit, and reads what is true now.
 * Nothing else is held: two logins never wait for each other, and a login for a change no longer than its commit takes.
 *
 * With its moment a login gets what has ended tokens since this daemon last heard, so a token or receipt that is shown in place of a
 * password is judged by all that was committed before, through whatever daemon. The end of a single token, or of all that were made from one, needs no
 * order: it holds for tokens of any time. */
#pragma once

#include "auth/revocation.h"
#include "service.h"

/* In the caller's transaction; takes effect here at its commit, whose time it gets. What 'r' names lives until then. */
int revoke_tokens(struct call *call, struct db_tx *tx, const struct revocation *r, struct fault *f);
/* The same where there is no call; the arena lives until the commit. */
int revoke_tokens_of(struct identity *identity, struct arena *a, struct db_tx *tx,
                     const struct revocation *r, struct fault *f);
/* All tokens of a user; of a project; of a domain. */
int revoke_user(struct call *call, struct db_tx *tx, const char *user_id, struct fault *f);
int revoke_project(struct call *call, struct db_tx *tx, const char *project_id, struct fault *f);
int revoke_domain(struct call *call, struct db_tx *tx, const char *domain_id, struct fault *f);
/* All tokens with a role. One of a domain stands in no token, only what it implies: then all tokens of that domain. */
int revoke_role(struct call *call, struct db_tx *tx, const char *role_id, const char *domain_id,
                struct fault *f);

/* When a login begins, before it reads anything of who it is. One that began is ended by all that is committed from then on. */
int revocations_moment(struct call *call, int64_t *ret_us, struct fault *f);

/* What the table has and was not read yet, into memory: at the start, and when another daemon has added to it. One thread at a time. */
int revocations_load(struct identity *identity, struct fault *f);
