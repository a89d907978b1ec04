/* Which cloud, and as whom: clouds.yaml, OS_* variables and --os-... options.
 *
 * One table names what can be said. A value is looked for in this order: the option --os-KEY; then, when a cloud is named
 * (--os-cloud, OS_CLOUD, or the only one of the file), that cloud of clouds.yaml and secure.yaml; else the variable OS_KEY. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/fault.h"
#include "command.h"

/* KEY(name, secret) */
#define CLOUD_KEYS(KEY)                                                                            \
    KEY(cloud, false)                                                                              \
    KEY(auth_type, false)                                                                          \
    KEY(auth_url, false)                                                                           \
    KEY(username, false)                                                                           \
    KEY(user_id, false)                                                                            \
    KEY(password, true)                                                                            \
    KEY(passcode, true)                                                                            \
    KEY(user_domain_name, false)                                                                   \
    KEY(user_domain_id, false)                                                                     \
    KEY(project_name, false)                                                                       \
    KEY(project_id, false)                                                                         \
    KEY(project_domain_name, false)                                                                \
    KEY(project_domain_id, false)                                                                  \
    KEY(default_domain, false)                                                                     \
    KEY(default_domain_id, false)                                                                  \
    KEY(domain_name, false)                                                                        \
    KEY(domain_id, false)                                                                          \
    KEY(system_scope, false)                                                                       \
    KEY(trust_id, false)                                                                           \
    KEY(token, true)                                                                               \
    KEY(application_credential_id, false)                                                          \
    KEY(application_credential_name, false)                                                        \
    KEY(application_credential_secret, true)                                                       \
    KEY(consumer_key, false)                                                                       \
    KEY(consumer_secret, true)                                                                     \
    KEY(access_key, false)                                                                         \
    KEY(access_secret, true)                                                                       \
    KEY(region_name, false)                                                                        \
    KEY(interface, false)                                                                          \
    KEY(endpoint, false)                                                                           \
    KEY(cacert, false)                                                                             \
    KEY(verify, false)                                                                             \
    KEY(identity_api_version, false)                                                               \
    KEY(image_api_version, false)                                                                  \
    KEY(placement_api_version, false)                                                              \
    KEY(compute_api_version, false)                                                                \
    KEY(network_api_version, false)                                                                \
    KEY(volume_api_version, false)                                                                 \
    KEY(identity_endpoint_override, false)                                                         \
    KEY(image_endpoint_override, false)                                                            \
    KEY(placement_endpoint_override, false)                                                        \
    KEY(compute_endpoint_override, false)                                                          \
    KEY(network_endpoint_override, false)                                                          \
    KEY(volume_endpoint_override, false)

enum cloud_key {
#define KEY(name, secret) CLOUD_##name,
    CLOUD_KEYS(KEY)
#undef KEY
        CLOUD_KEY_COUNT
};

struct cloud {
    const char *value[CLOUD_KEY_COUNT]; /* NULL: not said. */
};

/* Says one: "os-auth-url" or "auth_url". Negative: there is no such key. */
int cloud_set(struct cloud *c, const char *name, const char *value);

/* Completes what the options have said. */
int cloud_load(struct arena *a, struct cloud *c, struct fault *f);

/* All that decides which token one gets, but no secret, as text: the key of the cache. */
char *cloud_identity(struct arena *a, const struct cloud *c);

const char *cloud_key_name(enum cloud_key key);
const char *cloud_endpoint_override(const struct cloud *c, enum service service);
const char *cloud_api_version(const struct cloud *c, enum service service);
