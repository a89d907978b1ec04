/* What agents and the network service tell compute (api-specs/rpc/compute.yaml). A host can only report about itself: rpc checks the
 * sender, and guests are looked up together with their host. */
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "base/uuid.h"
#include "compute_rpc.h"
#include "guest_description.h"
#include "server_network.h"

/* A handle on the database for the time of one RPC. */
static int
open_db(struct rpc_request *request, struct db *db, struct compute **ret, struct fault *f)
{
    *ret = request->owner;
    return db_pool_get((*ret)->daemon->pool, request->arena, db, f);
}

static bool
speaks_for(const struct rpc_request *request, const char *host)
{
    return str_empty(request->from_host) || str_equal(request->from_host, host);
}

/* A power state that nobody asked for: the server follows, unless a saga is at work on it. */
static int
note_power(struct db *db, const char *host, const char *guest_id, enum host_guest_state state,
           struct fault *f)
{
    int number = server_power_number(host_guest_state_names[state]);
    bool on = number == 1 || number == 3 || number == 7;

    if (number == 0)
        return 0;
    return server_power_seen(
               db, guest_id, host, number,
               server_vm_state_names[on ? SERVER_VM_STATE_ACTIVE : SERVER_VM_STATE_STOPPED], f) < 0
               ? -1
               : 0;
}

static int
store_inventory(struct compute *compute, struct db *db, const struct host_report_in *in,
                struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct saga_start_options options = { .queue_behind = true };
    json_t *inventory = schema_json(&host_inventory_schema, in->inventory, db->arena);
    struct host_set_inventory_row row;

    options.params = json_own(db->arena, json_pack("{s:s}", "host", in->host));
    if (db_tx_begin(&tx, db, f) < 0 ||
        host_set_inventory(tx.db, in->host, in->inventory->uuid, inventory, &row, f) < 0)
        return -1;
    /* At each start too: placement may have been away, or emptied. */
    if ((row.changed || in->reason == HOST_REPORT_IN_REASON_START) &&
        saga_start(compute->daemon->sagas, &tx, &host_sync_saga,
                   arena_printf(db->arena, "host:%s", in->host), &options, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

int
host_report(struct rpc_request *request, const struct host_report_in *in, struct fault *f)
{
    _cleanup_(db_release) struct db db = { 0 };
    struct host_seen_row seen;
    struct compute *compute;
    json_t *usage, *pressure;

    if (!speaks_for(request, in->host))
        return fault_raise(f, FAULT_FORBIDDEN, "host %s reports about host %s", request->from_host,
                           in->host);
    if (open_db(request, &db, &compute, f) < 0 ||
        host_seen(&db, in->host, uuid_make(request->arena), in->interval_s, &seen, f) < 0)
        return -1;
    if (in->inventory != NULL && store_inventory(compute, &db, in, f) < 0)
        return -1;
    usage = in->usage == NULL ? NULL : schema_json(&host_usage_schema, in->usage, request->arena);
    pressure = in->pressure == NULL
                   ? NULL
                   : schema_json(&host_pressure_schema, in->pressure, request->arena);
    if ((usage != NULL || pressure != NULL) &&
        host_set_usage(&db, in->host, usage, pressure, f) < 0)
        return -1;
    for (size_t i = 0; i < in->guests_count; i++) {
        if (note_power(&db, in->host, in->guests[i].guest_id, in->guests[i].state, f) < 0)
            return -1;
    }
    return 0;
}

int
guest_event(struct rpc_request *request, const struct guest_event_in *in, struct fault *f)
{
    _cleanup_(db_release) struct db db = { 0 };
    struct compute *compute;

    if (!speaks_for(request, in->host))
        return fault_raise(f, FAULT_FORBIDDEN, "host %s reports about host %s", request->from_host,
                           in->host);
    if (open_db(request, &db, &compute, f) < 0)
        return -1;
    return note_power(&db, in->host, in->guest_id, in->state, f);
}

int
server_network_changed(struct rpc_request *request, const struct server_network_changed_in *in,
                       struct fault *f)
{
    _cleanup_(db_release) struct db db = { 0 };
    struct server server = { 0 };
    struct compute *compute;
    struct remote r;

    if (open_db(request, &db, &compute, f) < 0)
        return -1;
    if (resource_load(&db, &server_resource, in->server_id, NULL, false, &server, f) < 0) {
        if (f->kind != FAULT_NOT_FOUND)
            return -1;
        fault_clear(f); /* Of a server that is gone. */
        return 0;
    }
    r = remote_for_service(compute, request->arena);
    return server_network_refresh(&r, &db, &server, NULL, f);
}

int
instance_metadata(struct rpc_request *request, const struct instance_metadata_in *in,
                  struct instance_metadata_out *out, struct fault *f)
{
    _cleanup_(db_release) struct db db = { 0 };
    struct server server = { 0 };
    struct compute *compute;

    if (open_db(request, &db, &compute, f) < 0 ||
        resource_load(&db, &server_resource, in->instance_id, NULL, false, &server, f) < 0)
        return -1;
    out->facts = guest_facts(request->arena, compute->config, &server);
    return 0;
}
