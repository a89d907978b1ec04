/* Routers: what their files need of each other. */
#pragma once

#include "port_ips.h"
#include "ports.h"

/* A router's ports, as router_ports() gives them. */
struct router_view {
    struct router_ports_row *ports;
    size_t count;
};
int router_view(struct db *db, const char *router_id, struct router_view *ret, struct fault *f);
const struct router_ports_row *
router_view_gateway(const struct router_view *v); /* Its first row, or NULL. */

/* Would a subnet with that cidr overlap one that the router is in already? 'except': a port that doesn't count, or NULL. */
int router_check_overlap(const struct router_view *v, const char *subnet_id, const char *cidr,
                         const char *except, struct fault *f);

/* Makes the router's gateway what 'info' says (NULL, or without a network: none). */
int router_set_gateway(struct call *call, struct db_tx *tx, const struct router *router,
                       const struct gateway_info *info, struct fault *f);

/* Routes in canonical form, each over a neighbour in one of the router's subnets: InvalidRoutes. */
int router_check_routes(struct router_route *routes, size_t count, const struct router_view *v,
                        struct arena *a, struct fault *f);

int router_bad_request(struct fault *f, const char *format, ...)
    _printf_(2, 3); /* BadRequest, "Bad router request: ...". */
