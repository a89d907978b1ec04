/* Ports that the service makes for itself, and the MACs of all. */
#include "base/random.h"
#include "base/str.h"
#include "base/uuid.h"
#include "port_check.h"
#include "port_ips.h"
#include "ports.h"

static const char *
random_mac(struct arena *a)
{
    unsigned char tail[3];

    random_bytes(tail, sizeof(tail));
    return arena_printf(a, "fa:16:3e:%02x:%02x:%02x", tail[0], tail[1], tail[2]);
}

int
port_take_mac(struct db_tx *tx, const char *network_id, struct port *row, struct fault *f)
{
    struct mac_holder_row holder;
    int found = 1;

    if (row->mac_address != NULL) {
        row->mac_address = mac_canonical(tx->db->arena, row->mac_address);
        found = mac_holder(tx->db, network_id, row->mac_address, &holder, f);
        if (found == 1 && !str_equal(holder.id, row->id))
            return fault_raise_code(
                f, FAULT_CONFLICT, "MacAddressInUse",
                "Unable to complete operation for network %s. The mac address %s is in use.",
                network_id, row->mac_address);
        return found < 0 ? -1 : 0;
    }
    for (int i = 0; i < 16 && found == 1; i++) {
        row->mac_address = random_mac(tx->db->arena);
        found = mac_holder(tx->db, network_id, row->mac_address, &holder, f);
    }
    if (found < 0)
        return -1;
    if (found == 1)
        return fault_raise_code(f, FAULT_UNAVAILABLE, "MacAddressGenerationFailure",
                                "Unable to generate unique mac on network %s.", network_id);
    field_mark(&row->set, PORT_F_MAC_ADDRESS);
    return 0;
}

int
port_make(struct db_tx *tx, const struct port_plan *plan, struct port *ret, struct fault *f)
{
    struct port *row = ARENA_NEW(tx->db->arena, struct port);
    struct ip_request request = { .network_id = plan->network_id,
                                  .device_owner = plan->device_owner,
                                  .given = plan->given,
                                  .wishes = plan->wishes,
                                  .wishes_count = plan->wishes_count,
                                  .only = plan->only };

    row->id = uuid_make(tx->db->arena);
    row->project_id = plan->project_id;
    row->network_id = plan->network_id;
    row->name = plan->name == NULL ? "" : plan->name;
    row->device_id = plan->device_id;
    row->device_owner = plan->device_owner;
    row->binding_host_id = plan->host == NULL ? "" : plan->host;
    row->binding_vif_type = str_empty(plan->host) ? "unbound" : "tap";
    row->port_security_enabled = false;
    field_mark(&row->set, PORT_F_ID);
    field_mark(&row->set, PORT_F_PROJECT_ID);
    field_mark(&row->set, PORT_F_NETWORK_ID);
    field_mark(&row->set, PORT_F_NAME);
    field_mark(&row->set, PORT_F_DEVICE_ID);
    field_mark(&row->set, PORT_F_DEVICE_OWNER);
    field_mark(&row->set, PORT_F_BINDING_HOST_ID);
    field_mark(&row->set, PORT_F_BINDING_VIF_TYPE);
    field_mark(&row->set, PORT_F_PORT_SECURITY_ENABLED);
    if (port_take_mac(tx, plan->network_id, row, f) < 0 ||
        resource_insert(tx->db, &port_resource, row, f) < 0)
        return -1;
    request.port_id = row->id;
    request.mac = row->mac_address;
    if (port_ips_give(tx, &request, f) < 0 ||
        ports_load(tx->db->arena, NULL, tx->db, &row, 1, f) < 0)
        return -1;
    *ret = *row;
    return 0;
}

int
port_unmake(struct touched *t, struct db_tx *tx, const char *port_id, const char *network_id,
            struct fault *f)
{
    touch_network(t, network_id);
    if (touched_resolve(t, tx, f) < 0)
        return -1;
    return port_remove(tx->db, port_id, f) < 0 ? -1 : 0;
}
