/* GET /v3/projects/{id} with what is above and below it in the tree; see project_tree.h. */
#include "base/json.h"
#include "base/map.h"
#include "base/str.h"
#include "login.h"
#include "project_tree.h"

/* Adds to each of [{"project": {...}}] its limits, as ?include_limits asks. */
static int
add_limits(struct call *call, json_t *list, struct fault *f)
{
    struct list_plan plan = {
        .resource = &limit_resource, .arena = call->arena, .view = VIEW_DETAIL, .limit = -1
    };
    const char **ids = ARENA_ARRAY(call->arena, const char *, json_array_size(list) + 1);
    struct map *limits = map_new(NULL); /* Project to its array. */
    json_t *entry;
    size_t i, count;
    void **rows;
    bool more;
    int r;

    json_array_foreach(list, i, entry)
    {
        json_t *project = json_object_get(entry, "project");

        json_object_set_new(project, "limits", json_array());
        ids[i] = json_string_value(json_object_get(project, "id"));
        map_set(limits, ids[i], json_object_get(project, "limits"));
    }
    list_plan_where_in(&plan, "project_id", ids, json_array_size(list));
    r = list_plan_run(call->db, &plan, &rows, &count, &more, f);
    for (i = 0; r == 0 && i < count; i++) {
        _cleanup_(str_done) struct str text = { 0 };
        json_t *array = map_get(limits, ((const struct limit *)rows[i])->project_id);
        json_t *limit;
        struct jsonw w;

        jsonw_init(&w, &text);
        resource_write(call, &limit_resource, rows[i], VIEW_DETAIL, &w, NULL);
        limit = json_loadb(text.data, text.size, 0, NULL);
        json_object_del(limit, "links");
        json_array_append_new(array, limit);
    }
    map_free(limits);
    return r;
}

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
    return call_query_bool(call, "include_limits") ? add_limits(call, *ret, f) : 0;
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
