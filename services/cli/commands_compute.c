/* Flavors, key pairs, hypervisors, compute services, the console. */
#include "compute.h"
#include "kinds.h"
#include "servers.h"

#define FLAVOR ARG_ID("<flavor>", NULL, &kind_flavor, "Flavor (name or ID)")
#define FLAVOR_PROJECT                                                                                                       \
    OPT_ID("--project", "<project>", NULL, &kind_project, "This project may use it (name or ID)", .domain = "--project-domain"), \
        OPT("--project-domain", "<domain>", NULL, "Domain of that project (name or ID)")
#define KEY_OWNER                                                                                                            \
    OPT_ID("--user", "<user>", "?user_id", &kind_user, "Another user's (name or ID)", .domain = "--user-domain"),            \
        OPT("--user-domain", "<domain>", NULL, "Domain of that user (name or ID)")

const struct command compute_commands[] = {
    { .name = "flavor create", .help = "Create a flavor", .verb = VERB_CREATE, .kind = &kind_flavor, .prepare = compute_flavor_body, .after = compute_flavor_created,
      .options = OPTIONS(ARG("<name>", "name", "Its name"), OPT("--id", "<id>", "id", "Its ID; 'auto' makes one (the default)"),
                         OPT_INT("--ram", "<MiB>", "ram", "Memory (default 256)", .fallback = "256"), OPT_INT("--disk", "<GiB>", "disk", "Disk (default 0)", .fallback = "0"),
                         OPT_INT("--ephemeral", "<GiB>", "OS-FLV-EXT-DATA:ephemeral", "Second disk (default 0)", .fallback = "0"),
                         OPT_INT("--swap", "<MiB>", "swap", "Swap disk (default 0)", .fallback = "0"), OPT_INT("--vcpus", "<n>", "vcpus", "Processors (default 1)", .fallback = "1"),
                         OPT("--rxtx-factor", "<factor>", "rxtx_factor", "Of old networks (default 1.0)", .type = OPTION_NUMBER),
                         FLAG("--public", "os-flavor-access:is_public", "true", "All projects may use it (the default)"),
                         FLAG("--private", "os-flavor-access:is_public", "false", "Only projects that are given it"),
                         OPT_PAIRS("--property", NULL, "A property (extra spec) of it; repeat for more"), FLAVOR_PROJECT,
                         OPT("--description", "<description>", "description", "What it is for")) },
    { .name = "flavor delete", .help = "Delete flavors", .verb = VERB_DELETE, .kind = &kind_flavor,
      .options = OPTIONS(ARG_ID("<flavor>", NULL, &kind_flavor, "Flavor (name or ID)", .repeat = true)) },
    { .name = "flavor list", .help = "List flavors", .verb = VERB_LIST, .kind = &kind_flavor, .rows = compute_flavor_rows,
      .options = OPTIONS(FLAG("--public", "?is_public", "true", "Only public ones (the default)"), FLAG("--private", "?is_public", "false", "Only private ones"),
                         FLAG("--all", "?is_public", "None", "All"), OPT_INT("--min-disk", "<GiB>", "?minDisk", "Only with that much disk"),
                         OPT_INT("--min-ram", "<MiB>", "?minRam", "Only with that much memory"), FLAG("--long", NULL, "true", "More columns"),
                         OPT("--marker", "<flavor>", "?marker", "Only what follows this flavor"), OPT_INT("--limit", "<n>", "?limit", "At most so many")),
      .columns = COLUMNS(COL("ID", "id"), COL("Name", "name"), COL("RAM", "ram"), COL("Disk", "disk"), COL("Ephemeral", "OS-FLV-EXT-DATA:ephemeral"), COL("VCPUs", "vcpus"),
                         COL("Is Public", "os-flavor-access:is_public"), LONG("Swap", "swap"), LONG("RXTX Factor", "rxtx_factor"), LONG("Properties", "extra_specs")) },
    { .name = "flavor set", .help = "Change a flavor", .verb = VERB_RUN, .kind = &kind_flavor, .run = compute_flavor_set,
      .options = OPTIONS(FLAVOR, FLAG("--no-property", NULL, "true", "Forget the properties that were there"), OPT_PAIRS("--property", NULL, "A property (extra spec); repeat for more"),
                         FLAVOR_PROJECT, OPT("--description", "<description>", NULL, "What it is for")) },
    { .name = "flavor unset", .help = "Remove parts of a flavor", .verb = VERB_RUN, .kind = &kind_flavor, .run = compute_flavor_unset,
      .options = OPTIONS(FLAVOR, OPT("--property", "<key>", NULL, "This property; repeat for more", .repeat = true), FLAVOR_PROJECT) },
    { .name = "flavor show", .help = "Show a flavor", .verb = VERB_SHOW, .kind = &kind_flavor, .options = OPTIONS(FLAVOR) },

    { .name = "keypair create", .help = "Create or import a key pair", .verb = VERB_RUN, .kind = &kind_keypair, .run = compute_keypair_create,
      .options = OPTIONS(ARG("<name>", "name", "Its name"), OPT("--public-key", "<file>", "public_key", "Import this public key (default: a pair is made)", .type = OPTION_FILE),
                         OPT("--private-key", "<file>", NULL, "Save the private key here, mode 0600 (default: it is printed)"),
                         OPT("--type", "<type>", "type", "ssh or x509", .choices = "ssh,x509"),
                         OPT_ID("--user", "<user>", "user_id", &kind_user, "For another user (name or ID)", .domain = "--user-domain"),
                         OPT("--user-domain", "<domain>", NULL, "Domain of that user (name or ID)")) },
    { .name = "keypair delete", .help = "Delete key pairs", .verb = VERB_DELETE, .kind = &kind_keypair, .options = OPTIONS(ARG("<name>", NULL, "Key pair (name)", .repeat = true), KEY_OWNER) },
    { .name = "keypair list", .help = "List key pairs", .verb = VERB_LIST, .kind = &kind_keypair, .rows = compute_keypair_rows,
      .options = OPTIONS(KEY_OWNER, OPT("--marker", "<name>", "?marker", "Only what follows this one"), OPT_INT("--limit", "<n>", "?limit", "At most so many")),
      .columns = COLUMNS(COL("Name", "name"), COL("Fingerprint", "fingerprint"), COL("Type", "type")) },
    { .name = "keypair show", .help = "Show a key pair", .verb = VERB_RUN, .kind = &kind_keypair, .run = compute_keypair_show,
      .options = OPTIONS(ARG("<name>", NULL, "Key pair (name)"), FLAG("--public-key", NULL, "true", "Only the public key itself"),
                         OPT_ID("--user", "<user>", NULL, &kind_user, "Another user's (name or ID)", .domain = "--user-domain"),
                         OPT("--user-domain", "<domain>", NULL, "Domain of that user (name or ID)")) },

    { .name = "hypervisor list", .help = "List hypervisors", .verb = VERB_LIST, .kind = &kind_hypervisor,
      .options = OPTIONS(OPT("--matching", "<text>", "?hypervisor_hostname_pattern", "Only with this in the name"), OPT("--marker", "<id>", "?marker", "Only what follows this one"),
                         OPT_INT("--limit", "<n>", "?limit", "At most so many"), FLAG("--long", NULL, "true", "More columns")),
      .columns = COLUMNS(COL("ID", "id"), COL("Hypervisor Hostname", "hypervisor_hostname"), COL("Hypervisor Type", "hypervisor_type"), COL("Host IP", "host_ip"), COL("State", "state"),
                         LONG("vCPUs Used", "vcpus_used"), LONG("vCPUs", "vcpus"), LONG("Memory MB Used", "memory_mb_used"), LONG("Memory MB", "memory_mb")) },
    { .name = "hypervisor show", .help = "Show a hypervisor", .verb = VERB_SHOW, .kind = &kind_hypervisor, .after = compute_hypervisor_show,
      .options = OPTIONS(ARG_ID("<hypervisor>", NULL, &kind_hypervisor, "Hypervisor (name or ID)")) },
    { .name = "compute service list", .help = "List compute's services", .verb = VERB_LIST, .kind = &kind_compute_service,
      .options = OPTIONS(OPT("--host", "<host>", "?host", "Only on this host"), OPT("--service", "<service>", "?binary", "Only this one"), FLAG("--long", NULL, "true", "More columns")),
      .columns = COLUMNS(COL("ID", "id"), COL("Binary", "binary"), COL("Host", "host"), COL("Zone", "zone"), COL("Status", "status"), COL("State", "state"), COL("Updated At", "updated_at"),
                         LONG("Disabled Reason", "disabled_reason"), LONG("Forced Down", "forced_down")) },
    { .name = "compute service set", .help = "Enable or disable a compute service", .verb = VERB_RUN, .kind = &kind_compute_service, .run = compute_service_set,
      .options = OPTIONS(ARG("<host>", NULL, "Its host"), ARG("<service>", NULL, "Its name (nova-compute)"), FLAG("--enable", NULL, "true", "New guests may go there"),
                         FLAG("--disable", NULL, "true", "They may not"), OPT("--disable-reason", "<reason>", NULL, "Why not"), FLAG("--up", NULL, "true", "It is up"),
                         FLAG("--down", NULL, "true", "It is down, whatever it says")) },
    { .name = "compute service delete", .help = "Forget compute services", .verb = VERB_DELETE, .kind = &kind_compute_service,
      .options = OPTIONS(ARG("<service>", NULL, "Service (ID)", .repeat = true)) },
    { .name = "console log show", .help = "Show what a server has printed", .verb = VERB_RUN, .kind = &kind_server, .run = servers_console,
      .options = OPTIONS(ARG_ID("<server>", NULL, &kind_server, "Server (name or ID)"), OPT_INT("--lines", "<n>", "length", "The last lines (default: all)")) },
    { .name = NULL },
};
