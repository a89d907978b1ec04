/* ports_status: what became of a generation on a host. Only what is bound to that host is believed. */
#include "base/log.h"
#include "base/str.h"
#include "network_rpc.h"
#include "touched.h"

struct report {
    struct db_tx *tx;
    struct touched *touched;
    const struct ports_status_in *in;
    struct fault *f;
};

static int
mark_up(struct report *r)
{
    struct ports_up_row *rows;
    size_t count;

    if (r->in->up.count == 0)
        return 0;
    if (ports_up(r->tx->db, &r->in->up, r->in->host, &rows, &count, r->f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        touch_server(r->touched, rows[i].device_owner, rows[i].device_id, rows[i].id);
    return 0;
}

static int
mark_down(struct report *r)
{
    struct ports_down_row *rows;
    size_t count;

    if (r->in->down.count == 0)
        return 0;
    if (ports_down(r->tx->db, &r->in->down, r->in->host, &rows, &count, r->f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        touch_server(r->touched, rows[i].device_owner, rows[i].device_id, rows[i].id);
    return 0;
}

/* Servers hear of it, so that who waits for a port learns that he waits in vain. */
static int
mark_failed(struct report *r, const struct texts *ids, const struct texts *reasons)
{
    struct ports_failed_row *rows;
    size_t count;

    if (ids->count == 0)
        return 0;
    if (ports_failed(r->tx->db, ids, reasons, r->in->host, &rows, &count, r->f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        touch_server(r->touched, rows[i].device_owner, rows[i].device_id, rows[i].id);
    return 0;
}

static int
take(struct report *r, struct arena *a)
{
    size_t n = r->in->failed_count;
    struct texts ports = { .items = ARENA_ARRAY(a, const char *, n + 1) },
                 reasons = { .items = ARENA_ARRAY(a, const char *, n + 1) };
    struct texts floating = { .items = ARENA_ARRAY(a, const char *, n + 1) };
    struct host_generation_row now;
    int found;

    for (size_t i = 0; i < n; i++) {
        const struct host_failure *x = &r->in->failed[i];

        log_warn("network.agent_failure host=%s kind=%.32s id=%.64s reason=\"%.300s\"", r->in->host,
                 x->kind, x->id, x->reason);
        if (str_equal(x->kind, "port")) {
            ports.items[ports.count++] = x->id;
            reasons.items[reasons.count++] = x->reason;
        } else if (str_equal(x->kind, "floating_ip")) {
            floating.items[floating.count++] = x->id;
        }
    }
    if (mark_up(r) < 0 || mark_down(r) < 0 || mark_failed(r, &ports, &reasons) < 0)
        return -1;
    found = host_generation(r->tx->db, r->in->host, &now, r->f);
    if (found < 0)
        return -1;
    if (found == 1 && now.generation == r->in->generation)
        return floating_settled(r->tx->db, r->in->host, &floating, r->f) < 0 ? -1 : 0;
    return 0;
}

int
ports_status(struct rpc_request *request, const struct ports_status_in *in, struct fault *f)
{
    struct network_service *service = request->owner;
    _cleanup_(db_release) struct db db = { 0 };
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct touched t = { .arena = request->arena, .service = service };
    struct report r = { .tx = &tx, .touched = &t, .in = in, .f = f };

    if (!str_equal(request->from_host, in->host))
        return fault_raise(f, FAULT_FORBIDDEN, "A host can only report about itself.");
    if (db_pool_get(service->daemon->pool, request->arena, &db, f) < 0 ||
        db_tx_begin(&tx, &db, f) < 0 || take(&r, request->arena) < 0 ||
        touched_settle(&t, &tx, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}
