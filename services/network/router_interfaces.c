/* A router's interfaces and single routes: actions on a router, each in one transaction with the router's row locked. */
#include "base/array.h"
#include "base/json.h"
#include "base/str.h"
#include "placement.h"
#include "port_ips.h"
#include "quotas.h"
#include "routers.h"

/* The router the path names: locked, and the caller's to change. */
static int
load_router(struct call *call, struct db_tx *tx, const char *rule, struct router *ret,
            struct fault *f)
{
    if (db_tx_begin(tx, call->db, f) < 0 ||
        resource_load(tx->db, &router_resource, call_param(call, "router_id"),
                      call_scope(call, RESOURCE_PROJECT), true, ret, f) < 0)
        return -1;
    return call_enforce(call, rule, &router_resource, ret, f);
}

static int
check_in(const struct router_interface *in, bool both_ok, struct fault *f)
{
    if (in->subnet_id == NULL && in->port_id == NULL)
        return router_bad_request(f, "Either subnet_id or port_id must be specified");
    if (!both_ok && in->subnet_id != NULL && in->port_id != NULL)
        return router_bad_request(f, "Cannot specify both subnet-id and port-id");
    return 0;
}

static int
finish(struct call *call, struct db_tx *tx, const struct router *router, const char *port_id,
       const char *network_id, const struct texts *subnets, struct fault *f)
{
    struct jsonw *w;

    touch_router(touched_of(call), router->id);
    touch_network(touched_of(call), network_id);
    if (router_place(touched_of(call), tx, router->id, f) < 0 ||
        touched_settle(touched_of(call), tx, f) < 0 || db_tx_commit(tx, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_text(w, "id", router->id);
    jsonw_text(w, "project_id", router->project_id);
    jsonw_text(w, "tenant_id", router->project_id);
    jsonw_text(w, "port_id", port_id);
    jsonw_text(w, "network_id", network_id);
    jsonw_text(w, "subnet_id", subnets->count > 0 ? subnets->items[0] : NULL);
    jsonw_array(w, "subnet_ids");
    for (size_t i = 0; i < subnets->count; i++)
        jsonw_text(w, NULL, subnets->items[i]);
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

static int
check_subnet(const struct subnet *s, struct fault *f)
{
    if (s->ip_version == 6 && s->ipv6_ra_mode == NULL && s->ipv6_address_mode != NULL)
        return router_bad_request(f,
                                  "IPv6 subnet %s configured to receive RAs from an external "
                                  "router cannot be added to Neutron Router",
                                  s->id);
    return 0;
}

/* --- add */

static int
add_subnet(struct call *call, struct db_tx *tx, const struct router *router,
           const struct router_view *v, const char *subnet_id, struct fault *f)
{
    struct subnet subnet = { 0 };
    struct fixed_ip wish = { 0 };
    struct port_plan plan = { .project_id = router->project_id,
                              .device_id = router->id,
                              .device_owner = "network:router_interface",
                              .given = true,
                              .wishes = &wish,
                              .wishes_count = 1 };
    struct texts subnets = { .items = &subnet_id, .count = 1 };
    struct port port = { 0 };

    if (resource_load(tx->db, &subnet_resource, subnet_id, call_scope(call, RESOURCE_PROJECT),
                      false, &subnet, f) < 0 ||
        check_subnet(&subnet, f) < 0)
        return -1;
    if (subnet.gateway_ip == NULL)
        return router_bad_request(f, "Subnet for router interface must have a gateway IP");
    if (router_check_overlap(v, subnet.id, subnet.cidr, NULL, f) < 0 ||
        quota_claim(network_of(call), tx, router->project_id, "port", f) < 0)
        return -1;
    plan.network_id = subnet.network_id;
    wish.subnet_id = subnet.id;
    wish.ip_address = subnet.gateway_ip;
    if (port_make(tx, &plan, &port, f) < 0)
        return -1;
    return finish(call, tx, router, port.id, subnet.network_id, &subnets, f);
}

static int
check_port(struct call *call, const struct router *router, const struct port *port, struct fault *f)
{
    if (!str_equal(port->project_id, router->project_id) && !call_sees_all(call))
        return resource_not_found(&port_resource, port->id, f);
    if (!str_empty(port->device_id))
        return fault_raise_code(f, FAULT_CONFLICT, "PortInUse",
                                "Unable to complete operation on port %s for network %s. Port "
                                "already has an attached device %s.",
                                port->id, port->network_id, port->device_id);
    if (port->fixed_ips_count == 0)
        return router_bad_request(f, "Router port must have at least one fixed IP");
    return 0;
}

static int
add_port(struct call *call, struct db_tx *tx, const struct router *router,
         const struct router_view *v, const char *port_id, struct fault *f)
{
    struct port *port = ARENA_NEW(call->arena, struct port);
    struct texts subnets = { 0 };
    size_t fours = 0;

    if (resource_load(tx->db, &port_resource, port_id, call_scope(call, RESOURCE_PROJECT), true,
                      port, f) < 0 ||
        ports_load(call->arena, network_of(call), tx->db, &port, 1, f) < 0 ||
        check_port(call, router, port, f) < 0)
        return -1;
    subnets.items = ARENA_ARRAY(call->arena, const char *, port->fixed_ips_count);
    for (size_t i = 0; i < port->fixed_ips_count; i++) {
        struct subnet subnet = { 0 };

        if (resource_load(tx->db, &subnet_resource, port->fixed_ips[i].subnet_id, NULL, false,
                          &subnet, f) < 0 ||
            check_subnet(&subnet, f) < 0 ||
            router_check_overlap(v, subnet.id, subnet.cidr, NULL, f) < 0)
            return -1;
        fours += subnet.ip_version == 4;
        subnets.items[subnets.count++] = subnet.id;
    }
    if (fours > 1)
        return router_bad_request(f, "Cannot have multiple IPv4 subnets on router port");
    for (size_t i = 0; i < port->security_groups.count; i++)
        touch_group(touched_of(call), port->security_groups.items[i]);
    if (touched_resolve(touched_of(call), tx, f) < 0 || port_groups_drop(tx->db, port->id, f) < 0 ||
        port_attach(tx->db, port->id, router->id, "network:router_interface", f) < 0)
        return -1;
    return finish(call, tx, router, port->id, port->network_id, &subnets, f);
}

int
router_add_interface(struct call *call, const struct router_interface *in, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct router router = { 0 };
    struct router_view v;

    if (load_router(call, &tx, "add_router_interface", &router, f) < 0 ||
        check_in(in, false, f) < 0 || router_view(tx.db, router.id, &v, f) < 0)
        return -1;
    return in->port_id != NULL ? add_port(call, &tx, &router, &v, in->port_id, f)
                               : add_subnet(call, &tx, &router, &v, in->subnet_id, f);
}

/* --- remove */

static const struct router_ports_row *
find_interface(const struct router_view *v, const struct router_interface *in)
{
    for (size_t i = 0; i < v->count; i++) {
        const struct router_ports_row *x = &v->ports[i];

        if (!str_equal(x->device_owner, "network:router_interface") ||
            (in->port_id != NULL && !str_equal(x->port_id, in->port_id)) ||
            (in->subnet_id != NULL && !str_equal(x->subnet_id, in->subnet_id)))
            continue;
        return x;
    }
    return NULL;
}

static int
not_found(const struct router *router, const struct router_interface *in, bool port_known,
          struct fault *f)
{
    if (in->port_id != NULL && in->subnet_id != NULL && port_known)
        return fault_raise_code(f, FAULT_CONFLICT, "SubnetMismatchForPort",
                                "Subnet on port %.64s does not match the requested subnet %.64s.",
                                in->port_id, in->subnet_id);
    if (in->port_id != NULL)
        return fault_raise_code(f, FAULT_NOT_FOUND, "RouterInterfaceNotFound",
                                "Router %s does not have an interface with id %.64s", router->id,
                                in->port_id);
    return fault_raise_code(f, FAULT_NOT_FOUND, "RouterInterfaceNotFoundForSubnet",
                            "Router %s has no interface on subnet %.64s", router->id,
                            in->subnet_id);
}

/* Nothing may need what goes: neither floating IPs nor routes. */
static int
check_unused(struct db_tx *tx, const struct router *router, const struct router_view *v,
             const struct router_ports_row *x, struct arena *a, struct fault *f)
{
    struct router_view rest = { .ports = ARENA_ARRAY(a, struct router_ports_row, v->count) };
    struct router_floating_on_row floating;
    struct fault why = { 0 };
    int found = x->subnet_id == NULL
                    ? 0
                    : router_floating_on(tx->db, router->id, x->subnet_id, &floating, f);

    if (found < 0)
        return -1;
    if (found == 1)
        return fault_raise_code(f, FAULT_CONFLICT, "RouterInterfaceInUseByFloatingIP",
                                "Router interface for subnet %s on router %s cannot be deleted, as "
                                "it is required by one or more floating IPs.",
                                x->subnet_id, router->id);
    for (size_t i = 0; i < v->count; i++) {
        if (!str_equal(v->ports[i].port_id, x->port_id))
            rest.ports[rest.count++] = v->ports[i];
    }
    if (router_check_routes(router->routes, router->routes_count, &rest, a, &why) < 0)
        return fault_raise_code(f, FAULT_CONFLICT, "RouterInterfaceInUseByRoute",
                                "Router interface for subnet %s on router %s cannot be deleted, as "
                                "it is required by one or more routes.",
                                x->subnet_id == NULL ? "" : x->subnet_id, router->id);
    return 0;
}

int
router_remove_interface(struct call *call, const struct router_interface *in, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    const struct router_interface by_port = { .port_id = in->port_id };
    const struct router_ports_row *x;
    struct router router = { 0 };
    struct texts subnets = { 0 };
    struct router_view v;

    if (load_router(call, &tx, "remove_router_interface", &router, f) < 0 ||
        check_in(in, true, f) < 0 || router_view(tx.db, router.id, &v, f) < 0)
        return -1;
    x = find_interface(&v, in);
    if (x == NULL)
        return not_found(&router, in, in->port_id != NULL && find_interface(&v, &by_port) != NULL,
                         f);
    if (check_unused(&tx, &router, &v, x, call->arena, f) < 0)
        return -1;
    subnets.items = ARENA_ARRAY(call->arena, const char *, v.count);
    for (size_t i = 0; i < v.count; i++) {
        if (str_equal(v.ports[i].port_id, x->port_id) && v.ports[i].subnet_id != NULL)
            subnets.items[subnets.count++] = v.ports[i].subnet_id;
    }
    touch_router(touched_of(call), router.id);
    if (port_unmake(touched_of(call), &tx, x->port_id, x->network_id, f) < 0)
        return -1;
    return finish(call, &tx, &router, x->port_id, x->network_id, &subnets, f);
}

/* --- single routes */

static bool
same_route(const struct router_route *a, const struct router_route *b)
{
    return str_equal(a->destination, b->destination) && str_equal(a->nexthop, b->nexthop);
}

static int
change_routes(struct call *call, const struct router_routes *in, bool add, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct router *router = ARENA_NEW(call->arena, struct router);
    struct router change = { 0 };
    struct router_route *all = NULL;
    size_t count = 0, capacity = 0;
    struct router_view v;

    if (load_router(call, &tx, add ? "add_extraroutes" : "remove_extraroutes", router, f) < 0 ||
        router_view(tx.db, router->id, &v, f) < 0)
        return -1;
    for (size_t i = 0; i < router->routes_count + (add ? in->routes_count : 0); i++) {
        const struct router_route *x =
            i < router->routes_count ? &router->routes[i] : &in->routes[i - router->routes_count];
        bool skip = false;

        for (size_t j = 0; !add && j < in->routes_count; j++)
            skip = skip || same_route(x, &in->routes[j]);
        for (size_t j = 0; add && j < count; j++)
            skip = skip || same_route(x, &all[j]);
        if (!skip)
            *ARRAY_PUSH(call->arena, all, count, capacity) = *x;
    }
    if (router_check_routes(all, count, &v, call->arena, f) < 0)
        return -1;
    change.routes = all == NULL ? ARENA_NEW(call->arena, struct router_route) : all;
    change.routes_count = count;
    field_mark(&change.set, ROUTER_F_ROUTES);
    touch_router(touched_of(call), router->id);
    if (resource_change(tx.db, &router_resource, router->id, &change, f) < 0 ||
        touched_settle(touched_of(call), &tx, f) < 0 || db_tx_commit(&tx, f) < 0)
        return -1;
    *router = change;
    return resource_reply(call, &router_resource, router, f);
}

int
router_add_routes(struct call *call, const struct router_routes *in, struct fault *f)
{
    return change_routes(call, in, true, f);
}

int
router_remove_routes(struct call *call, const struct router_routes *in, struct fault *f)
{
    return change_routes(call, in, false, f);
}
