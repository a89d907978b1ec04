/* From the wire to struct wanted: see wanted.h. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/str.h"
#include "base/uuid.h"
#include "names.h"
#include "wanted_reader.h"

/* What is not said is the safe thing: true for whether a port is protected, and what the API's
 * default is for the rest. */
static bool
flag_or(const struct field_set *set, unsigned index, bool value, bool fallback)
{
    return wanted_given(set, index) ? value : fallback;
}

bool
wanted_refuse(struct wanted_reader *r, const char *kind, const char *id, const char *what,
              const char *value)
{
    wanted_fail(r->w, kind, id,
                arena_printf(r->a, "%s: %.100s", what, value != NULL ? value : "(none)"));
    return false;
}

static void
read_ips(struct wanted_reader *r, const char *kind, const char *id, const struct host_fixed_ip *in,
         size_t count, struct wanted_fixed_ip **ret, size_t *ret_count)
{
    *ret = ARENA_ARRAY(r->a, struct wanted_fixed_ip, count);
    *ret_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct wanted_fixed_ip *ip = &(*ret)[*ret_count];

        if (address_parse_single(in[i].ip, &ip->ip) < 0) {
            wanted_refuse(r, kind, id, "not an address", in[i].ip);
            continue;
        }
        ip->subnet_id = arena_strdup(r->a, in[i].subnet_id);
        ++*ret_count;
    }
}

static void
read_routes(struct wanted_reader *r, const char *kind, const char *id, const struct host_route *in,
            size_t count, struct wanted_route **ret, size_t *ret_count)
{
    *ret = ARENA_ARRAY(r->a, struct wanted_route, count);
    *ret_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct wanted_route *x = &(*ret)[*ret_count];

        if (address_parse(in[i].destination, &x->destination) < 0 ||
            address_parse_single(in[i].nexthop, &x->nexthop) < 0 ||
            x->destination.family != x->nexthop.family) {
            wanted_refuse(r, kind, id, "not a route", in[i].destination);
            continue;
        }
        x->destination = address_network(&x->destination);
        ++*ret_count;
    }
}

static void
read_options(struct wanted_reader *r, const char *id, const struct host_dhcp_option *in,
             size_t count, struct wanted_dhcp_option **ret, size_t *ret_count)
{
    *ret = ARENA_ARRAY(r->a, struct wanted_dhcp_option, count);
    *ret_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!wanted_check_option(in[i].name, in[i].value)) {
            wanted_refuse(r, "port", id, "not a usable DHCP option", "extra_dhcp_opts");
            continue;
        }
        (*ret)[(*ret_count)++] =
            (struct wanted_dhcp_option){ arena_strdup(r->a, in[i].name),
                                         arena_strdup(r->a, in[i].value),
                                         in[i].ip_version == 6 ? AF_INET6 : AF_INET };
    }
}

static void
read_addresses(struct wanted_reader *r, const char *kind, const char *id, const struct texts *in,
               struct address **ret, size_t *ret_count)
{
    *ret = ARENA_ARRAY(r->a, struct address, in->count);
    *ret_count = 0;
    for (size_t i = 0; i < in->count; i++) {
        if (address_parse(in->items[i], &(*ret)[*ret_count]) < 0)
            wanted_refuse(r, kind, id, "not an address", in->items[i]);
        else
            ++*ret_count;
    }
}

/* --- networks --------------------------------------------------------------------------------- */

static enum wanted_ra
read_ra(const struct host_subnet *in)
{
    const char *mode = in->ipv6_ra_mode != NULL ? in->ipv6_ra_mode : in->ipv6_address_mode;

    if (str_equal(mode, "slaac"))
        return WANTED_RA_SLAAC;
    if (str_equal(mode, "dhcpv6-stateless"))
        return WANTED_RA_STATELESS;
    return str_equal(mode, "dhcpv6-stateful") ? WANTED_RA_STATEFUL : WANTED_RA_NONE;
}

static bool
read_subnet(struct wanted_reader *r, const char *network_id, const struct host_subnet *in,
            struct wanted_subnet *ret)
{
    *ret = (struct wanted_subnet){ .id = arena_strdup(r->a, in->id), .dhcp = in->enable_dhcp };
    if (!uuid_check_loose(in->id) || address_parse(in->cidr, &ret->cidr) < 0)
        return wanted_refuse(r, "network", network_id, "subnet's cidr", in->cidr);
    ret->cidr = address_network(&ret->cidr);
    if (!str_empty(in->gateway_ip) && address_parse_single(in->gateway_ip, &ret->gateway) < 0)
        wanted_refuse(r, "network", network_id, "subnet's gateway_ip", in->gateway_ip);
    ret->ra = ret->cidr.family == AF_INET6 ? read_ra(in) : WANTED_RA_NONE;
    read_addresses(r, "network", network_id, &in->dns_nameservers, &ret->nameservers,
                   &ret->nameservers_count);
    read_routes(r, "network", network_id, in->host_routes, in->host_routes_count, &ret->routes,
                &ret->routes_count);
    return true;
}

static const char *
mapped_bridge(const struct wanted_reader *r, const char *physical)
{
    for (size_t i = 0; i < r->mappings_count; i++)
        if (str_equal(r->mappings[i].physical, physical))
            return r->mappings[i].bridge;
    return NULL;
}

static bool
read_network(struct wanted_reader *r, const struct host_network *in, struct wanted_network *ret)
{
    *ret = (struct wanted_network){ .id = arena_strdup(r->a, in->id) };
    if (!uuid_check(in->id))
        return wanted_refuse(r, "network", in->id, "not an id", in->id);
    if (in->mtu < 68 || in->mtu > 65535)
        return wanted_refuse(r, "network", in->id, "mtu", "out of range");
    ret->mtu = (unsigned)in->mtu;
    if (!str_empty(in->physical_network)) {
        ret->physical = arena_strdup(r->a, in->physical_network);
        ret->bridge = mapped_bridge(r, in->physical_network);
        if (ret->bridge == NULL)
            return wanted_refuse(r, "network", in->id, "no bridge is mapped to physical network",
                                 in->physical_network);
    } else {
        if (!wanted_given(&in->set, HOST_NETWORK_F_VNI) || in->vni < 1 || in->vni > 0xffffff)
            return wanted_refuse(r, "network", in->id, "vni",
                                 "neither that nor a physical network");
        ret->vni = (uint32_t)in->vni;
        ret->bridge = name_device(r->a, NAME_BRIDGE, in->id);
    }
    ret->domain = "openstacklocal";
    if (wanted_check_domain(in->dns_domain))
        ret->domain = arena_strdup(r->a, in->dns_domain);
    ret->subnets = ARENA_ARRAY(r->a, struct wanted_subnet, in->subnets_count);
    for (size_t i = 0; i < in->subnets_count; i++)
        if (read_subnet(r, in->id, &in->subnets[i], &ret->subnets[ret->subnets_count]))
            ret->subnets_count++;

    if (in->dhcp_port != NULL) {
        ret->dhcp = ARENA_NEW(r->a, struct wanted_dhcp);
        ret->dhcp->port_id = arena_strdup(r->a, in->dhcp_port->id);
        if (!uuid_check(in->dhcp_port->id) || mac_parse(in->dhcp_port->mac, &ret->dhcp->mac) < 0) {
            wanted_refuse(r, "network", in->id, "DHCP port's mac", in->dhcp_port->mac);
            ret->dhcp = NULL;
        } else {
            read_ips(r, "network", in->id, in->dhcp_port->fixed_ips, in->dhcp_port->fixed_ips_count,
                     &ret->dhcp->ips, &ret->dhcp->ips_count);
        }
    }
    return true;
}

/* --- ports ------------------------------------------------------------------------------------ */

/* The name DHCP gives: the port's own, or one made of its first address, as neutron does. */
static const char *
hostname_of(struct wanted_reader *r, const char *dns_name, const struct wanted_port *p)
{
    char *name;

    if (wanted_check_label(dns_name))
        return arena_strdup(r->a, dns_name);
    if (p->ips_count == 0)
        return arena_printf(r->a, "host-%.8s", p->id);
    name = arena_printf(r->a, "host-%s", address_bare(r->a, &p->ips[0].ip));
    for (char *at = name; *at != '\0'; at++)
        if (*at == '.' || *at == ':')
            *at = '-';
    if (name[strlen(name) - 1] == '-')
        name[strlen(name) - 1] = '0';
    return name;
}

static void
read_pairs(struct wanted_reader *r, const struct host_port *in, struct wanted_port *ret)
{
    ret->pairs = ARENA_ARRAY(r->a, struct wanted_pair, in->allowed_address_pairs_count);
    for (size_t i = 0; i < in->allowed_address_pairs_count; i++) {
        const struct host_address_pair *pair = &in->allowed_address_pairs[i];
        struct wanted_pair *out = &ret->pairs[ret->pairs_count];

        out->mac = ret->mac;
        if (address_parse(pair->ip, &out->ip) < 0 ||
            (!str_empty(pair->mac) && mac_parse(pair->mac, &out->mac) < 0)) {
            wanted_refuse(r, "port", in->id, "not an address pair", pair->ip);
            continue;
        }
        ret->pairs_count++;
    }
}

static bool
read_port(struct wanted_reader *r, const struct host_port *in, struct wanted_port *ret)
{
    *ret = (struct wanted_port){ .id = arena_strdup(r->a, in->id),
                                 .network = map_get(r->networks, in->network_id) };
    if (!uuid_check(in->id))
        return wanted_refuse(r, "port", in->id, "not an id", in->id);
    if (ret->network == NULL)
        return wanted_refuse(r, "port", in->id, "its network is missing", in->network_id);
    if (mac_parse(in->mac, &ret->mac) < 0)
        return wanted_refuse(r, "port", in->id, "not a MAC address", in->mac);
    ret->tap =
        str_empty(in->tap) ? name_device(r->a, NAME_TAP, in->id) : arena_strdup(r->a, in->tap);
    if (!name_is_our_tap(ret->tap))
        return wanted_refuse(r, "port", in->id, "not a tap's name", ret->tap);
    ret->up = flag_or(&in->set, HOST_PORT_F_ADMIN_STATE_UP, in->admin_state_up, true);
    ret->secured = flag_or(&in->set, HOST_PORT_F_PORT_SECURITY, in->port_security, true);
    ret->device_id = arena_strdup(r->a, in->device_id);
    read_ips(r, "port", in->id, in->fixed_ips, in->fixed_ips_count, &ret->ips, &ret->ips_count);
    read_pairs(r, in, ret);
    read_options(r, in->id, in->extra_dhcp_opts, in->extra_dhcp_opts_count, &ret->options,
                 &ret->options_count);
    ret->hostname = hostname_of(r, in->dns_name, ret);

    ret->groups = ARENA_ARRAY(r->a, struct wanted_group *, in->security_group_ids.count);
    for (size_t i = 0; i < in->security_group_ids.count; i++) {
        struct wanted_group *g = map_get(r->groups, in->security_group_ids.items[i]);

        if (g == NULL)
            wanted_refuse(r, "port", in->id, "its security group is missing",
                          in->security_group_ids.items[i]);
        else
            ret->groups[ret->groups_count++] = g;
    }
    return true;
}

static bool
read_remote_port(struct wanted_reader *r, const struct host_remote_port *in,
                 struct wanted_port *ret)
{
    *ret = (struct wanted_port){ .id = arena_strdup(r->a, in->id),
                                 .network = map_get(r->networks, in->network_id),
                                 .device_id = arena_strdup(r->a, in->device_id),
                                 .up = true };
    if (ret->network == NULL || !uuid_check(in->id))
        return false; /* A network that is not here: nothing to do for it. */
    if (mac_parse(in->mac, &ret->mac) < 0)
        return wanted_refuse(r, "port", in->id, "not a MAC address", in->mac);
    if (!str_empty(in->tunnel_ip) && address_parse_single(in->tunnel_ip, &ret->tunnel) < 0)
        return wanted_refuse(r, "port", in->id, "not a tunnel address", in->tunnel_ip);
    read_ips(r, "port", in->id, in->fixed_ips, in->fixed_ips_count, &ret->ips, &ret->ips_count);
    read_options(r, in->id, in->extra_dhcp_opts, in->extra_dhcp_opts_count, &ret->options,
                 &ret->options_count);
    ret->hostname = hostname_of(r, in->dns_name, ret);
    return true;
}

/* --- routers ---------------------------------------------------------------------------------- */

static bool
read_interface(struct wanted_reader *r, const char *router_id, const char *port_id,
               const char *network_id, const char *mac, const struct texts *cidrs,
               struct wanted_interface *ret)
{
    *ret = (struct wanted_interface){ .port_id = arena_strdup(r->a, port_id),
                                      .network = map_get(r->networks, network_id) };
    if (!uuid_check(port_id))
        return wanted_refuse(r, "router", router_id, "not a port's id", port_id);
    if (ret->network == NULL)
        return wanted_refuse(r, "port", port_id, "its network is missing", network_id);
    if (mac_parse(mac, &ret->mac) < 0)
        return wanted_refuse(r, "port", port_id, "not a MAC address", mac);
    read_addresses(r, "port", port_id, cidrs, &ret->addresses, &ret->addresses_count);
    return true;
}

static void
read_floating_ips(struct wanted_reader *r, const struct host_router *in, struct wanted_router *ret)
{
    ret->floating_ips = ARENA_ARRAY(r->a, struct wanted_floating_ip, in->floating_ips_count);
    for (size_t i = 0; i < in->floating_ips_count; i++) {
        const struct host_floating_ip *from = &in->floating_ips[i];
        struct wanted_floating_ip *x = &ret->floating_ips[ret->floating_ips_count];

        if (address_parse_single(from->floating_ip, &x->floating) < 0 ||
            address_parse_single(from->fixed_ip, &x->fixed) < 0 || x->floating.family != AF_INET ||
            x->fixed.family != AF_INET) {
            wanted_refuse(r, "floating_ip", from->id, "not an IPv4 address", from->floating_ip);
            continue;
        }
        x->id = arena_strdup(r->a, from->id);
        ret->floating_ips_count++;
    }
}

static bool
read_router(struct wanted_reader *r, const struct host_router *in, struct wanted_router *ret)
{
    *ret = (struct wanted_router){ .id = arena_strdup(r->a, in->id) };
    if (!uuid_check(in->id))
        return wanted_refuse(r, "router", in->id, "not an id", in->id);
    ret->up = flag_or(&in->set, HOST_ROUTER_F_ADMIN_STATE_UP, in->admin_state_up, true);
    ret->interfaces = ARENA_ARRAY(r->a, struct wanted_interface, in->interfaces_count);
    for (size_t i = 0; i < in->interfaces_count; i++) {
        const struct host_router_interface *x = &in->interfaces[i];

        if (read_interface(r, in->id, x->port_id, x->network_id, x->mac, &x->cidrs,
                           &ret->interfaces[ret->interfaces_count]))
            ret->interfaces_count++;
    }
    if (in->gateway != NULL) {
        const struct host_router_gateway *g = in->gateway;

        ret->gateway = ARENA_NEW(r->a, struct wanted_interface);
        ret->snat = flag_or(&g->set, HOST_ROUTER_GATEWAY_F_ENABLE_SNAT, g->enable_snat, true);
        read_addresses(r, "router", in->id, &g->gateway_ips, &ret->gateway_ips,
                       &ret->gateway_ips_count);
        if (!read_interface(r, in->id, g->port_id, g->network_id, g->mac, &g->cidrs, ret->gateway))
            ret->gateway = NULL;
    }
    if (ret->gateway != NULL)
        read_floating_ips(r, in, ret);
    read_routes(r, "router", in->id, in->routes, in->routes_count, &ret->routes,
                &ret->routes_count);
    return true;
}

void
wanted_read(struct arena *a, const struct host_state_out *in, const struct bridge_mapping *mappings,
            size_t mappings_count, struct wanted *ret)
{
    struct wanted_reader r = { .a = a,
                               .w = ret,
                               .networks = map_new(NULL),
                               .groups = map_new(NULL),
                               .mappings = mappings,
                               .mappings_count = mappings_count };

    *ret = (struct wanted){ .arena = a, .generation = in->generation };
    ret->networks = ARENA_ARRAY(a, struct wanted_network, in->networks_count);
    for (size_t i = 0; i < in->networks_count; i++) {
        struct wanted_network *n = &ret->networks[ret->networks_count];

        if (!read_network(&r, &in->networks[i], n) || map_has(r.networks, n->id))
            continue;
        map_set(r.networks, n->id, n);
        ret->networks_count++;
    }
    wanted_read_groups(&r, in);

    ret->ports = ARENA_ARRAY(a, struct wanted_port, in->ports_count);
    for (size_t i = 0; i < in->ports_count; i++)
        if (read_port(&r, &in->ports[i], &ret->ports[ret->ports_count]))
            ret->ports_count++;
    ret->remote_ports = ARENA_ARRAY(a, struct wanted_port, in->remote_ports_count);
    for (size_t i = 0; i < in->remote_ports_count; i++)
        if (read_remote_port(&r, &in->remote_ports[i], &ret->remote_ports[ret->remote_ports_count]))
            ret->remote_ports_count++;
    ret->routers = ARENA_ARRAY(a, struct wanted_router, in->routers_count);
    for (size_t i = 0; i < in->routers_count; i++)
        if (read_router(&r, &in->routers[i], &ret->routers[ret->routers_count]))
            ret->routers_count++;

    ret->peers = ARENA_ARRAY(a, struct address, in->peers_count);
    for (size_t i = 0; i < in->peers_count; i++)
        if (address_parse_single(in->peers[i].tunnel_ip, &ret->peers[ret->peers_count]) == 0)
            ret->peers_count++;
    map_free(r.networks);
    map_free(r.groups);
}
