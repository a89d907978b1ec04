/* The rules are those of neutron's ipam_pluggable_backend; the lowest free address of a pool is taken. The lock on the subnets' rows
 * makes two takers wait for each other. */
#include "port_ips.h"

#include "address.h"
#include "base/str.h"
#include "subnet_check.h"

struct giver {
    struct db_tx *tx;
    struct arena *arena;
    const struct ip_request *request;
    struct network_subnets_lock_row *subnets;
    size_t count;
    bool *used; /* By subnet: this port has an address there. */
    int32_t position;
    struct fault *f;
};

bool
is_router_owner(const char *device_owner)
{
    return device_owner != NULL && str_starts(device_owner, "network:router");
}

static bool
is_auto(const struct network_subnets_lock_row *s)
{
    return subnet_is_auto(s->ip_version, s->ipv6_address_mode);
}

/* A subnet that names kinds of ports serves no others. */
static bool
serves(const struct network_subnets_lock_row *s, const char *device_owner)
{
    size_t n = json_array_size(s->service_types);

    for (size_t i = 0; i < n; i++) {
        const char *type = json_string_value(json_array_get(s->service_types, i));

        if (type != NULL && str_starts(device_owner == NULL ? "" : device_owner, type))
            return true;
    }
    return n == 0;
}

static int
store(struct giver *g, size_t index, const char *ip)
{
    struct subnet_ip_holder_row holder;
    int found = subnet_ip_holder(g->tx->db, g->subnets[index].id, ip, &holder, g->f);

    if (found < 0)
        return -1;
    if (found == 1)
        return fault_raise_code(
            g->f, FAULT_CONFLICT, "IpAddressInUse",
            "Unable to complete operation for network %s. The IP address %s is in use.",
            g->request->network_id, ip);
    g->used[index] = true;
    return port_ip_add(g->tx->db, g->request->port_id, g->subnets[index].id, ip, g->position++,
                       g->f) < 0
               ? -1
               : 0;
}

static int
store_auto(struct giver *g, size_t index)
{
    struct address cidr, x;

    if (address_parse_cidr(g->subnets[index].cidr, true, &cidr) < 0 ||
        address_eui64(&cidr, g->request->mac, &x) < 0)
        return fault_raise_cause(g->f, "subnet %s cannot have addresses made from MACs",
                                 g->subnets[index].id);
    return store(g, index, address_text(g->arena, &x));
}

/* 1: an address was taken; 0: there is none left. */
static int
take_next(struct giver *g, size_t index)
{
    struct subnet_next_ip_row next;
    int found = subnet_next_ip(g->tx->db, g->subnets[index].id, &next, g->f);

    if (found <= 0)
        return found;
    return store(g, index, next.ip) < 0 ? -1 : 1;
}

static int
no_more(struct giver *g)
{
    return fault_raise_code(g->f, FAULT_CONFLICT, "IpAddressGenerationFailure",
                            "No more IP addresses available on network %s.",
                            g->request->network_id);
}

static int
find_subnet(const struct giver *g, const char *id)
{
    for (size_t i = 0; i < g->count; i++) {
        if (str_equal(g->subnets[i].id, id))
            return (int)i;
    }
    return -1;
}

/* Can a station have the address in the subnet? Its network and broadcast addresses it can't. */
static bool
usable(const struct network_subnets_lock_row *s, const struct address *x)
{
    struct address cidr, first, last;

    if (address_parse_cidr(s->cidr, true, &cidr) < 0 || !address_in(&cidr, x))
        return false;
    first = address_first(&cidr);
    last = address_last(&cidr);
    if (cidr.prefix + 1 >= address_bits(&cidr))
        return true;
    return address_compare(x, &first) != 0 && (cidr.version == 6 || address_compare(x, &last) != 0);
}

static int
wish_for_ip(struct giver *g, const struct fixed_ip *wish, int index)
{
    struct address x;

    if (address_parse(wish->ip_address, &x) < 0)
        return fault_raise_field(
            g->f, "fixed_ips",
            "Invalid input for fixed_ips. Reason: '%.64s' is not a valid IP address.",
            wish->ip_address);
    if (index >= 0 && !usable(&g->subnets[index], &x))
        return fault_raise_code(g->f, FAULT_INVALID, "InvalidIpForSubnet",
                                "IP address %s is not a valid IP for the specified subnet.",
                                wish->ip_address);
    for (size_t i = 0; index < 0 && i < g->count; i++) {
        if (usable(&g->subnets[i], &x))
            index = (int)i;
    }
    if (index < 0)
        return fault_raise_code(
            g->f, FAULT_INVALID, "InvalidIpForNetwork",
            "IP address %s is not a valid IP for any of the subnets on the specified network.",
            wish->ip_address);
    if (is_auto(&g->subnets[index]) && !is_router_owner(g->request->device_owner)) {
        struct address cidr, own;

        if (address_parse_cidr(g->subnets[index].cidr, true, &cidr) < 0 ||
            address_eui64(&cidr, g->request->mac, &own) < 0 || address_compare(&own, &x) != 0)
            return invalid_input(g->f,
                                 "IPv6 address %s can not be directly assigned to a port on subnet "
                                 "%s since the subnet is configured for "
                                 "automatic addresses",
                                 wish->ip_address, g->subnets[index].id);
    }
    return store(g, (size_t)index, address_text(g->arena, &x));
}

/* The address that the port had in the subnet, if it isn't given away already. */
static const char *
old_ip(const struct giver *g, const char *subnet_id)
{
    for (size_t i = 0; i < g->request->old_count; i++) {
        struct subnet_ip_holder_row holder;
        struct fault ignored = { 0 };

        if (str_equal(g->request->old[i].subnet_id, subnet_id) &&
            subnet_ip_holder(g->tx->db, subnet_id, g->request->old[i].ip_address, &holder,
                             &ignored) == 0)
            return g->request->old[i].ip_address;
    }
    return NULL;
}

static int
fulfil(struct giver *g, const struct fixed_ip *wish)
{
    int index = wish->subnet_id == NULL ? -1 : find_subnet(g, wish->subnet_id);
    const char *old;
    int r;

    if (wish->subnet_id == NULL && wish->ip_address == NULL)
        return invalid_input(g->f, "IP allocation requires subnet_id or ip_address");
    if (wish->subnet_id != NULL && index < 0)
        return invalid_input(
            g->f,
            "Failed to create port on network %s, because fixed_ips included invalid subnet %.64s",
            g->request->network_id, wish->subnet_id);
    if (wish->ip_address != NULL)
        return wish_for_ip(g, wish, index);
    if (is_auto(&g->subnets[index]) && !is_router_owner(g->request->device_owner))
        return g->used[index] ? 0 : store_auto(g, (size_t)index);
    old = old_ip(g, wish->subnet_id);
    if (old != NULL)
        return store(g, (size_t)index, old);
    r = take_next(g, (size_t)index);
    return r == 0 ? no_more(g) : r;
}

/* One address out of any subnet of the family. */
static int
one_of(struct giver *g, int version)
{
    bool any = false;

    for (size_t i = 0; i < g->count; i++) {
        int r;

        if (g->subnets[i].ip_version != version || is_auto(&g->subnets[i]) ||
            !serves(&g->subnets[i], g->request->device_owner))
            continue;
        any = true;
        r = take_next(g, i);
        if (r != 0)
            return r < 0 ? -1 : 0;
    }
    return any ? no_more(g) : 0;
}

int
port_ips_give(struct db_tx *tx, const struct ip_request *request, struct fault *f)
{
    struct giver g = { .tx = tx, .arena = tx->db->arena, .request = request, .f = f };

    if (request->given && request->wishes_count == 0)
        return 0;
    if (network_subnets_lock(tx->db, request->network_id, &g.subnets, &g.count, f) < 0)
        return -1;
    g.used = ARENA_ARRAY(g.arena, bool, g.count);
    for (int with_ip = 1; with_ip >= 0;
         with_ip--) { /* Asked-for addresses first, lest "any" takes them. */
        for (size_t i = 0; i < request->wishes_count; i++) {
            if ((request->wishes[i].ip_address != NULL) == (with_ip == 1) &&
                fulfil(&g, &request->wishes[i]) < 0)
                return -1;
        }
    }
    if (!request->given && (one_of(&g, 4) < 0 || (request->only != 4 && one_of(&g, 6) < 0)))
        return -1;
    if (is_router_owner(request->device_owner) ||
        str_equal(request->device_owner, "network:floatingip"))
        return 0;
    for (size_t i = 0; i < g.count; i++) {
        if (is_auto(&g.subnets[i]) && !g.used[i] && serves(&g.subnets[i], request->device_owner) &&
            store_auto(&g, i) < 0)
            return -1;
    }
    return 0;
}
