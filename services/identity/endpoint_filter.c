/* Which endpoints a project's tokens name (OS-EP-FILTER): one by one, or all that match the filters of a group. A project
 * for which neither is set sees every endpoint. What results of it is the view project_catalog. */
#include "base/str.h"
#include "path_objects.h"
#include "tokens.h"

/* --- Groups */

static int
check_filters(json_t *filters, struct fault *f)
{
    const char *key;
    json_t *value;

    json_object_foreach(filters, key, value)
    {
        (void)value;
        if (!str_equal(key, "service_id") && !str_equal(key, "region_id") &&
            !str_equal(key, "interface"))
            return expecting_to_find("service_id or region_id or interface", "endpoint_group", f);
    }
    return 0;
}

static int
prepare_create(struct call *call, struct db_tx *tx, struct endpoint_group *row, struct fault *f)
{
    (void)call;
    (void)tx;
    if (json_object_size(row->filters) == 0)
        return fault_raise_field(f, "filters", "filters field is required and cannot be empty");
    return check_filters(row->filters, f);
}

static int
prepare_update(struct call *call, struct db_tx *tx, const struct endpoint_group *old,
               struct endpoint_group *row, struct fault *f)
{
    (void)call;
    (void)tx;
    (void)old;
    return field_given(&row->set, ENDPOINT_GROUP_F_FILTERS) ? check_filters(row->filters, f) : 0;
}

static void
committed(struct call *call, const struct endpoint_group *row)
{
    (void)row;
    catalog_changed(call);
}

const struct endpoint_group_hooks endpoint_group_hooks = {
    .committed = committed,
    .prepare_create = prepare_create,
    .prepare_update = prepare_update,
};

/* --- What belongs to what */

/* A list of the objects that 'ids' finds for the path's {param}. */
static int
reply_related(struct call *call, const char *param,
              int (*ids)(struct db *db, const char *id, struct catalog_id_row **ret,
                         size_t *ret_count, struct fault *f),
              const struct resource *r, struct fault *f)
{
    struct catalog_id_row *rows;
    size_t count;

    if (path_objects_check(call, call->db, false, f) < 0 ||
        ids(call->db, call_param(call, param), &rows, &count, f) < 0)
        return -1;
    return path_objects_reply(call, r, rows, count, f);
}

int
endpoint_group_endpoints(struct call *call, struct fault *f)
{
    return reply_related(call, "endpoint_group_id", endpoint_group_endpoint_ids, &endpoint_resource,
                         f);
}

int
endpoint_group_projects(struct call *call, struct fault *f)
{
    return reply_related(call, "endpoint_group_id", endpoint_group_project_ids, &project_resource,
                         f);
}

int
endpoint_projects(struct call *call, struct fault *f)
{
    return reply_related(call, "endpoint_id", endpoint_project_ids, &project_resource, f);
}

int
project_endpoints(struct call *call, struct fault *f)
{
    return reply_related(call, "project_id", project_catalog_ids, &endpoint_resource, f);
}

int
project_endpoint_groups(struct call *call, struct fault *f)
{
    return reply_related(call, "project_id", project_endpoint_group_ids, &endpoint_group_resource,
                         f);
}

/* --- Associations: 'run' is the statement that makes one, between the objects of two parameters of the path. Returns how many it made. */

static int
associate(struct call *call, const char *first, const char *second,
          int (*run)(struct db *db, const char *first, const char *second, struct fault *f),
          const char *key, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    int made;

    if (db_tx_begin(&tx, call->db, f) < 0 || path_objects_check(call, tx.db, true, f) < 0)
        return -1;
    made = run(tx.db, call_param(call, first), call_param(call, second), f);
    if (made < 0)
        return -1;
    if (made == 0)
        return fault_raise(f, FAULT_CONFLICT,
                           "Conflict occurred attempting to store %s - Duplicate entry.", key);
    if (db_tx_commit(&tx, f) < 0)
        return -1;
    catalog_changed(call);
    return 0;
}

int
project_endpoint_put(struct call *call, struct fault *f)
{
    return associate(call, "project_id", "endpoint_id", project_endpoint_add, "project_endpoint",
                     f);
}

int
endpoint_group_put_project(struct call *call, struct fault *f)
{
    return associate(call, "endpoint_group_id", "project_id", endpoint_group_add_project,
                     "project_endpoint_group", f);
}

static int
not_in_project(struct call *call, struct fault *f)
{
    return fault_raise(f, FAULT_NOT_FOUND, "Endpoint %.64s not found in project %.64s",
                       call_param(call, "endpoint_id"), call_param(call, "project_id"));
}

int
project_endpoint_check(struct call *call, struct fault *f)
{
    struct project_endpoint_find_row row;
    int found;

    if (path_objects_check(call, call->db, false, f) < 0)
        return -1;
    found = project_endpoint_find(call->db, call_param(call, "project_id"),
                                  call_param(call, "endpoint_id"), &row, f);
    return found == 0 ? not_in_project(call, f) : found < 0 ? -1 : 0;
}

int
project_endpoint_delete(struct call *call, struct fault *f)
{
    int gone = project_endpoint_remove(call->db, call_param(call, "project_id"),
                                       call_param(call, "endpoint_id"), f);

    catalog_changed(call);
    return gone == 0 ? not_in_project(call, f) : gone < 0 ? -1 : 0;
}

static int
no_association(struct fault *f)
{
    return fault_raise(f, FAULT_NOT_FOUND, "Endpoint Group Project Association not found");
}

int
endpoint_group_show_project(struct call *call, struct fault *f)
{
    const char *group = call_param(call, "endpoint_group_id");
    const char *project = call_param(call, "project_id");
    struct endpoint_group_find_project_row row;
    struct jsonw *w;
    int found;

    if (path_objects_check(call, call->db, false, f) < 0)
        return -1;
    found = endpoint_group_find_project(call->db, group, project, &row, f);
    if (found <= 0)
        return found == 0 ? no_association(f) : -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_object(w, "project_endpoint_group");
    jsonw_text(w, "endpoint_group_id", group);
    jsonw_text(w, "project_id", project);
    jsonw_object(w, "links"); /* Without host and version, as upstream has it. */
    jsonw_text(w, "self",
               arena_printf(call->arena, "/OS-EP-FILTER/endpoint_groups/%s/projects/%s", group,
                            project));
    jsonw_end(w);
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

int
endpoint_group_delete_project(struct call *call, struct fault *f)
{
    int gone;

    if (path_objects_check(call, call->db, false, f) < 0)
        return -1;
    gone = endpoint_group_remove_project(call->db, call_param(call, "endpoint_group_id"),
                                         call_param(call, "project_id"), f);
    catalog_changed(call);
    return gone == 0 ? no_association(f) : gone < 0 ? -1 : 0;
}
