/* DELETE /servers/{id} and the actions: checked and noted here, done by sagas. */
#include "base/json.h"
#include "base/str.h"
#include "compute_agent_rpc.h"
#include "servers.h"

/* Load, check, start: what every action is. */
static int
act(struct call *call, const struct saga *saga, const char *wire, const char *action,
    const char *event, unsigned allowed, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct server server;

    if (db_tx_begin(&tx, call->db, f) < 0 || server_load(call, tx.db, true, &server, f) < 0 ||
        server_check_action(call, tx.db, &server, wire, allowed, f) < 0 ||
        server_start_task(call, &tx, &server, saga, action, event, NULL, NULL, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

int
server_start(struct call *call, struct fault *f)
{
    return act(call, &server_start_saga, "start", "start", "compute_start_instance",
               STATE_BIT(STOPPED), f);
}

int
server_stop(struct call *call, struct fault *f)
{
    return act(call, &server_stop_saga, "stop", "stop", "compute_stop_instance", STATE_BIT(ACTIVE),
               f);
}

int
server_reboot(struct call *call, const struct server_reboot *in, struct fault *f)
{
    if (str_equal_nocase(in->type, "soft"))
        return act(call, &server_reboot_saga, "reboot", "reboot", "compute_reboot_instance",
                   STATE_BIT(ACTIVE), f);
    return act(call, &server_reboot_hard_saga, "reboot", "reboot", "compute_reboot_instance",
               STATE_BIT(ACTIVE) | STATE_BIT(STOPPED) | STATE_BIT(ERROR), f);
}

/* Delete works in any state: a build in progress is told to stop, and this runs when it has undone what it did. */
int
server_delete(struct call *call, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct saga_start_options options = { .cancel_other = true, .queue_behind = true };
    struct server_busy busy;
    struct server server;

    if (db_tx_begin(&tx, call->db, f) < 0 || server_load(call, tx.db, true, &server, f) < 0 ||
        server_busy(tx.db, server.id, &busy, f) < 0)
        return -1;
    if (server.locked && !call_is_admin(call))
        return fault_raise(f, FAULT_CONFLICT, "Instance %s is locked", server.id);
    if (str_equal(server_task_state(&busy), "deleting"))
        return db_tx_commit(&tx, f); /* It is being deleted already. */
    if (server_start_task(call, &tx, &server, &server_delete_saga, "delete",
                          "compute_terminate_instance", NULL, &options, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

/* --- Lock */

int
server_lock(struct call *call, const struct server_lock *in, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct server server;

    if (db_tx_begin(&tx, call->db, f) < 0 || server_load(call, tx.db, true, &server, f) < 0 ||
        server_set_lock(tx.db, server.id, true, in->locked_reason,
                        call_is_admin(call) ? "admin" : "owner", f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

int
server_unlock(struct call *call, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct server server;

    if (db_tx_begin(&tx, call->db, f) < 0 || server_load(call, tx.db, true, &server, f) < 0)
        return -1;
    if (server.locked && str_equal(server.locked_by, "admin") &&
        call_enforce(call, "os_compute_api:os-lock-server:unlock:unlock_override", &server_resource,
                     &server, f) < 0)
        return -1;
    if (server_set_lock(tx.db, server.id, false, NULL, NULL, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

int
server_reset_state(struct call *call, const struct server_reset_state *in, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct server server;

    if (db_tx_begin(&tx, call->db, f) < 0 || server_load(call, tx.db, true, &server, f) < 0 ||
        server_set_state(tx.db, server.id, server_reset_state_state_names[in->state],
                         (int32_t)server.power_state, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

/* --- Console */

int
server_console_output(struct call *call, const struct console_output *in, struct fault *f)
{
    struct guest_console_in ask = { .lines = -1 };
    struct guest_console_out out = { 0 };
    struct server server;
    struct jsonw *w;

    if (server_load(call, call->db, false, &server, f) < 0)
        return -1;
    if (server.host == NULL)
        return fault_raise(f, FAULT_CONFLICT, "Instance %s is not ready", server.id);
    ask.guest_id = server.id;
    if (field_given(&in->set, CONSOLE_OUTPUT_F_LENGTH) &&
        !field_null(&in->set, CONSOLE_OUTPUT_F_LENGTH))
        ask.lines = in->length;
    field_mark(&ask.set, GUEST_CONSOLE_IN_F_LINES);
    if (guest_console_call(compute_of(call)->daemon->rpc, server.host, NULL, call->arena, &ask,
                           &out, f) < 0)
        return f->kind == FAULT_NOT_FOUND
                   ? (fault_clear(f),
                      fault_raise(f, FAULT_CONFLICT, "Instance %s is not ready", server.id))
                   : -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_text(w, "output", out.output == NULL ? "" : out.output);
    jsonw_end(w);
    return 0;
}
