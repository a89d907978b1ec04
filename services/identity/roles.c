/* Roles, for all domains or of one. What roles imply is in implied_roles.c. */
#include "base/str.h"
#include "immutable.h"
#include "owner.h"
#include "revocations.h"

static int
prepare_create(struct call *call, struct db_tx *tx, struct role *row, struct fault *f)
{
    struct domain domain = { 0 };

    immutable_tidy(call, &row->options);
    if (row->domain_id == NULL)
        return 0;
    return resource_load(tx->db, &domain_resource, row->domain_id, NULL, false, &domain, f);
}

static int
prepare_update(struct call *call, struct db_tx *tx, const struct role *old, struct role *row,
               struct fault *f)
{
    (void)tx;
    if (immutable_check_update(call, &role_resource, old->options, row->options, "role", old->id,
                               f) < 0)
        return -1;
    immutable_tidy(call, &row->options);
    return 0;
}

static int
check_delete(struct call *call, struct db_tx *tx, const struct role *row, struct fault *f)
{
    if (immutable_check_delete(row->options, "role", row->id, f) < 0 ||
        app_creds_forget_role(tx->db, row->id, f) < 0)
        return -1;
    return revoke_role(call, tx, row->id, row->domain_id, f);
}

/* Roles of a domain are listed only when asked for. */
static int
plan_list(struct call *call, struct list_plan *plan, struct fault *f)
{
    (void)f;
    if (str_empty(call_query(call, "domain_id")))
        list_plan_where(plan, "domain_id", OP_IS_NULL, NULL);
    return 0;
}

/* Roles of a domain have rules of their own. */
static const char *
rule(struct call *call, const struct role *row)
{
    static const char *const rules[][2] = {
        { "identity:get_role", "identity:get_domain_role" },
        { "identity:list_roles", "identity:list_domain_roles" },
        { "identity:create_role", "identity:create_domain_role" },
        { "identity:update_role", "identity:update_domain_role" },
        { "identity:delete_role", "identity:delete_domain_role" },
    };
    bool of_domain =
        row == NULL ? !str_empty(call_query(call, "domain_id")) : row->domain_id != NULL;

    for (size_t i = 0; of_domain && i < ARRAY_SIZE(rules); i++) {
        if (str_equal(call->operation->policy, rules[i][0]))
            return rules[i][1];
    }
    return NULL;
}

const struct role_hooks role_hooks = {
    .prepare_create = prepare_create,
    .prepare_update = prepare_update,
    .check_delete = check_delete,
    .plan_list = plan_list,
    .rule = rule,
};
