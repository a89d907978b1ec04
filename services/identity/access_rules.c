/* Access rules as their owner sees them: they are made with application credentials, and stay until he deletes them. */
#include "delegation.h"

static int
plan_list(struct call *call, struct list_plan *plan, struct fault *f)
{
    list_plan_where(plan, "user_id", OP_EQ, call_param(call, "user_id"));
    return delegation_check_app_creds(call, false, f);
}

static int
load(struct call *call, struct db *db, struct access_rule *const *rows, size_t count,
     struct fault *f)
{
    (void)db;
    (void)rows;
    (void)count;
    return delegation_check_app_creds(call, false, f);
}

/* A rule that nobody uses may go; one in use is what narrows a credential. */
static int
check_delete(struct call *call, struct db_tx *tx, const struct access_rule *row, struct fault *f)
{
    struct access_rule_used_row used;
    int found;

    if (delegation_check_app_creds(call, true, f) < 0)
        return -1;
    found = access_rule_used(tx->db, row->id, &used, f);
    if (found == 1)
        return fault_raise(f, FAULT_FORBIDDEN, "May not delete access rule in use");
    return found;
}

const struct access_rule_hooks access_rule_hooks = {
    .plan_list = plan_list,
    .load = load,
    .check_delete = check_delete,
};
