/* Who may do what, and what there is: role assignments, services, endpoints, regions, application credentials, the catalogue, tokens. */
#include "access.h"
#include "kinds.h"
#include "shapes.h"

/* clang-format off: a row is read as a row. */

#define DESCRIPTION OPT("--description", "<description>", "description", "What it is for")
#define ENABLE                                                                                     \
    FLAG("--enable", "enabled", "true", "Enable it (the default)"),                                \
        FLAG("--disable", "enabled", "false", "Disable it")
#define DOMAIN_OPTION(what)                                                                        \
    OPT("--" what "-domain", "<domain>", NULL, "Domain of the " what " (name or ID)")
/* What an assignment is made of. */
#define ASSIGNMENT                                                                                 \
    OPT("--system", "<system>", NULL, "The whole system: 'all'", .choices = "all"),                \
        OPT_ID("--domain", "<domain>", NULL, &kind_domain, "In this domain (name or ID)"),         \
        OPT_ID("--project", "<project>", NULL, &kind_project, "In this project (name or ID)",      \
               .domain = "--project-domain"),                                                      \
        OPT_ID("--user", "<user>", NULL, &kind_user, "This user (name or ID)",                     \
               .domain = "--user-domain"),                                                         \
        OPT_ID("--group", "<group>", NULL, &kind_group, "This group (name or ID)",                 \
               .domain = "--group-domain"),                                                        \
        DOMAIN_OPTION("group"), DOMAIN_OPTION("project"), DOMAIN_OPTION("user"),                   \
        DOMAIN_OPTION("role"),                                                                     \
        FLAG("--inherited", NULL, "true", "Inherited by the projects below")
#define ROLE ARG_ID("<role>", NULL, &kind_role, "Role (name or ID)", .domain = "--role-domain")
#define IMPLIED_ROLE                                                                               \
    ARG_ID("<role>", NULL, &kind_role, "Role that implies the other (name or ID)"),                \
        OPT_ID("--implied-role", "<role>", NULL, &kind_role,                                       \
               "Role that who has the first has too (name or ID)", .required = true)
#define SERVICE_ARG ARG("<service>", NULL, "Service (type, name or ID)")
#define INTERFACES "admin,public,internal"

const struct command access_commands[] = {
    { .name = "role add",
      .help = "Give a user or group a role",
      .verb = VERB_RUN,
      .service = SERVICE_IDENTITY,
      .method = HTTP_PUT,
      .run = access_role,
      .options = OPTIONS(ROLE, ASSIGNMENT) },
    { .name = "role remove",
      .help = "Take a role away",
      .verb = VERB_RUN,
      .service = SERVICE_IDENTITY,
      .method = HTTP_DELETE,
      .run = access_role,
      .options = OPTIONS(ROLE, ASSIGNMENT) },
    { .name = "implied role create",
      .help = "Let a role imply another one",
      .verb = VERB_REQUEST,
      .method = HTTP_PUT,
      .kind = &kind_implied_role,
      .path = "/roles/{role}/implies/{implied-role}",
      .show = true,
      .after = access_implied_ids,
      .options = OPTIONS(IMPLIED_ROLE) },
    { .name = "implied role delete",
      .help = "Let a role imply another one no more",
      .verb = VERB_REQUEST,
      .method = HTTP_DELETE,
      .kind = &kind_implied_role,
      .path = "/roles/{role}/implies/{implied-role}",
      .options = OPTIONS(IMPLIED_ROLE) },
    { .name = "implied role list",
      .help = "List which roles imply which",
      .verb = VERB_LIST,
      .kind = &kind_implied_role,
      .rows = access_implied_rows,
      .columns =
          COLUMNS(COL("Prior Role ID", "prior_role.id"), COL("Prior Role Name", "prior_role.name"),
                  COL("Implied Role ID", "implies.id"), COL("Implied Role Name", "implies.name")) },
    { .name = "role assignment list",
      .help = "List who has which role where",
      .verb = VERB_RUN,
      .service = SERVICE_IDENTITY,
      .run = access_assignments,
      .options = OPTIONS(FLAG("--effective", "?effective", "true",
                              "What follows from groups, inheritance and implied roles too"),
                         OPT_ID("--role", "<role>", "?role.id", &kind_role,
                                "Only this role (name or ID)", .domain = "--role-domain"),
                         FLAG("--names", "?include_names", "true", "Names, not IDs"),
                         OPT_ID("--user", "<user>", "?user.id", &kind_user,
                                "Only this user (name or ID)", .domain = "--user-domain"),
                         OPT_ID("--group", "<group>", "?group.id", &kind_group,
                                "Only this group (name or ID)", .domain = "--group-domain"),
                         OPT_ID("--domain", "<domain>", "?scope.domain.id", &kind_domain,
                                "Only in this domain (name or ID)"),
                         OPT_ID("--project", "<project>", "?scope.project.id", &kind_project,
                                "Only in this project (name or ID)", .domain = "--project-domain"),
                         OPT("--system", "<system>", "?scope.system", "Only of the system: 'all'",
                             .choices = "all"),
                         DOMAIN_OPTION("role"), DOMAIN_OPTION("user"), DOMAIN_OPTION("group"),
                         DOMAIN_OPTION("project"),
                         FLAG("--inherited", NULL, "true", "Only inherited ones"),
                         FLAG("--auth-user", NULL, "true", "Only your own"),
                         FLAG("--auth-project", NULL, "true", "Only in your project")),
      .columns = COLUMNS(COL("Role", "role"), COL("User", "user"), COL("Group", "group"),
                         COL("Project", "project"), COL("Domain", "domain"),
                         COL("System", "system"), COL("Inherited", "inherited")) },

    { .name = "service create",
      .help = "Create a service of the catalogue",
      .verb = VERB_CREATE,
      .kind = &kind_service,
      .options = OPTIONS(ARG("<type>", "type", "Its type (compute, image, ...)"),
                         OPT("--name", "<name>", "name", "Its name"), DESCRIPTION, ENABLE) },
    { .name = "service delete",
      .help = "Delete services",
      .verb = VERB_RUN,
      .kind = &kind_service,
      .run = access_service_delete,
      .options = OPTIONS(ARG("<service>", NULL, "Service (type, name or ID)", .repeat = true)) },
    { .name = "service list",
      .help = "List services",
      .verb = VERB_LIST,
      .kind = &kind_service,
      .options = OPTIONS(FLAG("--long", NULL, "true", "More columns")),
      .columns = COLUMNS(COL("ID", "id"), COL("Name", "name"), COL("Type", "type"),
                         LONG("Description", "description"), LONG("Enabled", "enabled")) },
    { .name = "service set",
      .help = "Change a service",
      .verb = VERB_RUN,
      .kind = &kind_service,
      .run = access_service_set,
      .options = OPTIONS(SERVICE_ARG, OPT("--type", "<type>", "type", "New type"),
                         OPT("--name", "<name>", "name", "New name"), DESCRIPTION, ENABLE) },
    { .name = "service show",
      .help = "Show a service",
      .verb = VERB_RUN,
      .kind = &kind_service,
      .run = access_service_show,
      .options = OPTIONS(SERVICE_ARG) },

    { .name = "endpoint create",
      .help = "Create an endpoint of a service",
      .verb = VERB_CREATE,
      .kind = &kind_endpoint,
      .prepare = access_endpoint_body,
      .after = access_endpoint_names,
      .options =
          OPTIONS(SERVICE_ARG,
                  ARG("<interface>", "interface", "admin, public or internal",
                      .choices = INTERFACES),
                  ARG("<url>", "url", "Where it is"),
                  OPT("--region", "<region>", "region", "Its region, made if it is new"), ENABLE) },
    { .name = "endpoint delete",
      .help = "Delete endpoints",
      .verb = VERB_DELETE,
      .kind = &kind_endpoint,
      .options =
          OPTIONS(ARG_ID("<endpoint>", NULL, &kind_endpoint, "Endpoint (ID)", .repeat = true)) },
    { .name = "endpoint list",
      .help = "List endpoints",
      .verb = VERB_RUN,
      .kind = &kind_endpoint,
      .run = access_endpoint_list,
      .options =
          OPTIONS(OPT("--service", "<service>", NULL, "Only this service's (type, name or ID)"),
                  OPT("--interface", "<interface>", "?interface", "Only this interface",
                      .choices = INTERFACES),
                  OPT("--region", "<region>", "?region_id", "Only in this region"),
                  OPT_ID("--project", "<project>", NULL, &kind_project,
                         "Only those of this project's own (name or ID)",
                         .domain = "--project-domain"),
                  OPT("--project-domain", "<domain>", NULL, "Domain of that project (name or ID)")),
      .columns =
          COLUMNS(COL("ID", "id"), COL("Region", "region_id"), COL("Service Name", "service_name"),
                  COL("Service Type", "service_type"), COL("Enabled", "enabled"),
                  COL("Interface", "interface"), COL("URL", "url")) },
    { .name = "endpoint set",
      .help = "Change an endpoint",
      .verb = VERB_SET,
      .kind = &kind_endpoint,
      .prepare = access_endpoint_body,
      .options =
          OPTIONS(ARG_ID("<endpoint>", NULL, &kind_endpoint, "Endpoint (ID)"),
                  OPT("--region", "<region>", "region", "New region, made if it is new"),
                  OPT("--interface", "<interface>", "interface", "New interface",
                      .choices = INTERFACES),
                  OPT("--url", "<url>", "url", "New URL"),
                  OPT("--service", "<service>", NULL, "New service (type, name or ID)"), ENABLE) },
    { .name = "endpoint show",
      .help = "Show an endpoint",
      .verb = VERB_SHOW,
      .kind = &kind_endpoint,
      .after = access_endpoint_names,
      .options = OPTIONS(ARG_ID("<endpoint>", NULL, &kind_endpoint, "Endpoint (ID)")) },

    { .name = "region create",
      .help = "Create a region",
      .verb = VERB_CREATE,
      .kind = &kind_region,
      .options = OPTIONS(ARG("<region>", "id", "Its ID"),
                         OPT("--parent-region", "<region>", "parent_region_id", "Its parent"),
                         DESCRIPTION) },
    { .name = "region delete",
      .help = "Delete regions",
      .verb = VERB_DELETE,
      .kind = &kind_region,
      .options = OPTIONS(ARG_ID("<region>", NULL, &kind_region, "Region (ID)", .repeat = true)) },
    { .name = "region list",
      .help = "List regions",
      .verb = VERB_LIST,
      .kind = &kind_region,
      .options = OPTIONS(
          OPT("--parent-region", "<region>", "?parent_region_id", "Only this region's children")),
      .columns = COLUMNS(COL("Region", "id"), COL("Parent Region", "parent_region_id"),
                         COL("Description", "description")) },
    { .name = "region set",
      .help = "Change a region",
      .verb = VERB_SET,
      .kind = &kind_region,
      .options = OPTIONS(ARG_ID("<region>", NULL, &kind_region, "Region (ID)"),
                         OPT("--parent-region", "<region>", "parent_region_id", "New parent"),
                         DESCRIPTION) },
    { .name = "region show",
      .help = "Show a region",
      .verb = VERB_SHOW,
      .kind = &kind_region,
      .options = OPTIONS(ARG_ID("<region>", NULL, &kind_region, "Region (ID)")) },

    { .name = "catalog list",
      .help = "List the services your token opens",
      .verb = VERB_RUN,
      .service = SERVICE_IDENTITY,
      .run = access_catalog,
      .columns = COLUMNS(COL("Name", "name"), COL("Type", "type"),
                         COL("Endpoints", "endpoints", .format = shape_endpoints)) },
    { .name = "catalog show",
      .help = "Show one service of the catalogue",
      .verb = VERB_RUN,
      .service = SERVICE_IDENTITY,
      .run = access_catalog,
      .options = OPTIONS(ARG("<service>", NULL, "Service (type or name)")) },
    { .name = "token issue",
      .help = "Issue a new token",
      .verb = VERB_RUN,
      .service = SERVICE_IDENTITY,
      .run = access_token_issue },
    { .name = "token revoke",
      .help = "Revoke a token",
      .verb = VERB_RUN,
      .service = SERVICE_IDENTITY,
      .run = access_token_revoke,
      .options = OPTIONS(ARG("<token>", NULL, "The token; '-' reads it from standard input")) },
    { .name = NULL },
};

const struct column access_catalog_fields[] = {
    { .title = "endpoints", .path = "endpoints", .format = shape_endpoints },
    { .title = NULL },
};
