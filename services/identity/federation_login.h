/* Logging in on an identity provider's word: the assertion, its mapping, and the account that comes of it. */
#pragma once

#include "federation.h"
#include "federation_assertion.h"
#include "login.h"

/* By which provider, protocol and mapping somebody comes. */
struct federation_way {
    struct identity_provider idp;
    struct protocol protocol;
    struct mapping mapping;
};

/* FAULT_NOT_FOUND: there is no such provider or protocol. FAULT_FORBIDDEN: the provider is disabled. */
int federation_find_way(struct call *call, const char *idp_id, const char *protocol_id,
                        struct federation_way *ret, struct fault *f);

/* Does the provider still vouch for tokens made on its word? (For rescoping.) */
int federation_check_way(struct call *call, const struct auth_context *token, struct fault *f);

/* From an assertion that was proved to a login. The account of a user who comes for the first time is made, and so are the projects
 * and roles that the mapping gives him, in one transaction. 'l' has begun. FAULT_UNAUTHORIZED when the mapping makes nobody of it. */
int federation_login(struct call *call, const struct federation_way *way,
                     const struct assertion *assertion, struct login *l, struct fault *f);
