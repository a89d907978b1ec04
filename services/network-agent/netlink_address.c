/* Addresses and routes: see netlink.h. */
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>

#include "base/array.h"
#include "netlink_internal.h"

struct addresses {
    struct arena *a;
    int index;
    struct address *items;
    size_t count, capacity;
};

static void
restart_addresses(void *arg)
{
    ((struct addresses *)arg)->count = 0;
}

static bool
read_address(struct nlattr *attribute, int family, unsigned prefix, struct address *ret)
{
    *ret = (struct address){ .family = family, .prefix = prefix };
    if (attribute == NULL || nla_len(attribute) != (int)address_size(ret))
        return false;
    memcpy(ret->bytes, nla_data(attribute), address_size(ret));
    return true;
}

static int
each_address(struct nlmsghdr *h, void *arg)
{
    struct addresses *l = arg;
    const struct ifaddrmsg *header = nlmsg_data(h);
    struct nlattr *attributes[IFA_MAX + 1];
    struct address x;

    if (h->nlmsg_type != RTM_NEWADDR || (int)header->ifa_index != l->index ||
        header->ifa_scope == RT_SCOPE_HOST ||
        (header->ifa_family == AF_INET6 && header->ifa_scope == RT_SCOPE_LINK) ||
        nlmsg_parse(h, sizeof(*header), attributes, IFA_MAX, NULL) < 0)
        return 0;
    if (read_address(attributes[IFA_LOCAL] != NULL ? attributes[IFA_LOCAL]
                                                   : attributes[IFA_ADDRESS],
                     header->ifa_family, header->ifa_prefixlen, &x))
        *ARRAY_PUSH(l->a, l->items, l->count, l->capacity) = x;
    return 0;
}

static bool
contains(const struct address *items, size_t count, const struct address *x)
{
    for (size_t i = 0; i < count; i++)
        if (address_equal(&items[i], x))
            return true;
    return false;
}

static int
change_address(struct netlink *n, int type, int index, const struct address *x, struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct ifaddrmsg header = { .ifa_family = (uint8_t)x->family,
                                .ifa_prefixlen = (uint8_t)x->prefix,
                                .ifa_index = (uint32_t)index };
    int flags = NLM_F_REQUEST | (type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_REPLACE : 0);
    struct nl_msg *m;

    if (x->family == AF_INET6)
        header.ifa_flags =
            IFA_F_NODAD; /* The service hands addresses out once; waiting would only delay. */
    m = netlink_message(type, flags, &header, sizeof(header));
    nla_put(m, IFA_LOCAL, (int)address_size(x), x->bytes);
    nla_put(m, IFA_ADDRESS, (int)address_size(x), x->bytes);
    return netlink_change(n, m, f, "%s address %s", type == RTM_NEWADDR ? "add" : "delete",
                          address_with_prefix(a, x));
}

/* Two rounds: the kernel may take further addresses of a subnet with the first one that is
 * deleted. */
int
netlink_set_addresses(struct netlink *n, int index, const struct address *wanted, size_t count,
                      struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    bool deleted = true;

    for (int round = 0; round < 2 && deleted; round++) {
        struct ifaddrmsg header = { .ifa_family = AF_UNSPEC };
        struct addresses now = { .a = a, .index = index };
        int r = netlink_dump(n, RTM_GETADDR, &header, sizeof(header), restart_addresses,
                             each_address, &now, f);

        deleted = false;
        for (size_t i = 0; r >= 0 && i < count; i++)
            if (!contains(now.items, now.count, &wanted[i]))
                r = change_address(n, RTM_NEWADDR, index, &wanted[i], f);
        for (size_t i = 0; r >= 0 && i < now.count; i++)
            if (!contains(wanted, count, &now.items[i])) {
                r = change_address(n, RTM_DELADDR, index, &now.items[i], f);
                deleted = true;
            }
        if (r < 0)
            return r;
    }
    return 0;
}

/* --- routes ----------------------------------------------------------------------------------- */

struct routes {
    struct arena *a;
    struct netlink_route *items;
    size_t count, capacity;
};

static void
restart_routes(void *arg)
{
    ((struct routes *)arg)->count = 0;
}

static int
each_route(struct nlmsghdr *h, void *arg)
{
    struct routes *l = arg;
    const struct rtmsg *header = nlmsg_data(h);
    struct nlattr *attributes[RTA_MAX + 1];
    struct netlink_route route = { 0 };

    if (h->nlmsg_type != RTM_NEWROUTE || header->rtm_protocol != RTPROT_STATIC ||
        header->rtm_type != RTN_UNICAST || header->rtm_table != RT_TABLE_MAIN ||
        nlmsg_parse(h, sizeof(*header), attributes, RTA_MAX, NULL) < 0)
        return 0;
    if (!read_address(attributes[RTA_GATEWAY], header->rtm_family,
                      header->rtm_family == AF_INET ? 32 : 128, &route.via))
        return 0;
    route.destination = (struct address){ .family = header->rtm_family };
    if (attributes[RTA_DST] != NULL)
        read_address(attributes[RTA_DST], header->rtm_family, header->rtm_dst_len,
                     &route.destination);
    if (attributes[RTA_OIF] != NULL)
        route.link = (int)nla_get_u32(attributes[RTA_OIF]);
    *ARRAY_PUSH(l->a, l->items, l->count, l->capacity) = route;
    return 0;
}

static int
change_route(struct netlink *n, int type, const struct netlink_route *route, struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const struct address *to = &route->destination;
    struct rtmsg header = { .rtm_family = (uint8_t)to->family,
                            .rtm_dst_len = (uint8_t)to->prefix,
                            .rtm_table = RT_TABLE_MAIN,
                            .rtm_protocol = RTPROT_STATIC,
                            .rtm_scope =
                                type == RTM_NEWROUTE ? RT_SCOPE_UNIVERSE : RT_SCOPE_NOWHERE,
                            .rtm_type = RTN_UNICAST };
    int flags = NLM_F_REQUEST | (type == RTM_NEWROUTE ? NLM_F_CREATE | NLM_F_REPLACE : 0);
    struct nl_msg *m;

    if (route->link != 0 && type == RTM_NEWROUTE)
        header.rtm_flags = RTNH_F_ONLINK; /* The provider's gateway may lie outside the subnet. */
    m = netlink_message(type, flags, &header, sizeof(header));
    if (to->prefix > 0)
        nla_put(m, RTA_DST, (int)address_size(to), to->bytes);
    nla_put(m, RTA_GATEWAY, (int)address_size(&route->via), route->via.bytes);
    if (route->link != 0)
        nla_put_u32(m, RTA_OIF, (uint32_t)route->link);
    return netlink_change(n, m, f, "%s route %s", type == RTM_NEWROUTE ? "add" : "delete",
                          address_with_prefix(a, to));
}

static bool
same_route(const struct netlink_route *a, const struct netlink_route *b)
{
    return address_equal(&a->destination, &b->destination) && address_equal(&a->via, &b->via) &&
           (a->link == 0 || b->link == 0 || a->link == b->link);
}

static bool
has_route(const struct netlink_route *items, size_t count, const struct netlink_route *route,
          bool any_via)
{
    for (size_t i = 0; i < count; i++)
        if (any_via ? address_equal(&items[i].destination, &route->destination)
                    : same_route(&items[i], route))
            return true;
    return false;
}

int
netlink_set_routes(struct netlink *n, const struct netlink_route *wanted, size_t count,
                   struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    static const int families[] = { AF_INET, AF_INET6 };
    int result = 0;

    for (size_t k = 0; k < ARRAY_SIZE(families); k++) {
        struct rtmsg header = { .rtm_family = (uint8_t)families[k] };
        struct routes now = { .a = a };
        int r = netlink_dump(n, RTM_GETROUTE, &header, sizeof(header), restart_routes, each_route,
                             &now, f);

        if (r < 0)
            return r;
        for (size_t i = 0; i < count; i++)
            if (wanted[i].destination.family == families[k] &&
                !has_route(now.items, now.count, &wanted[i], false) &&
                change_route(n, RTM_NEWROUTE, &wanted[i], f) < 0)
                result = -1; /* A next hop nobody can reach; the other routes are none the worse. */
        /* One with the same destination was replaced just now. */
        for (size_t i = 0; i < now.count; i++)
            if (!has_route(wanted, count, &now.items[i], true) &&
                change_route(n, RTM_DELROUTE, &now.items[i], f) < 0)
                result = -1;
    }
    return result;
}
