#include "agents.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "base/uuid.h"
#include "network_rpc.h"
#include "placement.h"

static int32_t
down_s(const struct network_service *service)
{
    return (int32_t)service->config->agent_down_s;
}

int
agents_know_physical(struct network_service *service, struct db *db, const char *physical,
                     struct fault *f)
{
    struct agents_known_row *rows;
    size_t count;

    for (const char *const *at = (const char *const *)service->config->physical_networks;
         at != NULL && *at != NULL; at++) {
        if (str_equal(*at, physical))
            return 1;
    }
    if (service->config->physical_networks != NULL && service->config->physical_networks[0] != NULL)
        return 0;
    if (agents_known(db, down_s(service), &rows, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (json_object_get(rows[i].bridge_mappings, physical) != NULL)
            return 1;
    }
    return count == 0;
}

int
agent_is_alive(struct network_service *service, struct db *db, const char *host, struct fault *f)
{
    struct agent_alive_row row;

    return agent_alive(db, host, down_s(service), &row, f);
}

int
agent_choose(struct network_service *service, struct db *db, const char *physical, const char **ret,
             struct fault *f)
{
    struct agent_idlest_row row;
    int found = agent_idlest(db, physical, down_s(service), &row, f);

    if (found == 1)
        *ret = row.host;
    return found;
}

/* --- The API's view */

static int
load(struct call *call, struct db *db, struct agent *const *rows, size_t count, struct fault *f)
{
    int64_t limit_us = clock_now_us() - network_of(call)->config->agent_down_s * 1000000;

    (void)db;
    (void)f;
    for (size_t i = 0; i < count; i++) {
        struct agent *row = rows[i];

        row->alive = row->heartbeat_at > limit_us;
        row->binary = "virga-network-agent";
        row->topic = "network-agent";
        row->configurations =
            json_own(call->arena,
                     json_pack("{s:O, s:s?, s:s, s:s, s:b}", "bridge_mappings",
                               row->bridge_mappings, "tunneling_ip", row->tunnel_ip, "driver",
                               row->driver, "version", row->version, "metadata", row->metadata));
        field_mark(&row->set, AGENT_F_ALIVE);
        field_mark(&row->set, AGENT_F_BINARY);
        field_mark(&row->set, AGENT_F_TOPIC);
        field_mark(&row->set, AGENT_F_CONFIGURATIONS);
    }
    return 0;
}

/* Who may not see agents sees none, as upstream has it. */
static int
plan_list(struct call *call, struct list_plan *plan, struct fault *f)
{
    (void)f;
    if (!call_allowed(call, "get_agent", NULL, NULL))
        list_plan_where_sql(plan, "false", NULL, 0);
    return 0;
}

/* One that reports would be back at once; one that carries ports would leave them in the air. */
static int
check_delete(struct call *call, struct db_tx *tx, const struct agent *row, struct fault *f)
{
    struct agent_things_row thing;
    int found = agent_things(tx->db, row->host, &thing, f);

    (void)call;
    if (found < 0)
        return -1;
    return found == 0
               ? 0
               : fault_raise_code(f, FAULT_CONFLICT, "AgentInUse",
                                  "Agent %s cannot be deleted: there are ports bound to its host.",
                                  row->id);
}

const struct agent_hooks agent_hooks = {
    .load = load,
    .check_delete = check_delete,
    .plan_list = plan_list,
};

/* --- Reports */

/* Tunnel addresses are in every host's peers, mappings decide what can be placed where. */
static int
take_report(struct network_service *service, struct db_tx *tx, struct touched *t,
            const struct agent_report_in *in, bool *ret_place, struct fault *f)
{
    const json_t *mappings =
        in->bridge_mappings == NULL ? json_own(tx->db->arena, json_object()) : in->bridge_mappings;
    struct agent_before_row before;
    struct hosts_all_row *hosts;
    size_t count;
    int found = agent_before(tx->db, in->host, down_s(service), &before, f);

    if (found < 0)
        return -1;
    if (agent_report_store(tx->db, uuid_make(tx->db->arena), in->host, in->agent_type, in->version,
                           in->driver == NULL ? "" : in->driver,
                           str_empty(in->tunnel_ip) ? NULL : in->tunnel_ip, mappings, in->metadata,
                           in->generation, in->started_at == 0 ? NULL : &in->started_at, f) < 0)
        return -1;
    *ret_place = found == 0 || !before.alive || !json_equal(before.bridge_mappings, mappings);
    if (found == 0 ||
        !str_equal(before.tunnel_ip, str_empty(in->tunnel_ip) ? NULL : in->tunnel_ip)) {
        if (host_known(tx->db, in->host, f) < 0 || hosts_all(tx->db, &hosts, &count, f) < 0)
            return -1;
        for (size_t i = 0; i < count; i++)
            touch_host(t, hosts[i].name);
    }
    return 0;
}

int
agent_report(struct rpc_request *request, const struct agent_report_in *in, struct fault *f)
{
    struct network_service *service = request->owner;
    _cleanup_(db_release) struct db db = { 0 };
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct touched t = { .arena = request->arena, .service = service };
    bool place = false;

    if (!str_equal(request->from_host, in->host))
        return fault_raise(f, FAULT_FORBIDDEN, "A host can only report about itself.");
    if (db_pool_get(service->daemon->pool, request->arena, &db, f) < 0 ||
        db_tx_begin(&tx, &db, f) < 0)
        return -1;
    if (take_report(service, &tx, &t, in, &place, f) < 0 || touched_settle(&t, &tx, f) < 0 ||
        db_tx_commit(&tx, f) < 0)
        return -1;
    if (place)
        placement_wake(service); /* What waits for an agent may find one now. */
    return 0;
}
