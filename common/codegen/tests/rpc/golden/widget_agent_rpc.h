/* Generated from api-specs/rpc/widget-agent.yaml. Do not edit: change that. */

#pragma once

#include "api/schema.h"
#include "rpc/rpc.h"

enum widget_make_out_state {
    WIDGET_MAKE_OUT_STATE_WHOLE,
    WIDGET_MAKE_OUT_STATE_BROKEN,
};
extern const char *const widget_make_out_state_names[]; /* By value, NULL-terminated. */

struct agent_part;
struct widget_make_in;
struct widget_make_out;
struct widget_report_in;

struct agent_part {
    struct field_set set;
    const char *name;
    int64_t amount;
};
enum agent_part_field {
    AGENT_PART_F_NAME,
    AGENT_PART_F_AMOUNT,
    AGENT_PART_F_COUNT
};
extern const struct schema agent_part_schema;

struct widget_make_in {
    struct field_set set;
    const char *widget_id;
    struct agent_part *parts;
    size_t parts_count;
};
enum widget_make_in_field {
    WIDGET_MAKE_IN_F_WIDGET_ID,
    WIDGET_MAKE_IN_F_PARTS,
    WIDGET_MAKE_IN_F_COUNT
};
extern const struct schema widget_make_in_schema;

struct widget_make_out {
    struct field_set set;
    enum widget_make_out_state state;
};
enum widget_make_out_field {
    WIDGET_MAKE_OUT_F_STATE,
    WIDGET_MAKE_OUT_F_COUNT
};
extern const struct schema widget_make_out_schema;

struct widget_report_in {
    struct field_set set;
    const char *text;
};
enum widget_report_in_field {
    WIDGET_REPORT_IN_F_TEXT,
    WIDGET_REPORT_IN_F_COUNT
};
extern const struct schema widget_report_in_schema;

/* Callers. */
/* Makes a widget. */
int widget_make_call(struct rpc *rpc, const char *host, const char *operation_id, struct arena *a, const struct widget_make_in *in, struct widget_make_out *out, struct fault *f);
/* Says that it lives. */
int widget_ping_call(struct rpc *rpc, const char *host, const char *operation_id, struct arena *a, struct fault *f);
/* What a host has to say; nobody waits for it. */
int widget_report_cast(struct rpc *rpc, const char *host, const char *operation_id, const struct widget_report_in *in, struct fault *f);

/* The receiver defines these; the table is in widget_agent_rpc_server.c. */
int widget_make(struct rpc_request *request, const struct widget_make_in *in, struct widget_make_out *out, struct fault *f);
int widget_ping(struct rpc_request *request, struct fault *f);
int widget_report(struct rpc_request *request, const struct widget_report_in *in, struct fault *f);
extern const struct rpc_method widget_agent_methods[];
extern const size_t widget_agent_methods_count;
