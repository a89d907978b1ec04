/* Volume types: who sees which, their extra specs, access lists, and the default ones. */
#include "base/json.h"
#include "base/str.h"
#include "service.h"

/* --- The resource */

static void
take_public(struct volume_type *row)
{
    if (!field_given(&row->set, VOLUME_TYPE_F_IS_PUBLIC))
        return;
    row->access = row->is_public;
    field_mark(&row->set, VOLUME_TYPE_F_ACCESS);
}

static int
prepare_create(struct call *call, struct db_tx *tx, struct volume_type *row, struct fault *f)
{
    (void)tx;
    (void)f;
    take_public(row);
    if (row->extra_specs == NULL)
        row->extra_specs = json_own(call->arena, json_object());
    field_mark(&row->set, VOLUME_TYPE_F_EXTRA_SPECS);
    return 0;
}

static int
prepare_update(struct call *call, struct db_tx *tx, const struct volume_type *old, struct volume_type *row, struct fault *f)
{
    (void)tx;
    (void)old;
    if (json_object_size(json_object_get(call->body, "volume_type")) == 0)
        return fault_raise_field(f, "volume_type", "Specify volume type name, description, is_public or a combination thereof.");
    take_public(row);
    return 0;
}

static int
check_delete(struct call *call, struct db_tx *tx, const struct volume_type *row, struct fault *f)
{
    struct type_volumes_row used;

    if (str_equal(row->name, service_of(call)->config->default_type))
        return fault_raise(f, FAULT_INVALID, "Invalid volume type: Volume type %s is the default volume type and cannot be deleted.", row->id);
    if (type_volumes(tx->db, row->id, &used, f) < 0)
        return -1;
    if (used.count > 0)
        return fault_raise(f, FAULT_INVALID, "Target volume type is still in use.");
    return 0;
}

/* What a user may know of a type's extra specs: those that change what he can do with it. */
static json_t *
visible_specs(struct call *call, const json_t *all)
{
    static const char *const known[] = { "multiattach", "replication_enabled", "RESKEY:availability_zones" };
    json_t *some = json_own(call->arena, json_object());

    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        json_object_set(some, known[i], json_object_get(all, known[i]));
    return some;
}

static int
load(struct call *call, struct db *db, struct volume_type *const *rows, size_t count, struct fault *f)
{
    (void)db;
    (void)f;
    for (size_t i = 0; i < count; i++) {
        rows[i]->public_view = rows[i]->access;
        field_mark(&rows[i]->set, VOLUME_TYPE_F_PUBLIC_VIEW);
        if (!call_sees_all(call))
            rows[i]->extra_specs = visible_specs(call, rows[i]->extra_specs);
    }
    return 0;
}

static int
plan_list(struct call *call, struct list_plan *plan, struct fault *f)
{
    const char *is_public = call_query(call, "is_public"), *project = call->auth.project_id == NULL ? "" : call->auth.project_id;
    bool public = true;

    if (!call_is_admin(call)) {
        list_plan_where_sql(plan, "is_public OR id IN (SELECT type_id FROM volume_type_access WHERE project_id = %1)", &project, 1);
        return 0;
    }
    if (is_public != NULL && str_equal_nocase(is_public, "none"))
        return 0;
    if (is_public != NULL && str_to_bool(is_public, &public) < 0)
        return fault_raise_field(f, "is_public", "Invalid is_public filter [%.50s]", is_public);
    list_plan_where(plan, "os-volume-type-access:is_public", OP_EQ, public ? "t" : "f");
    return 0;
}

const struct volume_type_hooks volume_type_hooks = { .prepare_create = prepare_create, .prepare_update = prepare_update,
                                                     .check_delete = check_delete, .load = load, .plan_list = plan_list };

/* --- Show */

static int
not_found(const char *id, struct fault *f)
{
    return fault_raise(f, FAULT_NOT_FOUND, "Volume type %.255s could not be found.", id);
}

/* A private type that was not granted is one that does not exist. */
static int
load_visible(struct call *call, struct volume_type *ret, struct fault *f)
{
    const char *id = call_param(call, "type_id");
    struct type_row row;
    int found = type_find(call->db, id, call_is_admin(call) ? NULL : call->auth.project_id, &row, f);

    if (found < 0)
        return -1;
    return found == 0 ? not_found(id, f) : resource_load(call->db, &volume_type_resource, row.id, NULL, false, ret, f);
}

int
type_show(struct call *call, struct fault *f)
{
    struct volume_type row = { 0 };

    return load_visible(call, &row, f) < 0 ? -1 : resource_reply(call, &volume_type_resource, &row, f);
}

int
type_show_default(struct call *call, struct fault *f)
{
    struct volume_type row = { 0 };
    struct type_row found;
    int r = type_default(call->db, call->auth.project_id == NULL ? "" : call->auth.project_id, service_of(call)->config->default_type, &found, f);

    if (r <= 0)
        return r < 0 ? -1 : fault_raise(f, FAULT_NOT_FOUND, "Default volume type can not be found.");
    if (resource_load(call->db, &volume_type_resource, found.id, NULL, false, &row, f) < 0)
        return -1;
    return resource_reply(call, &volume_type_resource, &row, f);
}

/* --- Extra specs */

static void
reply(struct call *call, const char *key, const json_t *value)
{
    struct jsonw *w = call_json(call);

    jsonw_object(w, NULL);
    jsonw_json(w, key, value);
    jsonw_end(w);
}

static int
no_spec(const struct volume_type *row, const char *key, struct fault *f)
{
    return fault_raise(f, FAULT_NOT_FOUND, "Volume Type %s has no extra specs with key %.255s.", row->id, key);
}

int
type_specs_list(struct call *call, struct fault *f)
{
    struct volume_type row = { 0 };

    if (load_visible(call, &row, f) < 0)
        return -1;
    reply(call, "extra_specs", call_sees_all(call) ? row.extra_specs : visible_specs(call, row.extra_specs));
    return 0;
}

int
type_specs_show(struct call *call, struct fault *f)
{
    const char *key = call_param(call, "key");
    struct volume_type row = { 0 };
    const json_t *specs;

    if (load_visible(call, &row, f) < 0)
        return -1;
    specs = call_sees_all(call) ? row.extra_specs : visible_specs(call, row.extra_specs);
    if (json_object_get(specs, key) == NULL)
        return no_spec(&row, key, f);
    reply(call, key, json_object_get(specs, key));
    return 0;
}

static int
check_specs(const json_t *specs, struct fault *f)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)specs, key, value) {
        if (key[0] == '\0' || strlen(key) > 255 || key[strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_:. ")] != '\0')
            return fault_raise_field(f, "extra_specs", "Invalid input for field/attribute extra_specs. The key '%.255s' is not valid.", key);
        if (!json_is_string(value) || str_utf8_length(json_string_value(value)) > 255)
            return fault_raise_field(f, "extra_specs", "Invalid input for field/attribute extra_specs. The value of '%.255s' is not a text of at most "
                                                       "255 characters.", key);
    }
    return 0;
}

/* Merges, or takes one away, under the type's lock. */
static int
change_specs(struct call *call, const json_t *specs, const char *without, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct volume_type row = { 0 };
    json_t *all;

    if (db_tx_begin(&tx, call->db, f) < 0 || resource_load(tx.db, &volume_type_resource, call_param(call, "type_id"), NULL, true, &row, f) < 0)
        return -1;
    all = json_own(call->arena, json_copy(row.extra_specs));
    if (specs != NULL)
        json_object_update(all, (json_t *)(uintptr_t)specs);
    if (without != NULL && json_object_del(all, without) < 0)
        return no_spec(&row, without, f);
    if (type_set_specs(tx.db, row.id, all, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

int
type_specs_create(struct call *call, const struct type_specs *in, struct fault *f)
{
    if (check_specs(in->extra_specs, f) < 0 || change_specs(call, in->extra_specs, NULL, f) < 0)
        return -1;
    reply(call, "extra_specs", in->extra_specs);
    return 0;
}

int
type_specs_set(struct call *call, const struct type_spec_item *in, struct fault *f)
{
    const char *key = call_param(call, "key");

    (void)in; /* One member whose name is the path's: the body itself. */
    if (json_object_size(call->body) != 1 || json_object_get(call->body, key) == NULL)
        return fault_raise_field(f, "body", "Request body and URI mismatch");
    if (check_specs(call->body, f) < 0 || change_specs(call, call->body, NULL, f) < 0)
        return -1;
    reply(call, key, json_object_get(call->body, key));
    return 0;
}

int
type_specs_delete(struct call *call, struct fault *f)
{
    return change_specs(call, NULL, call_param(call, "key"), f);
}

/* --- Access */

static int
load_any(struct call *call, struct volume_type *ret, struct fault *f)
{
    return resource_load(call->db, &volume_type_resource, call_param(call, "type_id"), NULL, false, ret, f);
}

int
type_access_list(struct call *call, struct fault *f)
{
    struct type_access_ids_row *rows;
    struct volume_type row = { 0 };
    struct jsonw *w;
    size_t count;

    if (load_any(call, &row, f) < 0)
        return -1;
    if (row.access)
        return fault_raise(f, FAULT_NOT_FOUND, "Access list not available for public volume types.");
    if (type_access_ids(call->db, row.id, &rows, &count, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_array(w, "volume_type_access");
    for (size_t i = 0; i < count; i++) {
        jsonw_object(w, NULL);
        jsonw_text(w, "volume_type_id", row.id);
        jsonw_text(w, "project_id", rows[i].project_id);
        jsonw_end(w);
    }
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

int
type_access_add(struct call *call, const struct type_access *in, struct fault *f)
{
    struct volume_type row = { 0 };
    int added;

    if (load_any(call, &row, f) < 0)
        return -1;
    if (row.access)
        return fault_raise(f, FAULT_CONFLICT, "Type access modification is not applicable to public volume type.");
    added = type_access_insert(call->db, row.id, in->project, f);
    if (added == 0)
        return fault_raise(f, FAULT_CONFLICT, "Volume type access for %s / %.100s combination already exists.", row.id, in->project);
    return added < 0 ? -1 : 0;
}

int
type_access_remove(struct call *call, const struct type_access *in, struct fault *f)
{
    struct volume_type row = { 0 };
    int removed;

    if (load_any(call, &row, f) < 0)
        return -1;
    removed = type_access_delete(call->db, row.id, in->project, f);
    if (removed == 0)
        return fault_raise(f, FAULT_NOT_FOUND, "Volume type access not found for %s / %.100s combination.", row.id, in->project);
    return removed < 0 ? -1 : 0;
}

/* --- Default types of projects (3.62) */

static void
write_default(struct jsonw *w, const char *key, const char *project_id, const char *type_id)
{
    jsonw_object(w, key);
    jsonw_text(w, "project_id", project_id);
    jsonw_text(w, "volume_type_id", type_id);
    jsonw_end(w);
}

static int
reply_default(struct call *call, const char *project_id, const char *type_id)
{
    struct jsonw *w = call_json(call);

    jsonw_object(w, NULL);
    write_default(w, "default_type", project_id, type_id);
    jsonw_end(w);
    return 0;
}

int
default_type_list(struct call *call, struct fault *f)
{
    struct default_types_row *rows;
    struct jsonw *w;
    size_t count;

    if (default_types(call->db, &rows, &count, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_array(w, "default_types");
    for (size_t i = 0; i < count; i++)
        write_default(w, NULL, rows[i].project_id, rows[i].type_id);
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

int
default_type_show(struct call *call, struct fault *f)
{
    const char *project_id = call_param(call, "target_project_id");
    struct default_type_get_row row;
    int found = default_type_get(call->db, project_id, &row, f);

    if (found == 0)
        return fault_raise(f, FAULT_NOT_FOUND, "Default type for project %.100s not found.", project_id);
    return found < 0 ? -1 : reply_default(call, project_id, row.type_id);
}

int
default_type_set(struct call *call, const struct default_type_set *in, struct fault *f)
{
    const char *project_id = call_param(call, "target_project_id");
    struct type_row type;
    int found = type_find(call->db, in->volume_type, project_id, &type, f);

    if (found == 0)
        return not_found(in->volume_type, f);
    if (found < 0 || default_type_put(call->db, project_id, type.id, f) < 0)
        return -1;
    return reply_default(call, project_id, type.id);
}

int
default_type_unset(struct call *call, struct fault *f)
{
    const char *project_id = call_param(call, "target_project_id");
    int removed = default_type_remove(call->db, project_id, f);

    if (removed == 0)
        return fault_raise(f, FAULT_NOT_FOUND, "Default type for project %.100s not found.", project_id);
    return removed < 0 ? -1 : 0;
}
