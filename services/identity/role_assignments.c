/* GET /v3/role_assignments: grants as a list, with filters. ?effective shows what they come to instead: one entry for each user,
 * project and role, with groups, inheritance and implied roles worked out; its links name the grants it comes from. */
#include "base/str.h"
#include "service.h"

static void
write_part(struct jsonw *w, const char *key, const char *id, const char *name,
           const char *domain_id, const char *domain_name, bool names)
{
    jsonw_object(w, key);
    jsonw_text(w, "id", id);
    if (names) {
        jsonw_text(w, "name", name);
        if (domain_id != NULL) {
            jsonw_object(w, "domain");
            jsonw_text(w, "id", domain_id);
            jsonw_text(w, "name", domain_name);
            jsonw_end(w);
        }
    }
    jsonw_end(w);
}

static bool
is_inherited(const struct assignments_row *x)
{
    return x->inherited || x->via_project_id != NULL || x->via_domain_id != NULL;
}

static void
write_scope(struct jsonw *w, const struct assignments_row *x, bool names)
{
    jsonw_object(w, "scope");
    if (x->project_id != NULL) {
        write_part(w, "project", x->project_id, x->project_name, x->project_domain_id,
                   x->project_domain_name, names);
    } else if (x->domain_id != NULL) {
        write_part(w, "domain", x->domain_id, x->domain_name, NULL, NULL, names);
    } else {
        jsonw_object(w, "system");
        jsonw_bool(w, "all", true);
        jsonw_end(w);
    }
    if (is_inherited(x))
        jsonw_text(w, "OS-INHERIT:inherited_to", "projects");
    jsonw_end(w);
}

/* Where the grant is managed. */
static const char *
grant_path(struct call *call, const struct assignments_row *x)
{
    const char *domain = x->via_domain_id != NULL    ? x->via_domain_id
                         : x->via_project_id != NULL ? NULL
                                                     : x->domain_id;
    const char *project = domain != NULL              ? NULL
                          : x->via_project_id != NULL ? x->via_project_id
                                                      : x->project_id;
    const char *group = x->via_group_id != NULL ? x->via_group_id : x->group_id;
    const char *target = domain != NULL    ? arena_printf(call->arena, "/domains/%s", domain)
                         : project != NULL ? arena_printf(call->arena, "/projects/%s", project)
                                           : "/system";

    return arena_printf(call->arena, "%s%s/%s/%s/roles/%s%s", is_inherited(x) ? "/OS-INHERIT" : "",
                        target, group != NULL ? "groups" : "users",
                        group != NULL ? group : x->user_id,
                        x->prior_role_id != NULL ? x->prior_role_id : x->role_id,
                        is_inherited(x) ? "/inherited_to_projects" : "");
}

static void
write_links(struct call *call, struct jsonw *w, const struct assignments_row *x)
{
    jsonw_object(w, "links");
    if (x->via_group_id != NULL)
        jsonw_text(w, "membership",
                   call_url(call, "/v3/groups/%s/users/%s", x->via_group_id, x->user_id));
    jsonw_text(w, "assignment", call_url(call, "/v3%s", grant_path(call, x)));
    if (x->prior_role_id != NULL) /* Upstream's words, in its order. */
        jsonw_text(w, "prior_role",
                   call_url(call, "/v3/prior_role/%s/implies/%s", x->role_id, x->prior_role_id));
    jsonw_end(w);
}

static void
write_assignment(struct call *call, struct jsonw *w, const struct assignments_row *x, bool names)
{
    jsonw_object(w, NULL);
    write_links(call, w, x);
    write_scope(w, x, names);
    if (x->user_id != NULL)
        write_part(w, "user", x->user_id, x->actor_name, x->actor_domain_id, x->actor_domain_name,
                   names);
    else
        write_part(w, "group", x->group_id, x->actor_name, x->actor_domain_id, x->actor_domain_name,
                   names);
    write_part(w, "role", x->role_id, x->role_name, x->role_domain_id, x->role_domain_name, names);
    jsonw_end(w);
}

struct filters {
    const char *role, *user, *group, *project, *domain;
    bool system, effective, subtree;
    bool *inherited; /* NULL: both. */
};

/* A filter with no value filters nothing. */
static const char *
filter(struct call *call, const char *name)
{
    const char *value = call_query(call, name);

    return str_empty(value) ? NULL : value;
}

static int
check_filters(struct call *call, const struct filters *x, struct fault *f)
{
    const char *system = filter(call, "scope.system");
    const struct {
        bool wrong;
        const char *field, *message;
    } rules[] = {
        { x->domain != NULL && x->project != NULL, "scope.domain.id",
          "Specify a domain or project, not both" },
        { x->domain != NULL && system != NULL, "scope.system",
          "Specify system or domain, not both" },
        { x->project != NULL && system != NULL, "scope.system",
          "Specify system or project, not both" },
        { x->user != NULL && x->group != NULL, "group.id", "Specify a user or group, not both" },
        { x->effective && x->group != NULL, "group.id",
          "Combining effective and group filter will always result in an empty list." },
        { x->effective && x->inherited != NULL && *x->inherited && x->domain != NULL,
          "scope.domain.id",
          "Combining effective, domain and inherited filters will always result in an empty "
          "list." },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
        if (rules[i].wrong)
            return fault_raise_field(f, rules[i].field, "%s", rules[i].message);
    }
    return 0;
}

static void
read_filters(struct call *call, struct filters *ret)
{
    const char *inherited = call_query(call, "scope.OS-INHERIT:inherited_to");

    *ret = (struct filters){
        .role = filter(call, "role.id"),
        .user = filter(call, "user.id"),
        .group = filter(call, "group.id"),
        .project = filter(call, "scope.project.id"),
        .domain = filter(call, "scope.domain.id"),
        .system = str_equal(call_query(call, "scope.system"), "all"),
        .effective = call_query_bool(call, "effective"),
        .subtree = call_query_bool(call, "include_subtree"),
    };
    if (inherited != NULL) {
        ret->inherited = ARENA_NEW(call->arena, bool);
        *ret->inherited = str_equal(inherited, "projects");
    }
}

/* A subtree is another operation upstream, with a rule of its own that looks at its top. */
static int
enforce(struct call *call, const struct filters *x, struct fault *f)
{
    static const char rule[] = "identity:list_role_assignments_for_tree";
    struct project *top = ARENA_NEW(call->arena, struct project);
    struct call_object object = { &project_resource, top };

    if (!x->subtree)
        return call_enforce(call, call->operation->policy, NULL, NULL, f);
    if (x->project != NULL &&
        resource_load(call->db, &project_resource, x->project, NULL, false, top, f) < 0)
        return call_hide_missing(call, rule, f);
    if (call_enforce_among(call, rule, &object, x->project != NULL, f) < 0)
        return -1;
    if (x->project == NULL)
        return fault_raise_field(
            f, "scope.project.id",
            "scope.project.id must be specified if include_subtree is also specified");
    return 0;
}

int
role_assignments(struct call *call, struct fault *f)
{
    bool names = call_query_bool(call, "include_names");
    struct assignments_row *rows;
    struct filters x;
    struct jsonw *w;
    size_t count;

    read_filters(call, &x);
    if (enforce(call, &x, f) < 0 || check_filters(call, &x, f) < 0)
        return -1;
    if (assignments(call->db, x.role, x.user, x.group, x.project, x.domain, x.system, x.effective,
                    x.inherited, x.subtree,
                    call->auth.scope == SCOPE_DOMAIN ? call->auth.domain_id : NULL, &rows, &count,
                    f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_array(w, "role_assignments");
    for (size_t i = 0; i < count; i++)
        write_assignment(call, w, &rows[i], names);
    jsonw_end(w);
    dialect_list_links(call->dialect, w, "role_assignments",
                       call_url(call, "%s", call->request->path), NULL, NULL);
    jsonw_end(w);
    return 0;
}
