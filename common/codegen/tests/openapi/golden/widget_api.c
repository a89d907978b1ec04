/* Generated from api-specs/openapi. Do not edit: change that. */

#include "widget_api.h"

const char *const widget_color_names[] = { "red", "deep-blue", NULL };

const char *const widget_state_names[] = { "new", "old", NULL };

static const struct field widget_part_fields[] = {
    { .name = "name", .type = T_TEXT, .flags = F_REQUIRED | F_NO_COLUMN, .offset = offsetof(struct widget_part, name), .min_length = 1, .max_length = 8 },
    { .name = "weight", .type = T_NUMBER, .flags = F_NO_COLUMN, .offset = offsetof(struct widget_part, weight), .min_length = -1, .max_length = -1, .min = 0.0, .has_min = true },
};
const struct schema widget_part_schema = { .name = "widget_part", .fields = widget_part_fields, .count = 2, .size = sizeof(struct widget_part), .open = false };

static const struct field widget_fields[] = {
    { .name = "id", .column = "id", .type = T_TEXT, .flags = F_READ_ONLY | F_SORT, .filters = FILTER_EQ, .format = FORMAT_UUID, .offset = offsetof(struct widget, id), .min_length = -1, .max_length = -1 },
    { .name = "project_id", .column = "project_id", .type = T_TEXT, .flags = F_READ_ONLY, .offset = offsetof(struct widget, project_id), .min_length = -1, .max_length = -1 },
    { .name = "tenant_id", .column = "project_id", .type = T_TEXT, .flags = F_READ_ONLY | F_ALIAS, .offset = offsetof(struct widget, tenant_id), .min_length = -1, .max_length = -1 },
    { .name = "name", .column = "name", .type = T_TEXT, .flags = F_NULL | F_REQUIRED | F_SORT, .filters = FILTER_EQ | FILTER_LIKE, .format = FORMAT_NAME, .offset = offsetof(struct widget, name), .min_length = -1, .max_length = 255 },
    { .name = "size", .column = "size_gb", .type = T_INT, .flags = F_COERCE | F_DEFAULT, .filters = FILTER_GT | FILTER_LT, .offset = offsetof(struct widget, size), .fallback = "3", .min_length = -1, .max_length = -1, .min = 1.0, .has_min = true, .max = 9.0, .has_max = true },
    { .name = "price", .column = "price", .type = T_NUMBER, .flags = F_DETAIL, .offset = offsetof(struct widget, price), .min_length = -1, .max_length = -1 },
    { .name = "enabled", .column = "enabled", .type = T_BOOL, .flags = F_DEFAULT, .filters = FILTER_EQ, .offset = offsetof(struct widget, enabled), .fallback = "true", .min_length = -1, .max_length = -1 },
    { .name = "color", .column = "color", .type = T_ENUM, .flags = F_IMMUTABLE, .filters = FILTER_IN, .offset = offsetof(struct widget, color), .names = widget_color_names, .min_length = -1, .max_length = -1, .has_policy = true },
    { .name = "state", .column = "state", .type = T_ENUM, .flags = F_READ_ONLY, .offset = offsetof(struct widget, state), .names = widget_state_names, .min_length = -1, .max_length = -1 },
    { .name = "tags", .column = "tags", .type = T_TEXTS, .flags = F_UNIQUE_ITEMS, .offset = offsetof(struct widget, tags), .pattern = "^[^,]*$", .min_length = -1, .max_length = 4, .item_min = 1, .item_max = 60 },
    { .name = "part", .column = "part", .type = T_OBJECT, .offset = offsetof(struct widget, part), .object = &widget_part_schema, .min_length = -1, .max_length = -1 },
    { .name = "parts", .column = "parts", .type = T_OBJECTS, .offset = offsetof(struct widget, parts), .count_offset = offsetof(struct widget, parts_count), .object = &widget_part_schema, .min_length = -1, .max_length = -1 },
    { .name = "metadata", .column = "metadata", .type = T_JSON, .flags = F_ANY_OBJECT | F_TEXT_VALUES | F_DEFAULT, .offset = offsetof(struct widget, metadata), .fallback = "{}", .min_length = -1, .max_length = -1 },
    { .name = "anything", .column = "anything", .type = T_JSON, .flags = F_NULL, .offset = offsetof(struct widget, anything), .min_length = -1, .max_length = -1 },
    { .name = "secret", .type = T_TEXT, .flags = F_WRITE_ONLY | F_NO_COLUMN, .offset = offsetof(struct widget, secret), .min_length = -1, .max_length = -1 },
    { .name = "note", .column = "note", .type = T_TEXT, .flags = F_NULL | F_HIDE_NULL, .offset = offsetof(struct widget, note), .min_length = -1, .max_length = -1, .since = 2003, .until = 2008 },
    { .name = "note", .type = T_INT, .flags = F_NO_COLUMN, .offset = offsetof(struct widget, note_number), .min_length = -1, .max_length = -1, .since = 2009 },
    { .name = "created_at", .column = "created_at", .type = T_TIME, .flags = F_READ_ONLY | F_SORT, .offset = offsetof(struct widget, created_at), .min_length = -1, .max_length = -1 },
    { .name = "extra", .column = "extra", .type = T_JSON, .flags = F_ANY_OBJECT | F_SPREAD | F_SPREAD_ANY | F_DEFAULT, .offset = offsetof(struct widget, extra), .fallback = "{}", .min_length = -1, .max_length = -1 },
};
const struct schema widget_schema = { .name = "widget", .fields = widget_fields, .count = 19, .size = sizeof(struct widget), .open = false };

static const struct field widget_paint_fields[] = {
    { .name = "color", .type = T_ENUM, .flags = F_REQUIRED | F_NO_COLUMN, .offset = offsetof(struct widget_paint, color), .names = widget_color_names, .min_length = -1, .max_length = -1 },
};
const struct schema widget_paint_schema = { .name = "widget_paint", .fields = widget_paint_fields, .count = 1, .size = sizeof(struct widget_paint), .open = true };

static const struct field widget_hints_fields[] = {
    { .name = "hint", .type = T_JSON, .flags = F_ANY_OBJECT | F_NO_COLUMN, .offset = offsetof(struct widget_hints, hint), .min_length = -1, .max_length = -1 },
};
const struct schema widget_hints_schema = { .name = "widget_hints", .fields = widget_hints_fields, .count = 1, .size = sizeof(struct widget_hints), .open = false };

static int
widget_hook_target(struct call *call, struct db *db, void *row, struct fault *f)
{
    return widget_hooks.target == NULL ? 0 : widget_hooks.target(call, db, row, f);
}

static int
widget_hook_settle(struct call *call, struct db_tx *tx, struct fault *f)
{
    return widget_hooks.settle == NULL ? 0 : widget_hooks.settle(call, tx, f);
}

static int
widget_hook_prepare_create(struct call *call, struct db_tx *tx, void *row, struct fault *f)
{
    return widget_hooks.prepare_create == NULL ? 0 : widget_hooks.prepare_create(call, tx, row, f);
}

static int
widget_hook_after_create(struct call *call, struct db_tx *tx, void *row, struct fault *f)
{
    return widget_hooks.after_create == NULL ? 0 : widget_hooks.after_create(call, tx, row, f);
}

static int
widget_hook_prepare_update(struct call *call, struct db_tx *tx, const void *old, void *row, struct fault *f)
{
    return widget_hooks.prepare_update == NULL ? 0 : widget_hooks.prepare_update(call, tx, old, row, f);
}

static int
widget_hook_after_update(struct call *call, struct db_tx *tx, const void *old, void *row, struct fault *f)
{
    return widget_hooks.after_update == NULL ? 0 : widget_hooks.after_update(call, tx, old, row, f);
}

static int
widget_hook_check_delete(struct call *call, struct db_tx *tx, const void *row, struct fault *f)
{
    return widget_hooks.check_delete == NULL ? 0 : widget_hooks.check_delete(call, tx, row, f);
}

static int
widget_hook_after_delete(struct call *call, struct db_tx *tx, const void *row, struct fault *f)
{
    return widget_hooks.after_delete == NULL ? 0 : widget_hooks.after_delete(call, tx, row, f);
}

static int
widget_hook_load(struct call *call, struct db *db, void *const *rows, size_t count, struct fault *f)
{
    return widget_hooks.load == NULL ? 0 : widget_hooks.load(call, db, (struct widget *const *)rows, count, f);
}

static void
widget_hook_committed(struct call *call, const void *row)
{
    if (widget_hooks.committed != NULL)
        widget_hooks.committed(call, row);
}

static const char *
widget_hook_rule(struct call *call, const void *row)
{
    return widget_hooks.rule == NULL ? NULL : widget_hooks.rule(call, row);
}

static int
widget_hook_plan_list(struct call *call, struct list_plan *plan, struct fault *f)
{
    return widget_hooks.plan_list == NULL ? 0 : widget_hooks.plan_list(call, plan, f);
}

static const struct resource_hooks widget_hook_table = {
    .target = widget_hook_target,
    .settle = widget_hook_settle,
    .prepare_create = widget_hook_prepare_create,
    .after_create = widget_hook_after_create,
    .prepare_update = widget_hook_prepare_update,
    .after_update = widget_hook_after_update,
    .check_delete = widget_hook_check_delete,
    .after_delete = widget_hook_after_delete,
    .load = widget_hook_load,
    .committed = widget_hook_committed,
    .plan_list = widget_hook_plan_list,
    .rule = widget_hook_rule,
};

static const struct resource_text widget_unique[] = { { "widget_name_key", "A widget named %s exists." }, { NULL, NULL } };
static const struct resource_text widget_in_use[] = { { "part_widget_id_fkey", "The widget has parts." }, { NULL, NULL } };
static const char *const widget_order[] = { "created_at desc", NULL };
const struct resource widget_resource = {
    .schema = &widget_schema,
    .table = "widget",
    .key = "widget",
    .plural = "widgets",
    .path = "/v2/{project_id}/widgets",
    .title = "Widget",
    .not_found = "No widget %s.",
    .not_found_code = NULL,
    .scope = RESOURCE_PROJECT,
    .scope_column = "project_id",
    .scope_or = NULL,
    .order = widget_order,
    .id_field = 0,
    .name_field = 3,
    .created_field = 17,
    .updated_field = -1,
    .unique = widget_unique,
    .in_use = widget_in_use,
    .links = NULL,
    .hooks = &widget_hook_table,
};

static int
call_versions_list(struct call *call, const void *in, const void *siblings, struct fault *f)
{
    (void)in;
    (void)siblings;
    return versions_list(call, f);
}

static int
call_widget_paint(struct call *call, const void *in, const void *siblings, struct fault *f)
{
    (void)siblings;
    return widget_paint(call, in, f);
}

static int
call_widget_polish(struct call *call, const void *in, const void *siblings, struct fault *f)
{
    (void)in;
    (void)siblings;
    return widget_polish(call, f);
}

static int
call_widget_import(struct call *call, const void *in, const void *siblings, struct fault *f)
{
    return widget_import(call, in, siblings, f);
}

static int
call_widget_upload(struct call *call, const void *in, const void *siblings, struct fault *f)
{
    (void)in;
    (void)siblings;
    return widget_upload(call, f);
}

static const struct policy_default policies[] = {
    { "widget:list", "@" },
    { "widget:own", "project_id:%(project_id)s" },
    { "widget:own:color", "role:admin" },
};

static const struct operation operations[] = {
    { .method = HTTP_GET, .path = "/", .id = "list_versions", .handler = call_versions_list, .success = 200, .flags = OP_PUBLIC },
    { .method = HTTP_GET, .path = "/v2/{project_id}/widgets", .id = "list_widgets", .policy = "widget:list", .verb = VERB_LIST, .resource = &widget_resource, .view = VIEW_SUMMARY, .success = 200, .flags = OP_PROJECT_PATH },
    { .method = HTTP_GET, .path = "/v2/widgets", .id = "list_widgets", .policy = "widget:list", .verb = VERB_LIST, .resource = &widget_resource, .view = VIEW_SUMMARY, .success = 200 },
    { .method = HTTP_POST, .path = "/v2/{project_id}/widgets", .id = "create_widget", .policy = "widget:own", .verb = VERB_CREATE, .resource = &widget_resource, .success = 202, .flags = OP_PROJECT_PATH },
    { .method = HTTP_POST, .path = "/v2/widgets", .id = "create_widget", .policy = "widget:own", .verb = VERB_CREATE, .resource = &widget_resource, .success = 202 },
    { .method = HTTP_GET, .path = "/v2/{project_id}/widgets/{widget_id}", .id = "show_widget", .policy = "widget:own", .verb = VERB_SHOW, .resource = &widget_resource, .fallback = &widget_resource, .path_id = "widget_id", .success = 200, .flags = OP_PROJECT_PATH },
    { .method = HTTP_GET, .path = "/v2/widgets/{widget_id}", .id = "show_widget", .policy = "widget:own", .verb = VERB_SHOW, .resource = &widget_resource, .fallback = &widget_resource, .path_id = "widget_id", .success = 200 },
    { .method = HTTP_PUT, .path = "/v2/{project_id}/widgets/{widget_id}", .id = "update_widget", .policy = "widget:own", .verb = VERB_UPDATE, .resource = &widget_resource, .path_id = "widget_id", .success = 200, .flags = OP_PROJECT_PATH },
    { .method = HTTP_PUT, .path = "/v2/widgets/{widget_id}", .id = "update_widget", .policy = "widget:own", .verb = VERB_UPDATE, .resource = &widget_resource, .path_id = "widget_id", .success = 200 },
    { .method = HTTP_DELETE, .path = "/v2/{project_id}/widgets/{widget_id}", .id = "delete_widget", .policy = "widget:own", .verb = VERB_DELETE, .resource = &widget_resource, .path_id = "widget_id", .success = 204, .flags = OP_PROJECT_PATH },
    { .method = HTTP_DELETE, .path = "/v2/widgets/{widget_id}", .id = "delete_widget", .policy = "widget:own", .verb = VERB_DELETE, .resource = &widget_resource, .path_id = "widget_id", .success = 204 },
    { .method = HTTP_POST, .path = "/v2/{project_id}/widgets/{widget_id}/action", .action = "paint", .id = "paint_widget", .policy = "widget:own", .path_id = "widget_id", .input = &widget_paint_schema, .handler = call_widget_paint, .success = 202, .flags = OP_DEFER_POLICY | OP_PROJECT_PATH },
    { .method = HTTP_POST, .path = "/v2/widgets/{widget_id}/action", .action = "paint", .id = "paint_widget", .policy = "widget:own", .path_id = "widget_id", .input = &widget_paint_schema, .handler = call_widget_paint, .success = 202, .flags = OP_DEFER_POLICY },
    { .method = HTTP_POST, .path = "/v2/{project_id}/widgets/{widget_id}/action", .action = "polish", .id = "polish_widget", .policy = "widget:own", .path_id = "widget_id", .handler = call_widget_polish, .success = 202, .since = 2004, .flags = OP_PROJECT_PATH },
    { .method = HTTP_POST, .path = "/v2/widgets/{widget_id}/action", .action = "polish", .id = "polish_widget", .policy = "widget:own", .path_id = "widget_id", .handler = call_widget_polish, .success = 202, .since = 2004 },
    { .method = HTTP_POST, .path = "/v2/{project_id}/imports", .id = "import_widget", .path_id = "project_id", .input = &widget_paint_schema, .input_key = "widget", .siblings = &widget_hints_schema, .handler = call_widget_import, .success = 200, .flags = OP_ANY_TOKEN | OP_PROJECT_PATH },
    { .method = HTTP_POST, .path = "/v2/imports", .id = "import_widget", .input = &widget_paint_schema, .input_key = "widget", .siblings = &widget_hints_schema, .handler = call_widget_import, .success = 200, .flags = OP_ANY_TOKEN },
    { .method = HTTP_PUT, .path = "/v2/{project_id}/uploads", .id = "upload_widget", .policy = "widget:own", .path_id = "project_id", .handler = call_widget_upload, .success = 200, .flags = OP_STREAM | OP_PROJECT_PATH },
    { .method = HTTP_PUT, .path = "/v2/uploads", .id = "upload_widget", .policy = "widget:own", .handler = call_widget_upload, .success = 200, .flags = OP_STREAM },
    { .method = HTTP_GET, .path = "/openapi.json", .id = "show_openapi", .handler = api_show_document, .success = 200, .flags = OP_PUBLIC | OP_INLINE },
};

static const char *const catalog_types[] = { "widgets", NULL };
static const char document[] =
    "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"Widgets\",\"version\":\"2.1\"},\"x-virga\":{\"service\":\"widget\",\"type\":\""
    "widgets\",\"dialect\":\"nova\",\"microversions\":{\"min\":\"2.1\",\"max\":\"2.9\"},\"project_path\":\"/v2/{project_id}"
    "\",\"policies\":{\"widget:list\":\"@\",\"widget:own\":\"project_id:%(project_id)s\",\"widget:own:color\":\"role:ad"
    "min\"}},\"paths\":{\"/\":{\"get\":{\"operationId\":\"list_versions\",\"x-virga\":{\"public\":true,\"handler\":\"versio"
    "ns_list\"}}},\"/v2/{project_id}/widgets\":{\"get\":{\"operationId\":\"list_widgets\",\"x-virga\":{\"policy\":\"wid"
    "get:list\",\"verb\":\"list\",\"resource\":\"Widget\",\"view\":\"summary\"}},\"post\":{\"operationId\":\"create_widget\""
    ",\"x-virga\":{\"policy\":\"widget:own\",\"verb\":\"create\",\"resource\":\"Widget\",\"success\":202}}},\"/v2/{project"
    "_id}/widgets/{widget_id}\":{\"get\":{\"operationId\":\"show_widget\",\"x-virga\":{\"policy\":\"widget:own\",\"verb"
    "\":\"show\",\"resource\":\"Widget\",\"fallback\":\"Widget\"}},\"put\":{\"operationId\":\"update_widget\",\"x-virga\":{\""
    "policy\":\"widget:own\",\"verb\":\"update\",\"resource\":\"Widget\"}},\"delete\":{\"operationId\":\"delete_widget\",\""
    "x-virga\":{\"policy\":\"widget:own\",\"verb\":\"delete\",\"resource\":\"Widget\"}}},\"/v2/{project_id}/widgets/{wi"
    "dget_id}/action\":{\"post\":{\"operationId\":\"act_on_widget\",\"x-virga-actions\":{\"paint\":{\"operationId\":\"p"
    "aint_widget\",\"policy\":\"widget:own\",\"handler\":\"widget_paint\",\"input\":\"WidgetPaint\",\"success\":202,\"def"
    "er_policy\":true},\"polish\":{\"operationId\":\"polish_widget\",\"policy\":\"widget:own\",\"handler\":\"widget_pol"
    "ish\",\"success\":202,\"since\":\"2.4\"}}}},\"/v2/{project_id}/imports\":{\"post\":{\"operationId\":\"import_widge"
    "t\",\"x-virga\":{\"any_token\":true,\"handler\":\"widget_import\",\"input\":\"WidgetPaint\",\"key\":\"widget\",\"sibli"
    "ngs\":\"WidgetHints\"}}},\"/v2/{project_id}/uploads\":{\"put\":{\"operationId\":\"upload_widget\",\"x-virga\":{\"p"
    "olicy\":\"widget:own\",\"handler\":\"widget_upload\",\"stream\":true}}}},\"components\":{\"schemas\":{\"WidgetColo"
    "r\":{\"type\":\"string\",\"enum\":[\"red\",\"deep-blue\"]},\"WidgetPart\":{\"type\":\"object\",\"required\":[\"name\"],\"p"
    "roperties\":{\"name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":8},\"weight\":{\"type\":\"number\",\"minimum\""
    ":0}}},\"Widget\":{\"type\":\"object\",\"x-virga-resource\":{\"table\":\"widget\",\"scope\":\"project\",\"path\":\"/v2/{"
    "project_id}/widgets\",\"hooks\":true,\"order\":[\"created_at desc\"],\"not_found\":\"No widget %s.\",\"unique\":{"
    "\"widget_name_key\":\"A widget named %s exists.\"},\"in_use\":{\"part_widget_id_fkey\":\"The widget has parts"
    ".\"}},\"required\":[\"name\"],\"properties\":{\"id\":{\"type\":\"string\",\"format\":\"uuid\",\"readOnly\":true,\"x-virg"
    "a\":{\"sort\":true,\"filter\":[\"eq\"]}},\"project_id\":{\"type\":\"string\",\"readOnly\":true},\"tenant_id\":{\"type\""
    ":\"string\",\"readOnly\":true,\"x-virga\":{\"column\":\"project_id\",\"alias\":true}},\"name\":{\"type\":[\"string\",\""
    "null\"],\"maxLength\":255,\"format\":\"name\",\"x-virga\":{\"filter\":[\"eq\",\"like\"],\"sort\":true}},\"size\":{\"type"
    "\":\"integer\",\"minimum\":1,\"maximum\":9,\"default\":3,\"x-virga\":{\"coerce\":true,\"column\":\"size_gb\",\"filter\""
    ":[\"gt\",\"lt\"]}},\"price\":{\"type\":\"number\",\"x-virga\":{\"views\":[\"detail\"]}},\"enabled\":{\"type\":\"boolean\","
    "\"default\":true,\"x-virga\":{\"filter\":[\"eq\"]}},\"color\":{\"$ref\":\"#/components/schemas/WidgetColor\",\"x-vi"
    "rga\":{\"immutable\":true,\"policy\":true,\"filter\":[\"in\"]}},\"state\":{\"type\":\"string\",\"enum\":[\"new\",\"old\"]"
    ",\"readOnly\":true},\"tags\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":60,\"patt"
    "ern\":\"^[^,]*$\"},\"maxItems\":4,\"uniqueItems\":true},\"part\":{\"$ref\":\"#/components/schemas/WidgetPart\"},\""
    "parts\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/WidgetPart\"}},\"metadata\":{\"type\":\"objec"
    "t\",\"additionalProperties\":{\"type\":\"string\"},\"default\":{}},\"anything\":{},\"secret\":{\"type\":\"string\",\"w"
    "riteOnly\":true,\"x-virga\":{\"column\":false}},\"note\":{\"type\":[\"string\",\"null\"],\"x-virga\":{\"since\":\"2.3\""
    ",\"until\":\"2.8\",\"hide_null\":true}},\"note_number\":{\"type\":\"integer\",\"x-virga\":{\"name\":\"note\",\"since\":\""
    "2.9\",\"column\":false}},\"created_at\":{\"type\":\"string\",\"format\":\"date-time\",\"readOnly\":true,\"x-virga\":{"
    "\"sort\":true}},\"extra\":{\"type\":\"object\",\"default\":{},\"x-virga\":{\"spread\":\"any\"}}}},\"WidgetPaint\":{\"ty"
    "pe\":\"object\",\"additionalProperties\":true,\"required\":[\"color\"],\"properties\":{\"color\":{\"$ref\":\"#/compo"
    "nents/schemas/WidgetColor\"}}},\"WidgetHints\":{\"type\":\"object\",\"properties\":{\"hint\":{\"type\":\"object\"}}"
    "}}}}";

const struct api widget_api = {
    .service = "widget",
    .type = "widgets",
    .catalog_types = catalog_types,
    .legacy_version_header = NULL,
    .dialect = DIALECT_NOVA,
    .min_version = 2001,
    .max_version = 2009,
    .operations = operations,
    .operations_count = ARRAY_SIZE(operations),
    .policies = policies,
    .policies_count = ARRAY_SIZE(policies),
    .document = document,
};
