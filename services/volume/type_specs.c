/* /types/{id}/extra_specs */
#include "base/json.h"
#include "base/str.h"
#include "types.h"

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
    return fault_raise(f, FAULT_NOT_FOUND, "Volume Type %s has no extra specs with key %.255s.",
                       row->id, key);
}

int
type_specs_list(struct call *call, struct fault *f)
{
    struct volume_type row = { 0 };

    if (type_load_visible(call, &row, f) < 0)
        return -1;
    reply(call, "extra_specs",
          call_sees_all(call) ? row.extra_specs : type_visible_specs(call, row.extra_specs));
    return 0;
}

int
type_specs_show(struct call *call, struct fault *f)
{
    const char *key = call_param(call, "key");
    struct volume_type row = { 0 };
    const json_t *specs;

    if (type_load_visible(call, &row, f) < 0)
        return -1;
    specs = call_sees_all(call) ? row.extra_specs : type_visible_specs(call, row.extra_specs);
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
        if (!json_is_string(value) || str_utf8_length(json_string_value(value)) > 255)
            return fault_raise_field(f, "extra_specs",
                                     "Invalid input for field/attribute extra_specs. The value of "
                                     "'%.255s' is not a text of at most "
                                     "255 characters.",
                                     key);
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

    if (db_tx_begin(&tx, call->db, f) < 0 ||
        resource_load(tx.db, &volume_type_resource, call_param(call, "type_id"), NULL, true, &row,
                      f) < 0)
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
