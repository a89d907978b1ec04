/* Projects: a tree below each domain. A domain is its root, and is shown as a project as well: what is one but not the other is
 * DomainProject's, in domains.c. */
#include "base/json.h"
#include "base/str.h"
#include "immutable.h"
#include "owner.h"
#include "project_tree.h"
#include "revocations.h"

static int
prepare_create(struct call *call, struct db_tx *tx, struct project *row, struct fault *f)
{
    row->name = owner_trim(call, row->name);
    immutable_tidy(call, &row->options);
    if (owner_domain(call, tx, &row->set, PROJECT_F_DOMAIN_ID, &row->domain_id, f) < 0) {
        f->kind = f->kind == FAULT_NOT_FOUND ? FAULT_INVALID : f->kind;
        return -1;
    }
    if (row->parent_id == NULL) {
        row->parent_id = row->domain_id;
        field_mark(&row->set, PROJECT_F_PARENT_ID);
    }
    return project_tree_check_place(call, tx, row->domain_id, row->parent_id, f);
}

static int
prepare_update(struct call *call, struct db_tx *tx, const struct project *old, struct project *row,
               struct fault *f)
{
    if (immutable_check_update(call, &project_resource, old->options, row->options, "project",
                               old->id, f) < 0)
        return -1;
    if (field_given(&row->set, PROJECT_F_PARENT_ID) && !str_equal(row->parent_id, old->parent_id))
        return fault_raise(f, FAULT_FORBIDDEN, "Update of `parent_id` is not allowed.");
    field_unmark(&row->set, PROJECT_F_PARENT_ID);
    row->name = owner_trim(call, row->name);
    immutable_tidy(call, &row->options);
    if (!field_given(&row->set, PROJECT_F_ENABLED) || row->enabled == old->enabled)
        return 0;
    if (row->enabled)
        return project_tree_check_enable(tx, old, f);
    if (project_tree_check_disable(tx, old->id, f) < 0)
        return -1;
    return revoke_project(call, tx, old->id, f);
}

static int
check_delete(struct call *call, struct db_tx *tx, const struct project *row, struct fault *f)
{
    struct project_has_children_row child;
    int found;

    if (immutable_check_delete(row->options, "project", row->id, f) < 0)
        return -1;
    found = project_has_children(tx->db, row->id, &child, f);
    if (found < 0)
        return -1;
    if (found == 1)
        return fault_raise(f, FAULT_FORBIDDEN,
                           "Cannot delete the project %.64s since it is not a leaf in the "
                           "hierarchy. Use the cascade option if you want to delete a whole "
                           "subtree.",
                           row->id);
    if (project_forget_credentials(tx->db, row->id, f) < 0 ||
        project_forget_default(tx->db, row->id, f) < 0)
        return -1;
    return revoke_project(call, tx, row->id, f);
}

static int
load(struct call *call, struct db *db, struct project *const *rows, size_t count, struct fault *f)
{
    struct project *row = rows[0];

    (void)db;
    if (call->operation->verb != VERB_SHOW || count != 1)
        return 0;
    if (project_tree_expand(call, row->id, row->parent_id, &row->parents, &row->subtree, f) < 0)
        return -1;
    if (row->parents != NULL)
        field_mark(&row->set, PROJECT_F_PARENTS);
    if (row->subtree != NULL)
        field_mark(&row->set, PROJECT_F_SUBTREE);
    return 0;
}

const struct project_hooks project_hooks = {
    .prepare_create = prepare_create,
    .prepare_update = prepare_update,
    .check_delete = check_delete,
    .load = load,
};

/* --- Lists and creation: the request says whether it means projects that are domains. */

static void
where_tags(struct call *call, struct list_plan *plan)
{
    static const struct {
        const char *parameter, *sql;
    } filters[] = {
        { "tags", "tags ?& string_to_array(%1, ',')" },
        { "tags-any", "tags ?| string_to_array(%1, ',')" },
        { "not-tags", "NOT tags ?& string_to_array(%1, ',')" },
        { "not-tags-any", "NOT tags ?| string_to_array(%1, ',')" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
        const char *tags = call_query(call, filters[i].parameter);

        if (!str_empty(tags))
            list_plan_where_sql(plan, filters[i].sql, &tags, 1);
    }
}

int
project_list(struct call *call, struct fault *f)
{
    const struct resource *r =
        call_query_bool(call, "is_domain") ? &domain_project_resource : &project_resource;
    struct list_plan plan;

    if (list_plan_make(call, r, VIEW_DETAIL, &plan, f) < 0)
        return -1;
    where_tags(call, &plan);
    owner_narrow(call, &plan);
    return list_plan_reply(call, &plan, f);
}

int
project_create(struct call *call, struct fault *f)
{
    const struct operation *own = call->operation;
    bool is_domain = json_is_true(
        json_object_get(json_object_get(call->body, project_resource.key), "is_domain"));
    struct operation create = *own;
    int r;

    create.verb = VERB_CREATE;
    create.resource = is_domain ? &domain_project_resource : &project_resource;
    call->operation = &create;
    r = resource_verb_create(call, f);
    call->operation = own;
    return r;
}
