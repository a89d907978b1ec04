/* Revocations: what makes a token invalid before it expires. In memory everywhere, in identity's database for keeps. */
#pragma once

#include <jansson.h>

#include "../base/fault.h"
#include "context.h"

/* A token is revoked when all members that are set match it and it was issued at or before 'issued_before_us'. That time doesn't matter where
 * an audit id is named: what is made of a token that has ended has ended too. */
struct revocation {
    const char *audit_id, *audit_chain_id;
    const char *user_id, *project_id, *domain_id; /* domain_id: of the user or of the scope */
    const char *role_id, *trust_id, *app_cred_id;
    const char *access_token_id, *consumer_id; /* Of OAuth. */
    const char *idp_id, *protocol_id,
        *group_id; /* Of a federated user; group_id: one that his token names. */
    bool
        delegated; /* Only tokens by a trust or an application credential: they may carry fewer roles than what they hang on. */
    int64_t issued_before_us;
    int64_t expires_us; /* When it may be forgotten: no token it could match lives longer. */
};

struct revocations;

struct revocations *revocations_new(void);
void revocations_free(struct revocations *r);
/* Thread-safe. Adding the same one twice does nothing. Forgets expired ones on the way. */
void revocations_add(struct revocations *r, const struct revocation *revocation);
bool revocations_match(struct revocations *r, const struct auth_context *c);
size_t revocations_count(struct revocations *r);
uint64_t revocations_generation(struct revocations *r); /* Changes with each addition. */

json_t *revocation_to_json(const struct revocation *r);
int revocation_from_json(struct arena *a, const json_t *value, struct revocation *ret,
                         struct fault *f);
