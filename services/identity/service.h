/* Identity's process-wide state, and what its files need of each other. */
#pragma once

#include <stdatomic.h>

#include "daemon/daemon.h"
#include "identity_api.h"
#include "identity_queries.h"

struct identity_config {
    struct daemon_config common; /* First: see daemon.h. */
    const char *key_directory;
    int64_t key_activation_s;
    int64_t token_ttl_s;
    const char *limit_model;
    int64_t oauth_request_ttl_s, oauth_access_ttl_s;
    const char *password_hash_algorithm;
    int64_t password_hash_rounds;
    int64_t hash_concurrency;
    const char *oidc_directory;
    const char **trusted_dashboards;
    const char **trusted_proxies;
    const char **assertion_headers;
    const char *remote_id_attribute;
    int64_t authorization_ttl_min;
    int64_t directory_refresh_s;
    int64_t directory_concurrency;
    int64_t max_project_tree_depth;
    const char *prohibited_implied_roles;
    bool allow_rescope_scoped_token;
    int64_t app_cred_user_limit;
    int64_t max_redelegation_count;
    int64_t max_password_length;
    const char *credential_key_directory;
    int64_t credential_auth_ttl, credential_user_limit;
    int64_t totp_included_previous_windows, receipt_expiration_s;
    /* Section [security_compliance]. */
    int64_t lockout_failure_attempts, lockout_duration_s;
    int64_t password_expires_days, unique_last_password_count, minimum_password_age;
    const char *password_regex, *password_regex_description;
    bool change_password_upon_first_use;
    int64_t disable_user_account_days_inactive;
};

struct identity {
    struct daemon *daemon;
    const struct identity_config *config;
    struct keyring *keyring;
    struct password_hasher *hasher;
    struct refusal_pace *password_pace, *passcode_pace, *app_cred_pace;
    struct directories *directories;
    struct oidc *oidc;
    struct catalog_cache *catalogs;
    struct catalog_cache *app_creds; /* What tokens' bodies say of them. */
    struct watch *watch;
    int64_t
        revocations_read_us; /* By the database's clock: what was recorded before is in memory. */
    /* The moment of the last login: of what is put in order with it (revocations.h) all that is older is in memory. */
    _Atomic int64_t revocations_ordered_us;
    struct compliance *compliance;
    struct credential_keys *credential_keys;
};

static inline struct identity *
identity_of(const struct call *c)
{
    return c->service;
}
