/* What a token is for: project, domain, system or nothing, and the roles the user has there. */
#include "base/str.h"
#include "tokens.h"
#include "trusts.h"

static int
take_roles(struct call *call, const char *target_type, const char *target_id, const char *domain_id,
           struct auth_context *c, struct fault *f)
{
    struct texts groups = login_groups(c);
    struct effective_roles_row *rows;
    const char **names, **ids;
    size_t count;

    if (effective_roles(call->db, c->user_id, target_type, target_id, domain_id, &groups, &rows,
                        &count, f) < 0)
        return -1;
    if (count == 0)
        return login_refused(call, "the user has no role there", f);
    names = ARENA_ARRAY(call->arena, const char *, count);
    ids = ARENA_ARRAY(call->arena, const char *, count);
    for (size_t i = 0; i < count; i++) {
        names[i] = rows[i].name;
        ids[i] = rows[i].id;
    }
    c->roles = names;
    c->role_ids = ids;
    c->roles_count = count;
    return 0;
}

int
scope_enter_project(struct call *call, const struct project_ref *in, struct auth_context *c,
                    struct fault *f)
{
    struct scope_project_row row;
    const struct domain_ref *domain = in->domain;
    int found;

    if (in->id == NULL &&
        (in->name == NULL || domain == NULL || (domain->id == NULL && domain->name == NULL)))
        return fault_raise_field(f, "project",
                                 "Expecting to find id or name with domain in project.");
    found = in->id != NULL
                ? scope_project_by_id(call->db, in->id, &row, f)
                : scope_project_by_name(call->db, in->name, domain->id, domain->name, &row, f);
    if (found < 0)
        return -1;
    if (found == 0 || !row.enabled)
        return login_refused(call, "no such project, or it is disabled", f);
    c->scope = SCOPE_PROJECT;
    c->project_id = row.id;
    c->project_name = row.name;
    c->project_domain_id = row.domain_id;
    c->project_domain_name = row.domain_name;
    return 0;
}

static int
project_scope(struct call *call, const struct project_ref *in, struct auth_context *c,
              struct fault *f)
{
    if (scope_enter_project(call, in, c, f) < 0)
        return -1;
    return take_roles(call, "project", c->project_id, c->project_domain_id, c, f);
}

/* Of the roles that the user has now those that he gave away with what 'left' says, and no others. */
static int
keep_roles(struct call *call, const char *const *left, size_t count, struct auth_context *c,
           struct fault *f)
{
    const char **names = ARENA_ARRAY(call->arena, const char *, c->roles_count);
    const char **ids = ARENA_ARRAY(call->arena, const char *, c->roles_count);
    size_t kept = 0;

    for (size_t i = 0; i < c->roles_count; i++) {
        for (size_t j = 0; j < count; j++) {
            if (str_equal(c->role_ids[i], left[j])) {
                names[kept] = c->roles[i];
                ids[kept++] = c->role_ids[i];
                break;
            }
        }
    }
    if (kept == 0)
        return login_refused(call, "the user has lost the roles that he had given away", f);
    c->roles = names;
    c->role_ids = ids;
    c->roles_count = kept;
    return 0;
}

/* The project's, with the roles alone that 'effective' finds for what narrows them: the application credential or access token 'id'. */
static int
narrowed_scope(struct call *call, const char *project_id,
               int (*effective)(struct db *db, const char *id, struct effective_role_row **ret,
                                size_t *ret_count, struct fault *f),
               const char *id, struct auth_context *c, struct fault *f)
{
    const struct project_ref project = { .id = project_id };
    struct effective_role_row *left;
    const char **ids;
    size_t count;

    if (project_scope(call, &project, c, f) < 0 || effective(call->db, id, &left, &count, f) < 0)
        return -1;
    ids = ARENA_ARRAY(call->arena, const char *, count + 1);
    for (size_t i = 0; i < count; i++)
        ids[i] = left[i].id;
    return keep_roles(call, ids, count, c, f);
}

static int
domain_scope(struct call *call, const struct domain_ref *in, struct auth_context *c,
             struct fault *f)
{
    struct scope_domain_row row;
    int found;

    if (in->id == NULL && in->name == NULL)
        return fault_raise_field(f, "domain", "Expecting to find id or name in domain.");
    found = scope_domain(call->db, in->id, in->name, &row, f);
    if (found < 0)
        return -1;
    if (found == 0 || !row.enabled)
        return login_refused(call, "no such domain, or it is disabled", f);
    c->scope = SCOPE_DOMAIN;
    c->domain_id = row.id;
    c->domain_name = row.name;
    return take_roles(call, "domain", row.id, NULL, c, f);
}

/* Nothing was asked for: the default project, or, when that is gone or not the user's any more, nothing. */
static int
default_scope(struct call *call, const char *project_id, struct auth_context *c, struct fault *f)
{
    const struct project_ref project = { .id = project_id };

    if (project_id == NULL || project_scope(call, &project, c, f) == 0)
        return 0;
    if (f->kind != FAULT_UNAUTHORIZED)
        return -1;
    fault_clear(f);
    c->scope = SCOPE_NONE;
    c->project_id = c->project_name = c->project_domain_id = c->project_domain_name = NULL;
    return 0;
}

int
scope_resolve(struct call *call, const json_t *scope, struct login *l, struct auth_context *ret,
              struct fault *f)
{
    struct token_scope in = { 0 };

    ret->scope = SCOPE_NONE;
    if (l->app_cred_project_id != NULL) {
        if (scope != NULL)
            return fault_raise(f, FAULT_UNAUTHORIZED,
                               "Error authenticating with application credential: Application "
                               "credentials cannot request a scope.");
        return narrowed_scope(call, l->app_cred_project_id, app_cred_effective_roles,
                              ret->app_cred_id, ret, f);
    }
    if (l->access_token_project_id != NULL) /* Whatever else is asked for. */
        return narrowed_scope(call, l->access_token_project_id, oauth_effective_roles,
                              ret->access_token_id, ret, f);
    if (str_equal(json_string_value(scope), "unscoped"))
        return 0;
    if (scope == NULL)
        return default_scope(call, l->default_project_id, ret, f);
    if (schema_parse(&token_scope_schema, scope, SCHEMA_CREATE, 0, "scope", call->arena, &in, f) <
        0)
        return -1;
    if ((in.project != NULL) + (in.domain != NULL) + (in.system != NULL) + (in.unscoped != NULL) +
            (in.trust != NULL) !=
        1)
        return fault_raise_field(f, "scope",
                                 "Expecting exactly one of project, domain, system, OS-TRUST:trust "
                                 "or unscoped in scope.");
    if (in.trust != NULL)
        return trust_scope(call, in.trust, l, ret, f);
    if (in.project != NULL)
        return project_scope(call, in.project, ret, f);
    if (in.domain != NULL)
        return domain_scope(call, in.domain, ret, f);
    if (in.system != NULL) {
        if (!in.system->all)
            return fault_raise_field(f, "scope", "Expecting true for all in system.");
        ret->scope = SCOPE_SYSTEM;
        return take_roles(call, "system", "all", NULL, ret, f);
    }
    return 0;
}
