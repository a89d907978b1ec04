/* Ports that the service makes for itself: of routers, floating IPs and DHCP. */
#pragma once

#include "service.h"
#include "touched.h"

struct port_plan {
    const char *project_id; /* "" for those on external networks. */
    const char *network_id, *device_id, *device_owner;
    const char *host; /* Bound there; NULL: nowhere. */
    const char *name;
    bool given; /* As in struct ip_request. */
    const struct fixed_ip *wishes;
    size_t wishes_count;
    int only;
};

/* '*ret' is as stored, with its addresses. No security groups, no quota. */
int port_make(struct db_tx *tx, const struct port_plan *plan, struct port *ret, struct fault *f);

/* Removes a port of that kind and notes whom it concerns. */
int port_unmake(struct touched *t, struct db_tx *tx, const char *port_id, const char *network_id,
                struct fault *f);

/* Fills the port's mac_address: the one it asks for, unless somebody on the network has it, or a random one. */
int port_take_mac(struct db_tx *tx, const char *network_id, struct port *row, struct fault *f);

/* Fills fixed_ips, security_groups and what else has no column, for a batch. */
int ports_load(struct arena *a, struct network_service *service, struct db *db,
               struct port *const *rows, size_t count, struct fault *f);
