/* virga-identity: who may do what, and where the services are (Identity API v3). */
#include "base/log.h"
#include "bootstrap.h"
#include "catalog_cache.h"
#include "compliance.h"
#include "credential_keys.h"
#include "credential_secret.h"
#include "directory.h"
#include "federation_assertion.h"
#include "keys.h"
#include "limits.h"
#include "oidc.h"
#include "passwords.h"
#include "revocations.h"
#include "trusts.h"
#include "watch.h"

extern const struct migration identity_migrations[];
extern const size_t identity_migrations_count;

#define CONFIG_KEY(...) DAEMON_KEY(identity_config, __VA_ARGS__),
static const struct config_key keys[] = {
#include "config.def"
};
#undef CONFIG_KEY

static struct identity identity;

static int
open_authenticator(struct daemon *d, struct authenticator **ret, struct fault *f)
{
    struct authenticator_options options = { 0 };

    identity.config = (const struct identity_config *)(const void *)d->config;
    if (keys_open(identity.config->key_directory, &identity.keyring, f) < 0)
        return -1;
    keyring_set_activation(identity.keyring, identity.config->key_activation_s * INT64_C(1000000));
    options.keyring = identity.keyring;
    options.read_keys = keys_read;
    options.owner = &identity;
    return authenticator_open(ret, &options, f);
}

static int
start(struct daemon *d, struct fault *f)
{
    const struct password_scheme scheme = password_scheme_of(identity.config);

    identity.daemon = d;
    identity.catalogs = catalog_cache_new();
    identity.app_creds = catalog_cache_new();
    d->service = &identity;
    if (password_scheme_check(&scheme, f) < 0 ||
        compliance_new(identity.config, &identity.compliance, f) < 0 ||
        credential_keys_open(identity.config->credential_key_directory, &identity.credential_keys,
                             f) < 0 ||
        credentials_check(&identity, f) < 0)
        return -1;
    identity.password_pace = refusal_pace_new();
    identity.passcode_pace = refusal_pace_new();
    identity.app_cred_pace = refusal_pace_new();
    identity.hasher = password_hasher_new(&scheme, (unsigned)identity.config->hash_concurrency);
    if (limits_check_model(identity.config, f) < 0 || keys_sync(&identity, f) < 0 ||
        revocations_load(&identity, f) < 0 || trusts_clear(&identity, f) < 0)
        return -1;
    if (assertion_check_proxies(identity.config->trusted_proxies, f) < 0 ||
        oidc_open(&identity.oidc, identity.config->oidc_directory, f) < 0)
        return -1;
    if (directories_start(&identity.directories, &identity, f) < 0)
        return -1;
    return watch_open(&identity.watch, &identity, f);
}

static void
stop(struct daemon *d)
{
    (void)d;
    directories_stop(identity.directories);
    watch_close(identity.watch);
    oidc_free(identity.oidc);
    catalog_cache_free(identity.catalogs);
    catalog_cache_free(identity.app_creds);
    password_hasher_free(identity.hasher);
    refusal_pace_free(identity.password_pace);
    refusal_pace_free(identity.passcode_pace);
    refusal_pace_free(identity.app_cred_pace);
    compliance_free(identity.compliance);
    credential_keys_free(identity.credential_keys);
    keyring_free(identity.keyring);
}

static void
reload(struct daemon *d)
{
    struct fault f = { 0 };

    (void)d;
    if (keys_sync(&identity, &f) < 0)
        log_error("identity.keys-unread reason=\"%s\" cause=\"%s\"", f.message, f.cause);
    fault_clear(&f);
    if (oidc_reload(identity.oidc, identity.config->oidc_directory, &f) < 0)
        log_error("oidc.not-reloaded reason=\"%s\"", f.message);
}

static const struct daemon_command commands[] = {
    { "bootstrap", "fills an empty cloud: domain, roles, admin, catalogue", bootstrap },
    { "key", "\"key rotate\" makes a new signing key, \"key list\" shows those that verify",
      key_command },
    { "credential", "\"credential key rotate|migrate\" changes what credentials are sealed with",
      credential_command },
    { NULL, NULL, NULL },
};

int
main(int argc, char **argv)
{
    static const struct daemon_spec spec = {
        .name = "virga-identity",
        .summary = "Identity API v3: users, projects, roles, tokens, catalogue.",
        .keys = keys,
        .keys_count = ARRAY_SIZE(keys),
        .config_size = sizeof(struct identity_config),
        .migrations = identity_migrations,
        .migrations_count = &identity_migrations_count,
        .api = &identity_api,
        .rpc_name = "identity",
        .open_authenticator = open_authenticator,
        .start = start,
        .stop = stop,
        .reload = reload,
        .commands = commands,
    };

    return daemon_main(argc, argv, &spec);
}
