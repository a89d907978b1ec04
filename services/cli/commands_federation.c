/* Identity providers, protocols, mappings, service providers. */
#include "federation.h"
#include "kinds.h"

/* clang-format off: a row is read as a row. */

#define DESCRIPTION OPT("--description", "<description>", "description", "What it is for")
#define ENABLE                                                                                     \
    FLAG("--enable", "enabled", "true", "Enable it"),                                              \
        FLAG("--disable", "enabled", "false", "Disable it")
#define ENABLED_FROM_THE_START                                                                     \
    FLAG("--enable", "enabled", "true", "Enable it (the default)", .fallback = "true"),            \
        FLAG("--disable", "enabled", "false", "Disable it")
#define REMOTE_IDS                                                                                 \
    OPT("--remote-id", "<remote-id>", "remote_ids[]", "What it calls itself; repeat for more",     \
        .repeat = true),                                                                           \
        OPT("--remote-id-file", "<file-name>", NULL,                                               \
            "A file with what it calls itself, one a line")
#define OF_PROVIDER                                                                                \
    OPT("--identity-provider", "<identity-provider>", NULL, "Its identity provider",               \
        .required = true)
#define TTL                                                                                        \
    OPT_INT("--authorization-ttl", "<minutes>", "authorization_ttl",                               \
            "How long groups that a user had at his last login still count")
#define REMOTE_ID_ATTRIBUTE                                                                        \
    OPT("--remote-id-attribute", "<name>", "remote_id_attribute",                                  \
        "What the provider's name is read from")
#define SCHEMA_VERSION                                                                             \
    OPT("--schema-version", "<version>", "schema_version", "Version of the rules",                 \
        .choices = "1.0,2.0")
#define RELAY_STATE                                                                                \
    OPT("--relay-state-prefix", "<prefix>", "relay_state_prefix",                                  \
        "Prefix of the relay state in assertions to it")
#define RULES(...) OPT("--rules", "<filename>", NULL, "A file with the rules, as JSON", __VA_ARGS__)

const struct command federation_commands[] = {
    { .name = "identity provider create",
      .help = "Create an identity provider",
      .verb = VERB_CREATE,
      .method = HTTP_PUT,
      .kind = &kind_identity_provider,
      .path = "/OS-FEDERATION/identity_providers/{name}",
      .prepare = federation_remote_ids,
      .options = OPTIONS(ARG("<name>", NULL, "Its name"), REMOTE_IDS, DESCRIPTION,
                         OPT_ID("--domain", "<domain>", "domain_id", &kind_domain,
                                "Where its users are (name or ID; default: a new domain)"),
                         TTL, ENABLED_FROM_THE_START) },
    { .name = "identity provider delete",
      .help = "Delete identity providers",
      .verb = VERB_DELETE,
      .kind = &kind_identity_provider,
      .options = OPTIONS(ARG_ID("<identity-provider>", NULL, &kind_identity_provider,
                                "Identity provider", .repeat = true)) },
    { .name = "identity provider list",
      .help = "List identity providers",
      .verb = VERB_LIST,
      .kind = &kind_identity_provider,
      .options = OPTIONS(OPT("--id", "<id>", "?id", "Only this one"),
                         FLAG("--enabled", "?enabled", "true", "Only enabled ones")),
      .columns = COLUMNS(COL("ID", "id"), COL("Enabled", "enabled"), COL("Domain ID", "domain_id"),
                         COL("Description", "description")) },
    { .name = "identity provider set",
      .help = "Change an identity provider",
      .verb = VERB_SET,
      .kind = &kind_identity_provider,
      .prepare = federation_remote_ids,
      .options =
          OPTIONS(ARG_ID("<identity-provider>", NULL, &kind_identity_provider, "Identity provider"),
                  DESCRIPTION, REMOTE_IDS, TTL, ENABLE) },
    { .name = "identity provider show",
      .help = "Show an identity provider",
      .verb = VERB_SHOW,
      .kind = &kind_identity_provider,
      .options = OPTIONS(
          ARG_ID("<identity-provider>", NULL, &kind_identity_provider, "Identity provider")) },

    { .name = "federation protocol create",
      .help = "Create a protocol of an identity provider",
      .verb = VERB_CREATE,
      .method = HTTP_PUT,
      .kind = &kind_federation_protocol,
      .path = "/OS-FEDERATION/identity_providers/{identity-provider}/protocols/{name}",
      .after = federation_protocol_shown,
      .options =
          OPTIONS(ARG("<name>", NULL, "Its name"), OF_PROVIDER,
                  OPT("--mapping", "<mapping>", "mapping_id", "Its mapping", .required = true),
                  REMOTE_ID_ATTRIBUTE) },
    { .name = "federation protocol delete",
      .help = "Delete protocols of an identity provider",
      .verb = VERB_DELETE,
      .kind = &kind_federation_protocol,
      .options = OPTIONS(ARG_ID("<federation-protocol>", NULL, &kind_federation_protocol,
                                "Protocol", .repeat = true),
                         OF_PROVIDER) },
    { .name = "federation protocol list",
      .help = "List the protocols of an identity provider",
      .verb = VERB_LIST,
      .kind = &kind_federation_protocol,
      .options = OPTIONS(OF_PROVIDER),
      .columns = COLUMNS(COL("id", "id"), COL("mapping", "mapping_id")) },
    { .name = "federation protocol set",
      .help = "Change a protocol of an identity provider",
      .verb = VERB_SET,
      .kind = &kind_federation_protocol,
      .options = OPTIONS(ARG_ID("<name>", NULL, &kind_federation_protocol, "Protocol"), OF_PROVIDER,
                         OPT("--mapping", "<mapping>", "mapping_id", "New mapping"),
                         REMOTE_ID_ATTRIBUTE) },
    { .name = "federation protocol show",
      .help = "Show a protocol of an identity provider",
      .verb = VERB_SHOW,
      .kind = &kind_federation_protocol,
      .options =
          OPTIONS(ARG_ID("<federation-protocol>", NULL, &kind_federation_protocol, "Protocol"),
                  OF_PROVIDER) },

    { .name = "mapping create",
      .help = "Create a mapping",
      .verb = VERB_CREATE,
      .method = HTTP_PUT,
      .kind = &kind_mapping,
      .path = "/OS-FEDERATION/mappings/{name}",
      .prepare = federation_rules,
      .options =
          OPTIONS(ARG("<name>", NULL, "Its name"), RULES(.required = true), SCHEMA_VERSION) },
    { .name = "mapping delete",
      .help = "Delete mappings",
      .verb = VERB_DELETE,
      .kind = &kind_mapping,
      .options = OPTIONS(ARG_ID("<mapping>", NULL, &kind_mapping, "Mapping", .repeat = true)) },
    { .name = "mapping list",
      .help = "List mappings",
      .verb = VERB_LIST,
      .kind = &kind_mapping,
      .columns = COLUMNS(COL("ID", "id")) },
    { .name = "mapping set",
      .help = "Change a mapping",
      .verb = VERB_SET,
      .kind = &kind_mapping,
      .prepare = federation_rules,
      .options =
          OPTIONS(ARG_ID("<name>", NULL, &kind_mapping, "Mapping"), RULES(), SCHEMA_VERSION) },
    { .name = "mapping show",
      .help = "Show a mapping",
      .verb = VERB_SHOW,
      .kind = &kind_mapping,
      .options = OPTIONS(ARG_ID("<mapping>", NULL, &kind_mapping, "Mapping")) },

    { .name = "service provider create",
      .help = "Create a service provider",
      .verb = VERB_CREATE,
      .method = HTTP_PUT,
      .kind = &kind_service_provider,
      .path = "/OS-FEDERATION/service_providers/{name}",
      .options = OPTIONS(ARG("<name>", NULL, "Its name"),
                         OPT("--auth-url", "<auth-url>", "auth_url",
                             "Where its identity service is", .required = true),
                         DESCRIPTION,
                         OPT("--service-provider-url", "<sp-url>", "sp_url",
                             "Where it takes assertions", .required = true),
                         RELAY_STATE, ENABLED_FROM_THE_START) },
    { .name = "service provider delete",
      .help = "Delete service providers",
      .verb = VERB_DELETE,
      .kind = &kind_service_provider,
      .options = OPTIONS(ARG_ID("<service-provider>", NULL, &kind_service_provider,
                                "Service provider", .repeat = true)) },
    { .name = "service provider list",
      .help = "List service providers",
      .verb = VERB_LIST,
      .kind = &kind_service_provider,
      .columns = COLUMNS(COL("ID", "id"), COL("Enabled", "enabled"),
                         COL("Description", "description"), COL("Auth URL", "auth_url")) },
    { .name = "service provider set",
      .help = "Change a service provider",
      .verb = VERB_SET,
      .kind = &kind_service_provider,
      .options =
          OPTIONS(ARG_ID("<service-provider>", NULL, &kind_service_provider, "Service provider"),
                  OPT("--auth-url", "<auth-url>", "auth_url", "New identity service"), DESCRIPTION,
                  OPT("--service-provider-url", "<sp-url>", "sp_url", "New place for assertions"),
                  RELAY_STATE, ENABLE) },
    { .name = "service provider show",
      .help = "Show a service provider",
      .verb = VERB_SHOW,
      .kind = &kind_service_provider,
      .options =
          OPTIONS(ARG_ID("<service-provider>", NULL, &kind_service_provider, "Service provider")) },

    { .name = "federation project list",
      .help = "List the projects your token may be scoped to",
      .verb = VERB_LIST,
      .kind = &kind_project,
      .path = "/OS-FEDERATION/projects",
      .columns = COLUMNS(COL("ID", "id"), COL("Domain ID", "domain_id"), COL("Enabled", "enabled"),
                         COL("Name", "name")) },
    { .name = "federation domain list",
      .help = "List the domains your token may be scoped to",
      .verb = VERB_LIST,
      .kind = &kind_domain,
      .path = "/OS-FEDERATION/domains",
      .columns = COLUMNS(COL("ID", "id"), COL("Enabled", "enabled"), COL("Name", "name"),
                         COL("Description", "description")) },
    { .name = NULL },
};
