/* Regions, which stand in trees. A region goes with those below it, unless one of them has endpoints. */
#include "base/str.h"
#include "base/uuid.h"
#include "path_objects.h"

/* A parent must be there: 404 names it. */
static int
check_parent(struct db_tx *tx, const char *id, struct fault *f)
{
    struct region parent = { 0 };

    return id == NULL ? 0 : resource_load(tx->db, &region_resource, id, NULL, false, &parent, f);
}

/* A description is never null. */
static void
keep_description(struct region *row)
{
    if (!field_given(&row->set, REGION_F_DESCRIPTION) || row->description != NULL)
        return;
    row->description = "";
    field_mark(&row->set, REGION_F_DESCRIPTION);
}

static int
prepare_create(struct call *call, struct db_tx *tx, struct region *row, struct fault *f)
{
    if (str_empty(row->id)) {
        row->id = uuid_make_hex(call->arena);
        field_mark(&row->set, REGION_F_ID);
    }
    keep_description(row);
    return check_parent(tx, row->parent_region_id, f);
}

static int
prepare_update(struct call *call, struct db_tx *tx, const struct region *old, struct region *row,
               struct fault *f)
{
    struct region_lock_tree_row *locked;
    struct region_is_above_row above;
    size_t count;
    int circle;

    (void)call;
    keep_description(row);
    if (row->parent_region_id == NULL)
        return 0;
    if (region_lock_tree(tx->db, &locked, &count, f) < 0 ||
        check_parent(tx, row->parent_region_id, f) < 0)
        return -1;
    circle = region_is_above(tx->db, old->id, row->parent_region_id, &above, f);
    if (circle > 0)
        return fault_raise_field(f, "parent_region_id",
                                 "The specified parent region %.64s would create a circular "
                                 "region hierarchy.",
                                 row->parent_region_id);
    return circle;
}

static int
check_delete(struct call *call, struct db_tx *tx, const struct region *row, struct fault *f)
{
    struct region_tree_endpoint_row endpoint;
    int found = region_tree_endpoint(tx->db, row->id, &endpoint, f);

    (void)call;
    if (found > 0)
        return fault_raise(f, FAULT_FORBIDDEN,
                           "Unable to delete region %.64s because it or its child regions have "
                           "associated endpoints.",
                           row->id);
    return found < 0 || region_remove_below(tx->db, row->id, f) < 0 ? -1 : 0;
}

const struct region_hooks region_hooks = {
    .prepare_create = prepare_create,
    .prepare_update = prepare_update,
    .check_delete = check_delete,
};
