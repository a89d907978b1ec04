/* Trusts: a user (trustor) lets another (trustee) act with some of his roles in one project, in his name or in the trustee's own.
 *
 * A trust may be handed on, as often as it says: then it hangs on a chain, and is worth no more than any link of it. */
#pragma once

#include "login.h"

/* What a trust would be, for the rules on handing one on. */
struct trust_wish {
    const char *project_id;
    bool impersonation;
    const char *const *roles;
    size_t roles_count;
    int64_t expires_us; /* 0: never */
    bool uses_limited;
};

/* May a trust like 'wish' hang below 'link'? 'max': how often one may be handed on at most. FAULT_FORBIDDEN says why not. */
int trust_check_redelegation(const struct trust_link_row *link, const struct trust_wish *wish,
                             int64_t max, struct fault *f);

/* Is the trust whose chain this is alive? FAULT_NOT_FOUND: it ended, was used up, or never was. FAULT_FORBIDDEN: somebody in the
 * middle may not act any more. */
int trust_check_alive(const char *id, const struct trust_link_row *chain, size_t count,
                      int64_t now_us, struct fault *f);

/* Clears away those that ended a while ago; what making a new one does too. */
int trusts_clear(struct identity *identity, struct fault *f);

/* The chain of a trust that is alive, itself first. */
int trust_load_chain(struct call *call, struct db *db, const char *id, struct trust_link_row **ret,
                     size_t *ret_count, struct fault *f);

/* Makes 'c' a token by this trust: project, roles, and the trustor as user where it impersonates. Only for its trustee. */
int trust_scope(struct call *call, const struct trust_ref *in, struct login *l,
                struct auth_context *c, struct fault *f);
/* One use of it, after all else went well. FAULT_FORBIDDEN: another was faster, and it was the last. */
int trust_use(struct call *call, const char *trust_id, struct fault *f);
