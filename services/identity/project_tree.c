#include "project_tree.h"

#include "base/str.h"
#include "limits.h"

/* --- A place for a new one */

static int
check_parent(struct db_tx *tx, const char *domain_id, const char *parent_id, struct fault *f)
{
    struct project parent = { 0 };
    struct domain domain = { 0 };

    if (resource_load(tx->db, &project_resource, parent_id, NULL, true, &parent, f) == 0) {
        if (str_equal(parent.domain_id, domain_id))
            return 0;
        return fault_raise_field(f, "domain_id",
                                 "Cannot create project, since it specifies its domain_id %.64s, "
                                 "but specifies a parent in a different domain (%.64s).",
                                 domain_id, parent.domain_id);
    }
    if (f->kind != FAULT_NOT_FOUND ||
        resource_load(tx->db, &domain_resource, parent_id, NULL, false, &domain, f) == 0) {
        if (f->kind != FAULT_NOT_FOUND)
            return -1;
        fault_clear(f);
        return fault_raise_field(f, "parent_id",
                                 "Cannot create project, the parent (%.64s) is acting as a domain, "
                                 "but this project's domain id (%.64s) does not match the parent's "
                                 "id.",
                                 parent_id, domain_id);
    }
    fault_clear(f);
    return fault_raise_field(f, "parent_id", "Could not find project: %.64s.", parent_id);
}

int
project_tree_check_place(struct call *call, struct db_tx *tx, const char *domain_id,
                         const char *parent_id, struct fault *f)
{
    int64_t max_depth = limits_max_tree_depth(identity_of(call)->config);
    struct project_ancestors_row *above;
    struct domain domain = { 0 };
    const char *closed = NULL;
    size_t count = 0;

    if (resource_load(tx->db, &domain_resource, domain_id, NULL, false, &domain, f) < 0) {
        if (f->kind != FAULT_NOT_FOUND)
            return -1;
        fault_clear(f);
        return fault_raise_field(f, "domain_id", "Could not find domain: %.64s.", domain_id);
    }
    if (!str_equal(parent_id, domain_id) &&
        (check_parent(tx, domain_id, parent_id, f) < 0 ||
         project_ancestors(tx->db, parent_id, &above, &count, f) < 0))
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (!above[i].enabled)
            closed = above[i].id;
    }
    if (!domain.enabled)
        closed = domain.id;
    if (closed != NULL)
        return fault_raise_field(
            f, "parent_id",
            "cannot create a project in a branch containing a disabled project: %.64s", closed);
    if ((int64_t)count + 1 > max_depth)
        return fault_raise(f, FAULT_FORBIDDEN, "Max hierarchy depth reached for %.64s branch.",
                           parent_id);
    return 0;
}

/* --- Enabling and disabling */

int
project_tree_check_enable(struct db_tx *tx, const struct project *project, struct fault *f)
{
    struct domain domain = { 0 };
    struct project_ancestors_row *above;
    size_t count;
    bool closed;

    if (resource_load(tx->db, &domain_resource, project->domain_id, NULL, false, &domain, f) < 0 ||
        project_ancestors(tx->db, project->parent_id, &above, &count, f) < 0)
        return -1;
    closed = !domain.enabled;
    for (size_t i = 0; i < count; i++)
        closed = closed || !above[i].enabled;
    if (!closed)
        return 0;
    return fault_raise(f, FAULT_FORBIDDEN,
                       "Cannot enable project %.64s since it has disabled parents", project->id);
}

int
project_tree_check_disable(struct db_tx *tx, const char *id, struct fault *f)
{
    struct project_descendants_row *below;
    size_t count;

    if (project_descendants(tx->db, id, &below, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (below[i].enabled)
            return fault_raise(
                f, FAULT_FORBIDDEN,
                "Cannot disable project %.64s since its subtree contains enabled projects.", id);
    }
    return 0;
}
