/* A made-up resource that the engine's tests share. */
#pragma once

#include "api/list_plan.h"
#include "api/schema.h"

enum widget_color { WIDGET_COLOR_RED, WIDGET_COLOR_BLUE };

struct widget_part {
    struct field_set set;
    const char *name;
    int64_t weight;
};

struct widget {
    struct field_set set;
    const char *id;
    const char *project_id;
    const char *name;
    int64_t size;
    bool enabled;
    enum widget_color color;
    struct texts tags;
    json_t *metadata;
    struct widget_part *parts;
    size_t parts_count;
    int64_t created_at;
    const char *note;
};
enum {
    WIDGET_F_ID,
    WIDGET_F_PROJECT_ID,
    WIDGET_F_NAME,
    WIDGET_F_SIZE,
    WIDGET_F_ENABLED,
    WIDGET_F_COLOR,
    WIDGET_F_TAGS,
    WIDGET_F_METADATA,
    WIDGET_F_PARTS,
    WIDGET_F_CREATED_AT,
    WIDGET_F_NOTE
};

static const char *const widget_color_names[] = { "red", "blue", NULL };
static const struct field widget_part_fields[] = {
    { .name = "name",
      .type = T_TEXT,
      .flags = F_REQUIRED | F_NO_COLUMN,
      .offset = offsetof(struct widget_part, name),
      .min_length = 1,
      .max_length = 8 },
    { .name = "weight",
      .type = T_INT,
      .flags = F_NO_COLUMN,
      .offset = offsetof(struct widget_part, weight),
      .min_length = -1,
      .max_length = -1,
      .min = 0,
      .has_min = true },
};
static const struct schema widget_part_schema = {
    .name = "part", .fields = widget_part_fields, .count = 2, .size = sizeof(struct widget_part)
};
#define AT(x) .offset = offsetof(struct widget, x), .min_length = -1, .max_length = -1
static const struct field widget_fields[] = {
    { .name = "id",
      .column = "id",
      .type = T_TEXT,
      .flags = F_READ_ONLY | F_SORT,
      .filters = FILTER_EQ,
      AT(id) },
    { .name = "project_id",
      .column = "project_id",
      .type = T_TEXT,
      .flags = F_READ_ONLY,
      AT(project_id) },
    { .name = "name",
      .column = "name",
      .type = T_TEXT,
      .flags = F_REQUIRED | F_SORT,
      .filters = FILTER_EQ | FILTER_LIKE,
      .format = FORMAT_NAME,
      .offset = offsetof(struct widget, name),
      .min_length = 1,
      .max_length = 10 },
    { .name = "size",
      .column = "size_gb",
      .type = T_INT,
      .flags = F_NULL | F_SORT | F_COERCE | F_DEFAULT,
      .fallback = "7",
      .filters = FILTER_EQ | FILTER_GT,
      AT(size),
      .min = 1,
      .has_min = true,
      .max = 100,
      .has_max = true },
    { .name = "enabled", .column = "enabled", .type = T_BOOL, .filters = FILTER_EQ, AT(enabled) },
    { .name = "color",
      .column = "color",
      .type = T_ENUM,
      .flags = F_IMMUTABLE,
      .names = widget_color_names,
      .filters = FILTER_EQ | FILTER_IN,
      AT(color) },
    { .name = "tags",
      .column = "tags",
      .type = T_TEXTS,
      .flags = F_UNIQUE_ITEMS,
      .offset = offsetof(struct widget, tags),
      .min_length = -1,
      .max_length = 2 },
    { .name = "metadata",
      .column = "metadata",
      .type = T_JSON,
      .flags = F_ANY_OBJECT | F_TEXT_VALUES,
      AT(metadata) },
    { .name = "parts",
      .column = "parts",
      .type = T_OBJECTS,
      .object = &widget_part_schema,
      .count_offset = offsetof(struct widget, parts_count),
      .offset = offsetof(struct widget, parts),
      .min_length = -1,
      .max_length = 3 },
    { .name = "created_at",
      .column = "created_at",
      .type = T_TIME,
      .flags = F_READ_ONLY | F_SORT,
      .filters = FILTER_GT | FILTER_LT,
      AT(created_at) },
    { .name = "note",
      .column = "note",
      .type = T_TEXT,
      .flags = F_NULL,
      .since = 2010,
      .until = 2020,
      AT(note) },
};
#undef AT
static const struct schema widget_schema = { .name = "widget",
                                             .fields = widget_fields,
                                             .count = ARRAY_SIZE(widget_fields),
                                             .size = sizeof(struct widget) };
static const char *const widget_order[] = { "created_at desc", NULL };
static const struct resource widget_resource = { .schema = &widget_schema,
                                                 .table = "widget",
                                                 .key = "widget",
                                                 .plural = "widgets",
                                                 .title = "Widget",
                                                 .scope = RESOURCE_PROJECT,
                                                 .scope_column = "project_id",
                                                 .order = widget_order,
                                                 .id_field = WIDGET_F_ID,
                                                 .name_field = WIDGET_F_NAME,
                                                 .created_field = WIDGET_F_CREATED_AT,
                                                 .updated_field = -1 };
