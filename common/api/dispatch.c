/* The dispatcher: route -> version -> token -> parse -> policy -> handler -> render, for every operation of every service.
 *
 * What a stage needs of the request is in 'struct call'; each stage is one function here and fails with a fault, which the
 * dialect writes. Errors are logged here and nowhere else. */
#include "server.h"

#include "../auth/access_rule.h"
#include "../base/clock.h"
#include "../base/json.h"
#include "../base/log.h"
#include "../base/str.h"
#include "../base/uuid.h"
#include "../http/url.h"
#include "call.h"
#include "error_page.h"
#include "idempotency.h"
#include "version.h"

/* --- Route */

static int
method_not_allowed(struct call *c, const struct route_match *m, struct fault *f)
{
    struct str allow = { 0 };

    for (size_t i = 0; i < m->count; i++) {
        const char *name = http_method_name(m->operations[i]->method);

        if (allow.size == 0 || strstr(str_text(&allow), name) == NULL)
            str_addf(&allow, "%s%s", allow.size == 0 ? "" : ", ", name);
    }
    call_header(c, "Allow", str_text(&allow));
    str_done(&allow);
    return fault_raise(f, FAULT_METHOD, "The method %s is not allowed for this resource.",
                       http_method_name(c->request->method));
}

static bool
at_version(const struct operation *o, int version)
{
    return (o->since == 0 || version >= o->since) && (o->until == 0 || version <= o->until);
}

/* The operations of this path and method: one, or the actions that its body will tell apart. */
static int
choose(struct call *c, const struct route_match *m, const struct operation *const **ret,
       size_t *ret_count, struct fault *f)
{
    enum http_method method = c->request->method == HTTP_HEAD ? HTTP_GET : c->request->method;
    const struct operation **found = ARENA_ARRAY(c->arena, const struct operation *, m->count);
    size_t count = 0, same_method = 0;

    for (int pass = 0; pass < 2 && same_method == 0;
         pass++) { /* A HEAD of its own wins over GET. */
        for (size_t i = 0; i < m->count; i++) {
            if (m->operations[i]->method != (pass == 0 ? c->request->method : method))
                continue;
            same_method++;
            if (at_version(m->operations[i], c->version))
                found[count++] = m->operations[i];
        }
    }
    if (same_method == 0)
        return method_not_allowed(c, m, f);
    if (count == 0)
        return fault_raise(f, FAULT_NOT_FOUND, "The resource could not be found.");
    *ret = found;
    *ret_count = count;
    return 0;
}

static bool
find_route(struct api_server *s, struct call *c, struct route_match *m)
{
    const char *path = c->request->path;
    size_t size = strlen(path);

    if (router_find(s->router, path, c->arena, m))
        return true;
    if (size <= 1 || path[size - 1] != '/' || s->dialect->exact_paths)
        return false;
    do
        size--;
    while (s->dialect->id == DIALECT_KEYSTONE && size > 1 && path[size - 1] == '/');
    return router_find(s->router, arena_strndup(c->arena, path, size), c->arena, m);
}

/* --- Version */

static int
negotiate(struct api_server *s, struct call *c, const struct route_match *m, struct fault *f)
{
    const struct api *api = s->options.api;
    const char *text, *asked, *vary = "OpenStack-API-Version";
    int r;

    if (api->type == NULL)
        return 0;
    r = version_negotiate(c->request, api->type, api->legacy_version_header, api->min_version,
                          api->max_version, &c->version, &asked, f);
    if (r < 0 && m != NULL && !c->dialect->strict_versions &&
        (m->operations[0]->flags & OP_PUBLIC) != 0) { /* Version documents ignore the header. */
        fault_clear(f);
        c->version = api->min_version;
        r = 0;
    }
    if (r < 0 && c->dialect->strict_versions)
        return fault_raise(f, f->kind, "Invalid microversion: %s %.50s",
                           f->kind == FAULT_INVALID ? "invalid version string:"
                                                    : "Unacceptable version header:",
                           asked);
    if (r < 0)
        return r;
    text = version_text(c->arena, c->version);
    call_header(c, "OpenStack-API-Version", arena_printf(c->arena, "%s %s", api->type, text));
    if (api->legacy_version_header != NULL)
        vary = arena_printf(c->arena, "%s, %s", vary, api->legacy_version_header);
    call_header(c, "Vary", c->dialect->strict_versions ? "openstack-api-version" : vary);
    if (api->legacy_version_header != NULL)
        call_header(c, api->legacy_version_header, text);
    return 0;
}

/* --- Token */

static int
unauthorized(struct api_server *s, struct call *c, struct fault *f, const char *cause)
{
    const char *url = s->options.identity_url == NULL ? c->base_url : s->options.identity_url;

    call_header(c, "WWW-Authenticate", arena_printf(c->arena, "Keystone uri=\"%s\"", url));
    fault_clear(f);
    fault_raise(f, FAULT_UNAUTHORIZED, "The request you have made requires authentication.");
    return cause == NULL ? -1 : fault_add_cause(f, "%s", cause);
}

/* '*ret': the user of an X-Service-Token that has role service, else NULL. One that is not good spoils the request, whoever asks;
 * one that is nobody's with that role is as none. */
static int
check_service_token(struct call *c, const char **ret, struct fault *f)
{
    const char *token = http_header(c->request, "X-Service-Token");
    struct auth_context service;

    *ret = NULL;
    if (str_empty(token))
        return 0;
    if (call_check_token(c, token, &service, f) < 0) {
        if (c->declined || f->kind != FAULT_UNAUTHORIZED || !c->dialect->bad_service_token_ignored)
            return -1;
        fault_clear(f);
        return 0;
    }
    if (auth_has_role(&service, "service"))
        *ret = service.user_id;
    return 0;
}

/* An application credential's token makes only the requests that its rules name. What a service does for its user is
 * not the user's request, and everybody may ask identity about a token. */
static bool
within_access_rules(struct call *c)
{
    const char *path;

    if (c->auth.access_rules_count == 0 || c->auth.service_user_id != NULL)
        return true;
    path = url_decode(c->arena, c->request->path, strlen(c->request->path));
    if (str_equal(c->api->service, "identity") && c->request->method == HTTP_GET &&
        str_equal(path, "/v3/auth/tokens"))
        return true;
    return path != NULL &&
           access_rules_allow(c->auth.access_rules, c->auth.access_rules_count,
                              c->api->catalog_types, http_method_name(c->request->method), path);
}

static int
check_token(struct api_server *s, struct call *c, const char *token, struct fault *f)
{
    const char *service_user_id;
    int r;

    if (check_service_token(c, &service_user_id, f) < 0)
        return -1;
    r = call_check_token(c, token, &c->auth, f);
    if (r < 0 && !c->declined && f->kind == FAULT_UNAUTHORIZED && service_user_id != NULL) {
        struct fault late = { 0 };

        if (authenticator_check_late(s->options.authenticator, c->arena, token,
                                     s->options.expired_token_window_s, &c->auth, &late) == 0)
            r = 0;
    }
    if (r < 0)
        return r;
    fault_clear(f);
    c->auth.service_user_id = service_user_id;
    if (!within_access_rules(c)) {
        fault_raise(f, FAULT_UNAUTHORIZED, "The request you have made requires authentication.");
        return fault_add_cause(f, "outside the access rules of the application credential");
    }
    return 0;
}

static int
authenticate(struct api_server *s, struct call *c, const struct operation *o, struct fault *f)
{
    const char *token = http_header(c->request, "X-Auth-Token");
    int r;

    if (token == NULL)
        return (o->flags & OP_PUBLIC) != 0 ? 0 : unauthorized(s, c, f, "no token");
    r = check_token(s, c, token, f);
    if (c->declined)
        return -1;
    if (r < 0) {
        c->auth = (struct auth_context){ 0 };
        if ((o->flags & OP_PUBLIC) != 0) {
            fault_clear(f);
            return 0;
        }
        if (f->kind != FAULT_UNAUTHORIZED)
            return r;
        return unauthorized(s, c, f, arena_strdup(c->arena, f->cause));
    }
    c->authenticated = true;
    return 0;
}

/* --- Parse */

static bool
has_body(const struct http_request *r)
{
    return r->body != NULL && r->body_size > 0;
}

/* "application/json; charset=utf-8" without what follows the semicolon; NULL: none. */
static const char *
media_type(struct call *c)
{
    const char *type = http_header(c->request, "Content-Type");

    return str_empty(type) ? NULL : arena_strndup(c->arena, type, strcspn(type, "; \t"));
}

int
call_body(struct call *c, struct fault *f)
{
    const char *type = media_type(c);

    if (!str_equal(type, "application/json"))
        return fault_raise(f, FAULT_MEDIA_TYPE,
                           "The media type %.80s is not supported, use application/json",
                           type == NULL ? "None" : type);
    if (!has_body(c->request))
        return fault_raise(f, FAULT_INVALID, "Malformed JSON: the body is empty");
    /* Where bodies are strict, integers are Python's: what is too large is for the checks of each to say. */
    return (c->dialect->strict_bodies ? json_read_wide : json_read)(c->arena, c->request->body,
                                                                    c->request->body_size, &c->body,
                                                                    f);
}

static int
read_body(struct call *c, struct fault *f)
{
    const char *type = http_header(c->request, "Content-Type");

    if (c->dialect->strict_bodies) {
        if (has_body(c->request) && media_type(c) == NULL)
            return fault_raise(f, FAULT_INVALID,
                               "content-type header required when content-length > 0");
        return c->operation->input == NULL ? 0 : call_body(c, f);
    }
    if (!has_body(c->request))
        return 0;
    if (type != NULL && c->dialect->id != DIALECT_KEYSTONE && strcasestr(type, "json") == NULL &&
        type[0] != '\0')
        return fault_raise(f, FAULT_MEDIA_TYPE,
                           "The media type %.80s is not supported, use application/json", type);
    if (json_read(c->arena, c->request->body, c->request->body_size, &c->body, f) < 0)
        return -1;
    if (!json_is_object(c->body) && !json_is_array(c->body))
        return fault_raise(f, FAULT_INVALID, "The request body must be a JSON object.");
    return 0;
}

/* Which of several operations of one path the body asks for. */
static int
choose_action(struct call *c, const struct operation *const *found, size_t count, struct fault *f)
{
    const char *key = json_object_iter_key(json_object_iter(c->body));

    if (count == 1 && found[0]->action == NULL) {
        c->operation = found[0];
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (found[i]->action == NULL || json_object_get(c->body, found[i]->action) != NULL) {
            c->operation = found[i];
            if (found[i]->action != NULL && json_object_size(c->body) > 1)
                return fault_raise(f, FAULT_INVALID, "There can be only one action in the body.");
            return 0;
        }
    }
    return fault_raise(f, FAULT_INVALID, "There is no such action: %.100s", key == NULL ? "" : key);
}

static int
parse_input(struct call *c, void **ret_in, void **ret_siblings, struct fault *f)
{
    const struct operation *o = c->operation;
    const char *key = o->action != NULL ? o->action : o->input_key;
    const json_t *body = c->body;
    json_t *rest;

    if (o->input == NULL)
        return 0;
    if (key != NULL) {
        body = json_object_get(c->body, key);
        if (body == NULL)
            return fault_raise_field(
                f, key, "Invalid input for field/attribute body. '%s' is a required property", key);
        if (o->action != NULL && json_is_null(body))
            body = json_own(c->arena, json_object());
    } else if (body == NULL) {
        body = json_own(c->arena, json_object());
    }
    *ret_in = arena_alloc(c->arena, o->input->size);
    if (schema_parse(o->input, body, SCHEMA_CREATE, c->version, key, c->arena, *ret_in, f) < 0)
        return -1;
    if (o->siblings != NULL) {
        rest = json_own(c->arena, json_copy(c->body));
        json_object_del(rest, key);
        *ret_siblings = arena_alloc(c->arena, o->siblings->size);
        return schema_parse(o->siblings, rest, SCHEMA_CREATE, c->version, "", c->arena,
                            *ret_siblings, f);
    }
    if (key != NULL && o->action == NULL && json_object_size(c->body) > 1 && !o->input->open)
        return fault_raise_field(
            f, "body",
            "Invalid input for field/attribute body. Additional properties are not allowed");
    return 0;
}

/* The body is refused. Who may not do this at all, or names what is not there, is told that instead. */
static int
refuse_body(struct call *c, struct fault *f)
{
    const struct operation *o = c->operation;
    struct fault other = { 0 };

    if (f->kind == FAULT_INVALID && c->dialect->strict_bodies &&
        ((o->policy != NULL && (o->flags & OP_DEFER_POLICY) == 0 &&
          call_enforce(c, o->policy, o->resource, NULL, &other) < 0) ||
         (o->exists != NULL && o->exists(c, &other) < 0)))
        *f = other;
    return -1;
}

/* --- Policy and handler */

static int
run_verb(struct call *c, struct fault *f)
{
    switch (c->operation->verb) {
    case VERB_LIST:
        return resource_verb_list(c, f);
    case VERB_SHOW:
        return resource_verb_show(c, f);
    case VERB_CREATE:
        return resource_verb_create(c, f);
    case VERB_UPDATE:
        return resource_verb_update(c, f);
    case VERB_DELETE:
        return resource_verb_delete(c, f);
    case VERB_HANDLER:
        break;
    }
    return -1;
}

/* The same on the other resource that ids of this path may be of. */
static int
run_fallback(struct call *c, struct fault *f)
{
    const struct operation *own = c->operation;
    struct operation other = *own;
    int r;

    other.resource = own->fallback;
    fault_clear(f);
    c->operation = &other;
    r = run_verb(c, f);
    c->operation = own;
    return r;
}

static int
run_handler(struct call *c, struct fault *f)
{
    const struct operation *o = c->operation;
    void *in = NULL, *siblings = NULL;
    int r;

    if (o->verb != VERB_HANDLER) {
        r = run_verb(c, f);
        return r < 0 && f->kind == FAULT_NOT_FOUND && o->fallback != NULL ? run_fallback(c, f) : r;
    }
    if (o->policy != NULL && (o->flags & OP_DEFER_POLICY) == 0 &&
        call_enforce(c, o->policy, o->resource, NULL, f) < 0)
        return -1;
    if (parse_input(c, &in, &siblings, f) < 0)
        return refuse_body(c, f);
    return o->handler(c, in, siblings, f);
}

/* A path that names a project must name the token's; who may act for all acts for the one it names. */
static int
take_project(struct call *c, struct fault *f)
{
    const char *project_id;

    if ((c->operation->flags & OP_PROJECT_PATH) == 0)
        return 0;
    project_id = call_param(c, "project_id");
    if (str_equal(project_id, c->auth.project_id))
        return 0;
    if (!call_sees_all(c))
        return fault_raise(f, FAULT_INVALID, "Malformed request url");
    c->auth.project_id = project_id;
    return 0;
}

static int
run(struct api_server *s, struct call *c, struct fault *f)
{
    const struct operation *const *found = NULL;
    struct route_match m;
    size_t count = 0;
    int r, read = 0;

    if (!find_route(s, c, &m)) /* The version says how even that looks. */
        return negotiate(s, c, NULL, f) < 0
                   ? -1
                   : fault_raise(f, FAULT_NOT_FOUND, "The resource could not be found.");
    if (negotiate(s, c, &m, f) < 0 || choose(c, &m, &found, &count, f) < 0)
        return -1;
    c->operation = found[0];
    if (c->at_once && (c->operation->flags & (OP_INLINE | OP_FAST)) == 0)
        return call_decline(c);
    if (!operation_is_inline(c->operation) && authenticate(s, c, found[0], f) < 0)
        return -1;
    if ((found[0]->flags & (OP_STREAM | OP_RAW)) == 0)
        read = read_body(c, f);
    if (read < 0 && !c->dialect->strict_bodies)
        return -1;
    if (choose_action(c, found, count, f) < 0)
        return -1;
    route_name_params(&m, c->operation, c->arena);
    memcpy(c->params, m.params, sizeof(c->params));
    c->params_count = m.params_count;
    if (take_project(c, f) < 0)
        return -1;
    c->response->status = c->operation->success;
    if (s->options.pool != NULL && !c->at_once) {
        if (db_pool_get(s->options.pool, c->arena, c->db, f) < 0)
            return -1;
    }
    if (read < 0)
        return refuse_body(c, f);
    r = idempotency_begin(c, f);
    if (r == 0) {
        r = run_handler(c, f);
        if (r < 0 && idempotency_retry(c, f) > 0)
            r = 0;
    }
    return r < 0 ? r : 0;
}

/* --- One request */

static const char *
base_url(struct api_server *s, const struct http_request *r)
{
    const char *host = http_header(r, "Host");

    if (!str_empty(s->options.public_url))
        return s->options.public_url;
    if (host == NULL ||
        host[strspn(host,
                    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]")] !=
            '\0')
        host = s->options.listen;
    return arena_printf(r->arena, "%s://%s", s->options.tls_certificate != NULL ? "https" : "http",
                        host);
}

/* A global request id is logged and passed on, so only the form that services make is taken. */
static const char *
global_request_id(const struct http_request *r)
{
    const char *id = http_header(r, "X-OpenStack-Request-ID");

    return id != NULL && str_starts(id, "req-") && uuid_check(id + 4) ? id : NULL;
}

static void
log_call(const struct call *c, int status, const struct fault *f)
{
    long long us = (long long)(clock_mono_us() - c->request->started_us);
    const char *id = c->operation == NULL ? "-" : c->operation->id;

    if (status >= 500)
        log_error("api.request operation=%s method=%s path=%.200s status=%d us=%lld fault=%s "
                  "cause=\"%s\"",
                  id, http_method_name(c->request->method), c->request->path, status, us,
                  f->message, f->cause);
    else if (status >= 400 || c->request->method != HTTP_GET)
        log_info("api.request operation=%s method=%s path=%.200s status=%d us=%lld%s%s%s", id,
                 http_method_name(c->request->method), c->request->path, status, us,
                 f->cause[0] != '\0' ? " cause=\"" : "", f->cause, f->cause[0] != '\0' ? "\"" : "");
    else
        log_debug("api.request operation=%s method=%s path=%.200s status=%d us=%lld", id,
                  http_method_name(c->request->method), c->request->path, status, us);
}

static void
write_error(struct api_server *s, struct call *c, const struct fault *f)
{
    enum error_form form =
        s->dialect->error_pages ? error_form_find(http_header(c->request, "Accept")) : ERROR_JSON;

    s->dialect->error(f, c->request_id, c->version, c->response);
    if (form != ERROR_JSON && f->kind != FAULT_UNAUTHORIZED)
        error_page_write(f, c->response->status, form, c->response);
}

/* False: it was declined, and has to be done in another kind of thread. */
static bool
handle(struct api_server *s, struct api_worker *w, bool at_once, struct http_request *request,
       struct http_response *response)
{
    _cleanup_(db_release) struct db db = { 0 };
    struct call c = { .arena = request->arena,
                      .request = request,
                      .response = response,
                      .dialect = s->dialect,
                      .api = s->options.api,
                      .server = s,
                      .service = s->options.service,
                      .db = &db,
                      .client = w == NULL ? NULL : w->client,
                      .at_once = at_once };
    struct log_context context = { 0 };
    struct fault f = { 0 };

    c.request_id = arena_printf(c.arena, "req-%s", uuid_make(c.arena));
    c.global_request_id = global_request_id(request);
    c.base_url = base_url(s, request);
    context.request_id = c.request_id;
    context.global_request_id = c.global_request_id;
    log_set_context(&context);
    call_header(&c, "x-openstack-request-id", c.request_id);
    if (s->dialect->request_id_header2 != NULL)
        call_header(&c, s->dialect->request_id_header2, c.request_id);
    if (s->dialect->id == DIALECT_KEYSTONE)
        call_header(&c, "Vary", "X-Auth-Token");
    if (run(s, &c, &f) < 0) {
        if (c.declined) {
            response->status = fault_status(FAULT_UNAVAILABLE); /* Nothing was done. */
            response->later = !at_once;
            idempotency_end(&c);
            log_set_context(NULL);
            return false;
        }
        if (f.kind == FAULT_NONE)
            fault_raise_cause(&f, "a handler failed without a fault");
        if (f.kind == FAULT_INTERNAL)
            snprintf(f.message, sizeof(f.message),
                     "An unexpected error occurred. The operator finds it in the log by the "
                     "request id %s.",
                     c.request_id);
        write_error(s, &c, &f);
    }
    idempotency_end(&c);
    context.project_id = c.auth.project_id;
    context.user_id = c.auth.user_id;
    log_set_context(&context);
    log_call(&c, response->status, &f);
    log_set_context(NULL);
    return true;
}

void
api_server_handle(struct api_server *s, void *worker, struct http_request *request,
                  struct http_response *response)
{
    (void)handle(s, worker, false, request, response);
}

bool
api_server_handle_at_once(struct api_server *s, struct http_request *request,
                          struct http_response *response)
{
    return handle(s, NULL, true, request, response);
}
