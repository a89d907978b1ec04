/* Delegation: tokens that came of an application credential or a trust, and what they may not do.
 *
 * A delegated token is meant to be weaker than its owner. So it must not be what makes him new credentials or new delegations, which
 * would outlive it and could carry more than it does. */
#pragma once

#include "service.h"

/* Did the owner prove himself with something else than his own secret? By a trust, too. */
bool delegation_is(const struct auth_context *who);
/* The same of the methods alone: a trust's token that its trustee got with his own password is not meant. */
bool delegation_by_method(const struct auth_context *who);

/* May this token see and manage application credentials and access rules? FAULT_FORBIDDEN. 'change': make and delete them, which
 * a restricted application credential may not. */
int delegation_check_app_creds(struct call *call, bool change, struct fault *f);

/* May this token see and manage trusts? FAULT_FORBIDDEN. */
int delegation_check_trusts(struct call *call, struct fault *f);

/* "roles": [{"id": ...} or {"name": ...}, ...] as ids. 'path' names it in messages. FAULT_NOT_FOUND: no role of a name. */
int delegation_read_roles(struct call *call, struct db *db, const json_t *list, const char *path,
                          struct texts *ret, struct fault *f);

/* "expires_at" of a request: a time that is yet to come; the zone is UTC, named or not. FAULT_INVALID. */
int delegation_read_expiry(const char *text, int64_t *ret_us, struct fault *f);
