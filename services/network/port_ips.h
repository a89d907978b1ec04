/* Which addresses a port gets. */
#pragma once

#include "service.h"

struct ip_request {
    const char *port_id, *network_id, *mac, *device_owner;
    bool given; /* 'wishes' are all it shall have; else one of each family. */
    const struct fixed_ip *wishes;
    size_t wishes_count;
    int only; /* 4: no IPv6 addresses but those wished for; 0: both. */
    const struct fixed_ip
        *old; /* Had before (and released): kept where a wish names the subnet alone. */
    size_t old_count;
};

/* Locks the network's subnets and stores the addresses. IpAddressInUse, IpAddressGenerationFailure, InvalidIpForNetwork... */
int port_ips_give(struct db_tx *tx, const struct ip_request *request, struct fault *f);

/* Ports that belong to routers: their addresses are the router's business, on every kind of subnet. */
bool is_router_owner(const char *device_owner);
