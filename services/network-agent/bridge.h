/* The bridge driver's parts and what they share. Order within one application (driver_bridge.c):
 * taps nobody wants go; rules; networks; ports; DHCP; routers; what else nobody wants goes;
 * connections are held against the new rules. */
#pragma once

#include "base/map.h"
#include "driver.h"
#include "live_rules.h"
#include "netlink.h"
#include "port_rules.h"

struct driver_state {
    struct driver_options options;
    struct netlink *netlink; /* Of the host's namespace. */
    struct zones *zones;
    struct live_rules filter, state; /* "bridge virga", "inet virga" */
    struct map *broken;              /* Ports and groups whose rules the kernel refused. */
    struct map *routers;             /* By id: struct router_memory, see bridge_router.c */
    struct map *processes;           /* By network id: struct dhcp_process, see bridge_dhcp.c */
    struct map *known_ips;           /* "zone ip" of each local port: to see which are gone. */
};

/* Rules of all ports: 0, or the kernel has what it had before. Ports and groups that no table can
 * hold are in s->broken, and drop everything. *ret_changed: established connections are to be
 * looked at again. */
int bridge_protect(struct driver_state *s, const struct wanted *w, bool *ret_changed,
                   struct fault *f);

/* The bridge, its tunnel, and who is behind it. */
int bridge_network_apply(struct driver_state *s, const struct wanted *w,
                         const struct wanted_network *n, struct fault *f);
/* A guest's tap. Call only when its rules are in place. */
int bridge_port_apply(struct driver_state *s, const struct wanted_port *p, struct fault *f);

/* A veth from a network's bridge into a namespace, with its addresses: DHCP's and routers' ports.
 * 'far' is the name inside, 'inside' a socket there. *ret_index: of the far end. */
int bridge_veth_apply(struct driver_state *s, const struct wanted_network *n, const char *port_id,
                      const char *netns, struct netlink *inside, const char *far,
                      const struct mac *mac, const struct address *addresses,
                      size_t addresses_count, bool up, int *ret_index, struct fault *f);

int bridge_dhcp_apply(struct driver_state *s, const struct wanted *w,
                      const struct wanted_network *n, struct fault *f);
void bridge_dhcp_remove(struct driver_state *s, const char *network_id);
bool bridge_dhcp_check(struct driver_state *s); /* true: a server has ended */
void bridge_dhcp_done(struct driver_state *s);

int bridge_router_apply(struct driver_state *s, const struct wanted_router *r, struct outcome *o,
                        struct fault *f);
void bridge_router_forget(struct driver_state *s, const char *router_id);
void bridge_router_done(struct driver_state *s);

/* What is here by our names and not in 'w'. First the taps, before any rule goes; the rest at the
 * end. */
void bridge_sweep_taps(struct driver_state *s, const struct wanted *w, struct outcome *o);
void bridge_sweep(struct driver_state *s, const struct wanted *w, struct outcome *o);

/* Connections that the rules of 'w' would not allow, and those of ports that have gone. */
int bridge_forget_connections(struct driver_state *s, const struct wanted *w, bool changed,
                              struct fault *f);
