/* Generated from api-specs/openapi. Do not edit: change that. */

#pragma once

#include "api/call.h"
#include "api/list_plan.h"
#include "api/operation.h"

enum widget_color {
    WIDGET_COLOR_RED,
    WIDGET_COLOR_DEEP_BLUE,
};
extern const char *const widget_color_names[]; /* By value, NULL-terminated. */

enum widget_state {
    WIDGET_STATE_NEW,
    WIDGET_STATE_OLD,
};
extern const char *const widget_state_names[]; /* By value, NULL-terminated. */

struct widget_part;
struct widget;
struct widget_paint;
struct widget_hints;

struct widget_part {
    struct field_set set;
    const char *name;
    double weight;
};
enum widget_part_field {
    WIDGET_PART_F_NAME,
    WIDGET_PART_F_WEIGHT,
    WIDGET_PART_F_COUNT
};
extern const struct schema widget_part_schema;

struct widget {
    struct field_set set;
    const char *id;
    const char *project_id;
    const char *tenant_id;
    const char *name;
    int64_t size;
    double price;
    bool enabled;
    enum widget_color color;
    enum widget_state state;
    struct texts tags;
    struct widget_part *part;
    struct widget_part *parts;
    size_t parts_count;
    json_t *metadata;
    json_t *anything;
    const char *secret;
    const char *note;
    int64_t note_number;
    int64_t created_at;
    json_t *extra;
};
enum widget_field {
    WIDGET_F_ID,
    WIDGET_F_PROJECT_ID,
    WIDGET_F_TENANT_ID,
    WIDGET_F_NAME,
    WIDGET_F_SIZE,
    WIDGET_F_PRICE,
    WIDGET_F_ENABLED,
    WIDGET_F_COLOR,
    WIDGET_F_STATE,
    WIDGET_F_TAGS,
    WIDGET_F_PART,
    WIDGET_F_PARTS,
    WIDGET_F_METADATA,
    WIDGET_F_ANYTHING,
    WIDGET_F_SECRET,
    WIDGET_F_NOTE,
    WIDGET_F_NOTE_NUMBER,
    WIDGET_F_CREATED_AT,
    WIDGET_F_EXTRA,
    WIDGET_F_COUNT
};
extern const struct schema widget_schema;

struct widget_paint {
    struct field_set set;
    enum widget_color color;
};
enum widget_paint_field {
    WIDGET_PAINT_F_COLOR,
    WIDGET_PAINT_F_COUNT
};
extern const struct schema widget_paint_schema;

struct widget_hints {
    struct field_set set;
    json_t *hint;
};
enum widget_hints_field {
    WIDGET_HINTS_F_HINT,
    WIDGET_HINTS_F_COUNT
};
extern const struct schema widget_hints_schema;

extern const struct resource widget_resource;
/* Defined by the service: what is special about widget. All members may be NULL; see api/resource.h. */
struct widget_hooks {
    int (*target)(struct call *call, struct db *db, struct widget *row, struct fault *f);
    int (*settle)(struct call *call, struct db_tx *tx, struct fault *f);
    int (*prepare_create)(struct call *call, struct db_tx *tx, struct widget *row, struct fault *f);
    int (*after_create)(struct call *call, struct db_tx *tx, struct widget *row, struct fault *f);
    int (*prepare_update)(struct call *call, struct db_tx *tx, const struct widget *old, struct widget *row, struct fault *f);
    int (*after_update)(struct call *call, struct db_tx *tx, const struct widget *old, struct widget *row, struct fault *f);
    int (*check_delete)(struct call *call, struct db_tx *tx, const struct widget *row, struct fault *f);
    int (*after_delete)(struct call *call, struct db_tx *tx, const struct widget *row, struct fault *f);
    int (*load)(struct call *call, struct db *db, struct widget *const *rows, size_t count, struct fault *f);
    void (*committed)(struct call *call, const struct widget *row);
    int (*plan_list)(struct call *call, struct list_plan *plan, struct fault *f);
    const char *(*rule)(struct call *call, const struct widget *row);
};
extern const struct widget_hooks widget_hooks;

/* Handlers that the operations name. */
int versions_list(struct call *call, struct fault *f);
int widget_paint(struct call *call, const struct widget_paint *in, struct fault *f);
int widget_polish(struct call *call, struct fault *f);
int widget_import(struct call *call, const struct widget_paint *in, const struct widget_hints *siblings, struct fault *f);
int widget_upload(struct call *call, struct fault *f);

extern const struct api widget_api;
