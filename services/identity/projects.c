/* Projects: a tree below each domain. */
#include "base/str.h"
#include "owner.h"
#include "revocations.h"

static int
prepare_create(struct call *call, struct db_tx *tx, struct project *row, struct fault *f)
{
    struct project parent = { 0 };

    if (row->is_domain)
        return fault_raise_field(
            f, "is_domain",
            "A project that acts as a domain is made as a domain: POST /v3/domains.");
    if (row->parent_id != NULL && !str_equal(row->parent_id, row->domain_id)) {
        struct domain domain = { 0 };

        if (resource_load(tx->db, &project_resource, row->parent_id, NULL, false, &parent, f) ==
            0) {
            if (row->domain_id != NULL && !str_equal(row->domain_id, parent.domain_id))
                return fault_raise_field(
                    f, "domain_id",
                    "Cannot create project, since it specifies a domain that is not its parent's.");
            row->domain_id = parent.domain_id;
        } else {
            fault_clear(f);
            if (resource_load(tx->db, &domain_resource, row->parent_id, NULL, false, &domain, f) <
                0)
                return -1;
            row->domain_id = domain.id;
        }
        field_mark(&row->set, PROJECT_F_DOMAIN_ID);
    }
    if (owner_domain(call, tx, &row->set, PROJECT_F_DOMAIN_ID, &row->domain_id, f) < 0)
        return -1;
    if (row->parent_id == NULL) {
        row->parent_id = row->domain_id;
        field_mark(&row->set, PROJECT_F_PARENT_ID);
    }
    return 0;
}

static int
after_update(struct call *call, struct db_tx *tx, const struct project *old, struct project *row,
             struct fault *f)
{
    return old->enabled && !row->enabled ? revoke_project(call, tx, row->id, f) : 0;
}

static int
check_delete(struct call *call, struct db_tx *tx, const struct project *row, struct fault *f)
{
    struct project_has_children_row child;
    int found = project_has_children(tx->db, row->id, &child, f);

    if (found < 0)
        return -1;
    if (found == 1)
        return fault_raise(f, FAULT_FORBIDDEN,
                           "Cannot delete the project %s since it is not a leaf in the hierarchy.",
                           row->id);
    if (grants_forget_target(tx->db, "project", row->id, f) < 0)
        return -1;
    return revoke_project(call, tx, row->id, f);
}

static int
plan_list(struct call *call, struct list_plan *plan, struct fault *f)
{
    (void)f;
    owner_narrow(call, plan);
    return 0;
}

const struct project_hooks project_hooks = {
    .prepare_create = prepare_create,
    .after_update = after_update,
    .check_delete = check_delete,
    .plan_list = plan_list,
};
