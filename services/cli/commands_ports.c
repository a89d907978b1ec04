/* Ports, routers. */
#include "kinds.h"
#include "network.h"
#include "shapes.h"

/* clang-format off: a row is read as a row. */

#define PORT_OPTIONS                                                                               \
    OPT("--device", "<id>", "device_id", "Id of what it belongs to"),                              \
        OPT("--device-owner", "<owner>", "device_owner",                                           \
            "What it belongs to (compute:nova, ...)"),                                             \
        OPT("--mac-address", "<mac>", "mac_address", "Its MAC address"),                           \
        OPT("--vnic-type", "<type>", "binding:vnic_type",                                          \
            "How a guest gets it (normal, direct, ...)"),                                          \
        OPT("--host", "<host>", "binding:host_id", "The host it is bound to"),                     \
        OPT("--dns-domain", "<domain>", "dns_domain", "Its DNS domain"),                           \
        OPT("--dns-name", "<name>", "dns_name", "Its DNS name"),                                   \
        OPT_PAIRS("--binding-profile", "binding:profile", "For its binding; repeat for more"),     \
        FIXED_IP, FLAG("--no-fixed-ip", NULL, "true", "No address"),                               \
        OPT_ID("--security-group", "<group>", "security_groups[]", &kind_security_group,           \
               "A security group (name or ID); repeat for more", .repeat = true),                  \
        FLAG("--no-security-group", NULL, "true", "No security group"),                            \
        OPT_PARTS("--allowed-address", "ip-address=<cidr>[,mac-address=<mac>]",                    \
                  "allowed_address_pairs[]", "ip-address=ip_address,mac-address=mac_address",      \
                  "Another address that it may send from; repeat for more"),                       \
        OPT_PARTS("--extra-dhcp-option", "name=<name>[,value=<value>,ip-version={4,6}]",           \
                  "extra_dhcp_opts[]", "name=opt_name,value=opt_value,ip-version=ip_version",      \
                  "A DHCP option; repeat for more")
#define FIXED_IP                                                                                   \
    OPT_PARTS("--fixed-ip", "subnet=<subnet>,ip-address=<address>", "fixed_ips[]",                 \
              "subnet=subnet_id,ip-address=ip_address,ip-substring=ip_address_substr",             \
              "An address; repeat for more")
#define ROUTE                                                                                      \
    OPT_PARTS("--route", "destination=<cidr>,gateway=<address>", "routes[]",                       \
              "destination,gateway=nexthop", "A route; repeat for more")
#define ROUTER ARG_ID("<router>", NULL, &kind_router, "Router (name or ID)")
#define GATEWAY_OPTIONS                                                                            \
    OPT_ID("--external-gateway", "<network>", "external_gateway_info.network_id", &kind_network,   \
           "External network of its gateway (name or ID)"),                                        \
        OPT_PARTS("--fixed-ip", "subnet=<subnet>,ip-address=<address>", NULL,                      \
                  "subnet=subnet_id,ip-address=ip_address",                                        \
                  "An address of its gateway; repeat for more"),                                   \
        FLAG("--enable-snat", "external_gateway_info.enable_snat", "true",                         \
             "Guests reach out with the gateway's address"),                                       \
        FLAG("--disable-snat", "external_gateway_info.enable_snat", "false", "They don't")

const struct command port_commands[] = {
    { .name = "port create",
      .help = "Create a port",
      .verb = VERB_CREATE,
      .kind = &kind_port,
      .prepare = network_port_body,
      .after = network_set_tags,
      .options = OPTIONS(NET_NAME, NET_OWNER, NET_DESCRIPTION, NET_TAGS, NET_ADMIN_STATE,
                         NET_PORT_SECURITY, PORT_OPTIONS,
                         OPT_ID("--network", "<network>", "network_id", &kind_network,
                                "Its network (name or ID)", .required = true)) },
    { .name = "port delete",
      .help = "Delete ports",
      .verb = VERB_DELETE,
      .kind = &kind_port,
      .options = OPTIONS(ARG_ID("<port>", NULL, &kind_port, "Port (name or ID)", .repeat = true)) },
    { .name = "port list",
      .help = "List ports",
      .verb = VERB_LIST,
      .kind = &kind_port,
      .options =
          OPTIONS(OPT("--device-owner", "<owner>", "?device_owner", "Only of this owner"),
                  OPT("--host", "<host>", "?binding:host_id", "Only on this host"),
                  OPT_ID("--network", "<network>", "?network_id", &kind_network,
                         "Only this network's (name or ID)"),
                  OPT_ID("--router", "<router>", "?device_id", &kind_router,
                         "Only this router's (name or ID)"),
                  OPT_ID("--server", "<server>", "?device_id", &kind_server,
                         "Only this server's (name or ID)"),
                  OPT("--device-id", "<id>", "?device_id", "Only of what has this id"),
                  OPT("--mac-address", "<mac>", "?mac_address", "Only with this MAC address"),
                  NET_LONG, NET_FILTER_PROJECT, NET_FILTER_NAME,
                  OPT_ID("--security-group", "<group>", "?security_groups", &kind_security_group,
                         "Only with this security group (name or ID)", .repeat = true),
                  OPT_PARTS("--fixed-ip", "subnet=<subnet>,ip-address=<address>", NULL,
                            "subnet=subnet_id,ip-address=ip_address,ip-substring=ip_address_substr",
                            "Only with this address"),
                  NET_FILTER_TAGS),
      .rows = network_port_rows,
      .columns = COLUMNS(COL("ID", "id"), COL("Name", "name"), COL("MAC Address", "mac_address"),
                         COL("Fixed IP Addresses", "fixed_ips"), COL("Status", "status"),
                         LONG("Security Groups", "security_groups"),
                         LONG("Device Owner", "device_owner"), LONG("Tags", "tags")) },
    { .name = "port set",
      .help = "Change a port",
      .verb = VERB_SET,
      .kind = &kind_port,
      .prepare = network_port_change,
      .after = network_set_tags,
      .options =
          OPTIONS(ARG_ID("<port>", NULL, &kind_port, "Port (name or ID)"), NET_RENAME,
                  NET_DESCRIPTION, NET_TAGS, NET_ADMIN_STATE, NET_PORT_SECURITY, PORT_OPTIONS,
                  FLAG("--no-binding-profile", NULL, "true", "Forget the binding profile"),
                  FLAG("--no-allowed-address", NULL, "true", "Forget the allowed addresses")) },
    { .name = "port unset",
      .help = "Remove parts of a port",
      .verb = VERB_SET,
      .kind = &kind_port,
      .prepare = network_port_unset,
      .after = network_remove_tags,
      .options =
          OPTIONS(ARG_ID("<port>", NULL, &kind_port, "Port (name or ID)"), NET_UNSET_TAGS, FIXED_IP,
                  OPT_ID("--security-group", "<group>", "security_groups[]", &kind_security_group,
                         "This security group; repeat for more", .repeat = true),
                  OPT_PARTS("--allowed-address", "ip-address=<cidr>[,mac-address=<mac>]",
                            "allowed_address_pairs[]",
                            "ip-address=ip_address,mac-address=mac_address", "This address"),
                  FLAG("--host", "binding:host_id", "\"\"", "Its host")) },
    { .name = "port show",
      .help = "Show a port",
      .verb = VERB_SHOW,
      .kind = &kind_port,
      .options = OPTIONS(ARG_ID("<port>", NULL, &kind_port, "Port (name or ID)")) },
    { .name = NULL },
};

const struct command router_commands[] = {
    { .name = "router create",
      .help = "Create a router",
      .verb = VERB_CREATE,
      .kind = &kind_router,
      .prepare = network_router_body,
      .after = network_set_tags,
      .options =
          OPTIONS(NET_NAME, NET_OWNER, NET_DESCRIPTION, NET_TAGS, NET_ADMIN_STATE, GATEWAY_OPTIONS,
                  OPT("--availability-zone-hint", "<zone>", "availability_zone_hints[]",
                      "A zone it should be in; repeat for more", .repeat = true),
                  FLAG("--distributed", "distributed", "true", "Distributed"),
                  FLAG("--centralized", "distributed", "false", "Centralized"),
                  FLAG("--ha", "ha", "true", "Highly available"),
                  FLAG("--no-ha", "ha", "false", "Not so")) },
    { .name = "router delete",
      .help = "Delete routers",
      .verb = VERB_DELETE,
      .kind = &kind_router,
      .options =
          OPTIONS(ARG_ID("<router>", NULL, &kind_router, "Router (name or ID)", .repeat = true)) },
    { .name = "router list",
      .help = "List routers",
      .verb = VERB_LIST,
      .kind = &kind_router,
      .options =
          OPTIONS(NET_FILTER_NAME, FLAG("--enable", "?admin_state_up", "true", "Only enabled ones"),
                  FLAG("--disable", "?admin_state_up", "false", "Only disabled ones"), NET_LONG,
                  NET_FILTER_PROJECT, NET_FILTER_TAGS),
      .columns = COLUMNS(COL("ID", "id"), COL("Name", "name"), COL("Status", "status"),
                         COL("State", "admin_state_up", .format = shape_up_down),
                         COL("Project", "project_id"), LONG("Routes", "routes"),
                         LONG("External gateway info", "external_gateway_info"),
                         LONG("Availability zones", "availability_zones"), LONG("Tags", "tags")) },
    { .name = "router set",
      .help = "Change a router",
      .verb = VERB_SET,
      .kind = &kind_router,
      .prepare = network_router_change,
      .after = network_set_tags,
      .options =
          OPTIONS(ROUTER, NET_RENAME, NET_DESCRIPTION, NET_TAGS, NET_ADMIN_STATE, GATEWAY_OPTIONS,
                  ROUTE, FLAG("--no-route", NULL, "true", "Forget the routes that were there"),
                  FLAG("--distributed", "distributed", "true", "Distributed"),
                  FLAG("--centralized", "distributed", "false", "Centralized"),
                  FLAG("--ha", "ha", "true", "Highly available"),
                  FLAG("--no-ha", "ha", "false", "Not so")) },
    { .name = "router unset",
      .help = "Remove parts of a router",
      .verb = VERB_SET,
      .kind = &kind_router,
      .prepare = network_router_unset,
      .after = network_remove_tags,
      .options =
          OPTIONS(ROUTER, NET_UNSET_TAGS, ROUTE,
                  FLAG("--external-gateway", "external_gateway_info", "{}", "Its gateway")) },
    { .name = "router show",
      .help = "Show a router",
      .verb = VERB_SHOW,
      .kind = &kind_router,
      .options = OPTIONS(ROUTER) },
    { .name = "router add subnet",
      .help = "Connect a subnet",
      .verb = VERB_REQUEST,
      .kind = &kind_router,
      .method = HTTP_PUT,
      .path = "/routers/{router}/add_router_interface",
      .options =
          OPTIONS(ROUTER, ARG_ID("<subnet>", "subnet_id", &kind_subnet, "Subnet (name or ID)")) },
    { .name = "router remove subnet",
      .help = "Disconnect a subnet",
      .verb = VERB_REQUEST,
      .kind = &kind_router,
      .method = HTTP_PUT,
      .path = "/routers/{router}/remove_router_interface",
      .options =
          OPTIONS(ROUTER, ARG_ID("<subnet>", "subnet_id", &kind_subnet, "Subnet (name or ID)")) },
    { .name = "router add port",
      .help = "Connect a port",
      .verb = VERB_REQUEST,
      .kind = &kind_router,
      .method = HTTP_PUT,
      .path = "/routers/{router}/add_router_interface",
      .options = OPTIONS(ROUTER, ARG_ID("<port>", "port_id", &kind_port, "Port (name or ID)")) },
    { .name = "router remove port",
      .help = "Disconnect a port",
      .verb = VERB_REQUEST,
      .kind = &kind_router,
      .method = HTTP_PUT,
      .path = "/routers/{router}/remove_router_interface",
      .options = OPTIONS(ROUTER, ARG_ID("<port>", "port_id", &kind_port, "Port (name or ID)")) },
    { .name = "router add route",
      .help = "Add routes",
      .verb = VERB_RUN,
      .silent = true,
      .kind = &kind_router,
      .method = HTTP_PUT,
      .run = network_router_routes,
      .options = OPTIONS(ROUTER, ROUTE) },
    { .name = "router remove route",
      .help = "Remove routes",
      .verb = VERB_RUN,
      .silent = true,
      .kind = &kind_router,
      .method = HTTP_DELETE,
      .run = network_router_routes,
      .options = OPTIONS(ROUTER, ROUTE) },
    { .name = NULL },
};
