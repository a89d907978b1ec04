/* What a user may scope to: /v3/auth/projects, domains, system, and /v3/users/{id}/projects. */
#include "base/str.h"
#include "login.h"

/* The rows of a resource with these ids, as a list. */
static int
reply_rows(struct call *call, const struct resource *r, const char *const *ids, size_t count,
           struct fault *f)
{
    struct list_plan plan;

    if (list_plan_make(call, r, VIEW_DETAIL, &plan, f) < 0)
        return -1;
    list_plan_where_in(&plan, "id", ids, count);
    return list_plan_reply(call, &plan, f);
}

static int
projects_for(struct call *call, const char *user_id, const struct texts *groups, bool disabled_too,
             struct fault *f)
{
    struct own_project_ids_row *rows;
    const char **ids;
    size_t count;

    if (own_project_ids(call->db, user_id, groups, disabled_too, &rows, &count, f) < 0)
        return -1;
    ids = ARENA_ARRAY(call->arena, const char *, count + 1);
    for (size_t i = 0; i < count; i++)
        ids[i] = rows[i].id;
    return reply_rows(call, &project_resource, ids, count, f);
}

int
auth_projects(struct call *call, struct fault *f)
{
    struct texts groups = login_groups(&call->auth);

    return projects_for(call, call->auth.user_id, &groups, false, f);
}

int
projects_of_user(struct call *call, struct fault *f)
{
    struct user *user = ARENA_NEW(call->arena, struct user);
    struct call_object object = { &user_resource, user };
    struct texts none = { 0 };

    if (resource_load(call->db, &user_resource, call_param(call, "user_id"), NULL, false, user, f) <
        0)
        return call_hide_missing(call, call->operation->policy, f);
    if (call_enforce_among(call, call->operation->policy, &object, 1, f) < 0)
        return -1;
    return projects_for(call, user->id, &none, true, f);
}

int
auth_domains(struct call *call, struct fault *f)
{
    struct texts groups = login_groups(&call->auth);
    struct own_domain_ids_row *rows;
    const char **ids;
    size_t count;

    if (own_domain_ids(call->db, call->auth.user_id, &groups, &rows, &count, f) < 0)
        return -1;
    ids = ARENA_ARRAY(call->arena, const char *, count + 1);
    for (size_t i = 0; i < count; i++)
        ids[i] = rows[i].id;
    return reply_rows(call, &domain_resource, ids, count, f);
}

int
auth_system(struct call *call, struct fault *f)
{
    struct texts groups = login_groups(&call->auth);
    struct effective_roles_row *rows;
    struct jsonw *w;
    size_t count;

    if (effective_roles(call->db, call->auth.user_id, "system", "all", NULL, &groups, &rows, &count,
                        f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_array(w, "system");
    if (count > 0) {
        jsonw_object(w, NULL);
        jsonw_bool(w, "all", true);
        jsonw_end(w);
    }
    jsonw_end(w);
    dialect_object_links(call->dialect, w, call->base_url, "/v3/auth/system");
    jsonw_end(w);
    return 0;
}
