/* Flavors: who sees which, their extra specs and access lists. */
#include "base/json.h"
#include "base/str.h"
#include "base/uuid.h"
#include "service.h"

static int
prepare_create(struct call *call, struct db_tx *tx, struct flavor *row, struct fault *f)
{
    (void)tx;
    (void)f;
    if (str_empty(row->id) || str_equal(row->id, "auto"))
        row->id = uuid_make(call->arena);
    field_mark(&row->set, FLAVOR_F_ID);
    return 0;
}

static int
load(struct call *call, struct db *db, struct flavor *const *rows, size_t count, struct fault *f)
{
    (void)db;
    (void)f;
    for (size_t i = 0; i < count; i++) {
        struct flavor *row = rows[i];

        /* No swap is the empty text until 2.75. */
        row->swap_text = json_own(call->arena, row->swap == 0 && !call_at_least(call, 2, 75)
                                                   ? json_string("")
                                                   : json_integer(row->swap));
        field_mark(&row->set, FLAVOR_F_SWAP_TEXT);
    }
    return 0;
}

static int
plan_list(struct call *call, struct list_plan *plan, struct fault *f)
{
    const char *is_public = call_query(call, "is_public"),
               *project = call->auth.project_id == NULL ? "" : call->auth.project_id;
    bool public = true;
    const char *min_ram = call_query(call, "minRam"), *min_disk = call_query(call, "minDisk");
    int64_t number;

    if (min_ram != NULL) {
        if (str_to_int64(min_ram, 0, INT64_MAX, &number) < 0)
            return fault_raise_field(f, "minRam", "Invalid minRam filter [%.50s]", min_ram);
        list_plan_where(plan, "ram", OP_GE, min_ram);
    }
    if (min_disk != NULL) {
        if (str_to_int64(min_disk, 0, INT64_MAX, &number) < 0)
            return fault_raise_field(f, "minDisk", "Invalid minDisk filter [%.50s]", min_disk);
        list_plan_where(plan, "disk", OP_GE, min_disk);
    }
    if (!call_is_admin(call)) {
        list_plan_where_sql(
            plan, "is_public OR id IN (SELECT flavor_id FROM flavor_access WHERE project_id = %1)",
            &project, 1);
        return 0;
    }
    if (is_public != NULL && str_equal_nocase(is_public, "none"))
        return 0;
    if (is_public != NULL && str_to_bool(is_public, &public) < 0)
        return fault_raise_field(f, "is_public", "Invalid is_public filter [%.50s]", is_public);
    list_plan_where(plan, "os-flavor-access:is_public", OP_EQ, public ? "t" : "f");
    return 0;
}

const struct flavor_hooks flavor_hooks = { .prepare_create = prepare_create,
                                           .load = load,
                                           .plan_list = plan_list };

/* A private flavor that was not granted is one that does not exist. */
static int
visible(struct call *call, struct flavor *ret, struct fault *f)
{
    const char *id = call_param(call, "flavor_id");
    struct flavor_for_project_row row;
    int found = flavor_for_project(call->db, id, call_is_admin(call) ? NULL : call->auth.project_id,
                                   &row, f);

    if (found < 0)
        return -1;
    return found == 0 ? resource_not_found(&flavor_resource, id, f)
                      : resource_load(call->db, &flavor_resource, id, NULL, false, ret, f);
}

int
flavor_show(struct call *call, struct fault *f)
{
    struct flavor row = { 0 };

    return visible(call, &row, f) < 0 ? -1 : resource_reply(call, &flavor_resource, &row, f);
}

int
flavor_update(struct call *call, const struct flavor_update *in, struct fault *f)
{
    struct flavor row = { 0 };
    const char *id = call_param(call, "flavor_id");

    row.description = in->description;
    if (in->description == NULL)
        field_mark_null(&row.set, FLAVOR_F_DESCRIPTION);
    else
        field_mark(&row.set, FLAVOR_F_DESCRIPTION);
    if (resource_change(call->db, &flavor_resource, id, &row, f) < 0)
        return -1;
    return resource_reply(call, &flavor_resource, &row, f);
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

int
extra_specs_list(struct call *call, struct fault *f)
{
    struct flavor row = { 0 };

    if (visible(call, &row, f) < 0)
        return -1;
    reply(call, "extra_specs", row.extra_specs);
    return 0;
}

int
extra_specs_show(struct call *call, struct fault *f)
{
    const char *key = call_param(call, "key");
    struct flavor row = { 0 };
    json_t *value;

    if (visible(call, &row, f) < 0)
        return -1;
    value = json_object_get(row.extra_specs, key);
    if (value == NULL)
        return fault_raise(f, FAULT_NOT_FOUND, "Flavor %s has no extra specs with key %.255s.",
                           row.id, key);
    reply(call, key, value);
    return 0;
}

/* Keys are letters, digits, "-_:. " and at most 255 of them. */
static int
check_keys(const json_t *specs, struct fault *f)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)specs, key, value)
    {
        if (key[0] == '\0' || strlen(key) > 255 ||
            key[strspn(key,
                       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_:. ")] !=
                '\0')
            return fault_raise_field(
                f, "extra_specs",
                "Invalid input for field/attribute extra_specs. The key '%.255s' is not valid.",
                key);
        if (!json_is_string(value) && !json_is_number(value))
            return fault_raise_field(f, "extra_specs",
                                     "Invalid input for field/attribute extra_specs. The value of "
                                     "'%.255s' is not of type 'string'.",
                                     key);
        if (json_is_string(value) && strlen(json_string_value(value)) > 255)
            return fault_raise_field(
                f, "extra_specs",
                "Invalid input for field/attribute extra_specs. The value of '%.255s' is too long.",
                key);
    }
    return 0;
}

/* Merges under the flavor's lock. */
static int
merge(struct call *call, const json_t *specs, const char *without, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct flavor row = { 0 };
    json_t *all;

    if (db_tx_begin(&tx, call->db, f) < 0 ||
        resource_load(tx.db, &flavor_resource, call_param(call, "flavor_id"), NULL, true, &row, f) <
            0)
        return -1;
    all = json_own(call->arena, json_copy(row.extra_specs));
    if (specs != NULL)
        json_object_update(all, (json_t *)(uintptr_t)specs);
    if (without != NULL && json_object_del(all, without) < 0)
        return fault_raise(f, FAULT_NOT_FOUND, "Flavor %s has no extra specs with key %.255s.",
                           row.id, without);
    if (flavor_set_specs(tx.db, row.id, all, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

int
extra_specs_create(struct call *call, const struct extra_specs *in, struct fault *f)
{
    if (check_keys(in->extra_specs, f) < 0 || merge(call, in->extra_specs, NULL, f) < 0)
        return -1;
    reply(call, "extra_specs", in->extra_specs);
    return 0;
}

int
extra_specs_set(struct call *call, const struct extra_spec_item *in, struct fault *f)
{
    const char *key = call_param(call, "key");

    (void)in; /* One member whose name is the path's: the body itself. */
    if (json_object_size(call->body) != 1 || json_object_get(call->body, key) == NULL)
        return fault_raise_field(f, "body", "Request body and URI mismatch");
    if (check_keys(call->body, f) < 0 || merge(call, call->body, NULL, f) < 0)
        return -1;
    reply(call, key, json_object_get(call->body, key));
    return 0;
}

int
extra_specs_delete(struct call *call, struct fault *f)
{
    return merge(call, NULL, call_param(call, "key"), f);
}

/* --- Access */

static int
reply_access(struct call *call, const struct flavor *flavor, struct fault *f)
{
    struct flavor_access_ids_row *rows;
    struct jsonw *w;
    size_t count;

    if (flavor_access_ids(call->db, flavor->id, &rows, &count, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_array(w, "flavor_access");
    for (size_t i = 0; i < count; i++) {
        jsonw_object(w, NULL);
        jsonw_text(w, "flavor_id", flavor->id);
        jsonw_text(w, "tenant_id", rows[i].project_id);
        jsonw_end(w);
    }
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

int
flavor_access_list(struct call *call, struct fault *f)
{
    struct flavor row = { 0 };

    if (resource_load(call->db, &flavor_resource, call_param(call, "flavor_id"), NULL, false, &row,
                      f) < 0)
        return -1;
    if (row.is_public)
        return fault_raise(f, FAULT_NOT_FOUND, "Access list not available for public flavors.");
    return reply_access(call, &row, f);
}

int
flavor_access_add(struct call *call, const struct flavor_access *in, struct fault *f)
{
    struct flavor row = { 0 };
    int added;

    if (resource_load(call->db, &flavor_resource, call_param(call, "flavor_id"), NULL, false, &row,
                      f) < 0)
        return -1;
    if (row.is_public)
        return fault_raise(f, FAULT_CONFLICT, "Can not add access to a public flavor.");
    added = flavor_access_insert(call->db, row.id, in->tenant, f);
    if (added == 0)
        return fault_raise(
            f, FAULT_CONFLICT,
            "Flavor access already exists for flavor %s and project %.100s combination.", row.id,
            in->tenant);
    return added < 0 ? -1 : reply_access(call, &row, f);
}

int
flavor_access_remove(struct call *call, const struct flavor_access *in, struct fault *f)
{
    struct flavor row = { 0 };
    int removed;

    if (resource_load(call->db, &flavor_resource, call_param(call, "flavor_id"), NULL, false, &row,
                      f) < 0)
        return -1;
    removed = flavor_access_delete(call->db, row.id, in->tenant, f);
    if (removed == 0)
        return fault_raise(f, FAULT_NOT_FOUND,
                           "Flavor access not found for %s / %.100s combination.", row.id,
                           in->tenant);
    return removed < 0 ? -1 : reply_access(call, &row, f);
}
