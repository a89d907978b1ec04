/* A network driver: makes one host's network what is wanted. One table of functions; nothing
 * outside a driver knows which one it is.
 *
 *   bridge   Linux bridges, VXLAN, nftables, dnsmasq, network namespaces
 *   sim      keeps the state and reports every port up; for tests and for thousands of hosts in
 * one process */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"
#include "outcome.h"
#include "wanted.h"

struct metadata_server;

struct driver_options {
    const char *state_dir; /* For what must outlive the agent: leases, process ids. */
    struct address tunnel; /* Where other hosts reach this one; family 0: no VXLAN here. */
    const struct bridge_mapping *mappings;
    size_t mappings_count;
    const char *external_bridge;
    const char *external_interface; /* Becomes a port of the bridge; "": the operator does it. */
    const char *dhcp_user;
    struct metadata_server *metadata; /* NULL: none is served. */
};

struct driver_state;

struct driver {
    const char *name;
    /* 'options' and what they point at outlive the state. */
    int (*open)(struct driver_state **ret, const struct driver_options *options, struct fault *f);
    /* Compares and changes what differs: adds before deletes, protection before connection. Never
     * fails as a whole; 'o' gets what became of each object. Called by one thread at a time. */
    void (*apply)(struct driver_state *s, const struct wanted *w, struct outcome *o);
    /* Cheap, called each second: has something died that apply() would start again? */
    bool (*check)(struct driver_state *s);
    /* Lets go; everything stays as it is, for the next start to take over. */
    void (*close)(struct driver_state *s);
};

extern const struct driver driver_bridge;
extern const struct driver driver_sim;

const struct driver *driver_find(const char *name); /* NULL: unknown */
