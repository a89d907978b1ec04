#include "call.h"

#include <assert.h>

#include "../base/clock.h"
#include "../base/str.h"
#include "dispatch.h"

const char *
call_param_find(const struct call *c, const char *name)
{
    for (size_t i = 0; i < c->params_count; i++) {
        if (str_equal(c->params[i].name, name))
            return c->params[i].value;
    }
    return NULL;
}

const char *
call_param(const struct call *c, const char *name)
{
    const char *value = call_param_find(c, name);

    assert(value != NULL);
    return value == NULL ? "" : value;
}

const char *
call_query(const struct call *c, const char *name)
{
    return http_query(c->request, name);
}

bool
call_query_bool(const struct call *c, const char *name)
{
    const char *text = call_query(c, name);
    bool value = false;

    if (text == NULL)
        return false;
    return text[0] == '\0' || (str_to_bool(text, &value) == 0 && value);
}

int
call_take_time(struct call *c)
{
    return c->request->may_wait ? 0 : call_decline(c);
}

int
call_decline(struct call *c)
{
    assert(c->at_once || !c->request->may_wait);
    c->declined = true;
    return -1;
}

int
call_check_token(struct call *c, const char *token, struct auth_context *ret, struct fault *f)
{
    struct authenticator *a = api_server_authenticator(c->server);

    if (!c->at_once)
        return authenticator_check(a, c->arena, token, ret, f);
    return authenticator_check_cached(a, c->arena, token, ret) ? 0 : call_decline(c);
}

bool
call_is_admin(const struct call *c)
{
    const struct policy *p = api_server_policy(c->server);

    if (policy_has(p, "context_is_admin"))
        return policy_check(p, "context_is_admin", &c->auth, NULL);
    return auth_has_role(&c->auth, "admin");
}

bool
call_sees_all(const struct call *c)
{
    return call_is_admin(c) || auth_has_role(&c->auth, "service");
}

const char *
call_scope(const struct call *c, enum resource_scope scope)
{
    const char *own = NULL;

    if (scope == RESOURCE_ANYONE || call_sees_all(c))
        return NULL;
    switch (scope) {
    case RESOURCE_PROJECT:
        own = c->auth.project_id;
        break;
    case RESOURCE_DOMAIN:
        own = c->auth.domain_id;
        break;
    case RESOURCE_USER:
        own = c->auth.user_id;
        break;
    case RESOURCE_PATH:
    case RESOURCE_ANYONE:
        break;
    }
    return own == NULL ? ""
                       : own; /* Without a scope of that kind nothing is his: matches no row. */
}

const char *
call_scope_of(const struct call *c, const struct resource *r)
{
    return r->scope == RESOURCE_PATH ? call_param(c, r->scope_column) : call_scope(c, r->scope);
}

/* --- Policy targets: the row, then the path, then (with no row) what is the caller's own. */

struct target {
    const struct call *call;
    const struct resource *resource;
    const void *row;
    const struct call_object *objects; /* call_enforce_among() */
    size_t count;
};

/* "user.id" of a thing that belongs to a user is its "user_id"; NULL: not of that form. */
static const char *
owner_member(const struct call *c, const char *name)
{
    size_t size = strlen(name);

    if (size <= strlen(".id") || !str_equal(name + size - strlen(".id"), ".id") ||
        strchr(name, '.') != name + size - strlen(".id"))
        return NULL;
    return arena_printf(c->arena, "%.*s_id", (int)(size - strlen(".id")), name);
}

/* "target.<key>.<member>" of the object with that key; other names are the path's, and so is the id of what is no object here. */
static const char *
among_get(const void *object, const char *name)
{
    const struct target *t = object;

    if (!str_starts(name, "target."))
        return call_param_find(t->call, name);
    name += strlen("target.");
    for (size_t i = 0; i < t->count; i++) {
        const struct call_object *o = &t->objects[i];
        const char *key = o->resource->key;

        if (str_starts(name, key) && name[strlen(key)] == '.')
            return resource_text(o->resource, o->row, name + strlen(key) + 1, t->call->arena);
    }
    name = owner_member(t->call, name);
    return name == NULL ? NULL : call_param_find(t->call, name);
}

static const char *
own_member(const struct call *c, const char *name)
{
    if (str_equal(name, "project_id") || str_equal(name, "tenant_id"))
        return c->auth.project_id;
    if (str_equal(name, "user_id"))
        return c->auth.user_id;
    if (str_equal(name, "domain_id"))
        return c->auth.domain_id;
    return NULL;
}

static const char *
target_get(const void *object, const char *name)
{
    const struct target *t = object;
    const char *key = t->resource == NULL ? NULL : t->resource->key;
    const char *text;

    if (str_starts(name, "target.")) {
        name += strlen("target.");
        if (key != NULL && str_starts(name, key) && name[strlen(key)] == '.')
            name += strlen(key) + 1;
        else if (owner_member(t->call, name) != NULL)
            name = owner_member(t->call, name);
    }
    if (t->row != NULL) {
        text = resource_text(t->resource, t->row, name, t->call->arena);
        if (text != NULL)
            return text;
        if (str_equal(name, "tenant_id"))
            return resource_text(t->resource, t->row, "project_id", t->call->arena);
        if (str_equal(name, "project_id") &&
            t->resource->scope == RESOURCE_PROJECT) /* Whatever its column is called. */
            return resource_text(t->resource, t->row, t->resource->scope_column, t->call->arena);
    }
    text = call_param_find(t->call, name);
    if (text != NULL || t->row != NULL)
        return text;
    if (key != NULL && str_equal(name, "id")) /* In a list of projects: the caller's project. */
        name = arena_printf(t->call->arena, "%s_id", key);
    return own_member(t->call, name);
}

bool
call_allowed(struct call *c, const char *rule, const struct resource *r, const void *row)
{
    struct target t = { .call = c, .resource = r, .row = row };
    struct policy_target target = { .get = target_get, .object = &t };

    return policy_check(api_server_policy(c->server), rule, &c->auth, &target);
}

static int
forbid(const struct call *c, const char *rule, struct fault *f)
{
    switch (c->dialect->id) {
    case DIALECT_KEYSTONE:
        return fault_raise(f, FAULT_FORBIDDEN,
                           "You are not authorized to perform the requested action: %s.", rule);
    case DIALECT_NEUTRON:
        return fault_raise(f, FAULT_FORBIDDEN, "rule:%s is disallowed by policy", rule);
    case DIALECT_GLANCE:
        return fault_raise(f, FAULT_FORBIDDEN, "You are not authorized to complete %s action.",
                           rule);
    default:
        return fault_raise(f, FAULT_FORBIDDEN, "Policy doesn't allow %s to be performed.", rule);
    }
}

int
call_enforce(struct call *c, const char *rule, const struct resource *r, const void *row,
             struct fault *f)
{
    return call_allowed(c, rule, r, row) ? 0 : forbid(c, rule, f);
}

int
call_enforce_target(struct call *c, const char *rule, const struct policy_target *target,
                    struct fault *f)
{
    return policy_check(api_server_policy(c->server), rule, &c->auth, target) ? 0
                                                                              : forbid(c, rule, f);
}

int
call_enforce_among(struct call *c, const char *rule, const struct call_object *objects,
                   size_t count, struct fault *f)
{
    struct target t = { .call = c, .objects = objects, .count = count };
    struct policy_target target = { .get = among_get, .object = &t };

    if (policy_check(api_server_policy(c->server), rule, &c->auth, &target))
        return 0;
    return forbid(c, rule, f);
}

int
call_hide_missing(struct call *c, const char *rule, struct fault *f)
{
    struct fault refused = { 0 };

    if (f->kind == FAULT_NOT_FOUND && c->dialect->missing_is_refused && rule != NULL &&
        call_enforce_among(c, rule, NULL, 0, &refused) < 0)
        *f = refused;
    return -1;
}

/* --- Answers */

int
api_show_document(struct call *c, const void *in, const void *siblings, struct fault *f)
{
    (void)in;
    (void)siblings;
    (void)f;
    str_add(&c->response->body, c->api->document);
    return 0;
}

struct jsonw *
call_json(struct call *c)
{
    str_clear(&c->response->body);
    jsonw_init(&c->json, &c->response->body);
    return &c->json;
}

void
call_status(struct call *c, int status)
{
    c->response->status = status;
}

void
call_header(struct call *c, const char *name, const char *value)
{
    http_response_header(c->response, name, value);
}

void
call_write_time(struct call *c, struct jsonw *w, const char *key, int64_t us)
{
    jsonw_text(w, key, clock_format(c->arena, us, c->dialect->times));
}

char *
call_url(struct call *c, const char *format, ...)
{
    va_list args;
    char *path;

    va_start(args, format);
    path = arena_vprintf(c->arena, format, args);
    va_end(args);
    return arena_printf(c->arena, "%s%s", c->base_url, path);
}
