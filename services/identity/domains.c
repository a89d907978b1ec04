/* Domains: what they mean beyond being stored. Each is shown as a project too, with the same rules. */
#include "base/str.h"
#include "immutable.h"
#include "owner.h"
#include "project_tree.h"
#include "revocations.h"

/* --- What both views share */

static int
check_gone(struct call *call, struct db_tx *tx, const char *id, bool enabled,
           const struct immutable_option *options, struct fault *f)
{
    struct domain_immutable_project_row project;
    int found;

    if (immutable_check_delete(options, "domain", id, f) < 0)
        return -1;
    if (enabled)
        return fault_raise(f, FAULT_FORBIDDEN,
                           "Cannot delete a domain that is enabled, please disable it first.");
    found = domain_immutable_project(tx->db, id, &project, f);
    if (found < 0)
        return -1;
    if (found == 1)
        return immutable_check_delete(&(struct immutable_option){ .immutable = true }, "project",
                                      project.id, f);
    if (domain_forget_credentials(tx->db, id, f) < 0 || domain_forget_defaults(tx->db, id, f) < 0)
        return -1;
    return revoke_domain(call, tx, id, f);
}

/* --- As domains */

static int
prepare_create(struct call *call, struct db_tx *tx, struct domain *row, struct fault *f)
{
    (void)tx;
    (void)f;
    row->name = owner_trim(call, row->name);
    immutable_tidy(call, &row->options);
    if (row->explicit_domain_id != NULL)
        row->id = row->explicit_domain_id;
    return 0;
}

static int
prepare_update(struct call *call, struct db_tx *tx, const struct domain *old, struct domain *row,
               struct fault *f)
{
    if (immutable_check_update(call, &domain_resource, old->options, row->options, "domain",
                               old->id, f) < 0)
        return -1;
    row->name = owner_trim(call, row->name);
    immutable_tidy(call, &row->options);
    return old->enabled && field_given(&row->set, DOMAIN_F_ENABLED) && !row->enabled
               ? revoke_domain(call, tx, old->id, f)
               : 0;
}

static int
check_delete(struct call *call, struct db_tx *tx, const struct domain *row, struct fault *f)
{
    return check_gone(call, tx, row->id, row->enabled, row->options, f);
}

/* A token for one domain shows that one. */
static int
plan_list(struct call *call, struct list_plan *plan, struct fault *f)
{
    (void)f;
    if (call->auth.scope == SCOPE_DOMAIN)
        list_plan_where(plan, "id", OP_EQ, call->auth.domain_id);
    return 0;
}

const struct domain_hooks domain_hooks = {
    .prepare_create = prepare_create,
    .prepare_update = prepare_update,
    .check_delete = check_delete,
    .plan_list = plan_list,
};

/* --- As projects */

/* What makes a domain of it is the table it stands in. */
static int
project_prepare_create(struct call *call, struct db_tx *tx, struct domain_project *row,
                       struct fault *f)
{
    (void)tx;
    if (row->parent_id != NULL || row->domain_id != NULL)
        return fault_raise_field(f, "parent_id",
                                 "only root projects are allowed to act as domains.");
    field_unmark(&row->set, DOMAIN_PROJECT_F_PARENT_ID);
    field_unmark(&row->set, DOMAIN_PROJECT_F_DOMAIN_ID);
    field_unmark(&row->set, DOMAIN_PROJECT_F_IS_DOMAIN);
    row->name = owner_trim(call, row->name);
    immutable_tidy(call, &row->options);
    return 0;
}

static int
project_prepare_update(struct call *call, struct db_tx *tx, const struct domain_project *old,
                       struct domain_project *row, struct fault *f)
{
    if (immutable_check_update(call, &domain_project_resource, old->options, row->options, "domain",
                               old->id, f) < 0)
        return -1;
    row->name = owner_trim(call, row->name);
    immutable_tidy(call, &row->options);
    return old->enabled && field_given(&row->set, DOMAIN_PROJECT_F_ENABLED) && !row->enabled
               ? revoke_domain(call, tx, old->id, f)
               : 0;
}

static int
project_check_delete(struct call *call, struct db_tx *tx, const struct domain_project *row,
                     struct fault *f)
{
    return check_gone(call, tx, row->id, row->enabled, row->options, f);
}

static int
project_load(struct call *call, struct db *db, struct domain_project *const *rows, size_t count,
             struct fault *f)
{
    struct domain_project *row = rows[0];

    (void)db;
    if (call->operation->verb != VERB_SHOW || count != 1)
        return 0;
    if (project_tree_expand(call, row->id, NULL, &row->parents, &row->subtree, f) < 0)
        return -1;
    if (row->parents != NULL)
        field_mark(&row->set, DOMAIN_PROJECT_F_PARENTS);
    if (row->subtree != NULL)
        field_mark(&row->set, DOMAIN_PROJECT_F_SUBTREE);
    return 0;
}

const struct domain_project_hooks domain_project_hooks = {
    .prepare_create = project_prepare_create,
    .prepare_update = project_prepare_update,
    .check_delete = project_check_delete,
    .load = project_load,
};
