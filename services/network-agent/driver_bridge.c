/* The bridge driver: see driver.h for what it must do, bridge.h for its parts. */
#include <stdlib.h>

#include "base/array.h"
#include "base/log.h"
#include "base/memory.h"
#include "bridge.h"
#include "metadata_server.h"
#include "names.h"
#include "netns.h"

/* Without these, bridged packets never meet conntrack and all new connections are dropped; so it is
 * said loudly. */
static void
enable_bridge_filtering(void)
{
    static const struct {
        const char *path, *value;
    } settings[] = {
        { "net/bridge/bridge-nf-call-iptables", "1" },
        { "net/bridge/bridge-nf-call-ip6tables", "1" },
        { "net/bridge/bridge-nf-call-arptables", "0" },
        { "net/bridge/bridge-nf-filter-vlan-tagged", "0" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
        struct fault f = { 0 };
        int r = netns_sysctl(NULL, settings[i].path, settings[i].value, &f);

        if (r > 0)
            netlink_count_change();
        if (r < 0)
            log_error("bridge.filtering is off, is br_netfilter loaded? cause=%s", f.cause);
    }
}

static int
bridge_open(struct driver_state **ret, const struct driver_options *options, struct fault *f)
{
    struct driver_state *s = memory_calloc(1, sizeof(*s));
    int r;

    s->options = *options;
    s->zones = zones_new();
    s->broken = map_new(NULL);
    s->processes = map_new(free);
    s->known_ips = map_new(NULL);
    r = netlink_open(&s->netlink, NULL, f);
    if (r < 0) {
        driver_bridge.close(s);
        return r;
    }
    *ret = s;
    return 0;
}

static void
bridge_close(struct driver_state *s)
{
    if (s == NULL)
        return;
    netlink_close(s->netlink);
    zones_free(s->zones);
    live_rules_done(&s->filter);
    live_rules_done(&s->state);
    map_free(s->broken);
    map_free(s->known_ips);
    bridge_router_done(s);
    bridge_dhcp_done(s);
    free(s);
}

static void
apply_networks(struct driver_state *s, const struct wanted *w, struct outcome *o)
{
    for (size_t i = 0; i < w->networks_count; i++) {
        struct fault f = { 0 };

        if (!outcome_due(o, "network", w->networks[i].id))
            continue;
        if (bridge_network_apply(s, w, &w->networks[i], &f) < 0)
            outcome_fail(o, "network", w->networks[i].id, &f);
        else
            outcome_done(o, "network", w->networks[i].id);
    }
}

/* 'safe': the rules are in place. Without them no link comes into being; those that are keep the
 * rules they had. */
static void
apply_ports(struct driver_state *s, const struct wanted *w, bool safe, const struct fault *why,
            struct outcome *o)
{
    for (size_t i = 0; i < w->ports_count; i++) {
        const struct wanted_port *p = &w->ports[i];
        struct fault f = { 0 };
        int r = 0;

        if (!outcome_due(o, "port", p->id))
            continue;
        if (!safe)
            f = *why, r = -1;
        else if (map_has(s->broken, p->id))
            r = fault_raise_cause(&f, "its rules were refused; it is cut off");
        else
            r = bridge_port_apply(s, p, &f);
        if (r < 0) {
            outcome_fail(o, "port", p->id, &f);
            continue;
        }
        outcome_done(o, "port", p->id);
        if (p->up)
            outcome_up(o, p->id);
        else
            outcome_down(o, p->id);
    }
}

static void
apply_dhcp(struct driver_state *s, const struct wanted *w, struct outcome *o)
{
    for (size_t i = 0; i < w->networks_count; i++) {
        const struct wanted_network *n = &w->networks[i];
        struct fault f = { 0 };

        if (n->dhcp == NULL || !outcome_due(o, "port", n->dhcp->port_id))
            continue;
        if (bridge_dhcp_apply(s, w, n, &f) < 0) {
            outcome_fail(o, "port", n->dhcp->port_id, &f);
            continue;
        }
        outcome_done(o, "port", n->dhcp->port_id);
        outcome_up(o, n->dhcp->port_id);
    }
}

static void
apply_routers(struct driver_state *s, const struct wanted *w, struct outcome *o)
{
    for (size_t i = 0; i < w->routers_count; i++) {
        struct fault f = { 0 };

        if (!outcome_due(o, "router", w->routers[i].id))
            continue;
        if (bridge_router_apply(s, &w->routers[i], o, &f) < 0)
            outcome_fail(o, "router", w->routers[i].id, &f);
        else
            outcome_done(o, "router", w->routers[i].id);
    }
}

/* --- who asks for metadata -------------------------------------------------------------------- */

struct directory {
    struct arena *a;
    struct metadata_client *items;
    size_t count, capacity;
};

static void
add_clients(struct directory *d, const struct wanted_port *ports, size_t count,
            const struct wanted_network *n, const char *netns)
{
    for (size_t i = 0; i < count; i++) {
        const struct wanted_port *p = &ports[i];

        if (p->network != n || p->device_id == NULL)
            continue;
        for (size_t k = 0; k < p->ips_count; k++)
            *ARRAY_PUSH(d->a, d->items, d->count, d->capacity) =
                (struct metadata_client){ netns, address_bare(d->a, &p->ips[k].ip), p->id,
                                          p->device_id };
    }
}

static void
publish_clients(struct driver_state *s, const struct wanted *w)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct directory d = { .a = a };

    if (s->options.metadata == NULL)
        return;
    for (size_t i = 0; i < w->networks_count; i++) {
        const struct wanted_network *n = &w->networks[i];

        if (n->dhcp == NULL)
            continue;
        add_clients(&d, w->ports, w->ports_count, n, name_dhcp_netns(a, n->id));
        add_clients(&d, w->remote_ports, w->remote_ports_count, n, name_dhcp_netns(a, n->id));
    }
    for (size_t i = 0; i < w->routers_count; i++)
        for (size_t k = 0; k < w->routers[i].interfaces_count; k++) {
            const struct wanted_network *n = w->routers[i].interfaces[k].network;

            add_clients(&d, w->ports, w->ports_count, n, name_router_netns(a, w->routers[i].id));
            add_clients(&d, w->remote_ports, w->remote_ports_count, n,
                        name_router_netns(a, w->routers[i].id));
        }
    metadata_server_set_clients(s->options.metadata, d.items, d.count);
}

/* --- all of it -------------------------------------------------------------------------------- */

static void
bridge_apply(struct driver_state *s, const struct wanted *w, struct outcome *o)
{
    struct fault f = { 0 }, why = { 0 };
    bool changed = false, safe;

    for (size_t i = 0; i < w->failures_count; i++)
        *ARRAY_PUSH(o->arena, o->failures, o->failures_count, o->failures_capacity) =
            w->failures[i];
    enable_bridge_filtering();
    publish_clients(s, w);
    bridge_sweep_taps(s, w, o);
    safe = bridge_protect(s, w, &changed, &why) >= 0;
    if (!safe)
        outcome_fail(o, "security_group", "", &why);
    else
        outcome_done(o, "security_group", "");
    apply_networks(s, w, o);
    apply_ports(s, w, safe, &why, o);
    apply_dhcp(s, w, o);
    apply_routers(s, w, o);
    bridge_sweep(s, w, o);
    if (safe && bridge_forget_connections(s, w, changed, &f) < 0)
        outcome_fail(o, "security_group", "", &f);
    outcome_finish(o);
}

static bool
bridge_check(struct driver_state *s)
{
    return bridge_dhcp_check(s);
}

const struct driver driver_bridge = { .name = "bridge",
                                      .open = bridge_open,
                                      .apply = bridge_apply,
                                      .check = bridge_check,
                                      .close = bridge_close };
