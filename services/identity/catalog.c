/* Services, endpoints, regions, credentials: what the engine does not know of them. */
#include "base/str.h"
#include "base/uuid.h"
#include "tokens.h"

static int
endpoint_prepare_create(struct call *call, struct db_tx *tx, struct endpoint *row, struct fault *f)
{
    struct service service = { 0 };
    struct region region = { 0 };

    (void)call;
    if (resource_load(tx->db, &service_resource, row->service_id, NULL, false, &service, f) < 0)
        return f->kind == FAULT_NOT_FOUND
                   ? (fault_clear(f),
                      fault_raise_field(f, "service_id", "Could not find service: %.64s.",
                                        row->service_id))
                   : -1;
    if (row->region_id == NULL ||
        resource_load(tx->db, &region_resource, row->region_id, NULL, false, &region, f) == 0)
        return 0;
    if (f->kind != FAULT_NOT_FOUND)
        return -1;
    fault_clear(f);
    region = (struct region){ .id = row->region_id,
                              .description = "" }; /* Upstream makes the region as well. */
    field_mark(&region.set, REGION_F_ID);
    field_mark(&region.set, REGION_F_DESCRIPTION);
    return resource_insert(tx->db, &region_resource, &region, f);
}

static int
endpoint_prepare_update(struct call *call, struct db_tx *tx, const struct endpoint *old,
                        struct endpoint *row, struct fault *f)
{
    struct endpoint merged = *row;

    if (!field_given(&row->set, ENDPOINT_F_SERVICE_ID))
        merged.service_id = old->service_id;
    return endpoint_prepare_create(call, tx, &merged, f);
}

static void
endpoint_committed(struct call *call, const struct endpoint *row)
{
    (void)row;
    catalog_changed(call);
}

static void
service_committed(struct call *call, const struct service *row)
{
    (void)row;
    catalog_changed(call);
}

const struct endpoint_hooks endpoint_hooks = {
    .committed = endpoint_committed,
    .prepare_create = endpoint_prepare_create,
    .prepare_update = endpoint_prepare_update,
};

const struct service_hooks service_hooks = { .committed = service_committed };

static int
region_prepare_create(struct call *call, struct db_tx *tx, struct region *row, struct fault *f)
{
    struct region parent = { 0 };

    (void)call;
    if (str_empty(row->id)) {
        row->id = uuid_make_hex(call->arena);
        field_mark(&row->set, REGION_F_ID);
    }
    if (row->parent_region_id == NULL)
        return 0;
    return resource_load(tx->db, &region_resource, row->parent_region_id, NULL, false, &parent, f);
}

static int
region_prepare_update(struct call *call, struct db_tx *tx, const struct region *old,
                      struct region *row, struct fault *f)
{
    struct region parent = { 0 };

    (void)call;
    if (row->parent_region_id == NULL)
        return 0;
    if (str_equal(row->parent_region_id, old->id))
        return fault_raise_field(f, "parent_region_id", "A region cannot be its own parent.");
    return resource_load(tx->db, &region_resource, row->parent_region_id, NULL, false, &parent, f);
}

const struct region_hooks region_hooks = {
    .prepare_create = region_prepare_create,
    .prepare_update = region_prepare_update,
};

/* PUT /v3/regions/{region_id}: creation with the id in the path. */
int
region_put(struct call *call, const struct region_put *in, struct fault *f)
{
    struct region row = { .id = call_param(call, "region_id"),
                          .description = in->description == NULL ? "" : in->description,
                          .parent_region_id = in->parent_region_id };
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };

    if (in->id != NULL && !str_equal(in->id, row.id))
        return fault_raise_field(f, "id", "The id in the body is not the one in the URL.");
    field_mark(&row.set, REGION_F_ID);
    field_mark(&row.set, REGION_F_DESCRIPTION);
    if (row.parent_region_id != NULL)
        field_mark(&row.set, REGION_F_PARENT_REGION_ID);
    if (db_tx_begin(&tx, call->db, f) < 0 || region_prepare_create(call, &tx, &row, f) < 0 ||
        resource_insert(tx.db, &region_resource, &row, f) < 0 || db_tx_commit(&tx, f) < 0)
        return -1;
    return resource_reply(call, &region_resource, &row, f);
}

/* --- Credentials belong to a user: his own unless he may act for others. */

static int
credential_prepare_create(struct call *call, struct db_tx *tx, struct credential *row,
                          struct fault *f)
{
    struct user user = { 0 };

    if (row->user_id == NULL) {
        row->user_id = call->auth.user_id;
        field_mark(&row->set, CREDENTIAL_F_USER_ID);
    }
    return resource_load(tx->db, &user_resource, row->user_id, NULL, false, &user, f);
}

/* Ownership is decided on the row as it will be: nobody hands a credential to another (or takes one). */
static int
credential_prepare_update(struct call *call, struct db_tx *tx, const struct credential *old,
                          struct credential *row, struct fault *f)
{
    (void)tx;
    if (field_given(&row->set, CREDENTIAL_F_USER_ID) && !str_equal(row->user_id, old->user_id) &&
        !call_is_admin(call))
        return fault_raise(
            f, FAULT_FORBIDDEN,
            "You are not authorized to perform the requested action: identity:update_credential.");
    return 0;
}

static int
credential_plan_list(struct call *call, struct list_plan *plan, struct fault *f)
{
    (void)f;
    if (!call_allowed(call, "admin_required", NULL, NULL) &&
        !call_allowed(call, "system_reader", NULL, NULL))
        list_plan_where(plan, "user_id", OP_EQ, call->auth.user_id);
    return 0;
}

const struct credential_hooks credential_hooks = {
    .prepare_create = credential_prepare_create,
    .prepare_update = credential_prepare_update,
    .plan_list = credential_plan_list,
};
