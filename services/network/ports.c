/* Ports: addresses, groups, binding. What a port may say without a look at the database is port_check.c's. */
#include "ports.h"

#include "agents.h"
#include "base/str.h"
#include "port_check.h"
#include "port_ips.h"
#include "quotas.h"
#include "security_groups.h"

static bool
creating(const struct call *call)
{
    return call->operation->verb == VERB_CREATE;
}

/* What the rules ask: whose the network is, and whether all may use it. */
static int
target(struct call *call, struct db *db, struct port *row, struct fault *f)
{
    const char *scope = creating(call) ? call_scope(call, RESOURCE_PROJECT) : NULL;
    struct network network = { 0 };

    if (resource_load(db, &network_resource, row->network_id, scope, false, &network, f) < 0)
        return -1;
    if (scope != NULL && network.router_external && !network.shared &&
        !str_equal(network.project_id, scope))
        return fault_raise_code(f, FAULT_FORBIDDEN, "NotAuthorized",
                                "Tenant not allowed to create port on this network");
    row->network_project_id = network.project_id;
    field_mark(&row->set, PORT_F_NETWORK_PROJECT_ID);
    row->network_shared = network.shared;
    field_mark(&row->set, PORT_F_NETWORK_SHARED);
    if (creating(call) && !field_given(&row->set, PORT_F_PORT_SECURITY_ENABLED)) {
        row->port_security_enabled = network.port_security_enabled;
        field_mark(&row->set, PORT_F_PORT_SECURITY_ENABLED);
    }
    return 0;
}

/* Rules for what stands inside fixed_ips. */
static int
enforce_ips(struct call *call, const struct port *row, const void *object, struct fault *f)
{
    const char *verb = creating(call) ? "create_port" : "update_port";

    for (size_t i = 0; i < row->fixed_ips_count; i++) {
        if (row->fixed_ips[i].ip_address != NULL &&
            call_enforce(call, arena_printf(call->arena, "%s:fixed_ips:ip_address", verb),
                         &port_resource, object, f) < 0)
            return -1;
        if (row->fixed_ips[i].subnet_id != NULL &&
            call_enforce(call, arena_printf(call->arena, "%s:fixed_ips:subnet_id", verb),
                         &port_resource, object, f) < 0)
            return -1;
    }
    return 0;
}

/* Nobody makes himself part of somebody else's router. */
static int
check_device(struct call *call, struct db_tx *tx, const struct port *row, struct fault *f)
{
    struct router_owner_row owner;
    int found;

    if (str_empty(row->device_id) || call_sees_all(call))
        return 0;
    found = router_owner(tx->db, row->device_id, &owner, f);
    if (found < 0)
        return -1;
    if (found == 1 && !str_equal(owner.project_id, call->auth.project_id))
        return fault_raise_code(f, FAULT_CONFLICT, "DeviceIDNotOwnedByTenant",
                                "The following device_id %.255s is not owned by your tenant or "
                                "matches another tenants router.",
                                row->device_id);
    return 0;
}

/* Bound to a host, a port gets the type of its interface there. */
static int
bind_port(struct call *call, struct db_tx *tx, struct port *row, struct fault *f)
{
    int alive;

    if (!field_given(&row->set, PORT_F_BINDING_HOST_ID))
        return 0;
    if (row->binding_host_id == NULL) {
        row->binding_host_id = "";
        field_mark(&row->set, PORT_F_BINDING_HOST_ID);
    }
    alive = str_empty(row->binding_host_id)
                ? 0
                : agent_is_alive(network_of(call), tx->db, row->binding_host_id, f);
    if (alive < 0)
        return -1;
    row->binding_vif_type = str_empty(row->binding_host_id) ? "unbound"
                            : alive == 1                    ? "tap"
                                                            : "binding_failed";
    field_mark(&row->set, PORT_F_BINDING_VIF_TYPE);
    return 0;
}

/* The groups the port is to be in, each once; only such that its project has. */
static int
check_groups(struct call *call, struct db_tx *tx, struct texts *groups, const char *project_id,
             struct fault *f)
{
    struct groups_known_row *known;
    size_t count, kept = 0;

    for (size_t i = 0; i < groups->count; i++) {
        bool again = false;

        for (size_t j = 0; j < kept; j++)
            again = again || str_equal(groups->items[i], groups->items[j]);
        if (!again)
            groups->items[kept++] = groups->items[i];
    }
    groups->count = kept;
    if (kept == 0)
        return 0;
    if (groups_known(tx->db, groups, call_sees_all(call) ? NULL : project_id, &known, &count, f) <
        0)
        return -1;
    for (size_t i = 0; i < kept; i++) {
        bool found = false;

        for (size_t j = 0; j < count; j++)
            found = found || str_equal(known[j].id, groups->items[i]);
        if (!found)
            return resource_not_found(&security_group_resource, groups->items[i], f);
    }
    return 0;
}

static int
give_default_group(struct call *call, struct db_tx *tx, struct port *row, struct fault *f)
{
    const char *id;

    if (field_has(&row->set, PORT_F_SECURITY_GROUPS) || !row->port_security_enabled ||
        (row->device_owner != NULL && str_starts(row->device_owner, "network:")))
        return 0;
    if (default_group(tx, row->project_id, &id, f) < 0)
        return -1;
    if (id != NULL) {
        row->security_groups.items = ARENA_ARRAY(call->arena, const char *, 1);
        row->security_groups.items[0] = id;
        row->security_groups.count = 1;
    }
    return 0;
}

static int
prepare_create(struct call *call, struct db_tx *tx, struct port *row, struct fault *f)
{
    if (port_check(row, NULL, call->arena, f) < 0 || enforce_ips(call, row, row, f) < 0)
        return -1;
    if (quota_claim(network_of(call), tx, row->project_id, "port", f) < 0 ||
        check_device(call, tx, row, f) < 0)
        return -1;
    if (port_take_mac(tx, row->network_id, row, f) < 0 ||
        give_default_group(call, tx, row, f) < 0 ||
        check_groups(call, tx, &row->security_groups, row->project_id, f) < 0)
        return -1;
    port_fill_pairs(row, row->mac_address);
    return bind_port(call, tx, row, f);
}

static void
touch_port(struct touched *t, const struct port *row)
{
    touch_network(t, row->network_id);
    touch_host(t, row->binding_host_id);
    for (size_t i = 0; i < row->security_groups.count; i++)
        touch_group(t, row->security_groups.items[i]);
}

static int
after_create(struct call *call, struct db_tx *tx, struct port *row, struct fault *f)
{
    const struct ip_request request = {
        .port_id = row->id,
        .network_id = row->network_id,
        .mac = row->mac_address,
        .device_owner = row->device_owner,
        .given = field_given(&row->set, PORT_F_FIXED_IPS),
        .wishes = row->fixed_ips,
        .wishes_count = row->fixed_ips_count,
    };

    if (port_ips_give(tx, &request, f) < 0)
        return -1;
    if (row->security_groups.count > 0 &&
        port_groups_add(tx->db, row->id, &row->security_groups, f) < 0)
        return -1;
    touch_port(touched_of(call), row);
    return 0;
}

/* --- change */

static int
prepare_groups(struct call *call, struct db_tx *tx, const struct port *old, struct port *row,
               struct fault *f)
{
    bool secure = field_given(&row->set, PORT_F_PORT_SECURITY_ENABLED) ? row->port_security_enabled
                                                                       : old->port_security_enabled;
    bool given = field_given(&row->set, PORT_F_SECURITY_GROUPS);
    size_t count = given ? row->security_groups.count : old->security_groups.count;

    if (given && check_groups(call, tx, &row->security_groups, old->project_id, f) < 0)
        return -1;
    if (secure || count == 0)
        return 0;
    if (given)
        return fault_raise_code(f, FAULT_INVALID, "PortSecurityAndIPRequiredForSecurityGroups",
                                "Port security must be enabled and port must have an IP address in "
                                "order to use security groups.");
    return fault_raise_code(f, FAULT_CONFLICT, "PortSecurityPortHasSecurityGroup",
                            "Port has security group associated. Cannot disable port security or "
                            "IP address until security group is removed.");
}

static int
prepare_update(struct call *call, struct db_tx *tx, const struct port *old, struct port *row,
               struct fault *f)
{
    struct port *before = ARENA_NEW(call->arena, struct port);

    *before = *old; /* With what has no column: hooks after this one see it through 'old' too. */
    if (ports_load(call->arena, network_of(call), tx->db, &before, 1, f) < 0)
        return -1;
    if (port_check(row, before, call->arena, f) < 0 || enforce_ips(call, row, old, f) < 0)
        return -1;
    if (check_device(call, tx, row, f) < 0 || prepare_groups(call, tx, before, row, f) < 0)
        return -1;
    if (field_given(&row->set, PORT_F_MAC_ADDRESS) &&
        port_take_mac(tx, old->network_id, row, f) < 0)
        return -1;
    port_fill_pairs(row, row->mac_address != NULL ? row->mac_address : old->mac_address);
    touch_port(touched_of(call), before);
    if (touched_resolve(touched_of(call), tx, f) < 0)
        return -1;
    if (bind_port(call, tx, row, f) < 0)
        return -1;
    if (field_given(&row->set, PORT_F_BINDING_HOST_ID) &&
        !str_equal(row->binding_host_id, old->binding_host_id)) {
        row->status = "DOWN";
        field_mark(&row->set, PORT_F_STATUS);
        field_mark_null(&row->set, PORT_F_FAILURE);
    }
    return 0;
}

static int
release_floating(struct call *call, struct db_tx *tx, const struct port *row, bool gone_only,
                 struct fault *f)
{
    struct touched *t = touched_of(call);
    size_t count;

    if (gone_only) {
        struct floatingips_release_gone_row *rows;

        if (floatingips_release_gone(tx->db, row->id, &rows, &count, f) < 0)
            return -1;
        for (size_t i = 0; i < count; i++)
            touch_router(t, rows[i].router_id);
    } else {
        struct floatingips_release_row *rows;

        if (floatingips_release(tx->db, row->id, &rows, &count, f) < 0)
            return -1;
        for (size_t i = 0; i < count; i++)
            touch_router(t, rows[i].router_id);
    }
    return 0;
}

static int
change_ips(struct call *call, struct db_tx *tx, const struct port *old, const struct port *row,
           struct fault *f)
{
    struct port *before = ARENA_NEW(call->arena, struct port);
    struct ip_request request = {
        .port_id = row->id,
        .network_id = row->network_id,
        .mac = row->mac_address,
        .device_owner = row->device_owner,
        .given = true,
        .wishes = row->fixed_ips,
        .wishes_count = row->fixed_ips_count,
    };

    *before = *old;
    if (ports_load(call->arena, network_of(call), tx->db, &before, 1, f) < 0)
        return -1;
    request.old = before->fixed_ips;
    request.old_count = before->fixed_ips_count;
    if (port_ips_clear(tx->db, row->id, f) < 0 || port_ips_give(tx, &request, f) < 0)
        return -1;
    return release_floating(call, tx, row, true, f);
}

static int
after_update(struct call *call, struct db_tx *tx, const struct port *old, struct port *row,
             struct fault *f)
{
    struct touched *t = touched_of(call);

    if (field_given(&row->set, PORT_F_FIXED_IPS) && change_ips(call, tx, old, row, f) < 0)
        return -1;
    if (field_given(&row->set, PORT_F_SECURITY_GROUPS)) {
        if (port_groups_clear(tx->db, row->id, f) < 0 ||
            (row->security_groups.count > 0 &&
             port_groups_add(tx->db, row->id, &row->security_groups, f) < 0))
            return -1;
    }
    touch_port(t, row);
    if (is_router_owner(row->device_owner))
        touch_router(t, row->device_id);
    if (field_given(&row->set, PORT_F_FIXED_IPS) || !str_equal(old->mac_address, row->mac_address))
        touch_server(t, row->device_owner, row->device_id, row->id);
    return 0;
}

/* --- delete */

static int
check_delete(struct call *call, struct db_tx *tx, const struct port *row, struct fault *f)
{
    struct port *full = ARENA_NEW(call->arena, struct port);
    struct router_owner_row owner;
    struct floatingip_of_port_row floating;
    int held = 0;

    if (is_router_owner(row->device_owner))
        held = router_owner(tx->db, row->device_id, &owner, f);
    else if (str_equal(row->device_owner, "network:floatingip"))
        held = floatingip_of_port(tx->db, row->id, &floating, f);
    if (held < 0)
        return -1;
    if (held == 1)
        return fault_raise_code(
            f, FAULT_CONFLICT, "ServicePortInUse",
            "Port %s cannot be deleted directly via the port API: has device owner %s.", row->id,
            row->device_owner);
    *full = *row;
    if (ports_load(call->arena, network_of(call), tx->db, &full, 1, f) < 0 ||
        release_floating(call, tx, row, false, f) < 0)
        return -1;
    touch_port(touched_of(call), full);
    touch_server(touched_of(call), row->device_owner, row->device_id, row->id);
    return touched_resolve(touched_of(call), tx, f);
}

/* --- lists */

/* fixed_ips=ip_address=X, subnet_id=X, ip_address_substr=X; repeated: all values of one kind are alternatives. */
static void
filter_ips(struct call *call, struct list_plan *plan)
{
    static const struct {
        const char *prefix, *sql;
    } table[] = {
        { "ip_address=", "id IN (SELECT i.port_id FROM port_ip i WHERE host(i.ip) = "
                         "ANY(string_to_array(%1, ',')))" },
        { "subnet_id=", "id IN (SELECT i.port_id FROM port_ip i WHERE i.subnet_id = "
                        "ANY(string_to_array(%1, ',')))" },
        { "ip_address_substr=", "id IN (SELECT i.port_id FROM port_ip i WHERE EXISTS (SELECT 1 "
                                "FROM unnest(string_to_array(%1, ',')) x "
                                "WHERE strpos(host(i.ip), x) > 0))" },
    };

    for (size_t k = 0; k < ARRAY_SIZE(table); k++) {
        const char *values = NULL;

        for (size_t i = 0; i < call->request->query_count; i++) {
            const struct http_pair *q = &call->request->query[i];

            if (!str_equal(q->name, "fixed_ips") || q->value == NULL ||
                !str_starts(q->value, table[k].prefix))
                continue;
            values = arena_printf(call->arena, "%s%s%s", values == NULL ? "" : values,
                                  values == NULL ? "" : ",", q->value + strlen(table[k].prefix));
        }
        if (values != NULL)
            list_plan_where_sql(plan, table[k].sql, &values, 1);
    }
}

static int
plan_list(struct call *call, struct list_plan *plan, struct fault *f)
{
    const char *groups = NULL;

    (void)f;
    standard_filters(call, plan);
    filter_ips(call, plan);
    for (size_t i = 0; i < call->request->query_count; i++) {
        const struct http_pair *q = &call->request->query[i];

        if ((str_equal(q->name, "security_groups") || str_equal(q->name, "security_group_ids")) &&
            q->value != NULL)
            groups = arena_printf(call->arena, "%s%s%s", groups == NULL ? "" : groups,
                                  groups == NULL ? "" : ",", q->value);
    }
    if (groups != NULL)
        list_plan_where_sql(plan,
                            "id IN (SELECT g.port_id FROM port_security_group g WHERE "
                            "g.security_group_id = ANY(string_to_array(%1, ',')))",
                            &groups, 1);
    return 0;
}

static int
load(struct call *call, struct db *db, struct port *const *rows, size_t count, struct fault *f)
{
    return ports_load(call->arena, network_of(call), db, rows, count, f);
}

const struct port_hooks port_hooks = {
    .target = target,
    .prepare_create = prepare_create,
    .after_create = after_create,
    .prepare_update = prepare_update,
    .after_update = after_update,
    .check_delete = check_delete,
    .settle = touched_hook,
    .load = load,
    .plan_list = plan_list,
};
