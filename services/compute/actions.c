/* /servers/{id}/os-instance-actions: what was asked of a server, and how it went. */
#include "base/clock.h"
#include "base/str.h"
#include "servers.h"

static void
write_action(struct call *call, struct jsonw *w, const char *server_id,
             const struct action_row *row)
{
    jsonw_text(w, "action", row->action);
    jsonw_text(w, "instance_uuid", server_id);
    jsonw_text(w, "request_id", row->request_id);
    jsonw_text(w, "user_id", row->user_id);
    jsonw_text(w, "project_id", row->project_id);
    jsonw_text(w, "start_time", clock_format(call->arena, row->started_at, CLOCK_MICRO));
    jsonw_text(w, "message", row->message == NULL ? NULL : "Error");
    if (call_at_least(call, 2, 58))
        jsonw_text(w, "updated_at", clock_format(call->arena, row->updated_at, CLOCK_MICRO));
}

int
action_list(struct call *call, struct fault *f)
{
    struct action_row *rows;
    struct server server;
    struct jsonw *w;
    size_t count;

    if (server_load(call, call->db, false, &server, f) < 0 ||
        actions_of(call->db, server.id, &rows, &count, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_array(w, "instanceActions");
    for (size_t i = 0; i < count; i++) {
        jsonw_object(w, NULL);
        write_action(call, w, server.id, &rows[i]);
        jsonw_end(w);
    }
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

static int
write_events(struct call *call, struct jsonw *w, const char *server_id, const char *request_id,
             const char *details, struct fault *f)
{
    bool admin = call_allowed(call, "os_compute_api:os-instance-actions:events", NULL, NULL);
    struct events_of_row *rows;
    size_t count;

    if (!admin && !call_at_least(call, 2, 51))
        return 0;
    if (events_of(call->db, server_id, request_id, &rows, &count, f) < 0)
        return -1;
    jsonw_array(w, "events");
    for (size_t i = 0; i < count; i++) {
        jsonw_object(w, NULL);
        jsonw_text(w, "event", rows[i].event);
        jsonw_text(w, "start_time", clock_format(call->arena, rows[i].started_at, CLOCK_MICRO));
        jsonw_text(w, "finish_time",
                   rows[i].finished_at_null
                       ? NULL
                       : clock_format(call->arena, rows[i].finished_at, CLOCK_MICRO));
        jsonw_text(w, "result", rows[i].result);
        if (admin)
            jsonw_text(w, "traceback", NULL);
        if (call_at_least(call, 2, 84))
            jsonw_text(w, "details", str_equal(rows[i].result, "Error") ? details : NULL);
        jsonw_end(w);
    }
    jsonw_end(w);
    return 0;
}

int
action_show(struct call *call, struct fault *f)
{
    const char *request_id = call_param(call, "request_id");
    struct action_row row;
    struct server server;
    struct jsonw *w;
    int found;

    if (server_load(call, call->db, false, &server, f) < 0)
        return -1;
    found = action_get(call->db, server.id, request_id, &row, f);
    if (found == 0)
        return fault_raise(f, FAULT_NOT_FOUND,
                           "Action for request_id %.64s on instance %s not found", request_id,
                           server.id);
    if (found < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_object(w, "instanceAction");
    write_action(call, w, server.id, &row);
    if (write_events(call, w, server.id, request_id, row.message, f) < 0)
        return -1;
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}
