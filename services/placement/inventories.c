/* Inventories: what a provider has of each resource class, and on which terms it is given out. A change that leaves more
 * allocated than there is room for is accepted: hosts shrink, and refusing to say so helps nobody. */
#include "inventories.h"

#include "base/array.h"
#include "base/str.h"
#include "reply.h"

/* Copies the members that the three request schemas share. */
#define INVENTORY_IN(name, in)                                                                     \
    {                                                                                              \
        .class_name = (name), .total = (in)->total, .reserved = (in)->reserved,                    \
        .min_unit = (in)->min_unit, .max_unit = (in)->max_unit, .step_size = (in)->step_size,      \
        .allocation_ratio = (in)->allocation_ratio                                                 \
    }

/* --- Answers */

static void
write_members(struct jsonw *w, const struct inventory_in *x)
{
    jsonw_int(w, "total", x->total);
    jsonw_int(w, "reserved", x->reserved);
    jsonw_int(w, "min_unit", x->min_unit);
    jsonw_int(w, "max_unit", x->max_unit);
    jsonw_int(w, "step_size", x->step_size);
    jsonw_double(w, "allocation_ratio", x->allocation_ratio);
}

static void
reply_one(struct call *call, const struct inventory_in *x, int64_t generation, int64_t modified_us)
{
    struct jsonw *w = reply_json(call, modified_us);

    jsonw_object(w, NULL);
    write_members(w, x);
    jsonw_int(w, "resource_provider_generation", generation);
    jsonw_end(w);
}

static void
reply_all(struct call *call, const struct inventory_in *items, size_t count, int64_t generation,
          int64_t modified_us)
{
    struct jsonw *w = call_json(call);

    if (count > 0)
        reply_cached(call, modified_us);
    else if (call_at_least(call, 1, 15)) /* Nothing was ever modified. */
        call_header(call, "Cache-Control", "no-cache");

    jsonw_object(w, NULL);
    jsonw_int(w, "resource_provider_generation", generation);
    jsonw_object(w, "inventories");
    for (size_t i = 0; i < count; i++) {
        jsonw_object(w, items[i].class_name);
        write_members(w, &items[i]);
        jsonw_end(w);
    }
    jsonw_end(w);
    jsonw_end(w);
}

int
inventories_show(struct call *call, struct fault *f)
{
    struct provider_row provider;
    struct inventory_row *rows;
    struct inventory_in *items;
    int64_t modified_us = 0;
    size_t count;

    if (reply_check_accept(call, f) < 0 || provider_of_path(call, &provider, f) < 0)
        return -1;
    if (inventory_list(call->db, provider.id, &rows, &count, f) < 0)
        return -1;
    items = ARENA_ARRAY(call->arena, struct inventory_in, count + 1);
    for (size_t i = 0; i < count; i++) {
        items[i] = (struct inventory_in)INVENTORY_IN(rows[i].class_name, &rows[i]);
        modified_us = MAX(modified_us, rows[i].updated_at);
    }
    reply_all(call, items, count, provider.generation, modified_us);
    return 0;
}

int
inventory_show(struct call *call, struct fault *f)
{
    const char *name = call_param(call, "resource_class");
    struct provider_row provider;
    struct inventory_row row;
    int r;

    if (reply_check_accept(call, f) < 0 || provider_of_path(call, &provider, f) < 0)
        return -1;
    r = inventory_find(call->db, provider.id, name, &row, f);
    if (r < 0)
        return r;
    if (r == 0)
        return fault_raise(f, FAULT_NOT_FOUND, "No inventory of class %.255s for %s", name,
                           provider.uuid);
    reply_one(call, &(struct inventory_in)INVENTORY_IN(name, &row), provider.generation,
              row.updated_at);
    return 0;
}

/* --- Checks */

/* Something must be left after the reservation; from 1.26 on that may be nothing, which takes a host out of use. */
static int
check_capacity(struct call *call, const struct inventory_in *x, const char *uuid, const char *doing,
               struct fault *f)
{
    double capacity = (double)(x->total - x->reserved) * x->allocation_ratio;
    bool may_be_empty = call_at_least(call, 1, 26);

    if (may_be_empty ? capacity > -1.0
                     : capacity >= 1.0) /* Upstream cuts off the fraction before it looks. */
        return 0;
    return fault_raise(f, FAULT_INVALID,
                       "Unable to %s inventory for resource provider %s: Invalid inventory for "
                       "'%s' on resource provider '%s'. "
                       "The reserved value is greater than %stotal.",
                       doing, uuid, x->class_name, uuid, may_be_empty ? "" : "or equal to ");
}

/* FAULT_INVALID beginning with 'unknown' when there is no such class. */
static int
check_class(struct call *call, const char *name, const char *unknown, struct fault *f)
{
    struct class_row row;
    int r = class_find(call->db, name, &row, f);

    if (r != 0)
        return r < 0 ? r : 0;
    return fault_raise(f, FAULT_INVALID, "%s No such resource class %.255s.", unknown, name);
}

static int
check_generation(int64_t wanted, int64_t actual, struct fault *f)
{
    if (wanted == actual)
        return 0;
    return fault_raise_code(f, FAULT_CONFLICT, CODE_CONCURRENT_UPDATE,
                            "resource provider generation conflict");
}

/* --- Writes. All of them hold the provider's row. */

static int
insert(struct call *call, int64_t provider_id, const struct inventory_in *x, struct fault *f)
{
    return inventory_insert(call->db, provider_id, x->class_name, x->total, x->reserved,
                            x->min_unit, x->max_unit, x->step_size, x->allocation_ratio, f);
}

static int
change(struct call *call, int64_t provider_id, const struct inventory_in *x, struct fault *f)
{
    return inventory_change(call->db, provider_id, x->class_name, x->total, x->reserved,
                            x->min_unit, x->max_unit, x->step_size, x->allocation_ratio, f);
}

int
inventory_create(struct call *call, const struct inventory_create *in, struct fault *f)
{
    struct inventory_in x = INVENTORY_IN(in->resource_class, in);
    const char *uuid = call_param(call, "uuid");
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct provider_touch_row touched;
    struct provider_lock_row provider;

    if (db_tx_begin(&tx, call->db, f) < 0 || provider_lock_path(call, &tx, &provider, f) < 0)
        return -1;
    if (check_capacity(call, &x, uuid, "create", f) < 0 ||
        check_class(call, x.class_name,
                    arena_printf(call->arena,
                                 "Unable to create inventory for resource provider %s:", uuid),
                    f) < 0)
        return -1;
    if (insert(call, provider.id, &x, f) < 0) {
        if (f->kind != FAULT_CONFLICT)
            return -1;
        return fault_raise_code(
            f, FAULT_CONFLICT, CODE_CONCURRENT_UPDATE,
            "Update conflict: an inventory of class %s on resource provider %s exists.",
            x.class_name, uuid);
    }
    if (provider_touch(call->db, provider.id, 1, &touched, f) < 0 || db_tx_commit(&tx, f) < 0)
        return -1;
    call_header(call, "Location",
                call_url(call, "/resource_providers/%s/inventories/%s", uuid, x.class_name));
    reply_one(call, &x, touched.generation, touched.updated_at);
    return 0;
}

int
inventory_update(struct call *call, const struct inventory *in, struct fault *f)
{
    struct inventory_in x = INVENTORY_IN(call_param(call, "resource_class"), in);
    const char *uuid = call_param(call, "uuid");
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct provider_touch_row touched;
    struct provider_lock_row provider;
    int r;

    if (db_tx_begin(&tx, call->db, f) < 0 || provider_lock_path(call, &tx, &provider, f) < 0)
        return -1;
    if (check_generation(in->resource_provider_generation, provider.generation, f) < 0 ||
        check_capacity(call, &x, uuid, "update", f) < 0)
        return -1;
    r = change(call, provider.id, &x, f);
    if (r < 0)
        return r;
    if (r == 0 && check_class(call, x.class_name, "", f) < 0)
        return fault_raise(f, FAULT_NOT_FOUND, "No such resource class %.255s.", x.class_name);
    if (r == 0)
        return fault_raise(f, FAULT_INVALID,
                           "No inventory record with resource class for resource provider %s: No "
                           "inventory of class %.255s found.",
                           uuid, x.class_name);
    if (provider_touch(call->db, provider.id, 1, &touched, f) < 0 || db_tx_commit(&tx, f) < 0)
        return -1;
    reply_one(call, &x, touched.generation, touched.updated_at);
    return 0;
}

int
inventories_parse(struct call *call, const json_t *object, const char *path,
                  struct inventory_in **ret, size_t *ret_count, struct fault *f)
{
    struct inventory_in *items =
        ARENA_ARRAY(call->arena, struct inventory_in, json_object_size(object) + 1);
    const char *name;
    json_t *value;
    size_t count = 0;

    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        struct inventory_record record = { 0 };

        if (schema_parse(&inventory_record_schema, value, SCHEMA_CREATE, call->version,
                         arena_printf(call->arena, "%s.%s", path, name), call->arena, &record,
                         f) < 0)
            return -1;
        items[count++] =
            (struct inventory_in)INVENTORY_IN(arena_strdup(call->arena, name), &record);
    }
    *ret = items;
    *ret_count = count;
    return 0;
}

static const struct inventory_in *
find_item(const struct inventory_in *items, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(items[i].class_name, name))
            return &items[i];
    }
    return NULL;
}

static int
in_use(struct call *call, const char *uuid, const struct inventory_row *rows, size_t rows_count,
       const struct inventory_in *items, size_t count, const char *conflict, struct fault *f)
{
    struct str names = { 0 };
    const char *text;

    for (size_t i = 0; i < rows_count; i++) {
        if (rows[i].used > 0 && find_item(items, count, rows[i].class_name) == NULL)
            str_addf(&names, "%s%s", names.size == 0 ? "" : ", ", rows[i].class_name);
    }
    text = arena_strdup(call->arena, str_text(&names));
    str_done(&names);
    if (str_empty(text))
        return 0;
    return fault_raise_code(f, FAULT_CONFLICT, CODE_INVENTORY_INUSE,
                            "%sInventory for '%s' on resource provider '%s' in use.", conflict,
                            text, uuid);
}

int
inventories_merge(struct call *call, int64_t provider_id, const struct inventory_in *items,
                  size_t count, const char *unknown, struct fault *f)
{
    for (size_t i = 0; i < count; i++) {
        int r = change(call, provider_id, &items[i], f);

        if (r == 0)
            r = insert(call, provider_id, &items[i], f);
        if (r < 0)
            return r;
        if (r == 0 && check_class(call, items[i].class_name, unknown, f) < 0)
            return -1;
    }
    return 0;
}

int
inventories_keep(struct call *call, int64_t provider_id, const char *uuid,
                 const struct inventory_in *items, size_t count, const char *conflict,
                 struct fault *f)
{
    struct inventory_row *rows;
    size_t rows_count;

    if (inventory_list(call->db, provider_id, &rows, &rows_count, f) < 0)
        return -1;
    if (in_use(call, uuid, rows, rows_count, items, count, conflict, f) < 0)
        return -1;
    for (size_t i = 0; i < rows_count; i++) {
        if (find_item(items, count, rows[i].class_name) == NULL &&
            inventory_remove(call->db, provider_id, rows[i].class_name, f) < 0)
            return -1;
    }
    return 0;
}

int
inventories_update(struct call *call, const struct inventories *in, struct fault *f)
{
    const char *uuid = call_param(call, "uuid"), *unknown;
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct provider_touch_row touched;
    struct provider_lock_row provider;
    struct inventory_in *items;
    size_t count;

    if (db_tx_begin(&tx, call->db, f) < 0 || provider_lock_path(call, &tx, &provider, f) < 0)
        return -1;
    if (inventories_parse(call, in->inventories, "inventories", &items, &count, f) < 0)
        return -1;
    if (check_generation(in->resource_provider_generation, provider.generation, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (check_capacity(call, &items[i], uuid, "update", f) < 0)
            return -1;
    }
    unknown = arena_printf(call->arena,
                           "Unknown resource class in inventory for resource provider %s:", uuid);
    if (inventories_merge(call, provider.id, items, count, unknown, f) < 0 ||
        inventories_keep(call, provider.id, uuid, items, count, "update conflict: ", f) < 0)
        return -1;
    if (provider_touch(call->db, provider.id, 1, &touched, f) < 0 || db_tx_commit(&tx, f) < 0)
        return -1;
    reply_all(call, items, count, touched.generation, touched.updated_at);
    return 0;
}

int
inventories_delete(struct call *call, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct provider_touch_row touched;
    struct provider_lock_row provider;

    if (!call_at_least(call, 1, 5)) {
        call_header(call, "Allow", "GET, POST, PUT");
        return fault_raise(f, FAULT_METHOD, "The method DELETE is not allowed for this resource.");
    }
    if (db_tx_begin(&tx, call->db, f) < 0 || provider_lock_path(call, &tx, &provider, f) < 0)
        return -1;
    if (inventories_keep(call, provider.id, call_param(call, "uuid"), NULL, 0, "", f) < 0)
        return -1;
    if (provider_touch(call->db, provider.id, 1, &touched, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

int
inventory_delete(struct call *call, struct fault *f)
{
    const char *name = call_param(call, "resource_class"), *uuid = call_param(call, "uuid");
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct provider_touch_row touched;
    struct provider_lock_row provider;
    struct inventory_row row;
    int r;

    if (db_tx_begin(&tx, call->db, f) < 0 || provider_lock_path(call, &tx, &provider, f) < 0)
        return -1;
    r = inventory_find(call->db, provider.id, name, &row, f);
    if (r < 0)
        return r;
    if (r == 0 && check_class(call, name,
                              arena_printf(call->arena,
                                           "No inventory of class %.255s found for delete:", name),
                              f) < 0)
        return fault_raise(f, FAULT_NOT_FOUND, "%s", arena_strdup(call->arena, f->message));
    if (r == 0)
        return fault_raise(f, FAULT_NOT_FOUND,
                           "No inventory of class %.255s found for delete: No inventory of class "
                           "%.255s found for delete",
                           name, name);
    if (row.used > 0) /* Upstream's code here is this one, not "in use". */
        return fault_raise_code(f, FAULT_CONFLICT, CODE_CONCURRENT_UPDATE,
                                "Unable to delete inventory of class %s: Inventory for '%s' on "
                                "resource provider '%s' in use.",
                                name, name, uuid);
    if (inventory_remove(call->db, provider.id, name, f) < 0 ||
        provider_touch(call->db, provider.id, 1, &touched, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}
