/* A netlink route socket in one network namespace, and what is asked of it: links, addresses,
 * neighbours, routes.
 *
 * Messages are built with libnl's builders and sent one by one, each acknowledged. Every change is
 * counted: a state that is already there costs no change, and tests say so. Not thread-safe: the
 * agent's reconcile thread has them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "base/fault.h"

struct netlink;

/* 'netns' NULL: the agent's own. */
int netlink_open(struct netlink **ret, const char *netns, struct fault *f);
void netlink_close(struct netlink *n); /* NULL does nothing. */
void netlink_closep(struct netlink **n);
/* Changes made through any socket so far, in this process. */
uint64_t netlink_changes(void);
void netlink_count_change(void); /* For changes that go another way (sysctl, tap, files, rules). */

struct link {
    int index;
    char name[16];
    unsigned flags; /* IFF_... */
    unsigned mtu;
    int master;    /* 0: none */
    char kind[16]; /* "bridge", "vxlan", "veth", "tun" or "" */
    struct mac mac;
    uint32_t vni;         /* vxlan */
    struct address local; /* vxlan */
};

/* All links of the namespace, in the arena. */
int netlink_links(struct netlink *n, struct arena *a, struct link **ret, size_t *ret_count,
                  struct fault *f);
/* One by name: 1, or 0 if there is none. */
int netlink_find(struct netlink *n, const char *name, struct link *ret, struct fault *f);

/* Makers. Where the link must lie in another namespace, 'netns' names it. */
int netlink_add_bridge(struct netlink *n, const char *name, unsigned mtu, struct fault *f);
int netlink_add_vxlan(struct netlink *n, const char *name, uint32_t vni,
                      const struct address *local, unsigned mtu, struct fault *f);
int netlink_add_veth(struct netlink *n, const char *name, const char *peer, const char *peer_netns,
                     const struct mac *peer_mac, unsigned mtu, struct fault *f);
int netlink_delete_link(struct netlink *n, int index, struct fault *f);

/* Changers: each sends only where the link is not so already. 'link' is brought up to date. */
int netlink_set_mtu(struct netlink *n, struct link *link, unsigned mtu, struct fault *f);
int netlink_set_mac(struct netlink *n, struct link *link, const struct mac *mac, struct fault *f);
int netlink_set_master(struct netlink *n, struct link *link, int master, struct fault *f);
int netlink_set_up(struct netlink *n, struct link *link, bool up, struct fault *f);
/* Of a VXLAN device on a bridge: addresses come from us, and the bridge answers ARP itself. */
int netlink_set_tunnel_port(struct netlink *n, int index, struct fault *f);

/* Addresses of one link become exactly 'wanted' (the kernel's own, of scope host and IPv6 link, are
 * left alone): adds before deletes. */
int netlink_set_addresses(struct netlink *n, int index, const struct address *wanted, size_t count,
                          struct fault *f);

/* Routes that are ours (protocol static) become exactly 'wanted'. */
struct netlink_route {
    struct address destination; /* prefix 0: the default */
    struct address via;
    int link; /* 0: where the kernel finds 'via'. */
};
int netlink_set_routes(struct netlink *n, const struct netlink_route *wanted, size_t count,
                       struct fault *f);

/* Forwarding entries of a VXLAN device and its bridge, and the addresses the bridge answers for. */
struct netlink_forward {
    struct mac mac; /* All zero: flooding */
    struct address tunnel;
};
struct netlink_neighbour {
    struct mac mac;
    struct address ip;
};
int netlink_set_forwards(struct netlink *n, int vxlan, const struct netlink_forward *wanted,
                         size_t count, struct fault *f);
int netlink_set_neighbours(struct netlink *n, int bridge, const struct netlink_neighbour *wanted,
                           size_t count, struct fault *f);
