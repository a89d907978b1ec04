/* What a domain has set for itself. The openstack client has no commands for it; these are named as its others are. */
#include "domain_config.h"
#include "kinds.h"

/* clang-format off: a row is read as a row. */

#define DOMAIN_ARG ARG_ID("<domain>", NULL, &kind_domain, "Domain (name or ID)")
#define SHOWN                                                                                      \
    ARG("<option>", NULL, "A group (ldap) or an option (ldap.url); without it: all",               \
        .optional = true)
#define WRITTEN                                                                                    \
    OPT_PAIRS("--property", NULL, "An option of it: ldap.url=ldaps://host; repeat for more"),      \
        OPT("--prompt", "<option>", NULL,                                                          \
            "Ask for this option's value (ldap.password); read from standard input when that is "  \
            "no terminal",                                                                         \
            .repeat = true),                                                                       \
        OPT("--file", "<file>", NULL,                                                              \
            "A file with options, as JSON: {\"ldap\": {\"url\": ...}}; '-' is standard input")

const struct command domain_commands[] = {
    { .name = "domain config create",
      .help = "Give a domain options of its own, these and no others",
      .verb = VERB_RUN,
      .service = SERVICE_IDENTITY,
      .method = HTTP_PUT,
      .run = domain_config_write,
      .options = OPTIONS(DOMAIN_ARG, WRITTEN) },
    { .name = "domain config delete",
      .help = "Take all its own options from a domain",
      .verb = VERB_REQUEST,
      .service = SERVICE_IDENTITY,
      .method = HTTP_DELETE,
      .path = "/domains/{domain}/config",
      .options = OPTIONS(DOMAIN_ARG) },
    { .name = "domain config set",
      .help = "Change or add some of a domain's own options",
      .verb = VERB_RUN,
      .silent = true,
      .service = SERVICE_IDENTITY,
      .method = HTTP_PATCH,
      .run = domain_config_write,
      .options = OPTIONS(DOMAIN_ARG, WRITTEN) },
    { .name = "domain config show",
      .help = "Show a domain's own options, without secrets",
      .verb = VERB_RUN,
      .service = SERVICE_IDENTITY,
      .run = domain_config_show,
      .options = OPTIONS(DOMAIN_ARG, SHOWN) },
    { .name = "domain config unset",
      .help = "Take some of its own options from a domain",
      .verb = VERB_RUN,
      .silent = true,
      .service = SERVICE_IDENTITY,
      .run = domain_config_unset,
      .options = OPTIONS(DOMAIN_ARG, OPT("--property", "<option>", NULL,
                                         "A group (ldap) or an option (ldap.url); repeat for more",
                                         .required = true, .repeat = true)) },
    { .name = "domain config default show",
      .help = "Show which options a domain may set, with their defaults",
      .verb = VERB_RUN,
      .service = SERVICE_IDENTITY,
      .run = domain_config_show,
      .options = OPTIONS(SHOWN) },
    { .name = NULL },
};
