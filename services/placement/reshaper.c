/* POST /reshaper: inventories of some providers and allocations of some consumers, all of it or nothing. For those who split a
 * provider into a tree, or join one, while its resources are in use: neither "first the inventories" nor "first the allocations"
 * would be possible, because neither state in between is.
 *
 * Within the one transaction there is an order all the same: what inventories are to be there are added or changed, the claims are
 * checked against the result, and then the inventories that are to be there no longer, and must now be unused, go. */
#include "allocations.h"
#include "base/array.h"
#include "base/json.h"
#include "base/str.h"
#include "inventories.h"
#include "ratio_changes.h"
#include "reply.h"

/* What one provider is to have. */
struct shape {
    const char *uuid;
    int64_t id, generation;
    struct inventory_in *items;
    size_t items_count;
};

struct reshape {
    struct call *call;
    struct shape *shapes;
    size_t shapes_count;
};

static int
parse(struct call *call, const json_t *object, struct reshape *ret, struct fault *f)
{
    struct shape *shapes = ARENA_ARRAY(call->arena, struct shape, json_object_size(object) + 1);
    const char *uuid;
    json_t *value;

    *ret = (struct reshape){ .call = call, .shapes = shapes };
    if (json_object_size(object) == 0)
        return fault_keyword(f, "minProperties",
                             fault_raise_field(f, "inventories",
                                               "Invalid input for field/attribute inventories. {} "
                                               "does not have enough properties"));
    json_object_foreach((json_t *)(uintptr_t)object, uuid, value)
    {
        struct shape *x = &shapes[ret->shapes_count++];
        struct inventories in = { 0 };
        const char *path = arena_printf(call->arena, "inventories.%.36s", uuid);

        if (strlen(uuid) != 36 || strspn(uuid, "0123456789abcdefABCDEF-") != 36)
            return refuse_name(call, "inventories", uuid, UUID_PATTERN, f);
        if (schema_parse(&inventories_schema, value, SCHEMA_CREATE, call->version, path,
                         call->arena, &in, f) < 0)
            return -1;
        x->uuid = arena_strdup(call->arena, uuid);
        x->generation = in.resource_provider_generation;
        if (inventories_parse(call, in.inventories,
                              arena_printf(call->arena, "%s.inventories", path), &x->items,
                              &x->items_count, f) < 0)
            return -1;
    }
    return 0;
}

static int
check_generation(struct arena *a, const struct shape *x, int64_t actual, struct fault *f)
{
    if (x->generation == actual)
        return 0;
    return fault_raise_code(f, FAULT_CONFLICT, CODE_CONCURRENT_UPDATE,
                            "resource provider generation conflict for provider %s: actual: %lld, "
                            "given: %s",
                            x->uuid, (long long)actual, json_wide_text(a, x->generation));
}

/* Before anything is locked: what is wrong with the providers is said before what is wrong with the consumers. */
static int
check_providers(struct reshape *r, struct fault *f)
{
    for (size_t i = 0; i < r->shapes_count; i++) {
        struct provider_row row;
        int found = provider_find(r->call->db, r->shapes[i].uuid, &row, f);

        if (found < 0)
            return found;
        if (found == 0)
            return fault_raise_code(f, FAULT_INVALID, CODE_PROVIDER_NOT_FOUND,
                                    "Resource provider %s in inventories not found: No resource "
                                    "provider with uuid %s found",
                                    r->shapes[i].uuid, r->shapes[i].uuid);
        if (check_generation(r->call->arena, &r->shapes[i], row.generation, f) < 0)
            return -1;
    }
    return 0;
}

static const struct providers_lock_row *
find_row(const struct providers_lock_row *rows, size_t count, const char *uuid)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(rows[i].uuid, uuid))
            return &rows[i];
    }
    return NULL;
}

/* Locks the providers of both parts together, in the one order, and brings in the inventories. */
static int
bring_in(void *owner, const struct texts *claimed, struct fault *f)
{
    struct reshape *r = owner;
    struct texts uuids = { .items = ARENA_ARRAY(r->call->arena, const char *,
                                                claimed->count + r->shapes_count + 1) };
    struct ratio_actor_set_row actor;
    struct providers_lock_row *rows;
    size_t count;

    if (ratio_actor_set(r->call->db, ratio_actor(r->call), &actor, f) < 0)
        return -1;
    for (size_t i = 0; i < claimed->count; i++)
        uuids.items[uuids.count++] = claimed->items[i];
    for (size_t i = 0; i < r->shapes_count; i++)
        uuids.items[uuids.count++] = r->shapes[i].uuid;
    if (providers_lock(r->call->db, &uuids, &rows, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < claimed->count; i++) {
        if (find_row(rows, count, claimed->items[i]) == NULL)
            return fault_raise(f, FAULT_INVALID,
                               "Allocation for resource provider '%s' that does not exist.",
                               claimed->items[i]);
    }
    for (size_t i = 0; i < r->shapes_count; i++) {
        struct shape *x = &r->shapes[i];
        const struct providers_lock_row *row = find_row(rows, count, x->uuid);

        if (row == NULL) /* Deleted since it was looked at. */
            return check_providers(r, f) < 0 ? -1 : check_generation(r->call->arena, x, -1, f);
        x->id = row->id;
        if (check_generation(r->call->arena, x, row->generation, f) < 0 ||
            inventories_merge(r->call, x->id, x->items, x->items_count,
                              "malformed reshaper data:", f) < 0)
            return -1;
    }
    return 0;
}

/* What is not to stay goes. Two moves of the generation, one for each time that upstream writes. */
static int
take_away(void *owner, struct fault *f)
{
    struct reshape *r = owner;

    for (size_t i = 0; i < r->shapes_count; i++) {
        const struct shape *x = &r->shapes[i];
        struct provider_touch_row touched;

        if (inventories_keep(r->call, x->id, x->uuid, x->items, x->items_count,
                             "update conflict: ", f) < 0 ||
            provider_touch(r->call->db, x->id, x->items_count == 0 ? 1 : 2, &touched, f) < 0)
            return -1;
    }
    return 0;
}

int
reshape(struct call *call, const struct reshape_request *in, struct fault *f)
{
    struct reshape r;
    struct claims_also also = { .before = bring_in, .after = take_away, .owner = &r };
    struct consumer_claim *claims;
    size_t count;

    if (parse(call, in->inventories, &r, f) < 0 ||
        allocations_parse(call, in->allocations, "allocations", &claims, &count, f) < 0)
        return -1;
    if (check_providers(&r, f) < 0)
        return -1;
    return claims_apply(call, claims, count, "malformed reshaper data:", &also, f);
}
