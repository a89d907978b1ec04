/* The network service's commands: options that several resources share, and the code behind the tables. */
#pragma once

#include "cli.h"

/* clang-format off */
#define NET_NAME ARG("<name>", "name", "Its name")
#define NET_RENAME OPT("--name", "<name>", "name", "New name")
#define NET_DESCRIPTION OPT("--description", "<description>", "description", "What it is for")
#define NET_OWNER                                                                                                                     \
    OPT_ID("--project", "<project>", "project_id", &kind_project, "Its owner (name or ID)", .domain = "--project-domain"),            \
        OPT("--project-domain", "<domain>", NULL, "Domain of that project (name or ID)")
#define NET_FILTER_PROJECT                                                                                                            \
    OPT_ID("--project", "<project>", "?project_id", &kind_project, "Only this project's (name or ID)", .domain = "--project-domain"), \
        OPT("--project-domain", "<domain>", NULL, "Domain of that project (name or ID)")
#define NET_FILTER_NAME OPT("--name", "<name>", "?name", "Only with this name")
#define NET_FILTER_TAGS                                                             \
    OPT("--tags", "<tag>[,...]", "?tags", "Only with all these tags"),              \
        OPT("--any-tags", "<tag>[,...]", "?tags-any", "Only with one of these tags"), \
        OPT("--not-tags", "<tag>[,...]", "?not-tags", "Without all these tags"),    \
        OPT("--not-any-tags", "<tag>[,...]", "?not-tags-any", "Without any of these tags")
#define NET_LONG FLAG("--long", NULL, "true", "More columns")
#define NET_TAGS OPT("--tag", "<tag>", NULL, "A tag; repeat for more", .repeat = true), FLAG("--no-tag", NULL, "true", "No tags")
#define NET_UNSET_TAGS OPT("--tag", "<tag>", NULL, "This tag; repeat for more", .repeat = true), FLAG("--all-tag", NULL, "true", "All tags")
#define NET_ADMIN_STATE FLAG("--enable", "admin_state_up", "true", "Enable it (the default)"), FLAG("--disable", "admin_state_up", "false", "Disable it")
#define NET_SHARE FLAG("--share", "shared", "true", "All projects may use it"), FLAG("--no-share", "shared", "false", "Only its project (the default)")
#define NET_PORT_SECURITY                                                                                         \
    FLAG("--enable-port-security", "port_security_enabled", "true", "Security groups hold (the default)"),        \
        FLAG("--disable-port-security", "port_security_enabled", "false", "They don't")
#define NETWORK_EXTERNAL                                                                                          \
    FLAG("--external", "router:external", "true", "Routers' gateways may be on it"),                              \
        FLAG("--internal", "router:external", "false", "They may not (the default)"),                             \
        FLAG("--default", "is_default", "true", "The default external network"), FLAG("--no-default", "is_default", "false", "Not the default")
#define NETWORK_OPTIONS                                                                                           \
    OPT_INT("--mtu", "<bytes>", "mtu", "Its MTU"),                                                                \
        OPT("--provider-network-type", "<type>", "provider:network_type", "flat, geneve, gre, local, vlan or vxlan"), \
        OPT("--provider-physical-network", "<name>", "provider:physical_network", "The physical network below it"), \
        OPT_INT("--provider-segment", "<id>", "provider:segmentation_id", "VLAN or tunnel id"),                   \
        OPT("--dns-domain", "<domain>", "dns_domain", "Its DNS domain")
#define SUBNET_LISTS                                                                                                                        \
    OPT_PARTS("--allocation-pool", "start=<address>,end=<address>", "allocation_pools[]", "start,end", "Give addresses out of this range; repeat for more"), \
        OPT("--dns-nameserver", "<address>", "dns_nameservers[]", "A name server; repeat for more", .repeat = true),                        \
        OPT_PARTS("--host-route", "destination=<cidr>,gateway=<address>", "host_routes[]", "destination,gateway=nexthop", "A route for guests; repeat for more"), \
        OPT("--service-type", "<type>", "service_types[]", "Only for ports of this owner; repeat for more", .repeat = true)
#define SUBNET_OPTIONS                                                                                            \
    SUBNET_LISTS, FLAG("--dhcp", "enable_dhcp", "true", "With DHCP (the default)"), FLAG("--no-dhcp", "enable_dhcp", "false", "Without"), \
        FLAG("--dns-publish-fixed-ip", "dns_publish_fixed_ip", "true", "Addresses are published in DNS"),         \
        FLAG("--no-dns-publish-fixed-ip", "dns_publish_fixed_ip", "false", "They aren't"),                        \
        OPT("--gateway", "<gateway>", NULL, "An address, 'auto' (the first of the subnet; the default) or 'none'")
/* clang-format on */

/* Afterwards: --tag and --no-tag, which are a request of their own; 'object' gets the tags. */
int network_set_tags(struct cli *cli, json_t *object, struct fault *f);
int network_remove_tags(struct cli *cli, json_t *object, struct fault *f);

int network_subnet_body(struct cli *cli, json_t *body, struct fault *f);
int network_subnet_change(struct cli *cli, json_t *body, struct fault *f);
int network_subnet_unset(struct cli *cli, json_t *body, struct fault *f);
int network_port_body(struct cli *cli, json_t *body, struct fault *f);
int network_port_change(struct cli *cli, json_t *body, struct fault *f);
int network_port_unset(struct cli *cli, json_t *body, struct fault *f);
int network_port_rows(struct cli *cli, json_t *rows, struct fault *f);
int network_router_body(struct cli *cli, json_t *body, struct fault *f);
int network_router_change(struct cli *cli, json_t *body, struct fault *f);
int network_router_unset(struct cli *cli, json_t *body, struct fault *f);
int network_router_routes(struct cli *cli, struct fault *f);
int network_rule_body(struct cli *cli, json_t *body, struct fault *f);

/* Subnets named by name or id inside fixed IPs become ids. */
int network_fixed_ips(struct cli *cli, json_t *list, struct fault *f);

/* A list of a body, changed as 'set' and 'unset' have it: added to what 'now' has (unless the option 'forget' empties that first),
 * or taken out of it. */
int network_merge_list(struct cli *cli, json_t *body, const json_t *now, const char *member,
                       const char *forget);
int network_remove_from_list(json_t *body, const json_t *now, const char *member, struct fault *f);

/* The object that 'positional' names, as it is now. */
int network_now_of(struct cli *cli, const char *positional, json_t **ret, struct fault *f);
