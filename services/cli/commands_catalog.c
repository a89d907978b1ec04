/* Which endpoints a project sees, policies, unified limits. */
#include "access.h"
#include "kinds.h"

/* clang-format off: a row is read as a row. */

#define DESCRIPTION OPT("--description", "<description>", "description", "What it is for")
#define GROUP_ARG                                                                                  \
    ARG_ID("<endpoint-group>", NULL, &kind_endpoint_group, "Endpoint group (name or ID)")
#define PROJECT_ARG                                                                                \
    ARG_ID("<project>", NULL, &kind_project, "Project (name or ID)",                               \
           .domain = "--project-domain"),                                                          \
        OPT("--project-domain", "<domain>", NULL, "Domain of that project (name or ID)")
#define RESOURCE_OPTIONS                                                                           \
    OPT_ID("--service", "<service>", "service_id", &kind_service,                                  \
           "Service whose resource it is (type, name or ID)", .required = true),                   \
        OPT("--region", "<region>", "region_id", "Only in this region"), DESCRIPTION,              \
        ARG("<resource-name>", "resource_name", "What is limited")
#define RESOURCE_FILTERS                                                                           \
    OPT_ID("--service", "<service>", "?service_id", &kind_service,                                 \
           "Only this service's (type, name or ID)"),                                              \
        OPT("--resource-name", "<resource-name>", "?resource_name", "Only of this resource"),      \
        OPT("--region", "<region>", "?region_id", "Only of this region")
#define REGISTERED_ARG                                                                             \
    ARG_ID("<registered-limit-id>", NULL, &kind_registered_limit, "Registered limit (ID)")
#define LIMIT_ARG ARG_ID("<limit-id>", NULL, &kind_limit, "Limit (ID)")

#define ENDPOINT_ARG ARG_ID("<endpoint>", NULL, &kind_endpoint, "Endpoint (ID)")
#define POLICY_ARG ARG_ID("<policy>", NULL, &kind_policy, "Policy (ID)")
#define POLICY_SERVICE                                                                             \
    POLICY_ARG, ARG_ID("<service>", NULL, &kind_service, "Service (type, name or ID)"),            \
        OPT("--region", "<region>", NULL, "Its endpoints in this region only (ID)")
#define POLICY_OF_ENDPOINT "/policies/{policy}/OS-ENDPOINT-POLICY/endpoints/{endpoint}"
#define POLICY_OF_SERVICE                                                                          \
    "/policies/{policy}/OS-ENDPOINT-POLICY/services/{service}[/regions/{region}]"
#define REQUEST(names, words, do, to, ...)                                                         \
    {                                                                                              \
        .name = names, .help = words, .verb = VERB_REQUEST, .service = SERVICE_IDENTITY,           \
        .method = do, .path = to, .options = OPTIONS(__VA_ARGS__)                                  \
    }
#define CONTAINS(names, words, to, ...)                                                            \
    {                                                                                              \
        .name = names, .help = words, .verb = VERB_RUN, .silent = true,                            \
        .service = SERVICE_IDENTITY, .run = access_contains, .path = to,                           \
        .options = OPTIONS(__VA_ARGS__)                                                            \
    }

const struct command catalog_commands[] = {
    REQUEST("endpoint add project", "Let a project see an endpoint", HTTP_PUT,
            "/OS-EP-FILTER/projects/{project}/endpoints/{endpoint}", ENDPOINT_ARG, PROJECT_ARG),
    CONTAINS("endpoint contains project", "Say whether a project was let see an endpoint",
             "/OS-EP-FILTER/projects/{project}/endpoints/{endpoint}", ENDPOINT_ARG, PROJECT_ARG),
    REQUEST("endpoint remove project", "Let a project see an endpoint no more", HTTP_DELETE,
            "/OS-EP-FILTER/projects/{project}/endpoints/{endpoint}", ENDPOINT_ARG, PROJECT_ARG),
    { .name = "endpoint group create",
      .help = "Create a group of the endpoints that filters match",
      .verb = VERB_CREATE,
      .kind = &kind_endpoint_group,
      .prepare = access_group_filters,
      .options = OPTIONS(ARG("<name>", "name", "Its name"),
                         ARG("<filename>", "filters", "File with the filters, a JSON object",
                             .type = OPTION_FILE),
                         DESCRIPTION) },
    { .name = "endpoint group delete",
      .help = "Delete endpoint groups",
      .verb = VERB_DELETE,
      .kind = &kind_endpoint_group,
      .options = OPTIONS(ARG_ID("<endpoint-group>", NULL, &kind_endpoint_group,
                                "Endpoint group (name or ID)", .repeat = true)) },
    { .name = "endpoint group list",
      .help = "List endpoint groups, or a group's projects",
      .verb = VERB_RUN,
      .kind = &kind_endpoint_group,
      .run = access_endpoint_group_list,
      .options = OPTIONS(OPT_ID("--endpointgroup", "<endpoint-group>", NULL, &kind_endpoint_group,
                                "The projects of this group (name or ID)"),
                         OPT_ID("--project", "<project>", NULL, &kind_project,
                                "The groups of this project (name or ID)", .domain = "--domain"),
                         OPT("--domain", "<domain>", NULL, "Domain of that project (name or ID)")),
      .columns = COLUMNS(COL("ID", "id"), COL("Name", "name"), COL("Description", "description")) },
    { .name = "endpoint group set",
      .help = "Change an endpoint group",
      .verb = VERB_SET,
      .kind = &kind_endpoint_group,
      .prepare = access_group_filters,
      .options = OPTIONS(GROUP_ARG, OPT("--name", "<name>", "name", "New name"),
                         OPT("--filters", "<filename>", "filters", "File with new filters",
                             .type = OPTION_FILE),
                         DESCRIPTION) },
    { .name = "endpoint group show",
      .help = "Show an endpoint group",
      .verb = VERB_SHOW,
      .kind = &kind_endpoint_group,
      .options = OPTIONS(GROUP_ARG) },
    REQUEST("endpoint group add project", "Let a project see a group's endpoints", HTTP_PUT,
            "/OS-EP-FILTER/endpoint_groups/{endpoint-group}/projects/{project}", GROUP_ARG,
            PROJECT_ARG),
    CONTAINS("endpoint group contains project",
             "Say whether a project was let see a group's endpoints",
             "/OS-EP-FILTER/endpoint_groups/{endpoint-group}/projects/{project}", GROUP_ARG,
             PROJECT_ARG),
    REQUEST("endpoint group remove project", "Let a project see a group's endpoints no more",
            HTTP_DELETE, "/OS-EP-FILTER/endpoint_groups/{endpoint-group}/projects/{project}",
            GROUP_ARG, PROJECT_ARG),

    { .name = "policy create",
      .help = "Store a policy",
      .verb = VERB_CREATE,
      .kind = &kind_policy,
      .options = OPTIONS(OPT("--type", "<type>", "type", "MIME type of the rules",
                             .fallback = "application/json"),
                         ARG("<filename>", "blob", "File with the rules", .type = OPTION_FILE)) },
    { .name = "policy delete",
      .help = "Delete policies",
      .verb = VERB_DELETE,
      .kind = &kind_policy,
      .options = OPTIONS(ARG_ID("<policy>", NULL, &kind_policy, "Policy (ID)", .repeat = true)) },
    { .name = "policy list",
      .help = "List policies",
      .verb = VERB_LIST,
      .kind = &kind_policy,
      .options = OPTIONS(FLAG("--long", NULL, "true", "More columns")),
      .columns = COLUMNS(COL("ID", "id"), COL("Type", "type"), LONG("Rules", "blob")) },
    { .name = "policy set",
      .help = "Change a policy",
      .verb = VERB_SET,
      .kind = &kind_policy,
      .options = OPTIONS(ARG_ID("<policy>", NULL, &kind_policy, "Policy (ID)"),
                         OPT("--type", "<type>", "type", "New MIME type"),
                         OPT("--rules", "<filename>", "blob", "File with new rules",
                             .type = OPTION_FILE)) },
    { .name = "policy show",
      .help = "Show a policy",
      .verb = VERB_SHOW,
      .kind = &kind_policy,
      .options = OPTIONS(ARG_ID("<policy>", NULL, &kind_policy, "Policy (ID)")) },

    REQUEST("policy add endpoint", "Let a policy be that of an endpoint", HTTP_PUT,
            POLICY_OF_ENDPOINT, POLICY_ARG, ENDPOINT_ARG),
    REQUEST("policy add service", "Let a policy be that of a service", HTTP_PUT, POLICY_OF_SERVICE,
            POLICY_SERVICE),
    REQUEST("policy remove endpoint", "Let a policy be that of an endpoint no more", HTTP_DELETE,
            POLICY_OF_ENDPOINT, POLICY_ARG, ENDPOINT_ARG),
    REQUEST("policy remove service", "Let a policy be that of a service no more", HTTP_DELETE,
            POLICY_OF_SERVICE, POLICY_SERVICE),
    CONTAINS("policy contains endpoint", "Say whether a policy is that of an endpoint",
             POLICY_OF_ENDPOINT, POLICY_ARG, ENDPOINT_ARG),
    CONTAINS("policy contains service", "Say whether a policy is that of a service",
             POLICY_OF_SERVICE, POLICY_SERVICE),
    { .name = "policy endpoint list",
      .help = "List the endpoints whose policy it is, by themselves, their service or region",
      .verb = VERB_LIST,
      .kind = &kind_endpoint,
      .path = "/policies/{policy}/OS-ENDPOINT-POLICY/endpoints",
      .options = OPTIONS(POLICY_ARG),
      .columns =
          COLUMNS(COL("ID", "id"), COL("Region", "region_id"), COL("Service ID", "service_id"),
                  COL("Interface", "interface"), COL("URL", "url")) },
    { .name = "endpoint policy show",
      .help = "Show the policy of an endpoint",
      .verb = VERB_REQUEST,
      .kind = &kind_policy,
      .path = "/endpoints/{endpoint}/OS-ENDPOINT-POLICY/policy",
      .show = true,
      .options = OPTIONS(ENDPOINT_ARG) },

    { .name = "registered limit create",
      .help = "Register what a resource is limited to by default",
      .verb = VERB_CREATE,
      .kind = &kind_registered_limit,
      .options = OPTIONS(OPT_INT("--default-limit", "<default-limit>", "default_limit",
                                 "The default; -1 is no limit", .required = true),
                         RESOURCE_OPTIONS) },
    { .name = "registered limit delete",
      .help = "Delete registered limits",
      .verb = VERB_DELETE,
      .kind = &kind_registered_limit,
      .options = OPTIONS(ARG_ID("<registered-limit-id>", NULL, &kind_registered_limit,
                                "Registered limit (ID)", .repeat = true)) },
    { .name = "registered limit list",
      .help = "List registered limits",
      .verb = VERB_LIST,
      .kind = &kind_registered_limit,
      .options = OPTIONS(RESOURCE_FILTERS),
      .columns =
          COLUMNS(COL("ID", "id"), COL("Service ID", "service_id"),
                  COL("Resource Name", "resource_name"), COL("Default Limit", "default_limit"),
                  COL("Description", "description"), COL("Region ID", "region_id")) },
    { .name = "registered limit set",
      .help = "Change a registered limit to which no limit refers",
      .verb = VERB_SET,
      .kind = &kind_registered_limit,
      .show = true,
      .options =
          OPTIONS(REGISTERED_ARG,
                  OPT_ID("--service", "<service>", "service_id", &kind_service,
                         "New service (type, name or ID)"),
                  OPT("--resource-name", "<resource-name>", "resource_name", "New resource"),
                  OPT_INT("--default-limit", "<default-limit>", "default_limit", "New default"),
                  OPT("--region", "<region>", "region_id", "New region"), DESCRIPTION) },
    { .name = "registered limit show",
      .help = "Show a registered limit",
      .verb = VERB_SHOW,
      .kind = &kind_registered_limit,
      .options = OPTIONS(REGISTERED_ARG) },

    { .name = "limit create",
      .help = "Limit what a project or domain may have of a registered resource",
      .verb = VERB_CREATE,
      .kind = &kind_limit,
      .options = OPTIONS(OPT_ID("--project", "<project>", "project_id", &kind_project,
                                "Project it is for (name or ID)"),
                         OPT_ID("--domain", "<domain>", "domain_id", &kind_domain,
                                "Domain it is for, in place of a project (name or ID)"),
                         OPT_INT("--resource-limit", "<resource-limit>", "resource_limit",
                                 "The limit; -1 is none", .required = true),
                         RESOURCE_OPTIONS) },
    { .name = "limit delete",
      .help = "Delete limits",
      .verb = VERB_DELETE,
      .kind = &kind_limit,
      .options = OPTIONS(ARG_ID("<limit-id>", NULL, &kind_limit, "Limit (ID)", .repeat = true)) },
    { .name = "limit list",
      .help = "List limits",
      .verb = VERB_LIST,
      .kind = &kind_limit,
      .options = OPTIONS(RESOURCE_FILTERS,
                         OPT_ID("--project", "<project>", "?project_id", &kind_project,
                                "Only this project's (name or ID)"),
                         OPT_ID("--domain", "<domain>", "?domain_id", &kind_domain,
                                "Only this domain's own (name or ID)")),
      .columns =
          COLUMNS(COL("ID", "id"), COL("Project ID", "project_id"), COL("Service ID", "service_id"),
                  COL("Resource Name", "resource_name"), COL("Resource Limit", "resource_limit"),
                  COL("Description", "description"), COL("Region ID", "region_id")) },
    { .name = "limit set",
      .help = "Change a limit",
      .verb = VERB_SET,
      .kind = &kind_limit,
      .show = true,
      .options =
          OPTIONS(LIMIT_ARG, DESCRIPTION,
                  OPT_INT("--resource-limit", "<resource-limit>", "resource_limit", "New limit")) },
    { .name = "limit show",
      .help = "Show a limit",
      .verb = VERB_SHOW,
      .kind = &kind_limit,
      .options = OPTIONS(LIMIT_ARG) },
    { .name = "limit model show",
      .help = "Show how limits of projects below each other add up",
      .verb = VERB_REQUEST,
      .kind = &kind_limit_model,
      .path = "/limits/model",
      .show = true },
    { .name = NULL },
};
