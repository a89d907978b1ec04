/* Generated from api-specs/rpc/widget-shop.yaml. Do not edit: change that. */

#include "widget_shop_rpc.h"

static int
serve_shop_make(struct rpc_request *request, json_t **ret, struct fault *f)
{
    struct shop_make_in in = { 0 };
    struct shop_make_out out = { 0 };
    int r;

    r = schema_parse(&shop_make_in_schema, request->params, SCHEMA_TRUSTED, 0, "params", request->arena, &in, f);
    if (r < 0)
        return r;
    r = shop_make(request, &in, &out, f);
    if (r < 0)
        return r;
    *ret = schema_json(&shop_make_out_schema, &out, request->arena);
    return 0;
}

static int
serve_shop_ping(struct rpc_request *request, json_t **ret, struct fault *f)
{
    int r;

    r = shop_ping(request, f);
    (void)ret;
    return r;
}

static int
serve_shop_report(struct rpc_request *request, json_t **ret, struct fault *f)
{
    struct shop_report_in in = { 0 };
    int r;

    r = schema_parse(&shop_report_in_schema, request->params, SCHEMA_TRUSTED, 0, "params", request->arena, &in, f);
    if (r < 0)
        return r;
    r = shop_report(request, &in, f);
    (void)ret;
    return r;
}

const struct rpc_method widget_shop_methods[] = {
    { .name = "shop_make", .cast = false, .deadline_ms = 60000, .handle = serve_shop_make },
    { .name = "shop_ping", .cast = false, .deadline_ms = 30000, .handle = serve_shop_ping },
    { .name = "shop_report", .cast = true, .deadline_ms = 30000, .handle = serve_shop_report },
};
const size_t widget_shop_methods_count = ARRAY_SIZE(widget_shop_methods);
