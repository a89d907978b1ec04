/* Connections the kernel remembers, held against the rules of now.
 *
 * The rules let established connections through without asking further; so when a rule, a group's
 * member or a port goes, the connections it had allowed must be forgotten, or they would live on.
 * Instead of guessing which a change touches, every entry in the zones concerned is asked again:
 * would this be allowed today? */
#pragma once

#include <stdint.h>

#include "base/fault.h"
#include "port_rules.h"
#include "wanted.h"

struct connection {
    struct address source, destination; /* Of the first packet. */
    unsigned protocol;
    int destination_port;     /* -1: none */
    int icmp_type, icmp_code; /* -1: none */
};

/* Would the rules allow this connection's first packet in (or out of) this port? Pure; says the
 * same as the rules that port_rules.h prints. */
bool conntrack_allowed(const struct wanted_port *p, bool ingress, const struct connection *c);

/* Forgets what is not allowed any more, in the zones of 'w', and whatever has to do with the
 * addresses in 'gone' (of ports that are not here any more; each in its zone). Returns how many
 * entries went. */
struct conntrack_gone {
    unsigned zone;
    struct address ip;
};
int conntrack_revise(const struct wanted *w, const struct zones *z,
                     const struct conntrack_gone *gone, size_t gone_count, struct fault *f);
