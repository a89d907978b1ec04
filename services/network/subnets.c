/* Subnets: in which network, from which pool, and whom their coming and going touches. What is valid is subnet_check.c's. */
#include "address.h"
#include "base/str.h"
#include "dhcp.h"
#include "port_ips.h"
#include "quotas.h"
#include "subnet_check.h"
#include "subnetpools.h"
#include "touched.h"

/* What the rules ask: whose the network is. */
static int
target(struct call *call, struct db *db, struct subnet *row, struct fault *f)
{
    struct network network = { 0 };
    bool create = call->operation->verb == VERB_CREATE;

    if (resource_load(db, &network_resource, row->network_id,
                      create ? call_scope(call, RESOURCE_PROJECT) : NULL, false, &network, f) < 0)
        return -1;
    row->network_project_id = network.project_id;
    field_mark(&row->set, SUBNET_F_NETWORK_PROJECT_ID);
    return 0;
}

static int
check_overlap(struct db_tx *tx, const struct subnet *row, struct fault *f)
{
    struct subnet_cidrs_row *others;
    struct address own, other;
    size_t count;

    if (subnet_cidrs(tx->db, row->network_id, &others, &count, f) < 0)
        return -1;
    if (address_parse_cidr(row->cidr, true, &own) < 0)
        return fault_raise_cause(f, "subnet with cidr '%s'", row->cidr);
    for (size_t i = 0; i < count; i++) {
        if (address_parse_cidr(others[i].cidr, true, &other) == 0 && own.version == other.version &&
            address_overlap(&own, &other))
            return invalid_input(
                f, "Requested subnet with cidr: %s for network: %s overlaps with another subnet",
                row->cidr, row->network_id);
    }
    return 0;
}

static int
prepare_create(struct call *call, struct db_tx *tx, struct subnet *row, struct fault *f)
{
    struct network_lock_row locked;
    int found;

    if (quota_claim(network_of(call), tx, row->project_id, "subnet", f) < 0)
        return -1;
    if (row->use_default_subnetpool || row->subnetpool_id != NULL) {
        if (subnetpool_cut(call, tx, row, f) < 0)
            return -1;
    } else if (row->cidr == NULL) {
        return fault_raise_code(
            f, FAULT_INVALID, "BadRequest",
            "Bad subnets request: a subnetpool must be specified in the absence of a cidr.");
    } else if (field_has(&row->set, SUBNET_F_PREFIXLEN)) {
        return fault_raise_code(
            f, FAULT_INVALID, "BadRequest",
            "Bad subnets request: cidr and prefixlen must not be supplied together.");
    }
    if (subnet_check_new(row, call->arena, f) < 0)
        return -1;
    found = network_lock(tx->db, row->network_id, &locked,
                         f); /* One subnet at a time: two that overlap don't both see room. */
    if (found < 0)
        return -1;
    if (found == 0)
        return resource_not_found(&network_resource, row->network_id, f);
    return check_overlap(tx, row, f);
}

/* Ports that are there already give themselves an address in it. */
static int
add_auto_addresses(struct call *call, struct db_tx *tx, const struct subnet *row, struct fault *f)
{
    struct network_auto_ports_row *ports;
    struct address cidr, x;
    size_t count;

    if (!subnet_is_auto((int)row->ip_version, row->ipv6_address_mode))
        return 0;
    if (network_auto_ports(tx->db, row->network_id, &ports, &count, f) < 0 ||
        address_parse_cidr(row->cidr, true, &cidr) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (address_eui64(&cidr, ports[i].mac_address, &x) < 0)
            continue;
        if (port_ip_append(tx->db, ports[i].id, row->id, address_text(call->arena, &x), f) < 0)
            return -1;
        touch_server(touched_of(call), ports[i].device_owner, ports[i].device_id, ports[i].id);
    }
    return 0;
}

/* Routers tell the network's prefixes, so their hosts have to know too. */
static int
touch_all(struct call *call, struct db_tx *tx, const char *network_id, struct fault *f)
{
    struct network_routers_row *routers;
    size_t count;

    touch_network(touched_of(call), network_id);
    if (network_routers(tx->db, network_id, &routers, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        touch_router(touched_of(call), routers[i].id);
    return 0;
}

static int
after_create(struct call *call, struct db_tx *tx, struct subnet *row, struct fault *f)
{
    if (add_auto_addresses(call, tx, row, f) < 0 ||
        dhcp_ensure(touched_of(call), tx, row->network_id, f) < 0)
        return -1;
    return touch_all(call, tx, row->network_id, f);
}

static int
prepare_update(struct call *call, struct db_tx *tx, const struct subnet *old, struct subnet *row,
               struct fault *f)
{
    struct subnet_ip_holder_row holder;
    int found;

    if (subnet_check_change(old, row, call->arena, f) < 0)
        return -1;
    if (!field_given(&row->set, SUBNET_F_GATEWAY_IP) ||
        str_equal(old->gateway_ip, row->gateway_ip) || old->gateway_ip == NULL)
        return 0;
    found = subnet_ip_holder(tx->db, old->id, old->gateway_ip, &holder, f);
    if (found < 0)
        return -1;
    if (found == 1 && str_starts(holder.device_owner, "network:router"))
        return fault_raise_code(
            f, FAULT_CONFLICT, "GatewayIpInUse",
            "Current gateway ip %s already in use by port %s. Unable to update.", old->gateway_ip,
            holder.port_id);
    return 0;
}

static int
after_update(struct call *call, struct db_tx *tx, const struct subnet *old, struct subnet *row,
             struct fault *f)
{
    if (old->enable_dhcp != row->enable_dhcp &&
        dhcp_ensure(touched_of(call), tx, row->network_id, f) < 0)
        return -1;
    return touch_all(call, tx, row->network_id, f);
}

static int
check_delete(struct call *call, struct db_tx *tx, const struct subnet *row, struct fault *f)
{
    struct subnet_user_row user;
    int used = subnet_user(tx->db, row->id,
                           subnet_is_auto((int)row->ip_version, row->ipv6_address_mode), &user, f);

    if (used < 0)
        return -1;
    if (used == 1)
        return fault_raise_code(f, FAULT_CONFLICT, "SubnetInUse",
                                "Unable to complete operation on subnet %s: One or more ports have "
                                "an IP allocation from this subnet.",
                                row->id);
    if (touch_all(call, tx, row->network_id, f) < 0 || touched_resolve(touched_of(call), tx, f) < 0)
        return -1;
    return subnet_clear_ips(tx->db, row->id, f) < 0 ? -1 : 0;
}

static int
after_delete(struct call *call, struct db_tx *tx, const struct subnet *row, struct fault *f)
{
    return dhcp_ensure(touched_of(call), tx, row->network_id, f);
}

static int
plan_list(struct call *call, struct list_plan *plan, struct fault *f)
{
    (void)f;
    standard_filters(call, plan);
    return 0;
}

const struct subnet_hooks subnet_hooks = {
    .target = target,
    .prepare_create = prepare_create,
    .after_create = after_create,
    .prepare_update = prepare_update,
    .after_update = after_update,
    .check_delete = check_delete,
    .after_delete = after_delete,
    .settle = touched_hook,
    .plan_list = plan_list,
};
