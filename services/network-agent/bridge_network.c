/* Bridges, tunnels, taps and veths: see bridge.h. */
#include <string.h>

#include "base/array.h"
#include "base/str.h"
#include "bridge.h"
#include "device.h"
#include "names.h"
#include "netns.h"

/* Devices of tenants get no address of the host's, not even a link-local one. */
static int
disable_ipv6(const char *netns, const char *device, struct fault *f)
{
    char path[80];
    int r;

    snprintf(path, sizeof(path), "net/ipv6/conf/%s/disable_ipv6", device);
    r = netns_sysctl(netns, path, "1", f);
    if (r > 0)
        netlink_count_change();
    return r;
}

/* Finds the link, or makes it by 'add' and finds it then. 1: made just now. */
static int
find_or_add(struct netlink *n, const char *name, struct link *ret,
            int (*add)(const char *name, void *arg, struct fault *f), void *arg, struct fault *f)
{
    int r = netlink_find(n, name, ret, f);

    if (r != 0)
        return r < 0 ? r : 0;
    r = add(name, arg, f);
    if (r < 0)
        return r;
    r = netlink_find(n, name, ret, f);
    if (r == 0)
        return fault_raise_cause(f, "%s went as soon as it was made", name);
    return r;
}

struct making {
    struct driver_state *s;
    const struct wanted_network *n;
    const char *far, *netns;
    const struct mac *mac;
};

static int
make_bridge(const char *name, void *arg, struct fault *f)
{
    const struct making *m = arg;

    return netlink_add_bridge(m->s->netlink, name, m->n->mtu, f);
}

static int
make_vxlan(const char *name, void *arg, struct fault *f)
{
    const struct making *m = arg;

    return netlink_add_vxlan(m->s->netlink, name, m->n->vni, &m->s->options.tunnel, m->n->mtu, f);
}

static int
make_tap(const char *name, void *arg, struct fault *f)
{
    (void)arg;
    return device_create_tap(name, f);
}

static int
make_veth(const char *name, void *arg, struct fault *f)
{
    const struct making *m = arg;

    return netlink_add_veth(m->s->netlink, name, m->far, m->netns, m->mac, m->n->mtu, f);
}

/* --- networks --------------------------------------------------------------------------------- */

/* A provider network's bridge is the operator's: it is made if it is missing, and given its port if
 * one is configured. */
static int
apply_flat(struct driver_state *s, const struct wanted_network *n, struct fault *f)
{
    struct making m = { .s = s, .n = n };
    struct link bridge, port;
    int r = find_or_add(s->netlink, n->bridge, &bridge, make_bridge, &m, f);

    if (r >= 0)
        r = netlink_set_up(s->netlink, &bridge, true, f);
    if (r < 0 || !str_equal(n->bridge, s->options.external_bridge) ||
        str_empty(s->options.external_interface))
        return r;
    r = netlink_find(s->netlink, s->options.external_interface, &port, f);
    if (r == 0)
        return fault_raise_cause(f, "external_interface %s is not there",
                                 s->options.external_interface);
    if (r > 0)
        r = netlink_set_master(s->netlink, &port, bridge.index, f);
    return r < 0 ? r : netlink_set_up(s->netlink, &port, true, f);
}

/* A tunnel of another number or address cannot be changed into this one. */
static int
drop_other_tunnel(struct driver_state *s, const struct wanted_network *n, const char *name,
                  struct fault *f)
{
    struct link link;
    int r = netlink_find(s->netlink, name, &link, f);

    if (r <= 0 || (link.vni == n->vni && address_equal(&link.local, &s->options.tunnel)))
        return r < 0 ? r : 0;
    return netlink_delete_link(s->netlink, link.index, f);
}

static int
apply_tunnel(struct driver_state *s, const struct wanted_network *n, const struct link *bridge,
             struct link *ret, struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct making m = { .s = s, .n = n };
    const char *name = name_vxlan(a, n->vni);
    bool fresh;
    int r;

    if (s->options.tunnel.family == 0)
        return fault_raise_cause(f, "no tunnel address is configured");
    r = drop_other_tunnel(s, n, name, f);
    if (r >= 0)
        r = find_or_add(s->netlink, name, ret, make_vxlan, &m, f);
    if (r < 0)
        return r;
    fresh = ret->master != bridge->index;
    r = disable_ipv6(NULL, name, f);
    if (r >= 0)
        r = netlink_set_mtu(s->netlink, ret, n->mtu, f);
    if (r >= 0)
        r = netlink_set_master(s->netlink, ret, bridge->index, f);
    if (r >= 0 && fresh)
        r = netlink_set_tunnel_port(s->netlink, ret->index, f);
    return r < 0 ? r : netlink_set_up(s->netlink, ret, true, f);
}

/* Who of the network is on which other host. Broadcasts go to those hosts only. */
static int
apply_remote_ports(struct driver_state *s, const struct wanted *w, const struct wanted_network *n,
                   int bridge, int vxlan, struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct netlink_forward *forwards = NULL;
    struct netlink_neighbour *neighbours = NULL;
    size_t forwards_count = 0, forwards_capacity = 0, neighbours_count = 0, neighbours_capacity = 0;
    struct map *tunnels = map_new(NULL);
    int r;

    for (size_t i = 0; i < w->remote_ports_count; i++) {
        const struct wanted_port *p = &w->remote_ports[i];
        const char *tunnel;

        if (p->network != n || p->tunnel.family == 0 ||
            address_equal(&p->tunnel, &s->options.tunnel))
            continue;
        *ARRAY_PUSH(a, forwards, forwards_count, forwards_capacity) =
            (struct netlink_forward){ p->mac, p->tunnel };
        tunnel = address_bare(a, &p->tunnel);
        if (!map_has(tunnels, tunnel)) {
            map_set(tunnels, tunnel, tunnels);
            *ARRAY_PUSH(a, forwards, forwards_count, forwards_capacity) =
                (struct netlink_forward){ .tunnel = p->tunnel };
        }
        for (size_t k = 0; k < p->ips_count; k++)
            if (p->ips[k].ip.family == AF_INET)
                *ARRAY_PUSH(a, neighbours, neighbours_count, neighbours_capacity) =
                    (struct netlink_neighbour){ p->mac, p->ips[k].ip };
    }
    map_free(tunnels);
    r = netlink_set_forwards(s->netlink, vxlan, forwards, forwards_count, f);
    return r < 0 ? r : netlink_set_neighbours(s->netlink, bridge, neighbours, neighbours_count, f);
}

int
bridge_network_apply(struct driver_state *s, const struct wanted *w, const struct wanted_network *n,
                     struct fault *f)
{
    struct making m = { .s = s, .n = n };
    struct link bridge = { 0 }, vxlan = { 0 };
    int r;

    if (n->physical != NULL)
        return apply_flat(s, n, f);
    r = find_or_add(s->netlink, n->bridge, &bridge, make_bridge, &m, f);
    if (r >= 0)
        r = disable_ipv6(NULL, n->bridge, f);
    if (r >= 0)
        r = netlink_set_mtu(s->netlink, &bridge, n->mtu, f);
    if (r >= 0)
        r = netlink_set_up(s->netlink, &bridge, true, f);
    if (r >= 0)
        r = apply_tunnel(s, n, &bridge, &vxlan, f);
    return r < 0 ? r : apply_remote_ports(s, w, n, bridge.index, vxlan.index, f);
}

/* --- ports ------------------------------------------------------------------------------------ */

static int
attach(struct driver_state *s, const struct wanted_network *n, struct link *link, bool up,
       struct fault *f)
{
    struct link bridge;
    int r = netlink_find(s->netlink, n->bridge, &bridge, f);

    if (r == 0)
        return fault_raise_cause(f, "bridge %s is not there", n->bridge);
    if (r > 0)
        r = disable_ipv6(NULL, link->name, f);
    if (r >= 0)
        r = netlink_set_mtu(s->netlink, link, n->mtu, f);
    if (r >= 0)
        r = netlink_set_master(s->netlink, link, bridge.index, f);
    return r < 0 ? r : netlink_set_up(s->netlink, link, up, f);
}

int
bridge_port_apply(struct driver_state *s, const struct wanted_port *p, struct fault *f)
{
    struct link tap;
    int r = find_or_add(s->netlink, p->tap, &tap, make_tap, NULL, f);

    return r < 0 ? r : attach(s, p->network, &tap, p->up, f);
}

int
bridge_veth_apply(struct driver_state *s, const struct wanted_network *n, const char *port_id,
                  const char *netns, struct netlink *inside, const char *far, const struct mac *mac,
                  const struct address *addresses, size_t addresses_count, bool up, int *ret_index,
                  struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct making m = { .s = s, .n = n, .far = far, .netns = netns, .mac = mac };
    const char *near = name_device(a, NAME_TAP, port_id);
    struct link near_end, far_end;
    int r = netlink_find(inside, far, &far_end, f);

    /* One end cannot be without the other; a near end whose far end is elsewhere is a leftover. */
    if (r == 0) {
        r = netlink_find(s->netlink, near, &near_end, f);
        if (r > 0)
            r = netlink_delete_link(s->netlink, near_end.index, f);
        if (r >= 0)
            r = make_veth(near, &m, f);
        if (r >= 0)
            r = netlink_find(inside, far, &far_end, f);
    }
    if (r > 0)
        r = netlink_find(s->netlink, near, &near_end, f);
    if (r == 0)
        return fault_raise_cause(f, "veth %s is not there", near);
    if (r > 0)
        r = netlink_set_mtu(inside, &far_end, n->mtu, f);
    if (r >= 0)
        r = netlink_set_mac(inside, &far_end, mac, f);
    if (r >= 0)
        r = netlink_set_addresses(inside, far_end.index, addresses, addresses_count, f);
    if (r >= 0)
        r = netlink_set_up(inside, &far_end, up, f);
    if (r >= 0)
        r = attach(s, n, &near_end, up, f);
    if (r >= 0 && ret_index != NULL)
        *ret_index = far_end.index;
    return r;
}
