/* Volume types as a resource: who sees which. */
#include "types.h"

#include "base/json.h"
#include "base/str.h"

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
prepare_update(struct call *call, struct db_tx *tx, const struct volume_type *old,
               struct volume_type *row, struct fault *f)
{
    (void)tx;
    (void)old;
    if (json_object_size(json_object_get(call->body, "volume_type")) == 0)
        return fault_raise_field(
            f, "volume_type",
            "Specify volume type name, description, is_public or a combination thereof.");
    take_public(row);
    return 0;
}

static int
check_delete(struct call *call, struct db_tx *tx, const struct volume_type *row, struct fault *f)
{
    struct type_volumes_row used;

    if (str_equal(row->name, service_of(call)->config->default_type))
        return fault_raise(
            f, FAULT_INVALID,
            "Invalid volume type: Volume type %s is the default volume type and cannot be deleted.",
            row->id);
    if (type_volumes(tx->db, row->id, &used, f) < 0)
        return -1;
    if (used.count > 0)
        return fault_raise(f, FAULT_INVALID, "Target volume type is still in use.");
    return 0;
}

json_t *
type_visible_specs(struct call *call, const json_t *all)
{
    static const char *const known[] = { "multiattach", "replication_enabled",
                                         "RESKEY:availability_zones" };
    json_t *some = json_own(call->arena, json_object());

    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        json_object_set(some, known[i], json_object_get(all, known[i]));
    return some;
}

static int
load(struct call *call, struct db *db, struct volume_type *const *rows, size_t count,
     struct fault *f)
{
    (void)db;
    (void)f;
    for (size_t i = 0; i < count; i++) {
        rows[i]->public_view = rows[i]->access;
        field_mark(&rows[i]->set, VOLUME_TYPE_F_PUBLIC_VIEW);
        if (!call_sees_all(call))
            rows[i]->extra_specs = type_visible_specs(call, rows[i]->extra_specs);
    }
    return 0;
}

static int
plan_list(struct call *call, struct list_plan *plan, struct fault *f)
{
    const char *is_public = call_query(call, "is_public"),
               *project = call->auth.project_id == NULL ? "" : call->auth.project_id;
    bool public = true;

    if (!call_is_admin(call)) {
        list_plan_where_sql(
            plan,
            "is_public OR id IN (SELECT type_id FROM volume_type_access WHERE project_id = %1)",
            &project, 1);
        return 0;
    }
    if (is_public != NULL && str_equal_nocase(is_public, "none"))
        return 0;
    if (is_public != NULL && str_to_bool(is_public, &public) < 0)
        return fault_raise_field(f, "is_public", "Invalid is_public filter [%.50s]", is_public);
    list_plan_where(plan, "os-volume-type-access:is_public", OP_EQ, public ? "t" : "f");
    return 0;
}

const struct volume_type_hooks volume_type_hooks = { .prepare_create = prepare_create,
                                                     .prepare_update = prepare_update,
                                                     .check_delete = check_delete,
                                                     .load = load,
                                                     .plan_list = plan_list };

/* --- Show */

int
type_not_found(const char *id, struct fault *f)
{
    return fault_raise(f, FAULT_NOT_FOUND, "Volume type %.255s could not be found.", id);
}

int
type_load_visible(struct call *call, struct volume_type *ret, struct fault *f)
{
    const char *id = call_param(call, "type_id");
    struct type_row row;
    int found =
        type_find(call->db, id, call_is_admin(call) ? NULL : call->auth.project_id, &row, f);

    if (found < 0)
        return -1;
    return found == 0 ? type_not_found(id, f)
                      : resource_load(call->db, &volume_type_resource, row.id, NULL, false, ret, f);
}

int
type_show(struct call *call, struct fault *f)
{
    struct volume_type row = { 0 };

    return type_load_visible(call, &row, f) < 0
               ? -1
               : resource_reply(call, &volume_type_resource, &row, f);
}

int
type_show_default(struct call *call, struct fault *f)
{
    struct volume_type row = { 0 };
    struct type_row found;
    int r = type_default(call->db, call->auth.project_id == NULL ? "" : call->auth.project_id,
                         service_of(call)->config->default_type, &found, f);

    if (r <= 0)
        return r < 0 ? -1
                     : fault_raise(f, FAULT_NOT_FOUND, "Default volume type can not be found.");
    if (resource_load(call->db, &volume_type_resource, found.id, NULL, false, &row, f) < 0)
        return -1;
    return resource_reply(call, &volume_type_resource, &row, f);
}
