/* Routers: a namespace each, with a veth into every network it joins. See bridge.h. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/memory.h"
#include "bridge.h"
#include "device.h"
#include "metadata_server.h"
#include "names.h"
#include "netns.h"
#include "router_rules.h"

/* What is known of a router beyond what the kernel can tell. */
struct router_memory {
    struct live_rules rules;
    struct map *announced; /* Addresses that neighbours were told of. */
};

static void
free_memory(void *value)
{
    struct router_memory *m = value;

    live_rules_done(&m->rules);
    map_free(m->announced);
    free(m);
}

static struct router_memory *
memory_of(struct driver_state *s, const char *id)
{
    struct router_memory *m;

    if (s->routers == NULL)
        s->routers = map_new(free_memory);
    m = map_get(s->routers, id);
    if (m != NULL)
        return m;
    m = memory_calloc(1, sizeof(*m));
    m->announced = map_new(NULL);
    map_set(s->routers, id, m);
    return m;
}

void
bridge_router_forget(struct driver_state *s, const char *router_id)
{
    if (s->routers != NULL)
        map_remove(s->routers, router_id);
}

void
bridge_router_done(struct driver_state *s)
{
    map_free(s->routers);
}

static int
set(const char *netns, const char *path, const char *value, struct fault *f)
{
    int r = netns_sysctl(netns, path, value, f);

    if (r > 0)
        netlink_count_change();
    return r;
}

static int
prepare(const char *netns, struct fault *f)
{
    static const struct {
        const char *path, *value;
    } settings[] = {
        { "net/ipv4/ip_forward", "1" },
        { "net/ipv6/conf/all/forwarding", "1" },
        { "net/ipv6/conf/default/accept_ra", "0" },
        { "net/ipv4/conf/all/rp_filter", "0" }, /* The rules know better who may send what. */
        { "net/ipv4/conf/all/send_redirects", "0" },
        { "net/ipv4/conf/default/send_redirects", "0" },
        { "net/ipv4/conf/all/accept_redirects", "0" },
        { "net/ipv4/conf/default/accept_redirects", "0" },
        /* An address is answered for on its own network only. */
        { "net/ipv4/conf/all/arp_ignore", "1" },
        { "net/ipv4/conf/all/arp_announce", "2" },
    };
    int r = netns_create(netns, f);

    if (r > 0)
        netlink_count_change();
    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(settings); i++)
        r = set(netns, settings[i].path, settings[i].value, f);
    return r;
}

static int
apply_rules(struct router_memory *m, const struct wanted_router *router, const char *netns,
            struct fault *f)
{
    struct arena *a = arena_new();
    struct ruleset rules;
    int r;

    ruleset_init(&rules, a, "inet", PORT_RULES_TABLE);
    router_rules(router, &rules);
    r = live_rules_apply(&m->rules, netns, a, &rules, f);
    if (r < 0) {
        ruleset_done(&rules);
        arena_free(a);
    }
    return r;
}

/* Metadata's address is on lo: whichever network a guest asks from, it is the router's own. */
static int
apply_metadata(struct driver_state *s, struct netlink *inside, const char *netns, struct fault *f)
{
    struct address metadata;
    struct link lo;
    int r = netlink_find(inside, "lo", &lo, f);

    if (r == 0)
        return fault_raise_cause(f, "lo is missing in %s", netns);
    address_parse(METADATA_ADDRESS, &metadata);
    if (r > 0)
        r = netlink_set_up(inside, &lo, true, f);
    if (r >= 0)
        r = netlink_set_addresses(inside, lo.index, &metadata, 1, f);
    if (r >= 0 && s->options.metadata != NULL)
        r = metadata_server_listen(s->options.metadata, netns, f);
    return r;
}

/* Each address once: neighbours may remember whoever had it before. */
static void
announce(struct arena *a, struct router_memory *m, const char *netns, const char *device,
         const struct address *addresses, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *key = arena_printf(a, "%s %s", device, address_bare(a, &addresses[i]));
        struct fault ignored = { 0 };

        if (!map_has(m->announced, key) &&
            device_announce(netns, device, &addresses[i], 1, &ignored) >= 0)
            map_set(m->announced, key, m);
    }
}

struct plug {
    struct driver_state *s;
    struct arena *a;
    struct router_memory *memory;
    const struct wanted_router *router;
    const char *netns;
    struct netlink *inside;
    struct outcome *o;
};

/* One interface; its failure is its own. */
static int
apply_interface(const struct plug *p, const struct wanted_interface *x, enum name_kind kind,
                const struct address *addresses, size_t count, int *ret_index)
{
    const char *device = name_device(p->a, kind, x->port_id);
    struct fault f = { 0 };
    int r;

    if (!outcome_due(p->o, "port", x->port_id))
        return -1;
    r = bridge_veth_apply(p->s, x->network, x->port_id, p->netns, p->inside, device, &x->mac,
                          addresses, count, p->router->up, ret_index, &f);
    if (r < 0) {
        outcome_fail(p->o, "port", x->port_id, &f);
        return r;
    }
    outcome_done(p->o, "port", x->port_id);
    if (p->router->up) {
        outcome_up(p->o, x->port_id);
        announce(p->a, p->memory, p->netns, device, addresses, count);
    } else {
        outcome_down(p->o, x->port_id);
    }
    return 0;
}

/* Its own addresses, and each floating IP as one more. */
static size_t
collect_outside(struct arena *a, const struct wanted_router *router, struct address **ret)
{
    size_t count = 0, capacity = 0;

    *ret = NULL;
    for (size_t i = 0; i < router->gateway->addresses_count; i++)
        *ARRAY_PUSH(a, *ret, count, capacity) = router->gateway->addresses[i];
    for (size_t i = 0; i < router->floating_ips_count; i++)
        *ARRAY_PUSH(a, *ret, count, capacity) = router->floating_ips[i].floating;
    return count;
}

static bool
is_wanted_device(struct arena *a, const struct wanted_router *router, const char *name)
{
    for (size_t i = 0; i < router->interfaces_count; i++)
        if (strcmp(name, name_device(a, NAME_ROUTER, router->interfaces[i].port_id)) == 0)
            return true;
    return router->gateway != NULL &&
           strcmp(name, name_device(a, NAME_GATEWAY, router->gateway->port_id)) == 0;
}

static int
remove_other_devices(const struct plug *p, struct fault *f)
{
    struct link *links;
    size_t count;
    int r = netlink_links(p->inside, p->a, &links, &count, f);

    for (size_t i = 0; r >= 0 && i < count; i++)
        if (strcmp(links[i].kind, "veth") == 0 && !is_wanted_device(p->a, p->router, links[i].name))
            r = netlink_delete_link(p->inside, links[i].index, f);
    return r;
}

static int
apply_routes(const struct plug *p, int outside, struct fault *f)
{
    const struct wanted_router *router = p->router;
    struct netlink_route *routes = NULL;
    size_t count = 0, capacity = 0;

    if (!router->up)
        return 0;
    for (size_t i = 0; outside > 0 && i < router->gateway_ips_count; i++)
        *ARRAY_PUSH(p->a, routes, count, capacity) =
            (struct netlink_route){ .destination = { .family = router->gateway_ips[i].family },
                                    .via = router->gateway_ips[i],
                                    .link = outside };
    for (size_t i = 0; i < router->routes_count; i++)
        *ARRAY_PUSH(p->a, routes, count, capacity) =
            (struct netlink_route){ .destination = router->routes[i].destination,
                                    .via = router->routes[i].nexthop };
    return netlink_set_routes(p->inside, routes, count, f);
}

int
bridge_router_apply(struct driver_state *s, const struct wanted_router *router, struct outcome *o,
                    struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(netlink_closep) struct netlink *inside = NULL;
    struct plug p = {
        .s = s, .a = a, .router = router, .o = o, .netns = name_router_netns(a, router->id)
    };
    int r = prepare(p.netns, f), outside = 0;

    if (r >= 0)
        r = netlink_open(&inside, p.netns, f);
    if (r < 0)
        return r;
    p.inside = inside;
    p.memory = memory_of(s, router->id);
    r = apply_rules(p.memory, router, p.netns, f);
    if (r >= 0)
        r = apply_metadata(s, inside, p.netns, f);
    if (r < 0)
        return r;
    for (size_t i = 0; i < router->interfaces_count; i++)
        apply_interface(&p, &router->interfaces[i], NAME_ROUTER, router->interfaces[i].addresses,
                        router->interfaces[i].addresses_count, NULL);
    if (router->gateway != NULL) {
        struct address *addresses;
        size_t count = collect_outside(a, router, &addresses);

        apply_interface(&p, router->gateway, NAME_GATEWAY, addresses, count, &outside);
    }
    r = remove_other_devices(&p, f);
    return r < 0 ? r : apply_routes(&p, outside, f);
}
