/* Floating IPs: an address on an external network, and the port it is passed on to by the router between them. */
#include "address.h"
#include "base/json.h"
#include "base/str.h"
#include "ports.h"
#include "quotas.h"

static int bad_request(struct fault *f, const char *format, ...) _printf_(2, 3);

static int
bad_request(struct fault *f, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return fault_raise_code(f, FAULT_INVALID, "BadRequest", "Bad floatingip request: %s.", text);
}

/* The port's address that is meant: the one named, or its only IPv4 one. */
static int
choose_fixed_ip(const struct port *port, const char *wanted, const struct fixed_ip **ret,
                struct fault *f)
{
    struct address x;
    size_t fours = 0;

    for (size_t i = 0; i < port->fixed_ips_count; i++) {
        const struct fixed_ip *ip = &port->fixed_ips[i];

        if (address_parse(ip->ip_address, &x) < 0 || x.version != 4 ||
            (wanted != NULL && !str_equal(ip->ip_address, wanted)))
            continue;
        fours++;
        *ret = ip;
    }
    if (fours == 1)
        return 0;
    if (wanted != NULL)
        return bad_request(f, "Port %s does not have fixed ip %.64s", port->id, wanted);
    return fours == 0
               ? bad_request(f,
                             "Cannot add floating IP to port %s that has no fixed IPv4 addresses",
                             port->id)
               : bad_request(f,
                             "Port %s has multiple fixed IPv4 addresses.  Must provide a specific "
                             "IPv4 address when assigning a floating IP",
                             port->id);
}

static int
check_twin(struct db_tx *tx, const struct floatingip *row, const char *port_id,
           const char *fixed_ip, struct fault *f)
{
    struct floatingip_twin_row twin;
    int found =
        floatingip_twin(tx->db, port_id, fixed_ip, row->floating_network_id, row->id, &twin, f);

    if (found <= 0)
        return found;
    return fault_raise_code(f, FAULT_CONFLICT, "FloatingIPPortAlreadyAssociated",
                            "Cannot associate floating IP %s (%s) with port %s using fixed IP %s, "
                            "as that fixed IP already has a floating IP on "
                            "external network %s.",
                            row->floating_ip_address, row->id, port_id, fixed_ip,
                            row->floating_network_id);
}

/* Fills what follows from 'port_id'. 'row' is whole but for that. */
static int
associate(struct call *call, struct db_tx *tx, struct floatingip *row, const char *port_id,
          const char *wanted, struct fault *f)
{
    struct port *port = ARENA_NEW(call->arena, struct port);
    struct floatingip_router_row router;
    const struct fixed_ip *ip = NULL;
    int found;

    if (resource_load(tx->db, &port_resource, port_id, call_scope(call, RESOURCE_PROJECT), true,
                      port, f) < 0 ||
        ports_load(call->arena, network_of(call), tx->db, &port, 1, f) < 0)
        return -1;
    if (!str_equal(port->project_id, row->project_id) && !call_is_admin(call))
        return bad_request(f,
                           "Cannot process floating IP association with Port %s, since that port "
                           "is owned by a different project",
                           port->id);
    if (choose_fixed_ip(port, wanted, &ip, f) < 0)
        return -1;
    found = floatingip_router(tx->db, ip->subnet_id, row->floating_network_id, &router, f);
    if (found < 0)
        return -1;
    if (found == 0)
        return fault_raise_code(f, FAULT_NOT_FOUND, "ExternalGatewayForFloatingIPNotFound",
                                "External network %s is not reachable from subnet %s.  Therefore, "
                                "cannot associate Port %s with a Floating IP.",
                                row->floating_network_id, ip->subnet_id, port->id);
    if (check_twin(tx, row, port->id, ip->ip_address, f) < 0)
        return -1;
    row->port_id = port->id;
    row->fixed_ip_address = ip->ip_address;
    row->router_id = router.id;
    row->status = "DOWN"; /* Until the router's host has it. */
    field_mark(&row->set, FLOATINGIP_F_PORT_ID);
    field_mark(&row->set, FLOATINGIP_F_FIXED_IP_ADDRESS);
    field_mark(&row->set, FLOATINGIP_F_ROUTER_ID);
    field_mark(&row->set, FLOATINGIP_F_STATUS);
    touch_router(touched_of(call), router.id);
    touch_server(touched_of(call), port->device_owner, port->device_id, port->id);
    return 0;
}

static int
make_port(struct call *call, struct db_tx *tx, struct floatingip *row, struct fault *f)
{
    struct fixed_ip wish = { .subnet_id = row->subnet_id, .ip_address = row->floating_ip_address };
    struct port_plan plan = { .project_id = "",
                              .network_id = row->floating_network_id,
                              .device_id = row->id,
                              .device_owner = "network:floatingip",
                              .only = 4 };
    struct port port = { 0 };
    struct address x;

    if (row->floating_ip_address != NULL &&
        (address_parse(row->floating_ip_address, &x) < 0 || x.version != 4))
        return fault_raise_field(
            f, "floating_ip_address",
            "Invalid input for floating_ip_address. Reason: '%.64s' is not a valid IP address.",
            row->floating_ip_address);
    if (wish.subnet_id != NULL || wish.ip_address != NULL) {
        plan.given = true;
        plan.wishes = &wish;
        plan.wishes_count = 1;
    }
    if (port_make(tx, &plan, &port, f) < 0)
        return -1;
    if (port.fixed_ips_count == 0)
        return bad_request(f, "Network %s does not contain any IPv4 subnet",
                           row->floating_network_id);
    row->floating_port_id = port.id;
    row->floating_ip_address = port.fixed_ips[0].ip_address;
    field_mark(&row->set, FLOATINGIP_F_FLOATING_PORT_ID);
    field_mark(&row->set, FLOATINGIP_F_FLOATING_IP_ADDRESS);
    touch_network(touched_of(call), row->floating_network_id);
    return 0;
}

static int
prepare_create(struct call *call, struct db_tx *tx, struct floatingip *row, struct fault *f)
{
    const char *port_id = row->port_id, *fixed_ip = row->fixed_ip_address;
    struct network network = { 0 };

    if (resource_load(tx->db, &network_resource, row->floating_network_id,
                      call_scope(call, RESOURCE_PROJECT), false, &network, f) < 0)
        return -1;
    if (!network.router_external)
        return bad_request(f, "Network %s is not a valid external network",
                           row->floating_network_id);
    if (fixed_ip != NULL && port_id == NULL)
        return bad_request(f, "fixed_ip_address cannot be specified without a port_id");
    if (quota_claim(network_of(call), tx, row->project_id, "floatingip", f) < 0 ||
        make_port(call, tx, row, f) < 0)
        return -1;
    return port_id == NULL ? 0 : associate(call, tx, row, port_id, fixed_ip, f);
}

static int
notice_old_port(struct call *call, struct db_tx *tx, const struct floatingip *old, struct fault *f)
{
    struct port port = { 0 };

    if (old->port_id == NULL)
        return 0;
    if (resource_load(tx->db, &port_resource, old->port_id, NULL, false, &port, f) < 0)
        return -1;
    touch_router(touched_of(call), old->router_id);
    touch_server(touched_of(call), port.device_owner, port.device_id, port.id);
    return 0;
}

static int
prepare_update(struct call *call, struct db_tx *tx, const struct floatingip *old,
               struct floatingip *row, struct fault *f)
{
    const char *wanted = row->fixed_ip_address;
    struct floatingip whole = *old;

    if (!field_given(&row->set, FLOATINGIP_F_PORT_ID)) {
        if (!field_given(&row->set, FLOATINGIP_F_FIXED_IP_ADDRESS))
            return 0;
        if (old->port_id == NULL || wanted == NULL)
            return bad_request(f, "fixed_ip_address cannot be specified without a port_id");
    }
    if (notice_old_port(call, tx, old, f) < 0)
        return -1;
    if (field_given(&row->set, FLOATINGIP_F_PORT_ID) && row->port_id == NULL) {
        if (wanted != NULL)
            return bad_request(f, "fixed_ip_address cannot be specified without a port_id");
        row->status = "DOWN";
        field_mark_null(&row->set, FLOATINGIP_F_FIXED_IP_ADDRESS);
        field_mark_null(&row->set, FLOATINGIP_F_ROUTER_ID);
        field_mark(&row->set, FLOATINGIP_F_STATUS);
        return 0;
    }
    if (associate(call, tx, &whole, row->port_id != NULL ? row->port_id : old->port_id, wanted, f) <
        0)
        return -1;
    row->port_id = whole.port_id;
    row->fixed_ip_address = whole.fixed_ip_address;
    row->router_id = whole.router_id;
    row->status = whole.status;
    field_mark(&row->set, FLOATINGIP_F_PORT_ID);
    field_mark(&row->set, FLOATINGIP_F_FIXED_IP_ADDRESS);
    field_mark(&row->set, FLOATINGIP_F_ROUTER_ID);
    field_mark(&row->set, FLOATINGIP_F_STATUS);
    return 0;
}

static int
check_delete(struct call *call, struct db_tx *tx, const struct floatingip *row, struct fault *f)
{
    return notice_old_port(call, tx, row, f);
}

static int
after_delete(struct call *call, struct db_tx *tx, const struct floatingip *row, struct fault *f)
{
    return port_unmake(touched_of(call), tx, row->floating_port_id, row->floating_network_id, f);
}

static int
load(struct call *call, struct db *db, struct floatingip *const *rows, size_t count,
     struct fault *f)
{
    struct texts ids = { .items = ARENA_ARRAY(call->arena, const char *, count) };
    struct floatingip_details_row *ports;
    size_t ports_count;

    for (size_t i = 0; i < count; i++) {
        if (rows[i]->port_id != NULL)
            ids.items[ids.count++] = rows[i]->port_id;
    }
    if (floatingip_details(db, &ids, &ports, &ports_count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; rows[i]->port_id != NULL && j < ports_count; j++) {
            const struct floatingip_details_row *p = &ports[j];

            if (!str_equal(p->id, rows[i]->port_id))
                continue;
            rows[i]->port_details =
                json_own(call->arena,
                         json_pack("{s:s, s:s, s:s, s:b, s:s, s:s, s:s}", "name", p->name,
                                   "network_id", p->network_id, "mac_address", p->mac_address,
                                   "admin_state_up", p->admin_state_up, "status", p->status,
                                   "device_id", p->device_id, "device_owner", p->device_owner));
            field_mark(&rows[i]->set, FLOATINGIP_F_PORT_DETAILS);
        }
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

const struct floatingip_hooks floatingip_hooks = {
    .prepare_create = prepare_create,
    .prepare_update = prepare_update,
    .check_delete = check_delete,
    .after_delete = after_delete,
    .settle = touched_hook,
    .load = load,
    .plan_list = plan_list,
};
