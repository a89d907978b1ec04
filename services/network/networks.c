/* Networks: which kind they are, who else may use them, and what goes with them when they go. */
#include "agents.h"
#include "base/str.h"
#include "quotas.h"
#include "security_groups.h"
#include "touched.h"

#define VXLAN_OVERHEAD 50
#define LEAST_MTU 68

static int
check_flat(struct call *call, struct db_tx *tx, const struct network *row, struct fault *f)
{
    struct network_flat_used_row used;
    int known, found;

    if (str_empty(row->physical_network))
        return invalid_input(f, "physical_network required for flat provider network");
    if (field_has(&row->set, NETWORK_F_SEGMENTATION_ID))
        return invalid_input(f, "segmentation_id prohibited for flat provider network");
    known = agents_know_physical(network_of(call), tx->db, row->physical_network, f);
    if (known < 0)
        return -1;
    if (known == 0)
        return invalid_input(f, "physical_network '%.64s' unknown for flat provider network",
                             row->physical_network);
    found = network_flat_used(tx->db, row->physical_network, &used, f);
    if (found < 0)
        return -1;
    return found == 0 ? 0
                      : fault_raise_code(
                            f, FAULT_CONFLICT, "FlatNetworkInUse",
                            "Unable to create the flat network. Physical network %.64s is in use.",
                            row->physical_network);
}

/* Under a lock, so that of two networks only one takes a number. */
static int
take_vni(struct call *call, struct db_tx *tx, struct network *row, struct fault *f)
{
    const struct network_config *config = network_of(call)->config;
    struct network_vni_used_row used;
    struct network_free_vni_row next;
    int found;

    if (field_has(&row->set, NETWORK_F_PHYSICAL_NETWORK))
        return invalid_input(f, "provider:physical_network specified for vxlan network");
    if (db_tx_lock(tx, "network:vni", f) < 0)
        return -1;
    if (field_has(&row->set, NETWORK_F_SEGMENTATION_ID)) {
        if (row->segmentation_id < 1 || row->segmentation_id > 16777215)
            return invalid_input(f, "provider:segmentation_id out of range (1 through 16777215)");
        found = network_vni_used(tx->db, (int32_t)row->segmentation_id, &used, f);
        if (found < 0)
            return -1;
        return found == 0
                   ? 0
                   : fault_raise_code(f, FAULT_CONFLICT, "TunnelIdInUse",
                                      "Unable to create the network. The tunnel ID %lld is in use.",
                                      (long long)row->segmentation_id);
    }
    if (network_free_vni(tx->db, (int32_t)config->vni_first, (int32_t)config->vni_last, &next, f) <
        0)
        return -1;
    if (next.vni_null)
        return fault_raise_code(
            f, FAULT_UNAVAILABLE, "NoNetworkAvailable",
            "Unable to create the network. No project network is available for allocation.");
    row->segmentation_id = next.vni;
    field_mark(&row->set, NETWORK_F_SEGMENTATION_ID);
    return 0;
}

static int
take_mtu(struct call *call, struct network *row, bool given, bool flat, struct fault *f)
{
    int64_t most = network_of(call)->config->physical_mtu - (flat ? 0 : VXLAN_OVERHEAD);

    if (given && row->mtu != 0) {
        if (row->mtu < LEAST_MTU)
            return invalid_input(f, "Requested MTU is too small, minimum is %d", LEAST_MTU);
        if (row->mtu > most)
            return invalid_input(f, "Requested MTU is too big, maximum is %lld", (long long)most);
        return 0;
    }
    row->mtu = most;
    field_mark(&row->set, NETWORK_F_MTU);
    return 0;
}

static int
check_dns_domain(const struct network *row, struct fault *f)
{
    size_t size = str_empty(row->dns_domain) ? 0 : strlen(row->dns_domain);

    if (size == 0)
        return 0;
    return schema_check_format(FORMAT_HOSTNAME,
                               row->dns_domain[size - 1] == '.'
                                   ? strndupa(row->dns_domain, size - 1)
                                   : row->dns_domain,
                               "dns_domain", f);
}

static int
prepare_create(struct call *call, struct db_tx *tx, struct network *row, struct fault *f)
{
    bool flat = false;
    const char *group;

    if (!field_has(&row->set, NETWORK_F_NETWORK_TYPE)) {
        if (field_has(&row->set, NETWORK_F_PHYSICAL_NETWORK) ||
            field_has(&row->set, NETWORK_F_SEGMENTATION_ID))
            return invalid_input(f, "network_type required");
        row->network_type = "vxlan";
        field_mark(&row->set, NETWORK_F_NETWORK_TYPE);
    }
    flat = str_equal(row->network_type, "flat");
    if (!flat && !str_equal(row->network_type, "vxlan"))
        return invalid_input(f, "network_type value '%.64s' not supported", row->network_type);
    if (quota_claim(network_of(call), tx, row->project_id, "network", f) < 0 ||
        check_dns_domain(row, f) < 0)
        return -1;
    if (flat ? check_flat(call, tx, row, f) < 0 : take_vni(call, tx, row, f) < 0)
        return -1;
    if (take_mtu(call, row, field_given(&row->set, NETWORK_F_MTU), flat, f) < 0)
        return -1;
    return default_group(tx, row->project_id, &group, f);
}

static int
check_narrowing(struct db_tx *tx, const struct network *old, const struct network *row,
                struct fault *f)
{
    struct network_others_row other;
    struct network_gateways_row gateway;
    int found;

    if (field_given(&row->set, NETWORK_F_SHARED) && old->shared && !row->shared) {
        found = network_others(tx->db, old->id, old->project_id, &other, f);
        if (found < 0)
            return -1;
        if (found == 1)
            return fault_raise_code(f, FAULT_CONFLICT, "InvalidSharedSetting",
                                    "Unable to reconfigure sharing settings for network %s. "
                                    "Multiple projects are using it.",
                                    old->name);
    }
    if (field_given(&row->set, NETWORK_F_ROUTER_EXTERNAL) && old->router_external &&
        !row->router_external) {
        found = network_gateways(tx->db, old->id, &gateway, f);
        if (found < 0)
            return -1;
        if (found == 1)
            return fault_raise_code(f, FAULT_CONFLICT, "ExternalNetworkInUse",
                                    "External network %s cannot be updated to be made "
                                    "non-external, since it has existing gateway ports.",
                                    old->id);
    }
    return 0;
}

static int
prepare_update(struct call *call, struct db_tx *tx, const struct network *old, struct network *row,
               struct fault *f)
{
    if (field_given(&row->set, NETWORK_F_NETWORK_TYPE) ||
        field_given(&row->set, NETWORK_F_PHYSICAL_NETWORK) ||
        field_given(&row->set, NETWORK_F_SEGMENTATION_ID))
        return invalid_input(
            f, "Plugin does not support updating the following provider network attributes: "
               "provider:network_type, provider:physical_network, provider:segmentation_id");
    if (field_given(&row->set, NETWORK_F_MTU) &&
        take_mtu(call, row, true, str_equal(old->network_type, "flat"), f) < 0)
        return -1;
    if (check_dns_domain(row, f) < 0 || check_narrowing(tx, old, row, f) < 0)
        return -1;
    if (field_given(&row->set, NETWORK_F_MTU) || field_given(&row->set, NETWORK_F_DNS_DOMAIN) ||
        field_given(&row->set, NETWORK_F_ADMIN_STATE_UP))
        touch_network(touched_of(call), old->id);
    return 0;
}

static int
check_delete(struct call *call, struct db_tx *tx, const struct network *row, struct fault *f)
{
    struct network_ports_in_use_row *ports;
    struct network_clear_floating_row *floating;
    struct texts ids = { 0 };
    size_t count, floating_count;

    if (network_clear_floating(tx->db, row->id, &floating, &floating_count, f) < 0)
        return -1;
    for (size_t i = 0; i < floating_count; i++) {
        if (port_remove(tx->db, floating[i].floating_port_id, f) < 0)
            return -1;
    }
    if (network_ports_in_use(tx->db, row->id, &ports, &count, f) < 0)
        return -1;
    ids.items = ARENA_ARRAY(call->arena, const char *, count + 1);
    for (size_t i = 0; i < count; i++)
        ids.items[ids.count++] = ports[i].id;
    if (count > 0)
        return fault_raise_code(f, FAULT_CONFLICT, "NetworkInUse",
                                "Unable to complete operation on network %s. There are one or more "
                                "ports still in use on the network, "
                                "id for these ports is %s.",
                                row->id, join_texts(call->arena, &ids));
    touch_network(touched_of(call), row->id);
    if (touched_resolve(touched_of(call), tx, f) < 0 ||
        network_clear_ports(tx->db, row->id, f) < 0 ||
        network_clear_subnets(tx->db, row->id, f) < 0)
        return -1;
    return 0;
}

static int
load(struct call *call, struct db *db, struct network *const *rows, size_t count, struct fault *f)
{
    struct texts ids = { .items = ARENA_ARRAY(call->arena, const char *, count), .count = count };
    struct network_parts_row *parts;
    size_t parts_count;

    for (size_t i = 0; i < count; i++)
        ids.items[i] = rows[i]->id;
    if (network_parts(db, &ids, &parts, &parts_count, f) < 0)
        return -1;
    for (size_t i = 0; i < count && i < parts_count; i++) {
        rows[i]->subnets = parts[i].subnets;
        field_mark(&rows[i]->set, NETWORK_F_SUBNETS);
        if (parts[i].served) {
            rows[i]->availability_zones.items = ARENA_ARRAY(call->arena, const char *, 1);
            rows[i]->availability_zones.items[0] = network_of(call)->config->availability_zone;
            rows[i]->availability_zones.count = 1;
        }
        field_mark(&rows[i]->set, NETWORK_F_AVAILABILITY_ZONES);
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

const struct network_hooks network_hooks = {
    .prepare_create = prepare_create,
    .prepare_update = prepare_update,
    .check_delete = check_delete,
    .settle = touched_hook,
    .load = load,
    .plan_list = plan_list,
};
