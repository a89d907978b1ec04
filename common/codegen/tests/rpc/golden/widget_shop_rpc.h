/* Generated from api-specs/rpc/widget-shop.yaml. Do not edit: change that. */

#pragma once

#include "api/schema.h"
#include "rpc/rpc.h"

enum shop_make_out_state {
    SHOP_MAKE_OUT_STATE_WHOLE,
    SHOP_MAKE_OUT_STATE_BROKEN,
};
extern const char *const shop_make_out_state_names[]; /* By value, NULL-terminated. */

struct shop_part;
struct shop_make_in;
struct shop_make_out;
struct shop_report_in;

struct shop_part {
    struct field_set set;
    const char *name;
    int64_t amount;
};
enum shop_part_field {
    SHOP_PART_F_NAME,
    SHOP_PART_F_AMOUNT,
    SHOP_PART_F_COUNT
};
extern const struct schema shop_part_schema;

struct shop_make_in {
    struct field_set set;
    const char *widget_id;
    struct shop_part *parts;
    size_t parts_count;
};
enum shop_make_in_field {
    SHOP_MAKE_IN_F_WIDGET_ID,
    SHOP_MAKE_IN_F_PARTS,
    SHOP_MAKE_IN_F_COUNT
};
extern const struct schema shop_make_in_schema;

struct shop_make_out {
    struct field_set set;
    enum shop_make_out_state state;
};
enum shop_make_out_field {
    SHOP_MAKE_OUT_F_STATE,
    SHOP_MAKE_OUT_F_COUNT
};
extern const struct schema shop_make_out_schema;

struct shop_report_in {
    struct field_set set;
    const char *text;
};
enum shop_report_in_field {
    SHOP_REPORT_IN_F_TEXT,
    SHOP_REPORT_IN_F_COUNT
};
extern const struct schema shop_report_in_schema;

/* Callers. */
/* Makes a widget. */
int shop_make_call(struct rpc *rpc, const char *operation_id, struct arena *a, const struct shop_make_in *in, struct shop_make_out *out, struct fault *f);
/* Says that it lives. */
int shop_ping_call(struct rpc *rpc, const char *operation_id, struct arena *a, struct fault *f);
/* What a host has to say; nobody waits for it. */
int shop_report_cast(struct rpc *rpc, const char *operation_id, const struct shop_report_in *in, struct fault *f);

/* The receiver defines these; the table is in widget_shop_rpc_server.c. */
int shop_make(struct rpc_request *request, const struct shop_make_in *in, struct shop_make_out *out, struct fault *f);
int shop_ping(struct rpc_request *request, struct fault *f);
int shop_report(struct rpc_request *request, const struct shop_report_in *in, struct fault *f);
extern const struct rpc_method widget_shop_methods[];
extern const size_t widget_shop_methods_count;
