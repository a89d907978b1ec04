/* What nobody wants any more: see bridge.h. */
#include <string.h>

#include "base/array.h"
#include "base/log.h"
#include "base/str.h"
#include "bridge.h"
#include "metadata_server.h"
#include "names.h"
#include "netns.h"

static void
mark_interface(struct map *names, struct arena *a, const char *port_id)
{
    map_set(names, name_device(a, NAME_TAP, port_id), names);
}

/* Every name on the host that the state calls for. */
static struct map *
wanted_names(struct arena *a, const struct wanted *w)
{
    struct map *names = map_new(NULL);

    for (size_t i = 0; i < w->networks_count; i++) {
        const struct wanted_network *n = &w->networks[i];

        map_set(names, n->bridge, names);
        if (n->vni != 0)
            map_set(names, name_vxlan(a, n->vni), names);
        if (n->dhcp != NULL) {
            mark_interface(names, a, n->dhcp->port_id);
            map_set(names, name_dhcp_netns(a, n->id), names);
        }
    }
    for (size_t i = 0; i < w->ports_count; i++)
        map_set(names, w->ports[i].tap, names);
    for (size_t i = 0; i < w->routers_count; i++) {
        const struct wanted_router *r = &w->routers[i];

        map_set(names, name_router_netns(a, r->id), names);
        for (size_t k = 0; k < r->interfaces_count; k++)
            mark_interface(names, a, r->interfaces[k].port_id);
        if (r->gateway != NULL)
            mark_interface(names, a, r->gateway->port_id);
    }
    return names;
}

static void
delete_links(struct driver_state *s, const struct wanted *w, bool (*ours)(const char *name),
             struct outcome *o)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct map *names = wanted_names(a, w);
    struct link *links = NULL;
    size_t count = 0;
    struct fault f = { 0 };

    if (netlink_links(s->netlink, a, &links, &count, &f) < 0)
        outcome_fail(o, "network", "", &f);
    for (size_t i = 0; i < count; i++) {
        fault_clear(&f);
        if (!ours(links[i].name) || map_has(names, links[i].name))
            continue;
        log_info("link.removed name=%s", links[i].name);
        if (netlink_delete_link(s->netlink, links[i].index, &f) < 0)
            outcome_fail(o, "network", links[i].name, &f);
    }
    map_free(names);
}

void
bridge_sweep_taps(struct driver_state *s, const struct wanted *w, struct outcome *o)
{
    delete_links(s, w, name_is_our_tap, o);
}

static void
remove_netns(struct driver_state *s, const char *name, struct outcome *o)
{
    const char *dash = strchr(name, '-');
    struct fault f = { 0 };

    log_info("namespace.removed name=%s", name);
    if (s->options.metadata != NULL)
        metadata_server_unlisten(s->options.metadata, name);
    if (str_starts(name, "qdhcp-"))
        bridge_dhcp_remove(s, dash + 1);
    else
        bridge_router_forget(s, dash + 1);
    netlink_count_change();
    if (netns_delete(name, &f) < 0)
        outcome_fail(o, "network", name, &f);
}

static bool
is_bridge_or_tunnel(const char *name)
{
    return name_is_our_bridge(name) || name_is_our_vxlan(name);
}

void
bridge_sweep(struct driver_state *s, const struct wanted *w, struct outcome *o)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct map *names = wanted_names(a, w);
    size_t count;
    char **namespaces = netns_list(a, &count);

    for (size_t i = 0; i < count; i++)
        if (name_is_our_netns(namespaces[i]) && !map_has(names, namespaces[i]))
            remove_netns(s, namespaces[i], o);
    map_free(names);
    delete_links(s, w, is_bridge_or_tunnel, o);
}
