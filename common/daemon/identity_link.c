#include "identity_link.h"

#include <pthread.h>

#include "../auth/authenticator.h"
#include "../base/json.h"
#include "../base/log.h"
#include "../base/memory.h"
#include "../base/str.h"
#include "service_client.h"

#define EVENTS "virga.revocation" /* Exchange. */

enum { FETCH_MS = 10000, VALIDATE_MS = 5000, CLIENTS_MAX = 64 };

struct identity_link {
    struct service_client *services;
    pthread_mutex_t mutex; /* One fetch at a time: they share the connection. */
    struct http_client *http GUARDED_BY(mutex);
    pthread_mutex_t idle_mutex;
    struct http_client *idle[CLIENTS_MAX] GUARDED_BY(idle_mutex); /* Connections of validate(). */
    unsigned idle_count GUARDED_BY(idle_mutex);
};

/* Identity's documents for its neighbours are below /v3/OS-VIRGA. The keys are public; for the
 * revocations our own user needs the role "service". */
static int
fetch(void *owner, const char *document, struct arena *a, json_t **ret, struct fault *f)
{
    struct identity_link *l = owner;
    struct service_call call = {
        .service_type = "identity",
        .method = HTTP_GET,
        .path = arena_printf(a, "/v3/OS-VIRGA/%s", document),
        .anonymous = str_equal(document, "keys"),
        .deadline_ms = FETCH_MS,
    };
    int r;

    pthread_mutex_lock(&l->mutex);
    r = service_call_run(l->services, l->http, a, &call, f);
    pthread_mutex_unlock(&l->mutex);
    if (r >= 0 && call.answer == NULL)
        r = fault_raise_cause(f, "identity's answer is not JSON");
    if (r >= 0)
        *ret = call.answer;
    return r;
}

static struct http_client *
take_client(struct identity_link *l)
{
    struct http_client *client = NULL;

    pthread_mutex_lock(&l->idle_mutex);
    if (l->idle_count > 0)
        client = l->idle[--l->idle_count];
    pthread_mutex_unlock(&l->idle_mutex);
    return client != NULL ? client : http_client_new(NULL);
}

static void
give_client(struct identity_link *l, struct http_client *client)
{
    pthread_mutex_lock(&l->idle_mutex);
    if (l->idle_count < CLIENTS_MAX) {
        l->idle[l->idle_count++] = client;
        client = NULL;
    }
    pthread_mutex_unlock(&l->idle_mutex);
    http_client_free(client);
}

/* Only 404 is a word about the token; 401 is one about our own user, which is no reason to turn anybody else away. */
static int
validate(void *owner, const char *token, bool late, struct arena *a, json_t **ret, struct fault *f)
{
    struct identity_link *l = owner;
    struct service_call call = {
        .service_type = "identity",
        .method = HTTP_GET,
        .path = late ? "/v3/auth/tokens?nocatalog&allow_expired=1" : "/v3/auth/tokens?nocatalog",
        .subject = token,
        .deadline_ms = VALIDATE_MS,
    };
    struct http_client *client = take_client(l);
    int r = service_call_run(l->services, client, a, &call, f);

    give_client(l, client);
    if (r < 0 && call.status != 404 && f->kind == FAULT_NOT_FOUND)
        f->kind = FAULT_UNAVAILABLE;
    if (r >= 0 && json_object_get(call.answer, "token") == NULL)
        r = fault_raise_cause(f, "identity's answer is no token");
    if (r >= 0)
        *ret = json_object_get(call.answer, "token");
    return r < 0 ? -1 : 0;
}

static bool
is_online(const struct daemon_config *c, struct fault *f)
{
    bool online = str_equal(c->auth_mode, "online");

    if (!online && !str_equal(c->auth_mode, "local"))
        fault_raise_field(f, "auth.mode", "auth.mode is local or online");
    return online;
}

int
identity_link_open(struct identity_link **ret, struct daemon *d, struct fault *f)
{
    struct identity_link *l = memory_calloc(1, sizeof(*l));
    struct online_options online = { .validate = validate,
                                     .owner = l,
                                     .cache_s = (unsigned)d->config->auth_token_cache_s,
                                     .concurrency = (unsigned)d->config->auth_concurrency };
    struct authenticator_options options = { .fetch = fetch,
                                             .owner = l,
                                             .poll_s = (unsigned)d->config->revocation_poll_s };
    int r;

    if (is_online(d->config, f))
        options = (struct authenticator_options){ .online = &online };
    if (f->kind != FAULT_NONE) {
        free(l);
        return -1;
    }
    pthread_mutex_init(&l->idle_mutex, NULL);
    pthread_mutex_init(&l->mutex, NULL);
    l->http = http_client_new(NULL);
    r = service_client_open(&l->services, d->config, f);
    if (r >= 0)
        r = authenticator_open(&d->authenticator, &options, f);
    if (r < 0) {
        identity_link_close(l);
        return r;
    }
    *ret = l;
    return 0;
}

void
identity_link_close(struct identity_link *l)
{
    if (l == NULL)
        return;
    service_client_close(l->services);
    http_client_free(l->http);
    while (l->idle_count > 0)
        http_client_free(l->idle[--l->idle_count]);
    pthread_mutex_destroy(&l->idle_mutex);
    pthread_mutex_destroy(&l->mutex);
    free(l);
}

/* Any service's host may revoke nothing: only identity itself, which speaks for no host. */
static int
on_revoke(struct rpc_request *request, json_t **ret _unused_, struct fault *f)
{
    struct authenticator *authenticator = request->owner;
    struct revocation revocation = { 0 };

    if (!str_equal(request->from_name, "identity") || !str_empty(request->from_host))
        return fault_raise(f, FAULT_FORBIDDEN, "Only identity revokes.");
    if (revocation_from_json(request->arena, request->params, &revocation, f) < 0)
        return -1;
    revocations_add(authenticator_revocations(authenticator), &revocation);
    return 0;
}

static void
on_connect(void *owner)
{
    struct fault f = { 0 };

    if (authenticator_poll(owner, &f) < 0)
        log_warn("identity.poll_failed cause=\"%s %s\"", f.message, f.cause);
}

int
identity_link_subscribe(struct daemon *d, struct fault *f)
{
    static const struct rpc_method methods[] = {
        { .name = "revoke", .cast = true, .handle = on_revoke }
    };
    int r = rpc_subscribe(d->rpc, EVENTS, methods, ARRAY_SIZE(methods), d->authenticator, f);

    if (r >= 0 && d->spec->open_authenticator == NULL)
        rpc_on_connect(d->rpc, on_connect, d->authenticator);
    return r;
}
