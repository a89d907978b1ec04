#include "subnet_check.h"

#include "address.h"
#include "base/str.h"

#define MOST_NAMESERVERS 5
#define MOST_ROUTES 20

/* The subnet as it will be. */
struct subnet_view {
    struct address cidr;
    bool has_gateway;
    struct address gateway;
};

bool
subnet_is_auto(int ip_version, const char *ipv6_address_mode)
{
    return ip_version == 6 && (str_equal(ipv6_address_mode, "slaac") ||
                               str_equal(ipv6_address_mode, "dhcpv6-stateless"));
}

static char *
pool_text(struct arena *a, const struct allocation_pool *p)
{
    return arena_printf(a, "%s-%s", p->start, p->end);
}

static int
check_cidr(struct subnet *row, struct arena *a, struct subnet_view *v, struct fault *f)
{
    struct address first;

    if (row->ip_version != 4 && row->ip_version != 6)
        return fault_raise_field(f, "ip_version",
                                 "Invalid input for ip_version. Reason: '%lld' is not in [4, 6].",
                                 (long long)row->ip_version);
    if (address_parse_cidr(row->cidr, true, &v->cidr) < 0)
        return fault_raise_field(
            f, "cidr", "Invalid input for cidr. Reason: '%.64s' is not a valid IP subnet.",
            row->cidr == NULL ? "" : row->cidr);
    first = address_first(&v->cidr);
    if (!address_is_network(&v->cidr))
        return fault_raise_field(f, "cidr",
                                 "Invalid input for cidr. Reason: '%.64s' isn't a recognized IP "
                                 "subnet cidr, '%s' is recommended.",
                                 row->cidr, address_cidr_text(a, &first));
    if (v->cidr.version != row->ip_version)
        return invalid_input(f, "cidr '%.64s' does not match the ip_version '%lld'", row->cidr,
                             (long long)row->ip_version);
    if (v->cidr.version == 4 &&
        (first.bytes[0] == 0 || first.bytes[0] == 127 || first.bytes[0] >= 224))
        return invalid_input(
            f, "'%.64s' is not usable as a subnet: it is reserved, loopback or multicast",
            row->cidr);
    if (v->cidr.version == 6 &&
        (first.bytes[0] == 0xff || (first.bytes[0] == 0xfe && (first.bytes[1] & 0xc0) == 0x80) ||
         v->cidr.prefix == 0 || (memcmp(first.bytes, "\0\0\0\0\0\0\0\0\0\0", 10) == 0)))
        return invalid_input(
            f, "'%.64s' is not usable as a subnet: it is reserved, link-local or multicast",
            row->cidr);
    if (v->cidr.prefix == 0)
        return invalid_input(f, "0 is not allowed as CIDR prefix length");
    row->cidr = address_cidr_text(a, &first);
    return 0;
}

static int
check_modes(const struct subnet *row, const struct subnet_view *v, struct fault *f)
{
    const char *ra = row->ipv6_ra_mode, *address = row->ipv6_address_mode;

    if (ra == NULL && address == NULL)
        return 0;
    if (row->ip_version == 4)
        return invalid_input(
            f, "ipv6_ra_mode or ipv6_address_mode cannot be set when ip_version is 4");
    if (!row->enable_dhcp)
        return invalid_input(
            f, "ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False");
    if (ra != NULL && address != NULL && !str_equal(ra, address))
        return invalid_input(f,
                             "ipv6_ra_mode set to '%s' with ipv6_address_mode set to '%s' is not "
                             "valid. If both attributes are set, "
                             "they must be the same value",
                             ra, address);
    if ((subnet_is_auto(6, address) || subnet_is_auto(6, ra)) && v->cidr.prefix != 64)
        return invalid_input(f,
                             "Invalid CIDR %s for IPv6 address mode. OpenStack uses the EUI-64 "
                             "address format, which requires the prefix "
                             "to be /64",
                             row->cidr);
    return 0;
}

static int
check_gateway(const char **text, struct arena *a, struct subnet_view *v, struct fault *f)
{
    struct address first = address_first(&v->cidr), last = address_last(&v->cidr);
    bool edges =
        v->cidr.prefix + 1 <
        address_bits(&v->cidr); /* A /31 or /32 has neither network nor broadcast address. */

    if (address_parse(*text, &v->gateway) < 0)
        return fault_raise_field(
            f, "gateway_ip",
            "Invalid input for gateway_ip. Reason: '%.64s' is not a valid IP address.", *text);
    if (v->gateway.version != v->cidr.version)
        return invalid_input(f, "gateway_ip '%.64s' does not match the ip_version '%d'", *text,
                             v->cidr.version);
    if (edges && v->cidr.version == 4 &&
        (address_compare(&v->gateway, &first) == 0 || address_compare(&v->gateway, &last) == 0))
        return invalid_input(f, "Gateway is not valid on subnet");
    if (edges && v->cidr.version == 6 && address_compare(&v->gateway, &first) == 0)
        return invalid_input(f, "Gateway is not valid on subnet");
    v->has_gateway = true;
    *text = address_text(a, &v->gateway);
    return 0;
}

struct range {
    struct address start, end;
};

static int
check_pool(struct allocation_pool *p, const struct subnet_view *v, struct arena *a, struct range *r,
           struct fault *f)
{
    struct address first = address_first(&v->cidr), last = address_last(&v->cidr);
    bool edges = v->cidr.prefix + 1 < address_bits(&v->cidr);

    if (address_parse(p->start, &r->start) < 0 || address_parse(p->end, &r->end) < 0 ||
        r->start.version != v->cidr.version || r->end.version != v->cidr.version ||
        address_compare(&r->end, &r->start) < 0)
        return fault_raise_code(f, FAULT_INVALID, "InvalidAllocationPool",
                                "The allocation pool %.64s-%.64s is not valid.", p->start, p->end);
    if (!address_in(&v->cidr, &r->start) || !address_in(&v->cidr, &r->end) ||
        (edges && (address_compare(&r->start, &first) == 0 ||
                   (v->cidr.version == 4 && address_compare(&r->end, &last) == 0))))
        return fault_raise_code(f, FAULT_INVALID, "OutOfBoundsAllocationPool",
                                "The allocation pool %s spans beyond the subnet cidr %s.",
                                pool_text(a, p), address_cidr_text(a, &v->cidr));
    if (v->has_gateway && address_compare(&r->start, &v->gateway) <= 0 &&
        address_compare(&v->gateway, &r->end) <= 0)
        return fault_raise_code(f, FAULT_CONFLICT, "GatewayConflictWithAllocationPools",
                                "Gateway ip %s conflicts with allocation pool %s.",
                                address_text(a, &v->gateway), pool_text(a, p));
    p->start = address_text(a, &r->start);
    p->end = address_text(a, &r->end);
    return 0;
}

static int
check_pools(struct allocation_pool *pools, size_t count, const struct subnet_view *v,
            struct arena *a, struct fault *f)
{
    struct range *ranges = ARENA_ARRAY(a, struct range, count);

    if (count > 256)
        return invalid_input(f, "There are more than 256 allocation pools");
    for (size_t i = 0; i < count; i++) {
        if (check_pool(&pools[i], v, a, &ranges[i], f) < 0)
            return -1;
        for (size_t j = 0; j < i; j++) {
            if (address_compare(&ranges[i].start, &ranges[j].end) <= 0 &&
                address_compare(&ranges[j].start, &ranges[i].end) <= 0)
                return fault_raise_code(f, FAULT_CONFLICT, "OverlappingAllocationPools",
                                        "Found overlapping allocation pools: %s %s for subnet %s.",
                                        pool_text(a, &pools[j]), pool_text(a, &pools[i]),
                                        address_cidr_text(a, &v->cidr));
        }
    }
    return 0;
}

static void
add_pool(struct allocation_pool *pools, size_t *count, const struct address *start,
         const struct address *end, struct arena *a)
{
    if (address_compare(start, end) > 0)
        return;
    pools[*count].start = address_text(a, start);
    pools[*count].end = address_text(a, end);
    ++*count;
}

/* All but network, broadcast and gateway. */
static void
fill_pools(struct subnet *row, const struct subnet_view *v, struct arena *a)
{
    struct allocation_pool *pools = ARENA_ARRAY(a, struct allocation_pool, 2);
    struct address first = address_first(&v->cidr), last = address_last(&v->cidr);
    bool edges = v->cidr.prefix + 1 < address_bits(&v->cidr);
    size_t count = 0;

    if (edges) {
        first = address_add(&first, 1);
        if (v->cidr.version == 4)
            last = address_add(&last, -1);
    }
    if (v->has_gateway && address_compare(&v->gateway, &first) >= 0 &&
        address_compare(&v->gateway, &last) <= 0) {
        struct address before = address_add(&v->gateway, -1), after = address_add(&v->gateway, 1);

        if (address_compare(&v->gateway, &first) > 0)
            add_pool(pools, &count, &first, &before, a);
        if (address_compare(&v->gateway, &last) < 0)
            add_pool(pools, &count, &after, &last, a);
    } else {
        add_pool(pools, &count, &first, &last, a);
    }
    row->allocation_pools = pools;
    row->allocation_pools_count = count;
    field_mark(&row->set, SUBNET_F_ALLOCATION_POOLS);
}

static int
check_nameservers(struct subnet *row, struct arena *a, struct fault *f)
{
    struct texts *list = &row->dns_nameservers;
    struct address x;

    if (field_null(&row->set, SUBNET_F_DNS_NAMESERVERS))
        field_mark(&row->set, SUBNET_F_DNS_NAMESERVERS);
    if (list->count > MOST_NAMESERVERS)
        return fault_raise_code(f, FAULT_INVALID, "DNSNameServersExhausted",
                                "Unable to complete operation for the subnet. The number of DNS "
                                "nameservers exceeds the limit %d.",
                                MOST_NAMESERVERS);
    for (size_t i = 0; i < list->count; i++) {
        if (address_parse(list->items[i], &x) < 0)
            return fault_raise_field(f, "dns_nameservers",
                                     "Invalid input for dns_nameservers. Reason: '%.64s' is not a "
                                     "valid nameserver. '%.64s' "
                                     "is not a valid IP address.",
                                     list->items[i], list->items[i]);
        list->items[i] = address_text(a, &x);
        for (size_t j = 0; j < i; j++) {
            if (str_equal(list->items[i], list->items[j]))
                return fault_raise_field(
                    f, "dns_nameservers",
                    "Invalid input for dns_nameservers. Reason: Duplicate nameserver '%s'.",
                    list->items[i]);
        }
    }
    return 0;
}

static int
check_routes(struct subnet *row, int version, struct arena *a, struct fault *f)
{
    if (field_null(&row->set, SUBNET_F_HOST_ROUTES))
        field_mark(&row->set, SUBNET_F_HOST_ROUTES);
    if (row->host_routes_count > MOST_ROUTES)
        return fault_raise_code(f, FAULT_INVALID, "HostRoutesExhausted",
                                "Unable to complete operation for the subnet. The number of host "
                                "routes exceeds the limit %d.",
                                MOST_ROUTES);
    for (size_t i = 0; i < row->host_routes_count; i++) {
        struct subnet_route *x = &row->host_routes[i];
        struct address destination, hop;

        if (address_parse_cidr(x->destination, true, &destination) < 0 ||
            address_parse(x->nexthop, &hop) < 0)
            return fault_raise_field(
                f, "host_routes",
                "Invalid input for host_routes. Reason: '%.64s' via '%.64s' is not a valid route.",
                x->destination, x->nexthop);
        if (destination.version != version || hop.version != version)
            return invalid_input(
                f, "host route '%.64s' via '%.64s' does not match the ip_version '%d'",
                x->destination, x->nexthop, version);
        x->destination = address_cidr_text(a, &destination);
        x->nexthop = address_text(a, &hop);
        for (size_t j = 0; j < i; j++) {
            if (str_equal(x->destination, row->host_routes[j].destination) &&
                str_equal(x->nexthop, row->host_routes[j].nexthop))
                return fault_raise_field(
                    f, "host_routes",
                    "Invalid input for host_routes. Reason: Duplicate hostroute '%s'.",
                    x->destination);
        }
    }
    return 0;
}

static int
check_service_types(const struct subnet *row, struct fault *f)
{
    for (size_t i = 0; i < row->service_types.count; i++) {
        const char *text = row->service_types.items[i];

        if (!str_starts(text, "network:") && !str_starts(text, "compute:"))
            return fault_raise_code(
                f, FAULT_INVALID, "InvalidSubnetServiceType",
                "Subnet service type %.64s does not correspond to a valid device owner.", text);
    }
    return 0;
}

int
subnet_check_new(struct subnet *row, struct arena *a, struct fault *f)
{
    struct subnet_view v = { 0 };

    if (check_cidr(row, a, &v, f) < 0 || check_modes(row, &v, f) < 0)
        return -1;
    if (row->gateway_ip != NULL) {
        if (check_gateway(&row->gateway_ip, a, &v, f) < 0)
            return -1;
    } else if (!field_given(&row->set, SUBNET_F_GATEWAY_IP) &&
               v.cidr.prefix < address_bits(&v.cidr)) {
        bool edges = v.cidr.prefix + 1 < address_bits(&v.cidr);
        struct address first = address_first(&v.cidr);

        v.gateway = address_add(&first, edges ? 1 : 0);
        v.has_gateway = true;
        row->gateway_ip = address_text(a, &v.gateway);
        field_mark(&row->set, SUBNET_F_GATEWAY_IP);
    }
    if (!field_has(&row->set, SUBNET_F_ALLOCATION_POOLS))
        fill_pools(row, &v, a);
    else if (check_pools(row->allocation_pools, row->allocation_pools_count, &v, a, f) < 0)
        return -1;
    if (check_nameservers(row, a, f) < 0 || check_routes(row, v.cidr.version, a, f) < 0)
        return -1;
    return check_service_types(row, f);
}

int
subnet_check_change(const struct subnet *old, struct subnet *row, struct arena *a, struct fault *f)
{
    struct subnet_view v = { 0 };
    const char *gateway =
        field_given(&row->set, SUBNET_F_GATEWAY_IP) ? row->gateway_ip : old->gateway_ip;
    bool pools = field_has(&row->set, SUBNET_F_ALLOCATION_POOLS);

    if (address_parse_cidr(old->cidr, true, &v.cidr) < 0)
        return fault_raise_cause(f, "subnet %s has cidr '%s'", old->id, old->cidr);
    if (field_given(&row->set, SUBNET_F_ALLOCATION_POOLS) && !pools)
        return fault_raise_field(f, "allocation_pools",
                                 "Invalid input for allocation_pools. Reason: it may not be null.");
    if (gateway != NULL && check_gateway(&gateway, a, &v, f) < 0)
        return -1;
    if (row->gateway_ip != NULL)
        row->gateway_ip = gateway;
    if (pools || field_given(&row->set, SUBNET_F_GATEWAY_IP)) {
        if (check_pools(pools ? row->allocation_pools : old->allocation_pools,
                        pools ? row->allocation_pools_count : old->allocation_pools_count, &v, a,
                        f) < 0)
            return -1;
    }
    if (field_given(&row->set, SUBNET_F_ENABLE_DHCP) && !row->enable_dhcp &&
        (old->ipv6_ra_mode != NULL || old->ipv6_address_mode != NULL))
        return invalid_input(
            f, "ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False");
    if (field_given(&row->set, SUBNET_F_DNS_NAMESERVERS) && check_nameservers(row, a, f) < 0)
        return -1;
    if (field_given(&row->set, SUBNET_F_HOST_ROUTES) && check_routes(row, v.cidr.version, a, f) < 0)
        return -1;
    return check_service_types(row, f);
}
