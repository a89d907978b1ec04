/* Routers as a resource: gateway, routes, and where they are. Interfaces are router_interfaces.c's. */
#include "routers.h"

#include "address.h"
#include "base/str.h"
#include "placement.h"
#include "quotas.h"

int
router_bad_request(struct fault *f, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return fault_raise_code(f, FAULT_INVALID, "BadRequest", "Bad router request: %s.", text);
}

int
router_view(struct db *db, const char *router_id, struct router_view *ret, struct fault *f)
{
    const struct texts ids = { .items = &router_id, .count = 1 };

    return router_ports(db, &ids, &ret->ports, &ret->count, f);
}

static bool
is_gateway(const struct router_ports_row *x)
{
    return str_equal(x->device_owner, "network:router_gateway");
}

const struct router_ports_row *
router_view_gateway(const struct router_view *v)
{
    for (size_t i = 0; i < v->count; i++) {
        if (is_gateway(&v->ports[i]))
            return &v->ports[i];
    }
    return NULL;
}

int
router_check_overlap(const struct router_view *v, const char *subnet_id, const char *cidr,
                     const char *except, struct fault *f)
{
    struct address own, other;

    if (address_parse_cidr(cidr, true, &own) < 0)
        return fault_raise_cause(f, "subnet %s has cidr '%s'", subnet_id, cidr);
    for (size_t i = 0; i < v->count; i++) {
        const struct router_ports_row *x = &v->ports[i];

        if (x->subnet_id == NULL || str_equal(x->port_id, except))
            continue;
        if (str_equal(x->subnet_id, subnet_id))
            return router_bad_request(f, "Router already has a port on subnet %s", subnet_id);
        if (address_parse_cidr(x->cidr, true, &other) == 0 && own.version == other.version &&
            address_overlap(&own, &other))
            return router_bad_request(f, "Cidr %s of subnet %s overlaps with cidr %s of subnet %s",
                                      cidr, subnet_id, x->cidr, x->subnet_id);
    }
    return 0;
}

/* --- Gateway */

static int
clear_gateway(struct call *call, struct db_tx *tx, const struct router *router,
              const struct router_ports_row *gateway, struct fault *f)
{
    struct router_floating_row floating;
    int found;

    if (gateway == NULL)
        return 0;
    found = router_floating(tx->db, router->id, &floating, f);
    if (found < 0)
        return -1;
    if (found == 1)
        return fault_raise_code(f, FAULT_CONFLICT, "RouterExternalGatewayInUseByFloatingIp",
                                "Gateway cannot be updated for router %s, since a gateway to "
                                "external network %s is required by one or more "
                                "floating IPs.",
                                router->id, gateway->network_id);
    return port_unmake(touched_of(call), tx, gateway->port_id, gateway->network_id, f);
}

/* Other addresses on the same network: the port stays. */
static int
change_gateway_ips(struct call *call, struct db_tx *tx, const struct router_ports_row *gateway,
                   const struct gateway_info *info, struct fault *f)
{
    const struct ip_request request = {
        .port_id = gateway->port_id,
        .network_id = gateway->network_id,
        .mac = gateway->mac_address,
        .device_owner = "network:router_gateway",
        .given = true,
        .wishes = info->external_fixed_ips,
        .wishes_count = info->external_fixed_ips_count,
    };

    touch_network(touched_of(call), gateway->network_id);
    if (!field_given(&info->set, GATEWAY_INFO_F_EXTERNAL_FIXED_IPS) ||
        info->external_fixed_ips_count == 0)
        return 0;
    if (port_ips_clear(tx->db, gateway->port_id, f) < 0)
        return -1;
    return port_ips_give(tx, &request, f);
}

static int
check_external(struct call *call, struct db_tx *tx, const struct router_view *v,
               const char *network_id, struct fault *f)
{
    struct subnet_cidrs_of_row *subnets;
    struct network network = { 0 };
    size_t count;

    if (resource_load(tx->db, &network_resource, network_id, call_scope(call, RESOURCE_PROJECT),
                      false, &network, f) < 0)
        return -1;
    if (!network.router_external)
        return router_bad_request(f, "Network %s is not an external network", network_id);
    if (subnet_cidrs_of(tx->db, network_id, &subnets, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (router_check_overlap(v, subnets[i].id, subnets[i].cidr,
                                 router_view_gateway(v) == NULL ? NULL
                                                                : router_view_gateway(v)->port_id,
                                 f) < 0)
            return -1;
    }
    return 0;
}

int
router_set_gateway(struct call *call, struct db_tx *tx, const struct router *router,
                   const struct gateway_info *info, struct fault *f)
{
    struct port_plan plan = { .project_id = "",
                              .device_id = router->id,
                              .device_owner = "network:router_gateway" };
    const struct router_ports_row *gateway;
    struct router_view v;
    struct port port = { 0 };

    if (router_view(tx->db, router->id, &v, f) < 0)
        return -1;
    gateway = router_view_gateway(&v);
    if (info == NULL || info->network_id == NULL) {
        if (info != NULL && info->set.given[0] != 0 &&
            !field_given(&info->set, GATEWAY_INFO_F_NETWORK_ID))
            return router_bad_request(f, "external_gateway_info needs a network_id");
        return clear_gateway(call, tx, router, gateway, f);
    }
    if (check_external(call, tx, &v, info->network_id, f) < 0)
        return -1;
    if (gateway != NULL && str_equal(gateway->network_id, info->network_id))
        return change_gateway_ips(call, tx, gateway, info, f);
    if (clear_gateway(call, tx, router, gateway, f) < 0)
        return -1;
    plan.network_id = info->network_id;
    plan.wishes = info->external_fixed_ips;
    plan.wishes_count = info->external_fixed_ips_count;
    plan.given = info->external_fixed_ips_count > 0;
    if (port_make(tx, &plan, &port, f) < 0)
        return -1;
    touch_network(touched_of(call), info->network_id);
    return 0;
}

/* --- Routes */

static int
invalid_routes(struct fault *f, const struct router_route *x, const char *why)
{
    return fault_raise_code(
        f, FAULT_INVALID, "InvalidRoutes",
        "Invalid format for routes: {'destination': '%.64s', 'nexthop': '%.64s'}, %s",
        x->destination, x->nexthop, why);
}

int
router_check_routes(struct router_route *routes, size_t count, const struct router_view *v,
                    struct arena *a, struct fault *f)
{
    for (size_t i = 0; i < count; i++) {
        struct router_route *x = &routes[i];
        struct address destination, hop, cidr, own;
        bool connected = false;

        if (address_parse_cidr(x->destination, true, &destination) < 0 ||
            address_parse(x->nexthop, &hop) < 0 || destination.version != hop.version)
            return invalid_routes(f, x,
                                  "it is not a destination with a nexthop of the same family");
        x->destination = address_cidr_text(a, &destination);
        x->nexthop = address_text(a, &hop);
        for (size_t j = 0; j < v->count; j++) {
            if (v->ports[j].ip == NULL || address_parse_cidr(v->ports[j].cidr, true, &cidr) < 0 ||
                address_parse(v->ports[j].ip, &own) < 0)
                continue;
            connected = connected || address_in(&cidr, &hop);
            if (address_compare(&own, &hop) == 0)
                return invalid_routes(f, x, "the nexthop is used by router");
        }
        if (!connected)
            return invalid_routes(f, x, "the nexthop is not connected with router");
        for (size_t j = 0; j < i; j++) {
            if (str_equal(x->destination, routes[j].destination) &&
                str_equal(x->nexthop, routes[j].nexthop))
                return invalid_routes(f, x, "it stands twice");
        }
    }
    return 0;
}

/* --- Hooks */

static int
enforce_gateway(struct call *call, const struct router *row, const void *object, struct fault *f)
{
    const struct gateway_info *info = row->external_gateway_info;
    const char *rule = call->operation->policy;

    if (info == NULL)
        return 0;
    if (field_given(&info->set, GATEWAY_INFO_F_ENABLE_SNAT) &&
        !(call->operation->verb == VERB_CREATE && info->enable_snat) &&
        call_enforce(call, arena_printf(call->arena, "%s:external_gateway_info:enable_snat", rule),
                     &router_resource, object, f) < 0)
        return -1;
    if (field_given(&info->set, GATEWAY_INFO_F_EXTERNAL_FIXED_IPS) &&
        call_enforce(call,
                     arena_printf(call->arena, "%s:external_gateway_info:external_fixed_ips", rule),
                     &router_resource, object, f) < 0)
        return -1;
    return 0;
}

static void
take_snat(struct router *row)
{
    const struct gateway_info *info = row->external_gateway_info;

    if (!field_given(&row->set, ROUTER_F_EXTERNAL_GATEWAY_INFO))
        return;
    row->enable_snat =
        info == NULL || !field_given(&info->set, GATEWAY_INFO_F_ENABLE_SNAT) || info->enable_snat;
    field_mark(&row->set, ROUTER_F_ENABLE_SNAT);
}

static int
prepare_create(struct call *call, struct db_tx *tx, struct router *row, struct fault *f)
{
    if (row->routes_count > 0)
        return invalid_routes(f, &row->routes[0], "the nexthop is not connected with router");
    if (field_null(&row->set, ROUTER_F_ROUTES))
        field_mark(&row->set, ROUTER_F_ROUTES);
    if (enforce_gateway(call, row, row, f) < 0)
        return -1;
    take_snat(row);
    return quota_claim(network_of(call), tx, row->project_id, "router", f);
}

static int
after_create(struct call *call, struct db_tx *tx, struct router *row, struct fault *f)
{
    if (row->external_gateway_info == NULL)
        return 0;
    if (router_set_gateway(call, tx, row, row->external_gateway_info, f) < 0)
        return -1;
    return router_place(touched_of(call), tx, row->id, f);
}

static int
prepare_update(struct call *call, struct db_tx *tx, const struct router *old, struct router *row,
               struct fault *f)
{
    struct router_view v;

    if (enforce_gateway(call, row, old, f) < 0)
        return -1;
    take_snat(row);
    if (row->external_gateway_info != NULL &&
        !field_given(&row->external_gateway_info->set, GATEWAY_INFO_F_ENABLE_SNAT)) {
        row->enable_snat = old->enable_snat; /* A change of the network leaves it alone. */
    }
    if (field_null(&row->set, ROUTER_F_ROUTES))
        field_mark(&row->set, ROUTER_F_ROUTES);
    if (row->routes_count == 0)
        return 0;
    if (router_view(tx->db, old->id, &v, f) < 0)
        return -1;
    return router_check_routes(row->routes, row->routes_count, &v, call->arena, f);
}

static int
after_update(struct call *call, struct db_tx *tx, const struct router *old, struct router *row,
             struct fault *f)
{
    struct touched *t = touched_of(call);

    (void)old;
    touch_router(t, row->id);
    if (!field_given(&row->set, ROUTER_F_EXTERNAL_GATEWAY_INFO))
        return 0;
    if (router_set_gateway(call, tx, row, row->external_gateway_info, f) < 0)
        return -1;
    return router_place(t, tx, row->id, f);
}

static int
check_delete(struct call *call, struct db_tx *tx, const struct router *row, struct fault *f)
{
    struct router_view v;

    if (router_view(tx->db, row->id, &v, f) < 0)
        return -1;
    for (size_t i = 0; i < v.count; i++) {
        if (!is_gateway(&v.ports[i]))
            return fault_raise_code(f, FAULT_CONFLICT, "RouterInUse", "Router %s still has ports",
                                    row->id);
    }
    touch_router(touched_of(call), row->id);
    if (touched_resolve(touched_of(call), tx, f) < 0)
        return -1;
    return clear_gateway(call, tx, row, router_view_gateway(&v), f);
}

static void
fill_gateway(struct call *call, struct router *row, const struct router_ports_row *ports,
             size_t count)
{
    struct gateway_info *info = NULL;

    for (size_t i = 0; i < count; i++) {
        struct fixed_ip *ip;

        if (!is_gateway(&ports[i]) || !str_equal(ports[i].router_id, row->id))
            continue;
        if (info == NULL) {
            info = ARENA_NEW(call->arena, struct gateway_info);
            info->network_id = ports[i].network_id;
            info->enable_snat = row->enable_snat;
            info->external_fixed_ips = ARENA_ARRAY(call->arena, struct fixed_ip, count);
            field_mark(&info->set, GATEWAY_INFO_F_NETWORK_ID);
            field_mark(&info->set, GATEWAY_INFO_F_ENABLE_SNAT);
            field_mark(&info->set, GATEWAY_INFO_F_EXTERNAL_FIXED_IPS);
        }
        if (ports[i].subnet_id == NULL)
            continue;
        ip = &info->external_fixed_ips[info->external_fixed_ips_count++];
        ip->subnet_id = ports[i].subnet_id;
        ip->ip_address = ports[i].ip;
    }
    row->external_gateway_info = info;
    if (info == NULL)
        field_mark_null(&row->set, ROUTER_F_EXTERNAL_GATEWAY_INFO);
    else
        field_mark(&row->set, ROUTER_F_EXTERNAL_GATEWAY_INFO);
}

static int
load(struct call *call, struct db *db, struct router *const *rows, size_t count, struct fault *f)
{
    struct texts ids = { .items = ARENA_ARRAY(call->arena, const char *, count), .count = count };
    struct router_ports_row *ports;
    size_t ports_count;

    for (size_t i = 0; i < count; i++)
        ids.items[i] = rows[i]->id;
    if (router_ports(db, &ids, &ports, &ports_count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        fill_gateway(call, rows[i], ports, ports_count);
        if (!str_empty(rows[i]->host)) {
            rows[i]->availability_zones.items = ARENA_ARRAY(call->arena, const char *, 1);
            rows[i]->availability_zones.items[0] = network_of(call)->config->availability_zone;
            rows[i]->availability_zones.count = 1;
        }
        field_mark(&rows[i]->set, ROUTER_F_AVAILABILITY_ZONES);
    }
    return 0;
}

static int
plan_list(struct call *call, struct list_plan *plan, struct fault *f)
{
    (void)f;
    standard_filters(call, plan);
    return 0;
}

const struct router_hooks router_hooks = {
    .prepare_create = prepare_create,
    .after_create = after_create,
    .prepare_update = prepare_update,
    .after_update = after_update,
    .check_delete = check_delete,
    .settle = touched_hook,
    .load = load,
    .plan_list = plan_list,
};
