/* Grants: PUT, GET, HEAD, DELETE of a role for a user or group on a project, a domain or the system. The path says which. */
#include "base/str.h"
#include "revocations.h"

struct grant {
    const char *role_id;
    const char *actor_type, *actor_id;
    const char *target_type, *target_id;
    bool inherited;
};

/* Reads the path and checks that everything it names exists. */
static int
read_path(struct call *call, struct grant *ret, struct fault *f)
{
    struct grant g = { .role_id = call_param_find(call, "role_id") };
    const char *user = call_param_find(call, "user_id"), *group = call_param_find(call, "group_id");
    const char *project = call_param_find(call, "project_id"),
               *domain = call_param_find(call, "domain_id");
    void *row = arena_alloc(call->arena, 4096);

    g.actor_type = user != NULL ? "user" : "group";
    g.actor_id = user != NULL ? user : group;
    g.target_type = project != NULL ? "project" : domain != NULL ? "domain" : "system";
    g.target_id = project != NULL ? project : domain != NULL ? domain : "all";
    g.inherited = str_starts(call->request->path, "/v3/OS-INHERIT/");
    if (project != NULL &&
        resource_load(call->db, &project_resource, project, NULL, false, row, f) < 0)
        return -1;
    if (domain != NULL &&
        resource_load(call->db, &domain_resource, domain, NULL, false, row, f) < 0)
        return -1;
    if (resource_load(call->db, user != NULL ? &user_resource : &group_resource, g.actor_id, NULL,
                      false, row, f) < 0)
        return -1;
    if (g.role_id != NULL &&
        resource_load(call->db, &role_resource, g.role_id, NULL, false, row, f) < 0)
        return -1;
    *ret = g;
    return 0;
}

int
grant_list(struct call *call, struct fault *f)
{
    struct grant_role_ids_row *rows;
    struct list_plan plan;
    const char **ids;
    struct grant g;
    size_t count;

    if (read_path(call, &g, f) < 0 ||
        grant_role_ids(call->db, g.actor_type, g.actor_id, g.target_type, g.target_id, g.inherited,
                       &rows, &count, f) < 0 ||
        list_plan_make(call, &role_resource, VIEW_DETAIL, &plan, f) < 0)
        return -1;
    ids = ARENA_ARRAY(call->arena, const char *, count + 1);
    for (size_t i = 0; i < count; i++)
        ids[i] = rows[i].role_id;
    list_plan_where_in(&plan, "id", ids, count);
    return list_plan_reply(call, &plan, f);
}

int
grant_check(struct call *call, struct fault *f)
{
    struct grant_exists_row row;
    struct grant g;
    int found;

    if (read_path(call, &g, f) < 0)
        return -1;
    found = grant_exists(call->db, g.role_id, g.actor_type, g.actor_id, g.target_type, g.target_id,
                         g.inherited, &row, f);
    if (found == 0)
        return fault_raise(f, FAULT_NOT_FOUND,
                           "Could not find role assignment with role: %.64s, user or group: %.64s, "
                           "project, domain, or system: %.64s.",
                           g.role_id, g.actor_id, g.target_id);
    return found < 0 ? -1 : 0;
}

int
grant_add(struct call *call, struct fault *f)
{
    struct grant g;

    if (read_path(call, &g, f) < 0)
        return -1;
    return grant_add_row(call->db, g.role_id, g.actor_type, g.actor_id, g.target_type, g.target_id,
                         g.inherited, f) < 0
               ? -1
               : 0;
}

/* Tokens that carry the role there end at once: the user's, or those of everyone in the group. */
static int
revoke_grant(struct call *call, struct db_tx *tx, const struct grant *g, struct fault *f)
{
    struct revocation r = { .role_id = g->role_id };
    struct member_ids_row *members;
    size_t count;

    if (str_equal(g->target_type, "project") && !g->inherited)
        r.project_id = g->target_id;
    if (str_equal(g->target_type, "domain"))
        r.domain_id = g->target_id;
    if (str_equal(g->actor_type, "user")) {
        r.user_id = g->actor_id;
        /* What he left to programs there goes with it, and does not come back with it. */
        if (r.project_id != NULL && app_creds_forget(tx->db, r.user_id, r.project_id, f) < 0)
            return -1;
        return revoke_tokens(call, tx, &r, f);
    }
    if (member_ids(tx->db, g->actor_id, &members, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        r.user_id = members[i].user_id;
        if (revoke_tokens(call, tx, &r, f) < 0)
            return -1;
    }
    return 0;
}

int
grant_remove(struct call *call, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct grant g;

    if (grant_check(call, f) < 0 || read_path(call, &g, f) < 0 || db_tx_begin(&tx, call->db, f) < 0)
        return -1;
    if (grant_remove_row(tx.db, g.role_id, g.actor_type, g.actor_id, g.target_type, g.target_id,
                         g.inherited, f) < 0)
        return -1;
    if (revoke_grant(call, &tx, &g, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}
