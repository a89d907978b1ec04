#include "project_tree.h"

#include "base/json.h"
#include "base/map.h"
#include "base/str.h"
#include "login.h"

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
    int64_t max_depth = identity_of(call)->config->max_project_tree_depth;
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

/* --- Showing */

/* Those of 'ids' that the caller may scope to: [{"project": {...}}]. */
static int
list_own(struct call *call, const char *const *ids, size_t count, json_t **ret, struct fault *f)
{
    struct list_plan plan = {
        .resource = &project_resource, .arena = call->arena, .view = VIEW_DETAIL, .limit = -1
    };
    _cleanup_(str_done) struct str text = { 0 };
    struct texts groups = login_groups(&call->auth);
    struct own_project_ids_row *own;
    const char **own_ids;
    struct jsonw w;
    void **rows;
    size_t own_count;
    bool more;

    if (own_project_ids(call->db, call->auth.user_id, &groups, true, &own, &own_count, f) < 0)
        return -1;
    own_ids = ARENA_ARRAY(call->arena, const char *, own_count + 1);
    for (size_t i = 0; i < own_count; i++)
        own_ids[i] = own[i].id;
    list_plan_where_in(&plan, "id", ids, count);
    list_plan_where_in(&plan, "id", own_ids, own_count);
    if (list_plan_run(call->db, &plan, &rows, &count, &more, f) < 0)
        return -1;
    jsonw_init(&w, &text);
    jsonw_array(&w, NULL);
    for (size_t i = 0; i < count; i++) {
        jsonw_object(&w, NULL);
        resource_write(call, &project_resource, rows[i], VIEW_DETAIL, &w, "project");
        jsonw_end(&w);
    }
    jsonw_end(&w);
    *ret = json_own(call->arena, json_loadb(text.data, text.size, 0, NULL));
    return 0;
}

/* {"parent": {"its parent": {"the domain": null}}} */
static json_t *
parents_as_ids(struct call *call, const char *parent_id, const struct project_ancestors_row *above,
               size_t count)
{
    json_t *tree = json_null();

    if (parent_id == NULL)
        return tree;
    for (size_t i = count; i > 0; i--)
        tree = json_pack("{s:o}", above[i - 1].parent_id, tree);
    return json_own(call->arena, json_pack("{s:o}", parent_id, tree));
}

/* {"child": {"its child": null}, "other child": null}; null if there is none. 'below' has parents before their children. */
static json_t *
subtree_as_ids(struct call *call, const char *id, const struct project_descendants_row *below,
               size_t count)
{
    struct map *children = map_new(NULL); /* Id to the object of what is below it. */
    json_t *tree;

    for (size_t i = count; i > 0; i--) {
        json_t *own = map_get(children, below[i - 1].id);
        json_t *beside = map_get(children, below[i - 1].parent_id);

        if (beside == NULL) {
            beside = json_own(call->arena, json_object());
            map_set(children, below[i - 1].parent_id, beside);
        }
        json_object_set(beside, below[i - 1].id, own == NULL ? json_null() : own);
    }
    tree = map_get(children, id);
    map_free(children);
    return tree == NULL ? json_null() : tree;
}

static int
expand_parents(struct call *call, const char *parent_id, bool as_list, json_t **ret,
               struct fault *f)
{
    struct project_ancestors_row *above = NULL;
    const char **ids;
    size_t count = 0;

    if (parent_id != NULL && project_ancestors(call->db, parent_id, &above, &count, f) < 0)
        return -1;
    if (!as_list) {
        *ret = parents_as_ids(call, parent_id, above, count);
        return 0;
    }
    ids = ARENA_ARRAY(call->arena, const char *, count + 1);
    for (size_t i = 0; i < count; i++)
        ids[i] = above[i].id;
    return list_own(call, ids, count, ret, f);
}

static int
expand_subtree(struct call *call, const char *id, bool as_list, json_t **ret, struct fault *f)
{
    struct project_descendants_row *below;
    const char **ids;
    size_t count;

    if (project_descendants(call->db, id, &below, &count, f) < 0)
        return -1;
    if (!as_list) {
        *ret = subtree_as_ids(call, id, below, count);
        return 0;
    }
    ids = ARENA_ARRAY(call->arena, const char *, count + 1);
    for (size_t i = 0; i < count; i++)
        ids[i] = below[i].id;
    return list_own(call, ids, count, ret, f);
}

int
project_tree_expand(struct call *call, const char *id, const char *parent_id, json_t **ret_parents,
                    json_t **ret_subtree, struct fault *f)
{
    bool parents_list = call_query_bool(call, "parents_as_list");
    bool parents_ids = call_query_bool(call, "parents_as_ids");
    bool subtree_list = call_query_bool(call, "subtree_as_list");
    bool subtree_ids = call_query_bool(call, "subtree_as_ids");

    if (parents_list && parents_ids)
        return fault_raise_field(
            f, "parents_as_list",
            "Cannot use parents_as_list and parents_as_ids query params at the same time.");
    if (subtree_list && subtree_ids)
        return fault_raise_field(
            f, "subtree_as_list",
            "Cannot use subtree_as_list and subtree_as_ids query params at the same time.");
    if ((parents_list || parents_ids) &&
        expand_parents(call, parent_id, parents_list, ret_parents, f) < 0)
        return -1;
    if ((subtree_list || subtree_ids) && expand_subtree(call, id, subtree_list, ret_subtree, f) < 0)
        return -1;
    return 0;
}
