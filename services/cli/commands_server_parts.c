/* What a server has: addresses, ports, volumes, security groups, events. */
#include "kinds.h"
#include "servers.h"
#include "shapes.h"

#define SERVER ARG_ID("<server>", NULL, &kind_server, "Server (name or ID)")
#define GROUP ARG("<group>", NULL, "Security group (name or ID)")
#define TAG OPT("--tag", "<tag>", "interfaceAttachment.tag", "A tag of the device")

const struct command server_part_commands[] = {
    { .name = "server add floating ip", .help = "Give a server a floating IP", .verb = VERB_RUN, .kind = &kind_server, .run = servers_add_floating_ip,
      .options = OPTIONS(SERVER, ARG_ID("<ip-address>", NULL, &kind_floating_ip, "Floating IP (address or ID)"), OPT("--fixed-ip-address", "<address>", NULL, "For this address of the server")) },
    { .name = "server remove floating ip", .help = "Take a floating IP off a server", .verb = VERB_RUN, .kind = &kind_server, .run = servers_remove_floating_ip,
      .options = OPTIONS(SERVER, ARG_ID("<ip-address>", NULL, &kind_floating_ip, "Floating IP (address or ID)")) },
    { .name = "server add fixed ip", .help = "Give a server an address of a network", .verb = VERB_REQUEST, .kind = &kind_server, .method = HTTP_POST,
      .path = "/servers/{server}/os-interface", .prepare = servers_add_interface,
      .options = OPTIONS(SERVER, ARG_ID("<network>", "interfaceAttachment.net_id", &kind_network, "Network (name or ID)"), OPT("--fixed-ip-address", "<address>", NULL, "This address"), TAG) },
    { .name = "server add network", .help = "Connect a server to a network", .verb = VERB_REQUEST, .kind = &kind_server, .method = HTTP_POST, .path = "/servers/{server}/os-interface",
      .options = OPTIONS(SERVER, ARG_ID("<network>", "interfaceAttachment.net_id", &kind_network, "Network (name or ID)"), TAG) },
    { .name = "server remove network", .help = "Disconnect a server from a network", .verb = VERB_RUN, .kind = &kind_server, .run = servers_remove_network,
      .options = OPTIONS(SERVER, ARG_ID("<network>", NULL, &kind_network, "Network (name or ID)")) },
    { .name = "server add port", .help = "Give a server a port", .verb = VERB_REQUEST, .kind = &kind_server, .method = HTTP_POST, .path = "/servers/{server}/os-interface",
      .options = OPTIONS(SERVER, ARG_ID("<port>", "interfaceAttachment.port_id", &kind_port, "Port (name or ID)"), TAG) },
    { .name = "server remove port", .help = "Take a port off a server", .verb = VERB_REQUEST, .kind = &kind_server, .method = HTTP_DELETE, .path = "/servers/{server}/os-interface/{port}",
      .options = OPTIONS(SERVER, ARG_ID("<port>", NULL, &kind_port, "Port (name or ID)")) },
    { .name = "server add security group", .help = "Put a server into a security group", .verb = VERB_ACTION, .kind = &kind_server, .action = "addSecurityGroup", .prepare = servers_group_name,
      .options = OPTIONS(SERVER, GROUP) },
    { .name = "server remove security group", .help = "Take a server out of a security group", .verb = VERB_ACTION, .kind = &kind_server, .action = "removeSecurityGroup",
      .prepare = servers_group_name, .options = OPTIONS(SERVER, GROUP) },
    { .name = "server add volume", .help = "Attach a volume", .verb = VERB_RUN, .kind = &kind_server, .run = servers_add_volume,
      .options = OPTIONS(SERVER, ARG_ID("<volume>", "volumeId", &kind_volume, "Volume (name or ID)"), OPT("--device", "<device>", "device", "Its name in the guest, where that can be chosen"),
                         OPT("--tag", "<tag>", "tag", "A tag of the device"), FLAG("--enable-delete-on-termination", "delete_on_termination", "true", "Delete it with the server"),
                         FLAG("--disable-delete-on-termination", "delete_on_termination", "false", "Keep it (the default)"), FLAG("--wait", NULL, "true", "Wait until it is attached")) },
    { .name = "server remove volume", .help = "Detach a volume", .verb = VERB_RUN, .kind = &kind_server, .run = servers_remove_volume,
      .options = OPTIONS(SERVER, ARG_ID("<volume>", NULL, &kind_volume, "Volume (name or ID)"), FLAG("--wait", NULL, "true", "Wait until it is detached")) },
    { .name = "server volume list", .help = "List a server's volumes", .verb = VERB_LIST, .kind = &kind_server, .path = "/servers/{server}/os-volume_attachments", .plural = "volumeAttachments",
      .options = OPTIONS(SERVER),
      .columns = COLUMNS(COL("ID", "id"), COL("Device", "device"), COL("Server ID", "serverId"), COL("Volume ID", "volumeId"), COL("Tag", "tag"),
                         COL("Delete On Termination?", "delete_on_termination")) },
    { .name = "server event list", .help = "List what has been done with a server", .verb = VERB_LIST, .kind = &kind_server, .path = "/servers/{server}/os-instance-actions", .plural = "instanceActions",
      .options = OPTIONS(SERVER, FLAG("--long", NULL, "true", "More columns"), OPT("--changes-since", "<time>", "?changes-since", "Only since this time"),
                         OPT("--changes-before", "<time>", "?changes-before", "Only before this time"), OPT("--marker", "<id>", "?marker", "Only what follows this one"),
                         OPT_INT("--limit", "<n>", "?limit", "At most so many")),
      .columns = COLUMNS(COL("Request ID", "request_id"), COL("Server ID", "instance_uuid"), COL("Action", "action"), COL("Start Time", "start_time"), LONG("Message", "message"),
                         LONG("Project ID", "project_id"), LONG("User ID", "user_id")) },
    { .name = "server event show", .help = "Show one of them", .verb = VERB_RUN, .kind = &kind_server, .run = servers_event_show,
      .options = OPTIONS(SERVER, ARG("<request-id>", NULL, "Its request ID")) },
    { .name = NULL },
};
