/* Credentials: whose they are. */
#include "base/str.h"
#include "service.h"

/* They belong to a user: his own unless he may act for others. */

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
