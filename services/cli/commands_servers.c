/* Servers. */
#include "kinds.h"
#include "servers.h"
#include "shapes.h"

#define SERVER ARG_ID("<server>", NULL, &kind_server, "Server (name or ID)")
#define SERVERS ARG_ID("<server>", NULL, &kind_server, "Server (name or ID)", .repeat = true)
#define ALL_PROJECTS FLAG("--all-projects", NULL, "true", "Look for the names in all projects")
#define WAIT FLAG("--wait", NULL, "true", "Wait until it is done")
#define NETWORK_OPTIONS                                                                                                                            \
    OPT("--network", "<network>", NULL, "A port on this network (name or ID); repeat for more", .repeat = true),                                   \
        OPT("--port", "<port>", NULL, "This port (name or ID); repeat for more", .repeat = true),                                                  \
        OPT("--nic", "net-id=<network>,port-id=<port>,v4-fixed-ip=<address>,v6-fixed-ip=<address>,tag=<tag>|auto|none", NULL, "A network interface; repeat for more", .repeat = true)

const struct command server_commands[] = {
    { .name = "server create", .help = "Create a server", .verb = VERB_RUN, .kind = &kind_server, .run = servers_create,
      .options = OPTIONS(ARG("<name>", "name", "Its name"), OPT_ID("--flavor", "<flavor>", "flavorRef", &kind_flavor, "Its flavor (name or ID)", .required = true),
                         OPT_ID("--image", "<image>", "imageRef", &kind_image, "Boot from this image (name or ID)"),
                         OPT_ID("--volume", "<volume>", NULL, &kind_volume, "Boot from this volume (name or ID)"),
                         OPT_ID("--snapshot", "<snapshot>", NULL, &kind_snapshot, "Boot from a volume made from this snapshot (name or ID)"),
                         OPT_INT("--boot-from-volume", "<GiB>", NULL, "Boot from a new volume of this size, made from the image"),
                         OPT("--block-device-mapping", "<dev>=<id>:<type>:<size>:<delete>", NULL, "A further volume", .repeat = true),
                         OPT("--block-device", "<key=value>[,...]", NULL, "A further disk (uuid, source_type, destination_type, boot_index, volume_size, ...)", .repeat = true),
                         OPT_INT("--swap", "<MiB>", NULL, "A swap disk"), OPT("--ephemeral", "size=<GiB>[,format=<format>]", NULL, "A second disk", .repeat = true),
                         NETWORK_OPTIONS, OPT("--password", "<password>", "adminPass", "The administrator's password in the guest"),
                         OPT("--security-group", "<group>", NULL, "A security group (name or ID); repeat for more", .repeat = true),
                         OPT("--key-name", "<name>", "key_name", "A key pair to log in with"), OPT_PAIRS("--property", "metadata", "A property of it; repeat for more"),
                         OPT("--file", "<destination>=<file>", NULL, "Put a file into the guest (refused by newer versions)", .repeat = true),
                         OPT("--user-data", "<file>", NULL, "A file that the guest reads at its first boot"), OPT("--description", "<description>", "description", "What it is for"),
                         OPT("--availability-zone", "<zone>", "availability_zone", "The zone it should be in"), OPT("--host", "<host>", "host", "The host it should be on (administrators)"),
                         OPT("--hypervisor-hostname", "<name>", "hypervisor_hostname", "The hypervisor it should be on (administrators)"),
                         OPT_PAIRS("--hint", NULL, "A hint for the scheduler; repeat for more"), FLAG("--use-config-drive", "config_drive", "true", "With a config drive"),
                         FLAG("--no-config-drive", NULL, "true", "Without one (the default)"), OPT("--config-drive", "<True>", NULL, "With a config drive: True"),
                         OPT_INT("--min", "<count>", NULL, "At least so many servers (default 1)"), OPT_INT("--max", "<count>", NULL, "At most so many (default 1)"),
                         OPT("--tag", "<tag>", "tags[]", "A tag; repeat for more", .repeat = true), WAIT) },
    { .name = "server delete", .help = "Delete servers", .verb = VERB_DELETE, .kind = &kind_server, .action = "forceDelete",
      .options = OPTIONS(SERVERS, FLAG("--force", NULL, "true", "At once, even if it could be restored later"), ALL_PROJECTS, WAIT) },
    { .name = "server list", .help = "List servers", .verb = VERB_LIST, .kind = &kind_server, .rows = servers_names,
      .options = OPTIONS(OPT("--reservation-id", "<id>", "?reservation_id", "Only of this reservation"), OPT("--ip", "<regex>", "?ip", "Only with such an IPv4 address"),
                         OPT("--ip6", "<regex>", "?ip6", "Only with such an IPv6 address"), OPT("--name", "<regex>", "?name", "Only with such a name"),
                         OPT("--instance-name", "<name>", "?instance_name", "Only with this name on its host"), OPT("--status", "<status>", "?status", "Only with this status"),
                         OPT_ID("--flavor", "<flavor>", "?flavor", &kind_flavor, "Only of this flavor (name or ID)"), OPT_ID("--image", "<image>", "?image", &kind_image, "Only of this image (name or ID)"),
                         OPT("--host", "<host>", "?host", "Only on this host"), FLAG("--all-projects", "?all_tenants", "True", "Of all projects (administrators)"),
                         OPT_ID("--project", "<project>", "?project_id", &kind_project, "Only this project's (name or ID)", .domain = "--project-domain"),
                         OPT("--project-domain", "<domain>", NULL, "Domain of that project (name or ID)"),
                         OPT_ID("--user", "<user>", "?user_id", &kind_user, "Only this user's (name or ID)", .domain = "--user-domain"), OPT("--user-domain", "<domain>", NULL, "Domain of that user (name or ID)"),
                         FLAG("--deleted", "?deleted", "True", "Only deleted ones (administrators)"), OPT("--availability-zone", "<zone>", "?availability_zone", "Only in this zone"),
                         OPT("--key-name", "<name>", "?key_name", "Only with this key pair"), FLAG("--config-drive", "?config_drive", "True", "Only with a config drive"),
                         FLAG("--no-config-drive", "?config_drive", "", "Only without one"), OPT("--vm-state", "<state>", "?vm_state", "Only in this state"),
                         OPT("--task-state", "<state>", "?task_state", "Only while this is under way"), FLAG("--long", NULL, "true", "More columns"),
                         FLAG("-n", NULL, "true", "Don't ask for the images' names"), FLAG("--no-name-lookup", NULL, "true", "The same"),
                         FLAG("--name-lookup-one-by-one", NULL, "true", "Taken for compatibility: only the names needed are asked for anyway"),
                         OPT_ID("--marker", "<server>", "?marker", &kind_server, "Only what follows this server"), OPT_INT("--limit", "<n>", "?limit", "At most so many"),
                         OPT("--changes-before", "<time>", "?changes-before", "Only changed before this time"), OPT("--changes-since", "<time>", "?changes-since", "Only changed since this time"),
                         FLAG("--locked", "?locked", "True", "Only locked ones"), FLAG("--unlocked", "?locked", "False", "Only those not locked"),
                         OPT("--tags", "<tag>", "?tags", "Only with this tag"), OPT("--not-tags", "<tag>", "?not-tags", "Only without this tag")),
      .columns = COLUMNS(COL("ID", "id"), COL("Name", "name"), COL("Status", "status"), LONG("Task State", "OS-EXT-STS:task_state"),
                         LONG("Power State", "OS-EXT-STS:power_state", .format = shape_power_state), COL("Networks", "addresses", .make = make_addresses, .format = shape_dict_of_lists),
                         COL("Image", "image_name"), LONG("Image ID", "image.id"), COL("Flavor", "flavor", .make = make_flavor_name),
                         LONG("Availability Zone", "OS-EXT-AZ:availability_zone"), LONG("Host", "OS-EXT-SRV-ATTR:host"), LONG("Properties", "metadata"),
                         LONG("Project ID", "tenant_id"), LONG("User ID", "user_id"), LONG("Created At", "created"), LONG("Security Groups", "security_groups", .make = make_group_names)) },
    { .name = "server show", .help = "Show a server", .verb = VERB_SHOW, .kind = &kind_server, .after = servers_show, .options = OPTIONS(SERVER) },
    { .name = "server set", .help = "Change a server", .verb = VERB_RUN, .kind = &kind_server, .run = servers_set,
      .options = OPTIONS(SERVER, OPT("--name", "<name>", "name", "New name"), OPT_PAIRS("--property", NULL, "A property; repeat for more"),
                         OPT("--state", "<state>", NULL, "Say that it is active or in error (administrators)", .choices = "active,error"),
                         OPT("--description", "<description>", "description", "What it is for"), OPT("--tag", "<tag>", NULL, "A tag; repeat for more", .repeat = true)) },
    { .name = "server unset", .help = "Remove parts of a server", .verb = VERB_RUN, .kind = &kind_server, .run = servers_unset,
      .options = OPTIONS(SERVER, OPT("--property", "<key>", NULL, "This property; repeat for more", .repeat = true), FLAG("--description", "description", "null", "Its description"),
                         OPT("--tag", "<tag>", NULL, "This tag; repeat for more", .repeat = true)) },
    { .name = "server start", .help = "Start servers", .verb = VERB_ACTION, .kind = &kind_server, .action = "os-start", .wait_for = "ACTIVE", .options = OPTIONS(SERVERS, ALL_PROJECTS, WAIT) },
    { .name = "server stop", .help = "Stop servers", .verb = VERB_ACTION, .kind = &kind_server, .action = "os-stop", .wait_for = "SHUTOFF", .options = OPTIONS(SERVERS, ALL_PROJECTS, WAIT) },
    { .name = "server reboot", .help = "Reboot a server", .verb = VERB_ACTION, .kind = &kind_server, .action = "reboot", .wait_for = "ACTIVE", .prepare = servers_reboot,
      .options = OPTIONS(SERVER, FLAG("--hard", NULL, "true", "As if its power was cut"), FLAG("--soft", NULL, "true", "Ask the guest (the default)"), WAIT) },
    { .name = "server lock", .help = "Lock servers: only administrators may change them", .verb = VERB_ACTION, .kind = &kind_server, .action = "lock",
      .options = OPTIONS(SERVERS, OPT("--reason", "<reason>", "locked_reason", "Why")) },
    { .name = "server unlock", .help = "Unlock servers", .verb = VERB_ACTION, .kind = &kind_server, .action = "unlock", .options = OPTIONS(SERVERS) },
    { .name = NULL },
};
