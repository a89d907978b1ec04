/* One token and one catalogue for the process, behind a mutex that is held while they are
 * fetched: whoever comes meanwhile waits for the same answer. The HTTP connections are the
 * callers'.
 *
 * A path is given as the service has it ("/v2.0/ports", "/v3/{project}/volumes"), but catalogues
 * say ".../v3/{project}" as well as plain hosts, so an endpoint is cut before its version. */
#include "service_client.h"

#include <pthread.h>

#include "../base/clock.h"
#include "../base/json.h"
#include "../base/memory.h"
#include "../base/str.h"

enum { MAX_HEADERS = 8, AUTH_DEADLINE_MS = 10000, MAX_ANSWER = 16 * 1024 * 1024 };

#define RENEW_US ((int64_t)300 * 1000000) /* Before it expires. */

struct service_client {
    char *identity; /* Without version: "http://controller:5000" */
    const struct daemon_config *config;
    pthread_mutex_t mutex;
    char *token GUARDED_BY(mutex);
    int64_t expires_us GUARDED_BY(mutex);
    json_t *catalog GUARDED_BY(mutex);
};

/* "http://host:8776/v3/abc" -> "http://host:8776", without a slash at the end. */
static char *
cut_version(struct arena *a, const char *url)
{
    const char *at = strstr(url, "://");
    size_t size = strlen(url);

    for (at = at != NULL ? at + 3 : url; (at = strchr(at, '/')) != NULL; at++) {
        if (at[1] == 'v' && at[2] >= '0' && at[2] <= '9') {
            size = (size_t)(at - url);
            break;
        }
    }
    while (size > 0 && url[size - 1] == '/')
        size--;
    return arena_strndup(a, url, size);
}

int
service_client_open(struct service_client **ret, const struct daemon_config *config,
                    struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct service_client *c;

    if (str_empty(config->identity_url))
        return fault_raise_field(f, "auth.identity_url", "auth.identity_url must be given");
    c = memory_calloc(1, sizeof(*c));
    c->identity = memory_strdup(cut_version(a, config->identity_url));
    c->config = config;
    pthread_mutex_init(&c->mutex, NULL);
    *ret = c;
    return 0;
}

static void
forget(struct service_client *c)
{
    if (c->token != NULL)
        explicit_bzero(c->token, strlen(c->token));
    free(c->token);
    json_decref(c->catalog);
    c->token = NULL;
    c->catalog = NULL;
}

void
service_client_close(struct service_client *c)
{
    if (c == NULL)
        return;
    forget(c);
    pthread_mutex_destroy(&c->mutex);
    free(c->identity);
    free(c);
}

/* --- Faults out of others' answers */

/* The object that has the message: {"itemNotFound": {...}}, {"error": {...}}, {"errors":
 * [{...}]}. */
static const json_t *
error_object(const json_t *answer)
{
    const json_t *value = json_object_iter_value(json_object_iter((json_t *)(uintptr_t)answer));

    if (json_is_array(value))
        value = json_array_get(value, 0);
    return json_is_object(value) ? value : answer;
}

static int
fault_from_answer(const struct service_call *call, const char *text, struct fault *f)
{
    const json_t *error = error_object(call->answer);
    const char *message = json_get_text(error, "message"), *code = json_get_text(error, "type");

    if (message == NULL)
        message = json_get_text(error, "detail");
    if (code == NULL)
        code = json_get_text(error, "code");
    if (call->status < 400 || call->status >= 500) {
        fault_raise(f, FAULT_UNAVAILABLE, "The %s service cannot do it now.", call->service_type);
        return fault_add_cause(f, "%s %s: %d %.200s", http_method_name(call->method), call->path,
                               call->status, message != NULL ? message : text);
    }
    fault_raise_code(f, fault_kind_from_status(call->status), code != NULL ? code : "", "%s",
                     message != NULL ? message : "The request was refused.");
    return fault_add_cause(f, "%s %s %s: %d", call->service_type, http_method_name(call->method),
                           call->path, call->status);
}

/* An answer that isn't JSON leaves call->answer NULL. */
static void
take_answer(struct arena *a, struct service_call *call, const struct http_exchange *x)
{
    struct fault ignored = { 0 };

    call->status = x->status;
    call->answer = NULL;
    call->answer_headers = x->answer_headers;
    call->answer_headers_count = x->answer_headers_count;
    if (x->answer_size > 0)
        json_read(a, x->answer, x->answer_size, &call->answer, &ignored);
}

/* --- Token and catalogue */

static json_t *
domain(const char *name)
{
    return json_pack("{s:s}", "name", name);
}

static char *
login_body(struct arena *a, const struct daemon_config *c)
{
    json_t *body =
        json_pack("{s:{s:{s:[s],s:{s:{s:s,s:s,s:o}}},s:{s:{s:s,s:o}}}}", "auth", "identity",
                  "methods", "password", "password", "user", "name", c->auth_username, "password",
                  c->auth_password, "domain", domain(c->auth_user_domain), "scope", "project",
                  "name", c->auth_project_name, "domain", domain(c->auth_project_domain));

    return body != NULL ? json_text(a, json_own(a, body)) : NULL;
}

static int
log_in(struct service_client *c, struct http_client *http, struct arena *a, struct fault *f)
{
    struct service_call call = { .service_type = "identity",
                                 .method = HTTP_POST,
                                 .path = "/v3/auth/tokens" };
    struct http_exchange x = { .method = HTTP_POST,
                               .deadline_ms = AUTH_DEADLINE_MS,
                               .max_answer = MAX_ANSWER };
    const char *token, *expires;
    const json_t *described;
    int64_t expires_us;
    char *body;

    if (str_empty(c->config->auth_username))
        return fault_raise_cause(f, "auth.username and auth.password are not configured");
    body = login_body(a, c->config);
    if (body == NULL)
        return fault_raise_cause(f, "[auth] is not UTF-8");
    x.url = arena_printf(a, "%s%s", c->identity, call.path);
    x.body = body;
    x.body_size = strlen(body);
    if (http_client_run(http, a, &x, f) < 0) {
        explicit_bzero(body, x.body_size);
        return -1;
    }
    explicit_bzero(body, x.body_size);
    take_answer(a, &call, &x);
    if (call.status == 401) {
        fault_raise(f, FAULT_UNAVAILABLE, "The service cannot do it now.");
        return fault_add_cause(f, "identity refuses user %s", c->config->auth_username);
    }
    if (call.status != 201)
        return fault_from_answer(&call, x.answer, f);
    token = http_exchange_header(&x, "X-Subject-Token");
    described = json_object_get(call.answer, "token");
    expires = json_get_text(described, "expires_at");
    if (token == NULL || expires == NULL || clock_parse(expires, &expires_us) < 0)
        return fault_raise_cause(f, "identity's answer has no token");
    forget(c);
    c->token = memory_strdup(token);
    c->expires_us = expires_us;
    c->catalog = json_incref(json_object_get(described, "catalog"));
    return 0;
}

/* With the mutex held. 'refused': the token that was just answered with 401, or NULL. */
static int
ensure(struct service_client *c, struct http_client *http, struct arena *a, const char *refused,
       struct fault *f)
{
    bool good = c->token != NULL && clock_now_us() < c->expires_us - RENEW_US;

    if (good && (refused == NULL || !str_equal(refused, c->token)))
        return 0;
    return log_in(c, http, a, f);
}

static int
get_token(struct service_client *c, struct http_client *http, struct arena *a, const char *refused,
          char **ret, struct fault *f)
{
    int r;

    pthread_mutex_lock(&c->mutex);
    r = ensure(c, http, a, refused, f);
    if (r >= 0)
        *ret = arena_strdup(a, c->token);
    pthread_mutex_unlock(&c->mutex);
    return r;
}

int
service_token(struct service_client *c, struct http_client *http, struct arena *a, char **ret,
              struct fault *f)
{
    return get_token(c, http, a, NULL, ret, f);
}

int
service_token_renew(struct service_client *c, struct http_client *http, struct arena *a,
                    const char *refused, char **ret, struct fault *f)
{
    return get_token(c, http, a, refused, ret, f);
}

static bool
same_type(const char *wanted, const char *type)
{
    static const char *const volume[] = { "volumev3", "block-storage", "block-store", "volume" };
    bool wants_volume = false, is_volume = false;

    for (size_t i = 0; i < ARRAY_SIZE(volume); i++) {
        wants_volume = wants_volume || str_equal(wanted, volume[i]);
        is_volume = is_volume || str_equal(type, volume[i]);
    }
    return str_equal(wanted, type) || (wants_volume && is_volume);
}

static const char *
find_endpoint(const json_t *catalog, const char *type, const char *interface, const char *region)
{
    const json_t *service, *endpoint;
    size_t i, j;

    json_array_foreach(catalog, i, service)
    {
        if (!same_type(type, json_get_text(service, "type")))
            continue;
        json_array_foreach(json_object_get(service, "endpoints"), j, endpoint)
        {
            const char *its = json_get_text(endpoint, "region_id");

            if (its == NULL)
                its = json_get_text(endpoint, "region");
            if (str_equal(json_get_text(endpoint, "interface"), interface) &&
                (str_empty(region) || its == NULL || str_equal(its, region)))
                return json_get_text(endpoint, "url");
        }
    }
    return NULL;
}

int
service_endpoint(struct service_client *c, struct http_client *http, struct arena *a,
                 const char *service_type, char **ret, struct fault *f)
{
    const char *url = NULL;
    int r;

    if (str_equal(service_type, "identity")) {
        *ret = arena_strdup(a, c->identity);
        return 0;
    }
    pthread_mutex_lock(&c->mutex);
    r = ensure(c, http, a, NULL, f);
    if (r >= 0) {
        url = find_endpoint(c->catalog, service_type, "internal", c->config->region);
        if (url == NULL)
            url = find_endpoint(c->catalog, service_type, "public", c->config->region);
        if (url != NULL)
            *ret = cut_version(a, url);
    }
    pthread_mutex_unlock(&c->mutex);
    if (r < 0 || url != NULL)
        return r;
    fault_raise(f, FAULT_UNAVAILABLE, "The %s service cannot be found.", service_type);
    return fault_add_cause(f, "no endpoint in region %s of the catalogue", c->config->region);
}

/* --- Calls */

static int
run(struct service_client *c, struct http_client *http, struct arena *a, struct service_call *call,
    const char *token, struct http_exchange *x, struct fault *f)
{
    struct http_pair headers[MAX_HEADERS];
    size_t count = 0;
    char *endpoint;

    if (service_endpoint(c, http, a, call->service_type, &endpoint, f) < 0)
        return -1;
    if (token != NULL)
        headers[count++] =
            (struct http_pair){ call->token != NULL ? "X-Service-Token" : "X-Auth-Token", token };
    if (call->token != NULL)
        headers[count++] = (struct http_pair){ "X-Auth-Token", call->token };
    if (call->microversion != NULL)
        headers[count++] = (struct http_pair){ "OpenStack-API-Version", call->microversion };
    if (call->request_id != NULL)
        headers[count++] = (struct http_pair){ "X-OpenStack-Request-ID", call->request_id };
    if (call->idempotency_key != NULL)
        headers[count++] = (struct http_pair){ "Idempotency-Key", call->idempotency_key };
    if (call->subject !=
        NULL) { /* Also one that may do only some things: we keep to its access rules. */
        headers[count++] = (struct http_pair){ "X-Subject-Token", call->subject };
        headers[count++] = (struct http_pair){ "OpenStack-Identity-Access-Rules", "1.0" };
    }
    headers[count++] = (struct http_pair){ "Accept", "application/json" };

    *x = (struct http_exchange){ .method = call->method,
                                 .url = arena_printf(a, "%s%s", endpoint, call->path),
                                 .headers = headers,
                                 .headers_count = count,
                                 .deadline_ms = call->deadline_ms };
    if (call->body != NULL) {
        x->body = json_text(a, call->body);
        x->body_size = strlen(x->body);
    }
    if (http_client_run(http, a, x, f) < 0)
        return -1;
    x->headers = NULL;
    x->headers_count = 0;
    take_answer(a, call, x);
    return 0;
}

int
service_call_run(struct service_client *c, struct http_client *http, struct arena *a,
                 struct service_call *call, struct fault *f)
{
    struct http_exchange x;
    char *token = NULL;

    if (!call->anonymous && get_token(c, http, a, NULL, &token, f) < 0)
        return -1;
    if (run(c, http, a, call, token, &x, f) < 0)
        return -1;
    if (call->status == 401 &&
        token != NULL) { /* Revoked, or its keys are gone: once more with a new one. */
        if (get_token(c, http, a, token, &token, f) < 0 || run(c, http, a, call, token, &x, f) < 0)
            return -1;
    }
    if (call->status >= 200 && call->status < 300)
        return 0;
    return fault_from_answer(call, x.answer, f);
}
