/* Who asks: what a verified token says. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/arena.h"

enum auth_scope { SCOPE_NONE, SCOPE_PROJECT, SCOPE_DOMAIN, SCOPE_SYSTEM };

struct auth_context {
    const char *user_id, *user_name, *user_domain_id, *user_domain_name;
    enum auth_scope scope;
    const char *project_id, *project_name, *project_domain_id,
        *project_domain_name;            /* NULL unless project scope */
    const char *domain_id, *domain_name; /* NULL unless domain scope */
    const char *const *roles;            /* Names, implied ones included. */
    const char *const *role_ids;         /* In the same order. */
    size_t roles_count;
    const char *const *methods; /* "password", "token", ... */
    size_t methods_count;
    const char *audit_id,
        *audit_chain_id; /* Chain: the first token this one was made from; its own if none. */
    int64_t issued_us, expires_us;
    int64_t password_expires_us;        /* Of the user; 0: never. A new password ends the token. */
    const char *trust_id, *app_cred_id; /* Or NULL. */
    const char *trustor_id,
        *trustee_id;     /* With a trust; the user is the trustor if it impersonates. */
    bool trust_own_name; /* It doesn't: also where the two are one. */
    bool app_cred_restricted;
    const char *access_token_id, *consumer_id; /* Of OAuth, or NULL. */
    const char *idp_id,
        *protocol_id;             /* Of a user whom an identity provider vouched for; else NULL. */
    const char *const *group_ids; /* The groups that it said he is in, for this token only. */
    size_t group_ids_count;
    /* Service, method and path of each request that the application credential may make, one after the other; none: any. */
    const char *const *access_rules;
    size_t access_rules_count;   /* Texts: three to a rule. */
    const char *service_user_id; /* From a valid X-Service-Token with role service; else NULL. */
};

/* Names of roles compare without case. */
bool auth_has_role(const struct auth_context *c, const char *name);

/* A copy with all it points to, in one block: free it with free(). */
struct auth_context *auth_context_dup(const struct auth_context *c);
