/* Generated from api-specs/rpc/widget-agent.yaml. Do not edit: change that. */

#include "widget_agent_rpc.h"

#include "base/json.h"

const char *const widget_make_out_state_names[] = { "whole", "broken", NULL };

static const struct field agent_part_fields[] = {
    { .name = "name", .type = T_TEXT, .flags = F_REQUIRED | F_NO_COLUMN, .offset = offsetof(struct agent_part, name), .min_length = -1, .max_length = -1 },
    { .name = "amount", .type = T_INT, .flags = F_NO_COLUMN, .offset = offsetof(struct agent_part, amount), .min_length = -1, .max_length = -1 },
};
const struct schema agent_part_schema = { .name = "agent_part", .fields = agent_part_fields, .count = 2, .size = sizeof(struct agent_part), .open = false };

static const struct field widget_make_in_fields[] = {
    { .name = "widget_id", .type = T_TEXT, .flags = F_REQUIRED | F_NO_COLUMN, .format = FORMAT_UUID, .offset = offsetof(struct widget_make_in, widget_id), .min_length = -1, .max_length = -1 },
    { .name = "parts", .type = T_OBJECTS, .flags = F_REQUIRED | F_NO_COLUMN, .offset = offsetof(struct widget_make_in, parts), .count_offset = offsetof(struct widget_make_in, parts_count), .object = &agent_part_schema, .min_length = -1, .max_length = -1 },
};
const struct schema widget_make_in_schema = { .name = "widget_make_in", .fields = widget_make_in_fields, .count = 2, .size = sizeof(struct widget_make_in), .open = false };

static const struct field widget_make_out_fields[] = {
    { .name = "state", .type = T_ENUM, .flags = F_NO_COLUMN, .offset = offsetof(struct widget_make_out, state), .names = widget_make_out_state_names, .min_length = -1, .max_length = -1 },
};
const struct schema widget_make_out_schema = { .name = "widget_make_out", .fields = widget_make_out_fields, .count = 1, .size = sizeof(struct widget_make_out), .open = false };

static const struct field widget_report_in_fields[] = {
    { .name = "text", .type = T_TEXT, .flags = F_NO_COLUMN, .offset = offsetof(struct widget_report_in, text), .min_length = -1, .max_length = -1 },
};
const struct schema widget_report_in_schema = { .name = "widget_report_in", .fields = widget_report_in_fields, .count = 1, .size = sizeof(struct widget_report_in), .open = false };

int
widget_make_call(struct rpc *rpc, const char *host, const char *operation_id, struct arena *a, const struct widget_make_in *in, struct widget_make_out *out, struct fault *f)
{
    const char *queue = rpc_queue(a, "widget-agent", host);
    json_t *params = schema_json(&widget_make_in_schema, in, a);
    json_t *answer = NULL;
    int r;

    r = rpc_call(rpc, queue, "widget_make", operation_id, params, 60000, a, &answer, f);
    if (r < 0)
        return r;
    return schema_parse(&widget_make_out_schema, answer, SCHEMA_TRUSTED, 0, "answer", a, out, f);
}

int
widget_ping_call(struct rpc *rpc, const char *host, const char *operation_id, struct arena *a, struct fault *f)
{
    const char *queue = rpc_queue(a, "widget-agent", host);
    json_t *params = json_own(a, json_object());
    json_t *answer = NULL;
    int r;

    r = rpc_call(rpc, queue, "widget_ping", operation_id, params, 30000, a, &answer, f);
    return r;
}

int
widget_report_cast(struct rpc *rpc, const char *host, const char *operation_id, const struct widget_report_in *in, struct fault *f)
{
    struct arena *a = arena_new();
    const char *queue = rpc_queue(a, "widget-agent", host);
    json_t *params = schema_json(&widget_report_in_schema, in, a);
    int r = rpc_cast(rpc, queue, "widget_report", operation_id, params, f);

    arena_free(a);
    return r;
}
