#include "images.h"

#include "base/json.h"
#include "base/str.h"
#include "base/uuid.h"

int
image_get(struct call *call, const char *rule, bool lock, struct image *ret, struct fault *f)
{
    if (resource_load(call->db, &image_resource, call_param(call, "image_id"),
                      call_scope(call, RESOURCE_PROJECT), lock, ret, f) < 0)
        return -1;
    return call_enforce(call, rule, &image_resource, ret, f);
}

/* --- What may be written */

int
image_check_writable(const char *name, bool changing, struct fault *f)
{
    /* Names that mean something elsewhere in the API, and so can be no property. */
    static const char *const reserved[] = { "locations", "location",   "direct_url",
                                            "deleted",   "deleted_at", "stores" };

    for (size_t i = 0; i < ARRAY_SIZE(reserved); i++) {
        if (str_equal(name, reserved[i]))
            return fault_raise(f, FAULT_FORBIDDEN, "Attribute '%s' is reserved.", name);
    }
    if (str_starts(name, "os_glance_"))
        return fault_raise(f, FAULT_FORBIDDEN, "Attribute '%.255s' is reserved.", name);
    for (size_t i = 0; i < image_schema.count; i++) {
        const struct field *field = &image_schema.fields[i];
        uint32_t fixed = F_READ_ONLY | (changing ? F_IMMUTABLE : 0);

        if (str_equal(name, field->name) && (field->flags & fixed) != 0)
            return fault_raise(f, FAULT_FORBIDDEN, "Attribute '%s' is read-only.", name);
    }
    return 0;
}

int
image_clean_tags(struct arena *a, struct texts *tags, struct fault *f)
{
    struct texts clean = { .items = ARENA_ARRAY(a, const char *, tags->count + 1) };

    for (size_t i = 0; i < tags->count; i++) {
        bool seen = false;

        if (str_utf8_length(tags->items[i]) > 255)
            return fault_raise_field(f, "tags", "Tags may be at most 255 characters long.");
        for (size_t j = 0; j < clean.count; j++)
            seen = seen || str_equal(clean.items[j], tags->items[i]);
        if (!seen)
            clean.items[clean.count++] = tags->items[i];
    }
    *tags = clean;
    return 0;
}

static int
check_number(size_t count, int64_t quota, const char *what, struct fault *f)
{
    if (quota < 0 || (int64_t)count <= quota)
        return 0;
    return fault_raise(f, FAULT_QUOTA,
                       "The limit has been exceeded on the number of allowed image %s. "
                       "Attempted: %zu, Maximum: %lld",
                       what, count, (long long)quota);
}

static int
check_visibility(struct call *call, const struct image *old, const struct image *row,
                 struct fault *f)
{
    const struct image *target = old != NULL ? old : row;

    if (!field_given(&row->set, IMAGE_F_VISIBILITY) ||
        (old != NULL && old->visibility == row->visibility))
        return 0;
    if (row->visibility == IMAGE_VISIBILITY_PUBLIC)
        return call_enforce(call, "publicize_image", &image_resource, target, f);
    if (row->visibility == IMAGE_VISIBILITY_COMMUNITY)
        return call_enforce(call, "communitize_image", &image_resource, target, f);
    return 0;
}

int
image_check_change(struct call *call, const struct image *old, struct image *row, struct fault *f)
{
    const struct image_config *config = image_service_of(call)->config;

    if (field_given(&row->set, IMAGE_F_TAGS)) {
        /* A list that is far too long is not compared tag by tag. */
        if (row->tags.count > 4 * (size_t)MAX(config->tag_quota, 1) && config->tag_quota >= 0)
            return check_number(row->tags.count, config->tag_quota, "tags", f);
        if (image_clean_tags(call->arena, &row->tags, f) < 0 ||
            check_number(row->tags.count, config->tag_quota, "tags", f) < 0)
            return -1;
    }
    if (field_given(&row->set, IMAGE_F_PROPERTIES) &&
        check_number(json_object_size(row->properties), config->property_quota, "properties", f) <
            0)
        return -1;
    if (old != NULL && field_given(&row->set, IMAGE_F_OWNER)) {
        if (!call_allowed(call, "change_owner", &image_resource, old))
            return fault_raise(f, FAULT_FORBIDDEN,
                               "You are not permitted to modify 'owner' on this image.");
        if (row->owner == NULL)
            return fault_raise_field(f, "owner", "An image must have an owner.");
    }
    return check_visibility(call, old, row, f);
}

/* --- create */

static int
parse_new(struct call *call, struct image *row, struct fault *f)
{
    const char *name;
    json_t *value;

    if (!json_is_object(call->body))
        return fault_raise_field(f, "body", "The request body must be a JSON object.");
    json_object_foreach(call->body, name, value)
    {
        if (image_check_writable(name, false, f) < 0)
            return -1;
    }
    if (schema_parse(&image_schema, call->body, SCHEMA_CREATE, 0, "", call->arena, row, f) < 0)
        return -1;
    if (row->id == NULL)
        row->id = uuid_make(call->arena);
    if (row->owner == NULL)
        row->owner = call->auth.project_id;
    if (row->owner == NULL)
        return fault_raise(f, FAULT_FORBIDDEN, "The token is not scoped to a project.");
    field_mark(&row->set, IMAGE_F_ID);
    field_mark(&row->set, IMAGE_F_OWNER);
    return 0;
}

int
image_create(struct call *call, struct fault *f)
{
    struct image *row = ARENA_NEW(call->arena, struct image);

    if (parse_new(call, row, f) < 0)
        return -1;
    if (call->auth.project_id != NULL && !str_equal(row->owner, call->auth.project_id) &&
        !call_allowed(call, "change_owner", &image_resource, row))
        return fault_raise(f, FAULT_FORBIDDEN,
                           "You are not permitted to create images owned by '%.255s'.", row->owner);
    call->object_id = row->id;
    if (call_enforce(call, "add_image", &image_resource, row, f) < 0 ||
        image_check_change(call, NULL, row, f) < 0 ||
        resource_insert(call->db, &image_resource, row, f) < 0)
        return -1;
    call_header(call, "Location", call_url(call, "/v2/images/%s", row->id));
    call_header(call, "OpenStack-image-import-methods", "glance-direct");
    return resource_reply(call, &image_resource, row, f);
}

/* --- list */

/* What else than a property's name may stand in the query. */
static bool
is_property_filter(const char *name)
{
    static const char *const own[] = { "limit",      "marker",       "sort",     "sort_key",
                                       "sort_dir",   "tag",          "size_min", "size_max",
                                       "visibility", "member_status" };

    for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
        if (str_equal(name, own[i]))
            return false;
    }
    for (size_t i = 0; i < image_schema.count; i++) {
        if (str_equal(name, image_schema.fields[i].name))
            return (image_schema.fields[i].flags & F_SPREAD) != 0;
    }
    return true;
}

static int
size_filter(struct call *call, struct list_plan *plan, const char *name, const char *sql,
            struct fault *f)
{
    const char *text = call_query(call, name);
    int64_t size;

    if (text == NULL)
        return 0;
    if (str_to_int64(text, 0, INT64_MAX, &size) < 0)
        return fault_raise_field(f, name,
                                 "'%s' value out of range: must be a non-negative integer.", name);
    list_plan_where_sql(plan, sql, &text, 1);
    return 0;
}

static int
word_filter(const char *name, const char *text, const char *const *words, struct fault *f)
{
    if (str_equal(text, "all"))
        return 0;
    for (size_t i = 0; words[i] != NULL; i++) {
        if (str_equal(text, words[i]))
            return 0;
    }
    return fault_raise_field(f, name, "Invalid value for option %s: %.100s", name, text);
}

/* Community images are seen by those who ask for them; shared ones by those who took them. An owner sees his own,
 * and who sees everything (no scope) only leaves out other projects' community images. */
static int
visibility_filter(struct call *call, struct list_plan *plan, struct fault *f)
{
    const char *visibility = call_query(call, "visibility");
    const char *status = call_query(call, "member_status");
    const char *values[2] = { call->auth.project_id == NULL ? "" : call->auth.project_id,
                              status == NULL ? "accepted" : status };

    if (status != NULL && word_filter("member_status", status, image_member_status_names, f) < 0)
        return -1;
    if (visibility != NULL && word_filter("visibility", visibility, image_visibility_names, f) < 0)
        return -1;
    if (visibility == NULL && call_query(call, "id") == NULL)
        list_plan_where_sql(plan, "visibility <> 'community' OR owner = %1", values, 1);
    else if (visibility != NULL && !str_equal(visibility, "all"))
        list_plan_where(plan, "visibility", OP_EQ, visibility);
    if (plan->scope != NULL && !str_equal(values[1], "all"))
        list_plan_where_sql(
            plan,
            "visibility <> 'shared' OR owner = %1 OR EXISTS (SELECT 1 FROM image_member m "
            "WHERE m.image_id = image.id AND m.member_id = %1 AND m.status = %2)",
            values, 2);
    return 0;
}

static int
plan_list(struct call *call, struct list_plan *plan, struct fault *f)
{
    const struct http_request *request = call->request;

    if (call_query(call, "sort") != NULL &&
        (call_query(call, "sort_key") != NULL || call_query(call, "sort_dir") != NULL))
        return fault_raise_field(f, "sort", "Old and new sorting syntax cannot be combined");
    if (visibility_filter(call, plan, f) < 0 ||
        size_filter(call, plan, "size_min", "size >= %1::bigint", f) < 0 ||
        size_filter(call, plan, "size_max", "size <= %1::bigint", f) < 0)
        return -1;
    if (call_query(call, "os_hidden") == NULL)
        list_plan_where(plan, "os_hidden", OP_EQ, "f");
    for (size_t i = 0; i < request->query_count; i++) {
        const char *values[2] = { request->query[i].name,
                                  request->query[i].value == NULL ? "" : request->query[i].value };

        if (str_equal(values[0], "tag")) {
            list_plan_where_sql(plan, "tags @> to_jsonb(ARRAY[%1::text])", &values[1], 1);
        } else if (is_property_filter(values[0])) {
            list_plan_where_sql(plan, "properties ->> %1::text = %2::text", values, 2);
        }
    }
    return 0;
}

/* --- The other hooks */

static int
load(struct call *call, struct db *db, struct image *const *rows, size_t count, struct fault *f)
{
    (void)db;
    (void)f;
    for (size_t i = 0; i < count; i++) {
        rows[i]->self = arena_printf(call->arena, "/v2/images/%s", rows[i]->id);
        rows[i]->file = arena_printf(call->arena, "/v2/images/%s/file", rows[i]->id);
        rows[i]->schema = "/v2/schemas/image";
        field_mark(&rows[i]->set, IMAGE_F_SELF);
        field_mark(&rows[i]->set, IMAGE_F_FILE);
        field_mark(&rows[i]->set, IMAGE_F_SCHEMA);
    }
    return 0;
}

static int
check_delete(struct call *call, struct db_tx *tx, const struct image *row, struct fault *f)
{
    (void)call;
    (void)tx;
    if (row->protected)
        return fault_raise(f, FAULT_FORBIDDEN, "Image %s is protected and cannot be deleted.",
                           row->id);
    return 0;
}

/* After a delete. An upload that is still running finds its file and its row gone, and ends. */
static void
committed(struct call *call, const struct image *row)
{
    if (call->operation->verb == VERB_DELETE && row->data_id != NULL)
        store_remove(image_service_of(call)->store, row->data_id);
}

const struct image_hooks image_hooks = {
    .plan_list = plan_list,
    .load = load,
    .check_delete = check_delete,
    .committed = committed,
};
