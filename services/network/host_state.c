/* host_state: all that a host's agent must make real, in a fixed number of statements however much that is.
 *
 * The generation is read first: what is read after it is at least as new, and what changes meanwhile counts it up, so that the agent
 * comes again. Rows come ordered by their owner and are taken in as many passes as there are kinds. */
#include "base/array.h"
#include "base/map.h"
#include "base/str.h"
#include "network_rpc.h"
#include "service.h"

struct state {
    struct arena *arena;
    const char *host;
    struct db *db;
    struct fault *f;
    struct host_networks_row *networks;
    struct host_subnets_row *subnets;
    struct host_ports_row *ports;
    struct host_port_ips_row *ips;
    struct host_port_groups_row *groups;
    struct host_rules_row *rules;
    struct host_members_row *members;
    struct host_routers_row *routers;
    struct host_floating_row *floating;
    struct host_peers_row *peers;
    size_t networks_count, subnets_count, ports_count, ips_count, groups_count, rules_count,
        members_count, routers_count, floating_count, peers_count;
};

/* --- Reading */

static int
read_members(struct state *s)
{
    struct texts remote = { .items = ARENA_ARRAY(s->arena, const char *, s->rules_count + 1) };

    for (size_t i = 0; i < s->rules_count; i++) {
        if (s->rules[i].remote_group_id != NULL)
            remote.items[remote.count++] = s->rules[i].remote_group_id;
    }
    return host_members(s->db, &remote, &s->members, &s->members_count, s->f);
}

static int
read_state(struct state *s)
{
    struct texts networks, served;

    if (host_networks(s->db, s->host, &s->networks, &s->networks_count, s->f) < 0)
        return -1;
    networks =
        (struct texts){ .items = ARENA_ARRAY(s->arena, const char *, s->networks_count + 1) };
    served = (struct texts){ .items = ARENA_ARRAY(s->arena, const char *, s->networks_count + 1) };
    for (size_t i = 0; i < s->networks_count; i++) {
        networks.items[networks.count++] = s->networks[i].id;
        if (s->networks[i].dhcp_port_id != NULL)
            served.items[served.count++] = s->networks[i].id;
    }
    if (host_subnets(s->db, &networks, &s->subnets, &s->subnets_count, s->f) < 0 ||
        host_ports(s->db, &networks, s->host, &served, &s->ports, &s->ports_count, s->f) < 0 ||
        host_port_ips(s->db, &networks, &s->ips, &s->ips_count, s->f) < 0 ||
        host_port_groups(s->db, s->host, &s->groups, &s->groups_count, s->f) < 0 ||
        host_rules(s->db, s->host, &s->rules, &s->rules_count, s->f) < 0 || read_members(s) < 0 ||
        host_routers(s->db, s->host, &s->routers, &s->routers_count, s->f) < 0 ||
        host_floating(s->db, s->host, &s->floating, &s->floating_count, s->f) < 0)
        return -1;
    return host_peers(s->db, s->host, &s->peers, &s->peers_count, s->f);
}

/* --- Parts */

static void
fill_ips(struct state *s, const char *port_id, struct host_fixed_ip **ret, size_t *ret_count)
{
    size_t low = 0, high = s->ips_count, end;

    while (low < high) { /* The rows are ordered as strcmp() does: ids are lower case ASCII. */
        size_t middle = low + (high - low) / 2;

        if (strcmp(s->ips[middle].port_id, port_id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; end < s->ips_count && str_equal(s->ips[end].port_id, port_id); end++)
        ;
    *ret = ARENA_ARRAY(s->arena, struct host_fixed_ip, end - low + 1);
    *ret_count = end - low;
    for (size_t i = low; i < end; i++) {
        (*ret)[i - low].subnet_id = s->ips[i].subnet_id;
        (*ret)[i - low].ip = s->ips[i].ip;
    }
}

static void
fill_routes(struct state *s, const json_t *list, struct host_route **ret, size_t *ret_count)
{
    size_t count = json_array_size(list);

    *ret = ARENA_ARRAY(s->arena, struct host_route, count + 1);
    *ret_count = count;
    for (size_t i = 0; i < count; i++) {
        (*ret)[i].destination =
            json_string_value(json_object_get(json_array_get(list, i), "destination"));
        (*ret)[i].nexthop = json_string_value(json_object_get(json_array_get(list, i), "nexthop"));
    }
}

static void
fill_options(struct state *s, const json_t *list, struct host_dhcp_option **ret, size_t *ret_count)
{
    size_t count = json_array_size(list);

    *ret = ARENA_ARRAY(s->arena, struct host_dhcp_option, count + 1);
    *ret_count = count;
    for (size_t i = 0; i < count; i++) {
        const json_t *x = json_array_get(list, i);

        (*ret)[i].name = json_string_value(json_object_get(x, "opt_name"));
        (*ret)[i].value = json_string_value(json_object_get(x, "opt_value"));
        (*ret)[i].ip_version = json_integer_value(json_object_get(x, "ip_version"));
    }
}

static void
fill_subnet(struct state *s, const struct host_subnets_row *x, struct host_subnet *ret)
{
    size_t count = json_array_size(x->dns_nameservers);

    ret->id = x->id;
    ret->ip_version = x->ip_version;
    ret->cidr = x->cidr;
    ret->gateway_ip = x->gateway_ip;
    ret->enable_dhcp = x->enable_dhcp;
    field_mark(&ret->set, HOST_SUBNET_F_ENABLE_DHCP);
    ret->ipv6_address_mode = x->ipv6_address_mode;
    ret->ipv6_ra_mode = x->ipv6_ra_mode;
    ret->dns_nameservers.items = ARENA_ARRAY(s->arena, const char *, count + 1);
    ret->dns_nameservers.count = count;
    for (size_t i = 0; i < count; i++)
        ret->dns_nameservers.items[i] = json_string_value(json_array_get(x->dns_nameservers, i));
    fill_routes(s, x->host_routes, &ret->host_routes, &ret->host_routes_count);
}

static void
fill_networks(struct state *s, struct host_state_out *out)
{
    out->networks = ARENA_ARRAY(s->arena, struct host_network, s->networks_count + 1);
    out->networks_count = s->networks_count;
    for (size_t i = 0; i < s->networks_count; i++) {
        const struct host_networks_row *x = &s->networks[i];
        struct host_network *n = &out->networks[i];

        n->id = x->id;
        n->mtu = x->mtu;
        n->dns_domain = str_empty(x->dns_domain) ? NULL : x->dns_domain;
        n->physical_network = x->physical_network;
        if (!x->segmentation_id_null) {
            n->vni = x->segmentation_id;
            field_mark(&n->set, HOST_NETWORK_F_VNI);
        }
        n->subnets = ARENA_ARRAY(s->arena, struct host_subnet, s->subnets_count + 1);
        for (size_t j = 0; j < s->subnets_count; j++) {
            if (str_equal(s->subnets[j].network_id, x->id))
                fill_subnet(s, &s->subnets[j], &n->subnets[n->subnets_count++]);
        }
        if (x->dhcp_port_id != NULL) {
            n->dhcp_port = ARENA_NEW(s->arena, struct host_dhcp_port);
            n->dhcp_port->id = x->dhcp_port_id;
            n->dhcp_port->mac = x->dhcp_mac;
            fill_ips(s, x->dhcp_port_id, &n->dhcp_port->fixed_ips, &n->dhcp_port->fixed_ips_count);
        }
    }
}

/* Ports that the agent knows as parts of a network or router. */
static bool
is_own_kind(const char *device_owner)
{
    return str_equal(device_owner, "network:dhcp") ||
           str_equal(device_owner, "network:router_interface") ||
           str_equal(device_owner, "network:router_gateway");
}

static void
fill_port(struct state *s, const struct host_ports_row *x, struct host_port *p)
{
    size_t pairs = json_array_size(x->allowed_address_pairs);

    p->id = x->id;
    p->network_id = x->network_id;
    p->mac = x->mac_address;
    fill_ips(s, x->id, &p->fixed_ips, &p->fixed_ips_count);
    p->device_id = x->device_id;
    p->device_owner = x->device_owner;
    p->admin_state_up = x->admin_state_up;
    field_mark(&p->set, HOST_PORT_F_ADMIN_STATE_UP);
    p->port_security = x->port_security_enabled;
    field_mark(&p->set, HOST_PORT_F_PORT_SECURITY);
    p->allowed_address_pairs = ARENA_ARRAY(s->arena, struct host_address_pair, pairs + 1);
    p->allowed_address_pairs_count = pairs;
    for (size_t i = 0; i < pairs; i++) {
        p->allowed_address_pairs[i].ip = json_string_value(
            json_object_get(json_array_get(x->allowed_address_pairs, i), "ip_address"));
        p->allowed_address_pairs[i].mac = json_string_value(
            json_object_get(json_array_get(x->allowed_address_pairs, i), "mac_address"));
    }
    p->security_group_ids.items = ARENA_ARRAY(s->arena, const char *, s->groups_count + 1);
    for (size_t i = 0; i < s->groups_count; i++) {
        if (str_equal(s->groups[i].port_id, x->id))
            p->security_group_ids.items[p->security_group_ids.count++] =
                s->groups[i].security_group_id;
    }
    field_mark(&p->set, HOST_PORT_F_SECURITY_GROUP_IDS);
    p->dns_name = str_empty(x->dns_name) ? NULL : x->dns_name;
    fill_options(s, x->extra_dhcp_opts, &p->extra_dhcp_opts, &p->extra_dhcp_opts_count);
}

static void
fill_remote_port(struct state *s, const struct host_ports_row *x, struct host_remote_port *p)
{
    p->id = x->id;
    p->network_id = x->network_id;
    p->mac = x->mac_address;
    fill_ips(s, x->id, &p->fixed_ips, &p->fixed_ips_count);
    p->tunnel_ip = x->tunnel_ip;
    p->device_id = x->device_id;
    p->device_owner = x->device_owner;
    p->dns_name = str_empty(x->dns_name) ? NULL : x->dns_name;
    fill_options(s, x->extra_dhcp_opts, &p->extra_dhcp_opts, &p->extra_dhcp_opts_count);
}

static void
fill_ports(struct state *s, struct host_state_out *out)
{
    out->ports = ARENA_ARRAY(s->arena, struct host_port, s->ports_count + 1);
    out->remote_ports = ARENA_ARRAY(s->arena, struct host_remote_port, s->ports_count + 1);
    for (size_t i = 0; i < s->ports_count; i++) {
        const struct host_ports_row *x = &s->ports[i];
        bool here = str_equal(x->binding_host_id, s->host);

        if (here && !is_own_kind(x->device_owner))
            fill_port(s, x, &out->ports[out->ports_count++]);
        else if (!here)
            fill_remote_port(s, x, &out->remote_ports[out->remote_ports_count++]);
    }
}

static void
fill_rule(const struct host_rules_row *x, struct host_security_rule *r)
{
    r->id = x->id;
    r->direction = x->direction;
    r->ethertype = x->ethertype;
    r->protocol = x->protocol;
    if (!x->port_range_min_null) {
        r->port_min = x->port_range_min;
        field_mark(&r->set, HOST_SECURITY_RULE_F_PORT_MIN);
    }
    if (!x->port_range_max_null) {
        r->port_max = x->port_range_max;
        field_mark(&r->set, HOST_SECURITY_RULE_F_PORT_MAX);
    }
    r->remote_ip_prefix = x->remote_ip_prefix;
    r->remote_group_id = x->remote_group_id;
}

static struct host_security_group *
group_of(struct state *s, struct host_state_out *out, struct map *known, const char *id)
{
    struct host_security_group *g = map_get(known, id);

    if (g != NULL)
        return g;
    g = &out->security_groups[out->security_groups_count++];
    g->id = id;
    g->rules = ARENA_ARRAY(s->arena, struct host_security_rule, 1);
    field_mark(&g->set, HOST_SECURITY_GROUP_F_MEMBERS);
    map_set(known, id, g);
    return g;
}

/* Groups of the host's ports with their rules, then those that the rules name with their members. */
static void
fill_groups(struct state *s, struct host_state_out *out)
{
    struct map *known = map_new(NULL);

    out->security_groups =
        ARENA_ARRAY(s->arena, struct host_security_group, s->rules_count * 2 + 1);
    for (size_t i = 0; i < s->rules_count;) {
        struct host_security_group *g = group_of(s, out, known, s->rules[i].security_group_id);
        size_t end = i;

        while (end < s->rules_count && str_equal(s->rules[end].security_group_id, g->id))
            end++;
        g->rules = ARENA_ARRAY(s->arena, struct host_security_rule, end - i + 1);
        for (; i < end; i++) {
            if (s->rules[i].id != NULL)
                fill_rule(&s->rules[i], &g->rules[g->rules_count++]);
        }
    }
    for (size_t i = 0; i < s->rules_count; i++) {
        if (s->rules[i].remote_group_id != NULL)
            group_of(s, out, known, s->rules[i].remote_group_id);
    }
    for (size_t i = 0; i < s->members_count;) {
        struct host_security_group *g = group_of(s, out, known, s->members[i].security_group_id);
        size_t end = i;

        while (end < s->members_count && str_equal(s->members[end].security_group_id, g->id))
            end++;
        g->members.items = ARENA_ARRAY(s->arena, const char *, end - i);
        for (; i < end; i++)
            g->members.items[g->members.count++] = s->members[i].member;
    }
    map_free(known);
}

static const struct host_subnets_row *
find_subnet(const struct state *s, const char *id)
{
    for (size_t i = 0; i < s->subnets_count; i++) {
        if (str_equal(s->subnets[i].id, id))
            return &s->subnets[i];
    }
    return NULL;
}

/* Addresses of a router's port with their prefix lengths. */
static void
fill_cidrs(struct state *s, const char *port_id, struct texts *ret)
{
    struct host_fixed_ip *ips;
    size_t count;

    fill_ips(s, port_id, &ips, &count);
    ret->items = ARENA_ARRAY(s->arena, const char *, count + 1);
    for (size_t i = 0; i < count; i++) {
        const struct host_subnets_row *subnet = find_subnet(s, ips[i].subnet_id);

        if (subnet != NULL)
            ret->items[ret->count++] =
                arena_printf(s->arena, "%s%s", ips[i].ip, strchr(subnet->cidr, '/'));
    }
}

static struct host_router_gateway *
new_gateway(struct state *s, const struct host_ports_row *x, bool enable_snat)
{
    struct host_router_gateway *g = ARENA_NEW(s->arena, struct host_router_gateway);
    struct host_fixed_ip *ips;
    size_t count;

    g->port_id = x->id;
    g->network_id = x->network_id;
    g->mac = x->mac_address;
    g->enable_snat = enable_snat;
    field_mark(&g->set, HOST_ROUTER_GATEWAY_F_ENABLE_SNAT);
    fill_cidrs(s, x->id, &g->cidrs);
    fill_ips(s, x->id, &ips, &count);
    g->gateway_ips.items = ARENA_ARRAY(s->arena, const char *, count + 1);
    for (size_t i = 0; i < count; i++) {
        const struct host_subnets_row *subnet = find_subnet(s, ips[i].subnet_id);

        if (subnet != NULL && subnet->gateway_ip != NULL)
            g->gateway_ips.items[g->gateway_ips.count++] = subnet->gateway_ip;
    }
    return g;
}

static void
fill_router(struct state *s, const struct host_routers_row *x, struct host_router *r)
{
    r->id = x->id;
    r->admin_state_up = x->admin_state_up;
    field_mark(&r->set, HOST_ROUTER_F_ADMIN_STATE_UP);
    fill_routes(s, x->routes, &r->routes, &r->routes_count);
    r->interfaces = ARENA_ARRAY(s->arena, struct host_router_interface, s->ports_count + 1);
    for (size_t i = 0; i < s->ports_count; i++) {
        const struct host_ports_row *p = &s->ports[i];
        struct host_router_interface *face;

        if (!str_equal(p->device_id, x->id) || !str_equal(p->binding_host_id, s->host))
            continue;
        if (str_equal(p->device_owner, "network:router_gateway")) {
            r->gateway = new_gateway(s, p, x->enable_snat);
        } else if (str_equal(p->device_owner, "network:router_interface")) {
            face = &r->interfaces[r->interfaces_count++];
            face->port_id = p->id;
            face->network_id = p->network_id;
            face->mac = p->mac_address;
            fill_cidrs(s, p->id, &face->cidrs);
        }
    }
    r->floating_ips = ARENA_ARRAY(s->arena, struct host_floating_ip, s->floating_count + 1);
    for (size_t i = 0; i < s->floating_count; i++) {
        if (str_equal(s->floating[i].router_id, x->id))
            r->floating_ips[r->floating_ips_count++] =
                (struct host_floating_ip){ .id = s->floating[i].id,
                                           .floating_ip = s->floating[i].floating_ip,
                                           .fixed_ip = s->floating[i].fixed_ip };
    }
}

int
host_state(struct rpc_request *request, const struct host_state_in *in, struct host_state_out *out,
           struct fault *f)
{
    struct network_service *service = request->owner;
    _cleanup_(db_release) struct db db = { 0 };
    struct state s = { .arena = request->arena, .host = in->host, .db = &db, .f = f };
    struct host_generation_row row;
    int found;

    if (!str_equal(request->from_host, in->host))
        return fault_raise(f, FAULT_FORBIDDEN, "A host can only ask for its own state.");
    if (db_pool_get(service->daemon->pool, request->arena, &db, f) < 0 ||
        host_known(&db, in->host, f) < 0)
        return -1;
    found = host_generation(&db, in->host, &row, f);
    if (found < 0)
        return -1;
    if (found == 0)
        return fault_raise_cause(f, "host %s vanished", in->host);
    out->generation = row.generation;
    out->unchanged = in->known_generation != 0 && in->known_generation == row.generation;
    if (out->unchanged)
        return 0;
    if (read_state(&s) < 0)
        return -1;
    fill_networks(&s, out);
    fill_ports(&s, out);
    fill_groups(&s, out);
    out->routers = ARENA_ARRAY(s.arena, struct host_router, s.routers_count + 1);
    for (size_t i = 0; i < s.routers_count; i++)
        fill_router(&s, &s.routers[i], &out->routers[out->routers_count++]);
    out->peers = ARENA_ARRAY(s.arena, struct host_peer, s.peers_count + 1);
    for (size_t i = 0; i < s.peers_count; i++)
        out->peers[out->peers_count++] =
            (struct host_peer){ .host = s.peers[i].host, .tunnel_ip = s.peers[i].tunnel_ip };
    return 0;
}
