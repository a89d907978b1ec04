#include "identity_link.h"

#include <pthread.h>

#include "../auth/authenticator.h"
#include "../base/json.h"
#include "../base/log.h"
#include "../base/memory.h"
#include "../base/str.h"
#include "service_client.h"

#define EVENTS "virga.revocation" /* Exchange. */

enum { FETCH_MS = 10000 };

struct identity_link {
    struct service_client *services;
    pthread_mutex_t mutex; /* One fetch at a time: they share the connection. */
    struct http_client *http GUARDED_BY(mutex);
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

int
identity_link_open(struct identity_link **ret, struct daemon *d, struct fault *f)
{
    struct identity_link *l = memory_calloc(1, sizeof(*l));
    struct authenticator_options options = { .fetch = fetch,
                                             .owner = l,
                                             .poll_s = (unsigned)d->config->revocation_poll_s };
    int r;

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
