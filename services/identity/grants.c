/* Grants: PUT, GET, HEAD, DELETE of a role for a user or group on a project, a domain or the system. The path says which. */
#include "base/str.h"
#include "revocations.h"

struct grant {
    const char *role_id, *role_domain_id;
    const char *actor_type, *actor_id;
    const char *target_type, *target_id;
    const char *project_domain_id;
    bool inherited;
};

/* Everything that the path names, for the rule to look at. */
struct named {
    struct call_object objects[3];
    size_t count;
};

static int
load_named(struct call *call, struct named *n, const struct resource *r, const char *param,
           const void **ret, struct fault *f)
{
    const char *id = call_param_find(call, param);
    void *row;

    if (id == NULL)
        return 0;
    row = arena_alloc(call->arena, r->schema->size);
    if (resource_load(call->db, r, id, NULL, false, row, f) < 0)
        return call_hide_missing(call, call->operation->policy, f);
    n->objects[n->count++] = (struct call_object){ r, row };
    *ret = row;
    return 1;
}

static const char *
path_actor(const struct call *call, const char **ret_type)
{
    const char *user = call_param_find(call, "user_id");

    *ret_type = user != NULL ? "user" : "group";
    return user != NULL ? user : call_param(call, "group_id");
}

static const char *
path_target(const struct call *call, const char **ret_type)
{
    const char *project = call_param_find(call, "project_id");
    const char *domain = call_param_find(call, "domain_id");

    *ret_type = project != NULL ? "project" : domain != NULL ? "domain" : "system";
    return project != NULL ? project : domain != NULL ? domain : "all";
}

/* Reads the path, checks that everything it names exists, and asks the operation's rule. */
static int
read_path(struct call *call, struct grant *ret, struct fault *f)
{
    struct grant g = { .role_id = call_param_find(call, "role_id") };
    const void *role = NULL, *project = NULL, *other = NULL;
    struct named n = { 0 };

    g.actor_id = path_actor(call, &g.actor_type);
    g.target_id = path_target(call, &g.target_type);
    g.inherited = str_starts(call->request->path, "/v3/OS-INHERIT/");
    if (load_named(call, &n, &role_resource, "role_id", &role, f) < 0 ||
        load_named(call, &n, &user_resource, "user_id", &other, f) < 0 ||
        load_named(call, &n, &group_resource, "group_id", &other, f) < 0 ||
        load_named(call, &n, &domain_resource, "domain_id", &other, f) < 0 ||
        load_named(call, &n, &project_resource, "project_id", &project, f) < 0)
        return -1;
    if (role != NULL)
        g.role_domain_id = ((const struct role *)role)->domain_id;
    if (project != NULL)
        g.project_domain_id = ((const struct project *)project)->domain_id;
    *ret = g;
    return call_enforce_among(call, call->operation->policy, n.objects, n.count, f);
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

static int
check_exists(struct call *call, const struct grant *g, struct fault *f)
{
    struct grant_exists_row row;
    int found = grant_exists(call->db, g->role_id, g->actor_type, g->actor_id, g->target_type,
                             g->target_id, g->inherited, &row, f);

    if (found == 0)
        return fault_raise(f, FAULT_NOT_FOUND,
                           "Could not find role assignment with role: %.64s, user or group: %.64s, "
                           "project, domain, or system: %.64s.",
                           g->role_id, g->actor_id, g->target_id);
    return found < 0 ? -1 : 0;
}

int
grant_check(struct call *call, struct fault *f)
{
    struct grant g;

    return read_path(call, &g, f) < 0 ? -1 : check_exists(call, &g, f);
}

/* A role of a domain is for that domain's projects. */
static int
check_role_fits(const struct grant *g, struct fault *f)
{
    if (g->role_domain_id == NULL)
        return 0;
    if (str_equal(g->target_type, "system"))
        return fault_raise_field(f, "role_id",
                                 "Role %.64s is a domain-specific role. Unable to use a "
                                 "domain-specific role in a system assignment.",
                                 g->role_id);
    if (g->project_domain_id != NULL && !str_equal(g->project_domain_id, g->role_domain_id))
        return fault_raise(f, FAULT_FORBIDDEN,
                           "Project %.64s must be in the same domain as the role %.64s being "
                           "assigned.",
                           g->target_id, g->role_id);
    return 0;
}

int
grant_add(struct call *call, struct fault *f)
{
    struct grant g;

    if (read_path(call, &g, f) < 0 || check_role_fits(&g, f) < 0)
        return -1;
    if (grant_add_row(call->db, g.role_id, g.actor_type, g.actor_id, g.target_type, g.target_id,
                      g.inherited, f) >= 0)
        return 0;
    if (f->kind != FAULT_CONFLICT)
        return -1;
    fault_clear(f); /* Something that it names has just gone: 404 says what. */
    return read_path(call, &g, f) < 0 ? -1 : check_exists(call, &g, f);
}

/* Tokens that carry the role there end at once: the user's, or those of everyone in the group. A role of a domain stands in no
 * token, so all tokens for the target do. */
static int
revoke_grant(struct call *call, struct db_tx *tx, const struct grant *g, struct fault *f)
{
    struct revocation r = { .role_id = g->role_domain_id == NULL ? g->role_id : NULL };
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

    if (read_path(call, &g, f) < 0 || check_exists(call, &g, f) < 0 ||
        db_tx_begin(&tx, call->db, f) < 0)
        return -1;
    if (grant_remove_row(tx.db, g.role_id, g.actor_type, g.actor_id, g.target_type, g.target_id,
                         g.inherited, f) < 0)
        return -1;
    if (revoke_grant(call, &tx, &g, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}
