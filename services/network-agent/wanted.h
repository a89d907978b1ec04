/* What a host's network shall be: the service's answer to host_state, checked and made ready to
 * work with.
 *
 * wanted_read.c makes it; everything else only reads it. An object that is wrong (an address that
 * is none, a name that no file may carry) is left out with its reason, so that it never stops the
 * others. Everything lives in one arena. References between objects are pointers, resolved once. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "base/arena.h"

struct wanted_fixed_ip {
    const char *subnet_id;
    struct address ip;
};

struct wanted_route {
    struct address destination, nexthop;
};

struct wanted_dhcp_option {
    const char *name;  /* "bootfile-name", or digits */
    const char *value; /* Printable, without what ends or quotes a line. */
    int family;        /* AF_INET or AF_INET6 */
};

/* What a subnet gives by router advertisement and DHCPv6. */
enum wanted_ra { WANTED_RA_NONE, WANTED_RA_SLAAC, WANTED_RA_STATELESS, WANTED_RA_STATEFUL };

struct wanted_subnet {
    const char *id;
    struct address cidr;
    struct address gateway; /* family 0: none */
    bool dhcp;
    enum wanted_ra ra;
    struct address *nameservers;
    size_t nameservers_count;
    struct wanted_route *routes;
    size_t routes_count;
};

struct wanted_dhcp {
    const char *port_id;
    struct mac mac;
    struct wanted_fixed_ip *ips;
    size_t ips_count;
};

struct wanted_network {
    const char *id;
    uint32_t vni;         /* 0: flat */
    const char *physical; /* NULL: a tenant network */
    unsigned mtu;
    const char *domain; /* Never NULL. */
    const char *bridge; /* Our own, or the mapped one of a flat network. */
    struct wanted_subnet *subnets;
    size_t subnets_count;
    struct wanted_dhcp *dhcp; /* NULL: not served here */
};

struct wanted_pair {
    struct mac mac;
    struct address ip;
};

struct wanted_group;

struct wanted_port {
    const char *id;
    struct wanted_network *network;
    struct mac mac;
    struct wanted_fixed_ip *ips;
    size_t ips_count;
    const char *device_id; /* NULL: none */
    const char *tap;       /* NULL for a remote port. */
    bool up;
    bool secured;
    struct wanted_pair *pairs;
    size_t pairs_count;
    struct wanted_group **groups;
    size_t groups_count;
    const char *hostname; /* A host name's label; never NULL. */
    struct wanted_dhcp_option *options;
    size_t options_count;
    struct address tunnel; /* Where a remote port lives; family 0: nowhere yet, or here. */
};

enum wanted_protocol_kind { WANTED_ANY, WANTED_PORTS, WANTED_ICMP, WANTED_OTHER };

struct wanted_rule {
    const char *id;
    bool ingress;
    int family;
    enum wanted_protocol_kind kind;
    unsigned protocol;           /* Number; for WANTED_ANY unused. */
    int min, max;                /* Ports, or ICMP type and code; -1: any */
    struct address prefix;       /* family 0: none */
    struct wanted_group *remote; /* NULL: none */
};

struct wanted_group {
    const char *id;
    struct wanted_rule *rules;
    size_t rules_count;
    struct address *members; /* Disjoint: none within another. */
    size_t members_count;
};

struct wanted_interface {
    const char *port_id;
    struct wanted_network *network;
    struct mac mac;
    struct address *addresses; /* With prefix. */
    size_t addresses_count;
};

struct wanted_floating_ip {
    const char *id;
    struct address floating, fixed;
};

struct wanted_router {
    const char *id;
    bool up;
    struct wanted_interface *interfaces;
    size_t interfaces_count;
    struct wanted_interface *gateway; /* NULL: none */
    struct address *gateway_ips;      /* Next hops of the default routes. */
    size_t gateway_ips_count;
    bool snat;
    struct wanted_floating_ip *floating_ips;
    size_t floating_ips_count;
    struct wanted_route *routes;
    size_t routes_count;
};

/* An object that could not be read, or later one that could not be made. */
struct wanted_failure {
    const char *kind; /* "port", "network", "router", "security_group", "floating_ip" */
    const char *id;
    const char *reason;
};

struct wanted {
    struct arena *arena;
    int64_t generation;
    struct wanted_network *networks;
    size_t networks_count;
    struct wanted_port *ports;
    size_t ports_count;
    struct wanted_port *remote_ports;
    size_t remote_ports_count;
    struct wanted_group *groups;
    size_t groups_count;
    struct wanted_router *routers;
    size_t routers_count;
    struct address *peers;
    size_t peers_count;
    struct wanted_failure *failures;
    size_t failures_count, failures_capacity;
};

/* Physical network to bridge, as configured. */
struct bridge_mapping {
    const char *physical, *bridge;
};

struct wanted_network *wanted_find_network(const struct wanted *w, const char *id);
const struct wanted_subnet *wanted_find_subnet(const struct wanted_network *n, const char *id);
void wanted_fail(struct wanted *w, const char *kind, const char *id, const char *reason);

struct host_state_out;

/* Reads the service's answer. Never fails as a whole: what is wrong is in ret->failures. 'ret' and
 * all in it live in 'a'; ids are copied, so 'in' may go. */
void wanted_read(struct arena *a, const struct host_state_out *in,
                 const struct bridge_mapping *mappings, size_t mappings_count, struct wanted *ret);

/* May this be an option's name and value in dnsmasq's option file? For wanted_read() and its
 * tests. */
bool wanted_check_option(const char *name, const char *value);
/* A label of a host name: letters, digits, '-', not at either end, at most 63. */
bool wanted_check_label(const char *text);
/* Dot-separated labels, perhaps with a dot at the end; at most 255. */
bool wanted_check_domain(const char *text);
