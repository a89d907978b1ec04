#include "dhcp.h"

#include "address.h"
#include "agents.h"
#include "base/str.h"
#include "ports.h"
#include "subnet_check.h"

static int
make_port(struct touched *t, struct db_tx *tx, const char *network_id, const char *project_id,
          const char *physical, const char **ret_id, const char **ret_mac, struct fault *f)
{
    struct port_plan plan = { .project_id = project_id,
                              .network_id = network_id,
                              .device_owner = "network:dhcp",
                              .given = true };
    struct port port = { 0 };
    int found = agent_choose(t->service, tx->db, physical, &plan.host, f);

    if (found <= 0)
        return found;
    plan.device_id = arena_printf(tx->db->arena, "dhcp-%s", network_id);
    if (port_make(tx, &plan, &port, f) < 0)
        return -1;
    touch_host(t, plan.host);
    *ret_id = port.id;
    *ret_mac = port.mac_address;
    return 1;
}

/* Its host has died, or its agent lost the physical network. */
static int
move_port(struct touched *t, struct db_tx *tx, const struct dhcp_port_row *port,
          const char *physical, struct fault *f)
{
    struct host_fits_row fits;
    const char *host;
    int found = host_fits(tx->db, port->binding_host_id, physical,
                          (int32_t)t->service->config->agent_down_s, &fits, f);

    if (found != 0)
        return found < 0 ? -1 : 0;
    found = agent_choose(t->service, tx->db, physical, &host, f);
    if (found <= 0 || str_equal(host, port->binding_host_id))
        return found < 0 ? -1 : 0;
    touch_host(t, port->binding_host_id);
    touch_host(t, host);
    return port_move(tx->db, port->id, host, f) < 0 ? -1 : 0;
}

static bool
has_subnet(const struct port_ips_row *ips, size_t count, const char *subnet_id)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(ips[i].subnet_id, subnet_id))
            return true;
    }
    return false;
}

/* A full subnet gets no address; its guests still get what the server tells them over another one. */
static int
add_ip(struct db_tx *tx, const char *port_id, const char *mac, const struct dhcp_subnets_row *s,
       struct fault *f)
{
    struct subnet_next_ip_row next;
    struct address cidr, x;
    int found;

    if (subnet_is_auto(s->ip_version, s->ipv6_address_mode)) {
        if (address_parse_cidr(s->cidr, true, &cidr) < 0 || address_eui64(&cidr, mac, &x) < 0)
            return 0;
        return port_ip_append(tx->db, port_id, s->id, address_text(tx->db->arena, &x), f) < 0 ? -1
                                                                                              : 0;
    }
    found = subnet_next_ip(tx->db, s->id, &next, f);
    if (found <= 0)
        return found;
    return port_ip_append(tx->db, port_id, s->id, next.ip, f) < 0 ? -1 : 0;
}

static int
set_ips(struct db_tx *tx, const char *port_id, const char *mac,
        const struct dhcp_subnets_row *subnets, size_t count, struct fault *f)
{
    const char *ids[] = { port_id };
    const struct texts one = { .items = ids, .count = 1 };
    struct port_ips_row *ips;
    size_t ips_count;

    if (port_ips(tx->db, &one, &ips, &ips_count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (!has_subnet(ips, ips_count, subnets[i].id) &&
            add_ip(tx, port_id, mac, &subnets[i], f) < 0)
            return -1;
    }
    for (size_t i = 0; i < ips_count; i++) {
        bool wanted = false;

        for (size_t j = 0; j < count; j++)
            wanted = wanted || str_equal(subnets[j].id, ips[i].subnet_id);
        if (!wanted && port_ip_drop(tx->db, port_id, ips[i].subnet_id, f) < 0)
            return -1;
    }
    return 0;
}

int
dhcp_ensure(struct touched *t, struct db_tx *tx, const char *network_id, struct fault *f)
{
    struct dhcp_network_row network;
    struct dhcp_subnets_row *subnets;
    struct network_subnets_lock_row *locked;
    struct dhcp_port_row port = { 0 };
    size_t count, locked_count;
    int found = dhcp_network(tx->db, network_id, &network, f);

    if (found <= 0)
        return found;
    if (network_subnets_lock(tx->db, network_id, &locked, &locked_count, f) < 0 ||
        dhcp_subnets(tx->db, network_id, &subnets, &count, f) < 0)
        return -1;
    found = dhcp_port(tx->db, network_id, &port, f);
    if (found < 0)
        return -1;
    if (count == 0)
        return found == 0 ? 0 : port_unmake(t, tx, port.id, network_id, f);
    if (found == 0)
        found = make_port(t, tx, network_id, network.project_id, network.physical_network, &port.id,
                          &port.mac_address, f);
    else if (move_port(t, tx, &port, network.physical_network, f) < 0)
        return -1;
    if (found <= 0)
        return found;
    touch_network(t, network_id);
    return set_ips(tx, port.id, port.mac_address, subnets, count, f);
}
