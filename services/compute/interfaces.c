/* /servers/{id}/os-interface: ports of a server, as the network service has them now. */
#include "base/json.h"
#include "base/str.h"
#include "server_network.h"

static void
write_interface(struct call *call, struct jsonw *w, const char *key, const json_t *port)
{
    json_t *ip;
    size_t i;

    jsonw_object(w, key);
    jsonw_text(w, "port_id", json_get_text(port, "id"));
    jsonw_text(w, "net_id", json_get_text(port, "network_id"));
    jsonw_text(w, "mac_addr", json_get_text(port, "mac_address"));
    jsonw_text(w, "port_state", json_get_text(port, "status"));
    jsonw_array(w, "fixed_ips");
    json_array_foreach(json_object_get(port, "fixed_ips"), i, ip)
    {
        jsonw_object(w, NULL);
        jsonw_text(w, "subnet_id", json_get_text(ip, "subnet_id"));
        jsonw_text(w, "ip_address", json_get_text(ip, "ip_address"));
        jsonw_end(w);
    }
    jsonw_end(w);
    if (call_at_least(call, 2, 70))
        jsonw_null(w, "tag");
    jsonw_end(w);
}

int
interface_list(struct call *call, struct fault *f)
{
    struct server server;
    struct jsonw *w;
    json_t *ports, *port;
    struct remote r;
    size_t i;

    if (server_load(call, call->db, false, &server, f) < 0)
        return -1;
    r = remote_for_service(compute_of(call), call->arena);
    if (remote_ports_of(&r, server.id, &ports, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_array(w, "interfaceAttachments");
    json_array_foreach(ports, i, port) write_interface(call, w, NULL, port);
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

static int
load_port(struct call *call, const struct server *server, json_t **ret, struct fault *f)
{
    struct remote r = remote_for_service(compute_of(call), call->arena);
    const char *id = call_param(call, "port_id");
    json_t *port = NULL;
    int result = remote_port(&r, id, &port, f);

    if (result < 0 && f->kind != FAULT_NOT_FOUND)
        return -1;
    fault_clear(f);
    if (result < 0 || !str_equal(json_get_text(port, "device_id"), server->id))
        return fault_raise(f, FAULT_NOT_FOUND,
                           "No instances found for any event or Port id %.64s not found.", id);
    *ret = port;
    return 0;
}

int
interface_show(struct call *call, struct fault *f)
{
    struct server server;
    struct jsonw *w;
    json_t *port;

    if (server_load(call, call->db, false, &server, f) < 0 ||
        load_port(call, &server, &port, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    write_interface(call, w, "interfaceAttachment", port);
    jsonw_end(w);
    return 0;
}

/* The port that was named, or a new one on the network that was named, or on the only one there is. */
static int
find_port(struct call *call, const struct server *server, const struct interface_create *in,
          json_t **ret, struct fault *f)
{
    struct remote r = remote_for_call(call);
    json_t *networks, *body;
    const char *network = in->net_id;

    if (in->port_id != NULL) {
        if (remote_port(&r, in->port_id, ret, f) < 0)
            return -1;
        if (!str_empty(json_get_text(*ret, "device_id")))
            return fault_raise(f, FAULT_CONFLICT, "Port %s is still in use.", in->port_id);
        return 0;
    }
    if (network == NULL) {
        if (remote_networks_of(&r, server->project_id, &networks, f) < 0)
            return -1;
        if (json_array_size(networks) != 1)
            return fault_raise(
                f, json_array_size(networks) == 0 ? FAULT_INVALID : FAULT_CONFLICT, "%s",
                json_array_size(networks) == 0
                    ? "No network could be found for the interface."
                    : "Multiple possible networks found, use a Network ID to be more specific.");
        network = json_get_text(json_array_get(networks, 0), "id");
    }
    body = json_own(call->arena, json_pack("{s:s, s:s, s:s, s:s}", "network_id", network,
                                           "project_id", server->project_id, "device_id",
                                           server->id, "device_owner", "compute:nova"));
    if (in->fixed_ips_count > 0)
        json_object_set_new(body, "fixed_ips",
                            json_pack("[{s:s}]", "ip_address", in->fixed_ips[0].ip_address));
    return remote_port_create(&r, body, ret, f);
}

static int
start_attach(struct call *call, const char *port_id, bool owned, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct saga_start_options options = { .queue_behind = true };
    json_t *params =
        json_own(call->arena, json_pack("{s:s, s:b}", "port_id", port_id, "owned", (int)owned));
    struct server server;

    if (db_tx_begin(&tx, call->db, f) < 0 || server_load(call, tx.db, true, &server, f) < 0 ||
        server_check_action(call, tx.db, &server, "attach_interface",
                            STATE_BIT(ACTIVE) | STATE_BIT(STOPPED), f) < 0 ||
        server_network_reserve(&tx, port_id, f) < 0 ||
        server_start_task(call, &tx, &server, &interface_attach_saga, "attach_interface",
                          "compute_attach_interface", params, &options, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

int
interface_create(struct call *call, const struct interface_create *in, struct fault *f)
{
    struct remote r = remote_for_service(compute_of(call), call->arena);
    struct fault ignored = { 0 };
    struct server server;
    struct jsonw *w;
    json_t *port;

    if (in->net_id != NULL && in->port_id != NULL)
        return fault_raise(f, FAULT_INVALID, "Must not input both network_id and port_id");
    if (in->fixed_ips_count > 0 && in->net_id == NULL)
        return fault_raise(f, FAULT_INVALID, "Must input network_id when request IP address");
    if (server_load(call, call->db, false, &server, f) < 0 ||
        server_check_action(call, call->db, &server, "attach_interface",
                            STATE_BIT(ACTIVE) | STATE_BIT(STOPPED), f) < 0 ||
        find_port(call, &server, in, &port, f) < 0)
        return -1;
    if (start_attach(call, json_get_text(port, "id"), in->port_id == NULL, f) < 0) {
        if (in->port_id == NULL)
            remote_port_delete(&r, json_get_text(port, "id"), &ignored);
        return -1;
    }
    w = call_json(call);
    jsonw_object(w, NULL);
    write_interface(call, w, "interfaceAttachment", port);
    jsonw_end(w);
    return 0;
}

int
interface_delete(struct call *call, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct saga_start_options options = { .queue_behind = true };
    struct server server;
    json_t *port;

    if (server_load(call, call->db, false, &server, f) < 0 ||
        load_port(call, &server, &port, f) < 0)
        return -1;
    if (db_tx_begin(&tx, call->db, f) < 0 || server_load(call, tx.db, true, &server, f) < 0 ||
        server_check_action(call, tx.db, &server, "detach_interface",
                            STATE_BIT(ACTIVE) | STATE_BIT(STOPPED), f) < 0 ||
        server_start_task(call, &tx, &server, &interface_detach_saga, "detach_interface",
                          "compute_detach_interface",
                          json_own(call->arena,
                                   json_pack("{s:O}", "port_id", json_object_get(port, "id"))),
                          &options, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}
