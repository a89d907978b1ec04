#include "server_network.h"

#include <poll.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "http/url.h"

/* --- What is remembered */

static const struct network_info *
known(const struct server *server, const char *port_id)
{
    for (size_t i = 0; i < server->network_info_count; i++) {
        if (str_equal(server->network_info[i].port_id, port_id))
            return &server->network_info[i];
    }
    return NULL;
}

static json_t *
addresses_json(const json_t *port, const json_t *floating)
{
    json_t *list = json_array(), *fixed, *x;
    size_t i, j;

    json_array_foreach(json_object_get(port, "fixed_ips"), i, fixed)
    {
        const char *address = json_get_text(fixed, "ip_address");
        json_t *public = json_array();

        json_array_foreach(floating, j, x)
        {
            if (str_equal(json_get_text(x, "fixed_ip_address"), address) &&
                str_equal(json_get_text(x, "port_id"), json_get_text(port, "id")))
                json_array_append(public, json_object_get(x, "floating_ip_address"));
        }
        json_array_append_new(list,
                              json_pack("{s:s, s:i, s:O*, s:o}", "address", address, "version",
                                        strchr(address, ':') != NULL ? 6 : 4, "subnet_id",
                                        json_object_get(fixed, "subnet_id"), "floating", public));
    }
    return list;
}

/* One GET for many ids: "path?name=a&name=b". */
static int
get_many(struct remote *r, const char *path, const char *name, const json_t *ports,
         const char *id_member, const char *member, json_t **ret, struct fault *f)
{
    struct str url = { 0 };
    json_t *answer, *port;
    size_t i;
    int result;

    str_add(&url, path);
    json_array_foreach(ports, i, port) url_add_query(&url, name, json_get_text(port, id_member));
    result = remote_send(r, HTTP_GET, "network", arena_strdup(r->arena, str_text(&url)), NULL,
                         &answer, f);
    str_done(&url);
    if (result == 0)
        *ret = json_object_get(answer, member);
    return result;
}

static const json_t *
by_id(const json_t *list, const char *id)
{
    json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        if (str_equal(json_get_text(item, "id"), id))
            return item;
    }
    return NULL;
}

static json_t *
group_names(const json_t *port, const json_t *groups)
{
    json_t *names = json_array(), *id;
    size_t i;

    json_array_foreach(json_object_get(port, "security_groups"), i, id)
    {
        const char *name = json_get_text(by_id(groups, json_string_value(id)), "name");

        json_array_append_new(names, json_string(name == NULL ? json_string_value(id) : name));
    }
    return names;
}

/* Ids of all groups of the ports, as objects with an "id", for get_many(). */
static json_t *
groups_of(struct arena *a, const json_t *ports)
{
    json_t *list = json_own(a, json_array()), *port, *id;
    size_t i, j;

    json_array_foreach(ports, i, port)
    {
        json_array_foreach(json_object_get(port, "security_groups"), j, id)
            json_array_append_new(list, json_pack("{s:O}", "id", id));
    }
    return list;
}

/* What the network service has of the server now, as it is remembered. */
struct seen {
    json_t *ports, *networks, *floating, *groups;
};

static int
look(struct remote *r, const char *server_id, struct seen *ret, struct fault *f)
{
    json_t *wanted_groups;

    *ret = (struct seen){ 0 };
    if (remote_ports_of(r, server_id, &ret->ports, f) < 0)
        return -1;
    if (json_array_size(ret->ports) == 0)
        return 0;
    wanted_groups = groups_of(r->arena, ret->ports);
    if (get_many(r, "/v2.0/networks", "id", ret->ports, "network_id", "networks", &ret->networks,
                 f) < 0 ||
        get_many(r, "/v2.0/floatingips", "port_id", ret->ports, "id", "floatingips", &ret->floating,
                 f) < 0)
        return -1;
    if (json_array_size(wanted_groups) == 0)
        return 0;
    return get_many(r, "/v2.0/security-groups", "id", wanted_groups, "id", "security_groups",
                    &ret->groups, f);
}

static json_t *
remembered(struct arena *a, const struct server *server, const struct seen *seen,
           const json_t *owned)
{
    json_t *list = json_own(a, json_array()), *port;
    size_t i;

    json_array_foreach(seen->ports, i, port)
    {
        const char *id = json_get_text(port, "id");
        const struct network_info *old = known(server, id);
        const json_t *network = by_id(seen->networks, json_get_text(port, "network_id"));
        bool ours = json_has_text(owned, id) || (old != NULL && old->owned);

        json_array_append_new(list,
                              json_pack("{s:s, s:O, s:O*, s:O, s:s, s:I, s:b, s:o, s:o}", "port_id",
                                        id, "network_id", json_object_get(port, "network_id"),
                                        "network_name", json_object_get(network, "name"), "mac",
                                        json_object_get(port, "mac_address"), "tap",
                                        arena_printf(a, "tap%.11s", id), "mtu",
                                        json_get_int(network, "mtu"), "owned", (int)ours,
                                        "fixed_ips", addresses_json(port, seen->floating), "groups",
                                        group_names(port, seen->groups)));
    }
    return list;
}

/* Several may refresh one server at once: a saga, and the network service's word that something changed. What was looked up before
 * another wrote is old, so it is looked up again; whose port it is comes from the row under its lock. Returns 1 to try again. */
static int
refresh_once(struct remote *r, struct db *db, struct server *server, const json_t *owned, bool last,
             struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct server before = { 0 }, now = { 0 };
    struct seen seen;

    if (resource_load(db, &server_resource, server->id, NULL, false, &before, f) < 0 ||
        look(r, server->id, &seen, f) < 0 || db_tx_begin(&tx, db, f) < 0 ||
        resource_load(db, &server_resource, server->id, NULL, true, &now, f) < 0)
        return -1;
    if (now.updated_at != before.updated_at && !last)
        return 1;
    if (server_set_network_info(db, server->id, remembered(r->arena, &now, &seen, owned), f) < 0 ||
        db_tx_commit(&tx, f) < 0)
        return -1;
    *server = (struct server){ 0 };
    return resource_load(db, &server_resource, now.id, NULL, false, server, f);
}

int
server_network_refresh(struct remote *r, struct db *db, struct server *server, const json_t *owned,
                       struct fault *f)
{
    int result = 1;

    for (int tries = 0; result == 1 && tries < 6; tries++)
        result = refresh_once(r, db, server, owned, tries == 5, f);
    return result;
}

/* --- server-create: ports */

static json_t *
binding(struct arena *a, const struct server *server)
{
    return json_own(a, json_pack("{s:s, s:s, s:s}", "device_id", server->id, "device_owner",
                                 "compute:nova", "binding:host_id", server->host));
}

int
server_network_take(struct remote *r, const struct server *server, const char *port_id,
                    struct fault *f)
{
    json_t *port;
    const char *device;

    if (remote_port(r, port_id, &port, f) < 0)
        return -1;
    device = json_get_text(port, "device_id");
    if (!str_empty(device) && !str_equal(device, server->id))
        return fault_raise(f, FAULT_CONFLICT, "Port %s is still in use.", port_id);
    return remote_port_update(r, port_id, binding(r->arena, server), NULL, f);
}

static int
make_port(struct remote *r, const struct server *server, const json_t *wish, const json_t *groups,
          json_t *owned, struct fault *f)
{
    json_t *body = binding(r->arena, server), *port;
    const char *fixed_ip = json_get_text(wish, "fixed_ip");

    json_object_set(body, "network_id", json_object_get(wish, "network"));
    json_object_set_new(body, "project_id", json_string(server->project_id));
    json_object_set_new(body, "admin_state_up", json_true());
    if (fixed_ip != NULL)
        json_object_set_new(body, "fixed_ips", json_pack("[{s:s}]", "ip_address", fixed_ip));
    if (json_array_size(groups) > 0)
        json_object_set(body, "security_groups", (json_t *)(uintptr_t)groups);
    if (remote_port_create(r, body, &port, f) < 0)
        return -1;
    json_array_append(owned, json_object_get(port, "id"));
    return 0;
}

/* The n-th wish for a network is served by the n-th port there that we made before: so a second run makes none twice. */
static bool
made_before(const json_t *ports, const json_t *owned, const char *network_id, size_t nth)
{
    json_t *port;
    size_t i;

    json_array_foreach(ports, i, port)
    {
        if (str_equal(json_get_text(port, "network_id"), network_id) &&
            json_has_text(owned, json_get_text(port, "id")) && nth-- == 0)
            return true;
    }
    return false;
}

/* Ports of ours that an earlier try made and could not note: all of the device that no wish brought. */
static void
note_made(const json_t *ports, const json_t *wishes, json_t *owned)
{
    json_t *port, *wish;
    size_t i, j;

    json_array_foreach(ports, i, port)
    {
        bool brought = json_has_text(owned, json_get_text(port, "id"));

        json_array_foreach(wishes, j, wish) brought =
            brought || str_equal(json_get_text(wish, "port"), json_get_text(port, "id"));
        if (!brought)
            json_array_append(owned, json_object_get(port, "id"));
    }
}

int
step_network(struct saga_run *run, struct fault *f)
{
    struct remote r = remote_for_run(run);
    const json_t *wishes = json_object_get(run->params, "networks");
    const json_t *groups = json_object_get(run->params, "security_groups");
    json_t *ports, *wish, *owned = json_array();
    struct server server;
    size_t i;

    json_object_set_new(run->state, "ports", owned);
    if (server_of_run(run, &server, f) < 0 || remote_ports_of(&r, server.id, &ports, f) < 0)
        return -1;
    note_made(ports, wishes, owned);
    json_array_foreach(wishes, i, wish)
    {
        const char *port_id = json_get_text(wish, "port"),
                   *network_id = json_get_text(wish, "network");
        size_t nth = 0;

        if (port_id != NULL) {
            if (server_network_take(&r, &server, port_id, f) < 0)
                return -1;
            continue;
        }
        for (size_t j = 0; j < i; j++)
            nth +=
                str_equal(json_get_text(json_array_get(wishes, j), "network"), network_id) ? 1 : 0;
        if (!made_before(ports, owned, network_id, nth) &&
            make_port(&r, &server, wish, groups, owned, f) < 0)
            return -1;
    }
    return server_network_refresh(&r, run->db, &server, owned, f);
}

int
server_network_reserve(struct db_tx *tx, const char *port_id, struct fault *f)
{
    struct port_wanted_row row;
    int found;

    if (db_tx_lock(tx, arena_printf(tx->db->arena, "port:%s", port_id), f) < 0)
        return -1;
    found = port_wanted(tx->db, port_id, &row, f);
    return found == 1 ? fault_raise(f, FAULT_CONFLICT, "Port %s is still in use.", port_id) : found;
}

int
server_network_release(struct saga_run *run, const struct server *server, struct fault *f)
{
    struct remote r = remote_for_run(run);
    json_t *ports, *port;
    json_t *nobody = json_own(run->arena, json_pack("{s:s, s:s, s:s}", "device_id", "",
                                                    "device_owner", "", "binding:host_id", ""));
    const json_t *made = json_object_get(run->state, "ports");
    size_t i;

    if (remote_ports_of(&r, server->id, &ports, f) < 0)
        return -1;
    json_array_foreach(ports, i, port)
    {
        const char *id = json_get_text(port, "id");
        const struct network_info *nic = known(server, id);
        bool ours = json_has_text(made, id) || (nic != NULL && nic->owned);

        if ((ours ? remote_port_delete(&r, id, f) : remote_port_update(&r, id, nobody, NULL, f)) <
            0)
            return -1;
    }
    return 0;
}

int
step_network_undo(struct saga_run *run, struct fault *f)
{
    struct remote r = remote_for_run(run);
    struct server server;
    json_t *ports, *made;

    if (server_of_run(run, &server, f) < 0)
        return -1;
    made = json_object_get(run->state, "ports");
    if (made == NULL) { /* The step ended before its state was written. */
        made = json_array();
        json_object_set_new(run->state, "ports", made);
    }
    if (remote_ports_of(&r, server.id, &ports, f) < 0)
        return -1;
    note_made(ports, json_object_get(run->params, "networks"), made);
    if (server_network_release(run, &server, f) < 0)
        return -1;
    return server_set_network_info(run->db, server.id, json_own(run->arena, json_array()), f) < 0
               ? -1
               : 0;
}

/* --- Waiting for the network agent: the taps must be there, filtered, before the guest starts. */

/* 'only': the one port that counts; NULL: all of the server's. */
static int
all_active(struct remote *r, const char *server_id, const char *only, bool *ret, struct fault *f)
{
    json_t *ports, *port;
    size_t i;

    if (remote_ports_of(r, server_id, &ports, f) < 0)
        return -1;
    *ret = true;
    json_array_foreach(ports, i, port)
    {
        if (only == NULL || str_equal(json_get_text(port, "id"), only))
            *ret = *ret && str_equal(json_get_text(port, "status"), "ACTIVE");
    }
    return 0;
}

int
step_wired(struct saga_run *run, struct fault *f)
{
    struct remote r = remote_for_run(run);
    int64_t until = clock_mono_ms() + r.compute->config->port_deadline_s * 1000;
    /* An interface waits for its own port: the next one may be there already, and is not bound before this saga has ended. */
    const char *only = json_get_text(run->params, "port_id");
    int wait_ms = 20;
    bool active;

    for (;;) {
        if (all_active(&r, run->object_id, only, &active, f) < 0)
            return -1;
        if (active)
            return 0;
        if (saga_cancelled(run))
            return fault_raise(f, FAULT_CONFLICT, "The server was deleted while it was built.");
        if (clock_mono_ms() > until)
            return fault_raise(f, FAULT_CONFLICT,
                               "Virtual Interface creation failed: the network service did not "
                               "wire the ports within %lld s.",
                               (long long)r.compute->config->port_deadline_s);
        poll(NULL, 0, wait_ms);
        wait_ms = MIN(wait_ms * 2, 250);
    }
}
