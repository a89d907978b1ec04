/* Generated from api-specs/rpc/widget-agent.yaml. Do not edit: change that. */

#include "widget_agent_rpc.h"

static int
serve_widget_make(struct rpc_request *request, json_t **ret, struct fault *f)
{
    struct widget_make_in in = { 0 };
    struct widget_make_out out = { 0 };
    int r;

    r = schema_parse(&widget_make_in_schema, request->params, SCHEMA_TRUSTED, 0, "params", request->arena, &in, f);
    if (r < 0)
        return r;
    r = widget_make(request, &in, &out, f);
    if (r < 0)
        return r;
    *ret = schema_json(&widget_make_out_schema, &out, request->arena);
    return 0;
}

static int
serve_widget_ping(struct rpc_request *request, json_t **ret, struct fault *f)
{
    int r;

    r = widget_ping(request, f);
    (void)ret;
    return r;
}

static int
serve_widget_report(struct rpc_request *request, json_t **ret, struct fault *f)
{
    struct widget_report_in in = { 0 };
    int r;

    r = schema_parse(&widget_report_in_schema, request->params, SCHEMA_TRUSTED, 0, "params", request->arena, &in, f);
    if (r < 0)
        return r;
    r = widget_report(request, &in, f);
    (void)ret;
    return r;
}

const struct rpc_method widget_agent_methods[] = {
    { .name = "widget_make", .cast = false, .deadline_ms = 60000, .handle = serve_widget_make },
    { .name = "widget_ping", .cast = false, .deadline_ms = 30000, .handle = serve_widget_ping },
    { .name = "widget_report", .cast = true, .deadline_ms = 30000, .handle = serve_widget_report },
};
const size_t widget_agent_methods_count = ARRAY_SIZE(widget_agent_methods);
