/* Who may use private volume types, and which type is whose default. */
#include "base/json.h"
#include "base/str.h"
#include "types.h"

static int
load_any(struct call *call, struct volume_type *ret, struct fault *f)
{
    return resource_load(call->db, &volume_type_resource, call_param(call, "type_id"), NULL, false,
                         ret, f);
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
        return fault_raise(f, FAULT_NOT_FOUND,
                           "Access list not available for public volume types.");
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
        return fault_raise(f, FAULT_CONFLICT,
                           "Type access modification is not applicable to public volume type.");
    added = type_access_insert(call->db, row.id, in->project, f);
    if (added == 0)
        return fault_raise(f, FAULT_CONFLICT,
                           "Volume type access for %s / %.100s combination already exists.", row.id,
                           in->project);
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
        return fault_raise(f, FAULT_NOT_FOUND,
                           "Volume type access not found for %s / %.100s combination.", row.id,
                           in->project);
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
        return fault_raise(f, FAULT_NOT_FOUND, "Default type for project %.100s not found.",
                           project_id);
    return found < 0 ? -1 : reply_default(call, project_id, row.type_id);
}

int
default_type_set(struct call *call, const struct default_type_set *in, struct fault *f)
{
    const char *project_id = call_param(call, "target_project_id");
    struct type_row type;
    int found = type_find(call->db, in->volume_type, project_id, &type, f);

    if (found == 0)
        return type_not_found(in->volume_type, f);
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
        return fault_raise(f, FAULT_NOT_FOUND, "Default type for project %.100s not found.",
                           project_id);
    return removed < 0 ? -1 : 0;
}
