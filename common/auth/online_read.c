/* A token's body as the Identity API v3 shows it. */
#include "../base/clock.h"
#include "../base/json.h"
#include "../base/str.h"
#include "online.h"

enum { LIST_MAX = 1000 };

static int
malformed(const char *what, struct fault *f)
{
    return fault_raise_cause(f, "identity's answer: %s", what);
}

/* {"id", "name", "domain": {"id", "name"}} */
static bool
read_named(const json_t *object, const char **id, const char **name, const char **domain_id,
           const char **domain_name)
{
    const json_t *domain = json_object_get(object, "domain");

    *id = json_get_text(object, "id");
    *name = json_get_text(object, "name");
    if (domain_id != NULL) {
        *domain_id = json_get_text(domain, "id");
        *domain_name = json_get_text(domain, "name");
    }
    return !str_empty(*id);
}

static int
read_scope(const json_t *token, struct auth_context *c, struct fault *f)
{
    const json_t *project = json_object_get(token, "project"),
                 *domain = json_object_get(token, "domain"),
                 *system = json_object_get(token, "system");

    if ((project != NULL) + (domain != NULL) + (system != NULL) > 1)
        return malformed("more than one scope", f);
    if (project != NULL) {
        c->scope = SCOPE_PROJECT;
        if (!read_named(project, &c->project_id, &c->project_name, &c->project_domain_id,
                        &c->project_domain_name))
            return malformed("a project without id", f);
    } else if (domain != NULL) {
        c->scope = SCOPE_DOMAIN;
        if (!read_named(domain, &c->domain_id, &c->domain_name, NULL, NULL))
            return malformed("a domain without id", f);
    } else if (system != NULL) {
        c->scope = SCOPE_SYSTEM;
        if (!json_is_true(json_object_get(system, "all")))
            return malformed("a system scope that is not all of it", f);
    }
    return 0;
}

static int
read_roles(struct arena *a, const json_t *token, struct auth_context *c, struct fault *f)
{
    const json_t *roles = json_object_get(token, "roles"), *role;
    size_t count = json_array_size(roles), i;
    const char **names, **ids;

    if (count > LIST_MAX)
        return malformed("too many roles", f);
    names = ARENA_ARRAY(a, const char *, count + 1);
    ids = ARENA_ARRAY(a, const char *, count + 1);
    json_array_foreach(roles, i, role)
    {
        if (!read_named(role, &ids[i], &names[i], NULL, NULL) || names[i] == NULL)
            return malformed("a role without id and name", f);
    }
    c->roles = names;
    c->role_ids = ids;
    c->roles_count = count;
    return 0;
}

static int
read_texts(struct arena *a, const json_t *list, const char *const **ret, size_t *ret_count,
           struct fault *f)
{
    size_t count = json_array_size(list), i;
    const char **texts;
    const json_t *text;

    if (count > LIST_MAX)
        return malformed("a list that is too long", f);
    texts = ARENA_ARRAY(a, const char *, count + 1);
    json_array_foreach(list, i, text)
    {
        texts[i] = json_string_value(text);
        if (texts[i] == NULL)
            return malformed("a list with something else than texts", f);
    }
    *ret = texts;
    *ret_count = count;
    return 0;
}

/* What an application credential may ask for. An empty list is not none: it allows nothing, as a rule that no request fits. */
static int
read_app_cred(struct arena *a, const json_t *token, struct auth_context *c, struct fault *f)
{
    static const char *const members[] = { "service", "method", "path" };
    const json_t *credential = json_object_get(token, "application_credential"),
                 *rules = json_object_get(credential, "access_rules"), *rule;
    size_t count = json_array_size(rules), i;
    const char **texts;

    if (credential == NULL)
        return 0;
    c->app_cred_id = json_get_text(credential, "id");
    c->app_cred_restricted = json_is_true(json_object_get(credential, "restricted"));
    if (str_empty(c->app_cred_id) || count > LIST_MAX)
        return malformed("an application credential", f);
    if (rules == NULL || json_is_null(rules))
        return 0;
    texts = ARENA_ARRAY(a, const char *, 3 * MAX(count, (size_t)1));
    for (i = 0; i < ARRAY_SIZE(members); i++)
        texts[i] = "";
    json_array_foreach(rules, i, rule)
    {
        for (size_t j = 0; j < ARRAY_SIZE(members); j++) {
            texts[3 * i + j] = json_get_text(rule, members[j]);
            if (texts[3 * i + j] == NULL)
                return malformed("an access rule", f);
        }
    }
    c->access_rules = texts;
    c->access_rules_count = 3 * MAX(count, (size_t)1);
    return 0;
}

int
online_read(struct arena *a, const json_t *token, struct auth_context *ret, struct fault *f)
{
    const json_t *trust = json_object_get(token, "OS-TRUST:trust");
    const char *expires = json_get_text(token, "expires_at"),
               *issued = json_get_text(token, "issued_at");
    const char *const *audit_ids;
    struct auth_context c = { 0 };
    size_t audit_count;

    if (!json_is_object(token) || !read_named(json_object_get(token, "user"), &c.user_id,
                                              &c.user_name, &c.user_domain_id, &c.user_domain_name))
        return malformed("a token without user", f);
    if (expires == NULL || clock_parse(expires, &c.expires_us) < 0 ||
        (issued != NULL && clock_parse(issued, &c.issued_us) < 0))
        return malformed("a token without its times", f);
    if (read_scope(token, &c, f) < 0 || read_roles(a, token, &c, f) < 0 ||
        read_texts(a, json_object_get(token, "methods"), &c.methods, &c.methods_count, f) < 0 ||
        read_texts(a, json_object_get(token, "audit_ids"), &audit_ids, &audit_count, f) < 0 ||
        read_app_cred(a, token, &c, f) < 0)
        return -1;
    if (audit_count > 0) {
        c.audit_id = audit_ids[0];
        c.audit_chain_id = audit_ids[audit_count - 1];
    }
    if (trust != NULL) {
        c.trust_id = json_get_text(trust, "id");
        c.trustor_id = json_get_text(json_object_get(trust, "trustor_user"), "id");
        c.trustee_id = json_get_text(json_object_get(trust, "trustee_user"), "id");
        c.trust_own_name = json_is_false(json_object_get(trust, "impersonation"));
        if (str_empty(c.trust_id))
            return malformed("a trust without id", f);
    }
    *ret = c;
    return 0;
}
