/* What several services say together, and placement. */
#include "cloud_wide.h"
#include "kinds.h"

/* clang-format off: a row is read as a row. */

#define RESOURCE                                                                                   \
    OPT_PAIRS("--resource", NULL, "How much of a resource class (VCPU=1); repeat for more",        \
              .required = true)
#define TRAITS                                                                                     \
    OPT("--required", "<trait>", "?required", "Only with this trait; repeat for more",             \
        .repeat = true),                                                                           \
        OPT("--forbidden", "<trait>", NULL, "Only without this trait; repeat for more",            \
            .repeat = true),                                                                       \
        OPT("--member-of", "<aggregate>[,...]", "?member_of", "Only in one of these aggregates",   \
            .repeat = true)
#define QUOTA(option, what) OPT_INT(option, "<n>", NULL, what)

const struct command cloud_commands[] = {
    { .name = "availability zone list",
      .help = "List availability zones",
      .verb = VERB_RUN,
      .service = SERVICE_IDENTITY,
      .run = cloud_zones,
      .options = OPTIONS(FLAG("--compute", NULL, "true", "Only compute's"),
                         FLAG("--network", NULL, "true", "Only the network's"),
                         FLAG("--volume", NULL, "true", "Only block storage's"),
                         FLAG("--long", NULL, "true", "More columns")),
      .columns =
          COLUMNS(COL("Zone Name", "name"), COL("Zone Status", "status"),
                  LONG("Zone Resource", "resource"), LONG("Host Name", "host"),
                  LONG("Service Name", "service"), LONG("Service Status", "service_status")) },
    { .name = "quota show",
      .help = "Show a project's quotas",
      .verb = VERB_RUN,
      .service = SERVICE_IDENTITY,
      .run = cloud_quota_show,
      .options = OPTIONS(ARG_ID("<project>", NULL, &kind_project,
                                "Project (name or ID; default: yours)", .optional = true),
                         FLAG("--default", NULL, "true", "The defaults"),
                         FLAG("--class", NULL, "true", "The argument is a quota class")) },
    { .name = "quota set",
      .help = "Change a project's quotas",
      .verb = VERB_RUN,
      .service = SERVICE_IDENTITY,
      .run = cloud_quota_set,
      .options = OPTIONS(
          ARG_ID("<project>", NULL, &kind_project, "Project (name or ID)"),
          QUOTA("--cores", "Processors"), QUOTA("--instances", "Servers"),
          QUOTA("--ram", "Memory in MiB"), QUOTA("--key-pairs", "Key pairs"),
          QUOTA("--properties", "Properties of a server"),
          QUOTA("--server-groups", "Server groups"),
          QUOTA("--server-group-members", "Servers in a group"),
          QUOTA("--injected-files", "Injected files"),
          QUOTA("--injected-file-size", "Bytes of each"),
          QUOTA("--injected-path-size", "Bytes of its path"), QUOTA("--volumes", "Volumes"),
          QUOTA("--gigabytes", "GiB of volumes and snapshots"), QUOTA("--snapshots", "Snapshots"),
          QUOTA("--backups", "Backups"), QUOTA("--backup-gigabytes", "GiB of backups"),
          QUOTA("--per-volume-gigabytes", "GiB of one volume"), QUOTA("--networks", "Networks"),
          QUOTA("--subnets", "Subnets"), QUOTA("--ports", "Ports"), QUOTA("--routers", "Routers"),
          QUOTA("--floating-ips", "Floating IPs"), QUOTA("--secgroups", "Security groups"),
          QUOTA("--secgroup-rules", "Security group rules"),
          QUOTA("--rbac-policies", "RBAC policies"), QUOTA("--subnetpools", "Subnet pools"),
          FLAG("--force", NULL, "true", "Also below what is in use"),
          FLAG("--check-limit", NULL, "true", "Not below what is in use")) },
    { .name = "limits show",
      .help = "Show limits and what is used of them",
      .verb = VERB_RUN,
      .service = SERVICE_IDENTITY,
      .run = cloud_limits,
      .options = OPTIONS(FLAG("--absolute", NULL, "true", "Absolute limits"),
                         FLAG("--rate", NULL, "true", "Rate limits"),
                         FLAG("--reserved", NULL, "true", "With what is reserved"),
                         OPT_ID("--project", "<project>", NULL, &kind_project,
                                "Another project's (name or ID)", .domain = "--domain"),
                         OPT("--domain", "<domain>", NULL, "Domain of that project (name or ID)")),
      .columns = COLUMNS(COL("Name", "name"), COL("Value", "value")) },
    { .name = NULL },
};

const struct command placement_commands[] = {
    { .name = "resource provider list",
      .help = "List resource providers",
      .verb = VERB_LIST,
      .kind = &kind_provider,
      .options = OPTIONS(OPT("--uuid", "<uuid>", "?uuid", "Only this one"),
                         OPT("--name", "<name>", "?name", "Only with this name"),
                         OPT("--required", "<trait>", "?required",
                             "Only with this trait; repeat for more", .repeat = true),
                         OPT("--member-of", "<aggregate>[,...]", "?member_of",
                             "Only in one of these aggregates", .repeat = true)),
      .columns = COLUMNS(COL("uuid", "uuid"), COL("name", "name"), COL("generation", "generation"),
                         COL("root_provider_uuid", "root_provider_uuid"),
                         COL("parent_provider_uuid", "parent_provider_uuid")) },
    { .name = "resource provider show",
      .help = "Show a resource provider",
      .verb = VERB_SHOW,
      .kind = &kind_provider,
      .options =
          OPTIONS(ARG_ID("<provider>", NULL, &kind_provider, "Resource provider (name or uuid)")) },
    { .name = "resource provider inventory list",
      .help = "List what a provider has and what is used of it",
      .verb = VERB_RUN,
      .kind = &kind_provider,
      .run = placement_inventories,
      .options =
          OPTIONS(ARG_ID("<provider>", NULL, &kind_provider, "Resource provider (name or uuid)")),
      .columns =
          COLUMNS(COL("resource_class", "resource_class"),
                  COL("allocation_ratio", "allocation_ratio"), COL("min_unit", "min_unit"),
                  COL("max_unit", "max_unit"), COL("reserved", "reserved"),
                  COL("step_size", "step_size"), COL("total", "total"), COL("used", "used")) },
    { .name = "allocation candidate list",
      .help = "List where resources could be had",
      .verb = VERB_RUN,
      .kind = &kind_provider,
      .run = placement_candidates,
      .options = OPTIONS(RESOURCE, TRAITS, OPT_INT("--limit", "<n>", "?limit", "At most so many")),
      .columns = COLUMNS(COL("#", "number"), COL("allocation", "allocation"),
                         COL("resource provider", "provider"),
                         COL("inventory used/capacity", "used"), COL("traits", "traits")) },
    { .name = "placement explain",
      .help = "Say, provider by provider, why resources could or could not be had",
      .verb = VERB_RUN,
      .kind = &kind_provider,
      .run = placement_explain,
      .options = OPTIONS(RESOURCE, TRAITS, OPT_INT("--limit", "<n>", "?limit", "At most so many")),
      .columns =
          COLUMNS(COL("Provider", "name"), COL("Rule", "rule"),
                  COL("Resource Class", "resource_class"), COL("Wanted", "wanted"),
                  COL("Available", "available"), COL("Reason", "reason"), LONG("UUID", "uuid")) },
    { .name = NULL },
};
