/* GET /v3/role_assignments: grants as a list, with filters; ?effective expands groups, inheritance and implied roles; ?include_names. */
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

static void
write_assignment(struct call *call, struct jsonw *w, const struct grant_names_row *x, bool names)
{
    const char *plural = str_equal(x->actor_type, "user") ? "users" : "groups";

    jsonw_object(w, NULL);
    jsonw_object(w, "scope");
    if (str_equal(x->target_type, "system")) {
        jsonw_object(w, "system");
        jsonw_bool(w, "all", true);
        jsonw_end(w);
    } else {
        write_part(w, x->target_type, x->target_id, x->target_name, x->target_domain_id,
                   x->target_domain_name, names);
    }
    if (x->inherited)
        jsonw_text(w, "OS-INHERIT:inherited_to", "projects");
    jsonw_end(w);
    write_part(w, x->actor_type, x->actor_id, x->actor_name, x->actor_domain_id,
               x->actor_domain_name, names);
    write_part(w, "role", x->role_id, x->role_name, x->role_domain_id, x->role_domain_name, names);
    jsonw_object(w, "links");
    if (str_equal(x->target_type, "system"))
        jsonw_text(w, "assignment",
                   call_url(call, "/v3/system/%s/%s/roles/%s", plural, x->actor_id, x->role_id));
    else
        jsonw_text(w, "assignment",
                   call_url(call, "/v3/%ss/%s/%s/%s/roles/%s", x->target_type, x->target_id, plural,
                            x->actor_id, x->role_id));
    jsonw_end(w);
    jsonw_end(w);
}

int
role_assignments(struct call *call, struct fault *f)
{
    const char *domain = call_query(call, "scope.domain.id");
    bool effective = call_query_bool(call, "effective");
    bool names = call_query_bool(call, "include_names");
    struct grant_names_row *rows;
    struct jsonw *w;
    size_t count;

    if (effective && call_query(call, "group.id") != NULL)
        return fault_raise_field(
            f, "group.id",
            "Combining effective and group filter will always result in an empty list.");
    if (call->auth.scope == SCOPE_DOMAIN && !call_is_admin(call))
        domain = call->auth.domain_id;
    if (grant_names(call->db, call_query(call, "role.id"), call_query(call, "user.id"),
                    call_query(call, "group.id"), call_query(call, "scope.project.id"), domain,
                    call_query(call, "scope.system") != NULL, effective,
                    call_query(call, "scope.OS-INHERIT:inherited_to"), &rows, &count, f) < 0)
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
