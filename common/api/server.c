/* The API server around the dispatcher: its life, its worker threads, what is decided before a request is complete, and
 * the policy that it swaps while requests look at it. */
#include "server.h"

#include "../base/memory.h"
#include "../base/str.h"
#include "../http/client.h"

static void
handle(void *owner, void *worker, struct http_request *request, struct http_response *response)
{
    api_server_handle(owner, worker, request, response);
}

static void *
worker_init(void *owner, unsigned index)
{
    struct api_worker *w = calloc(1, sizeof(*w));

    (void)owner;
    (void)index;
    if (w != NULL)
        w->client = http_client_new(NULL);
    return w;
}

static void
worker_done(void *owner, void *worker)
{
    struct api_worker *w = worker;

    (void)owner;
    if (w != NULL)
        http_client_free(w->client);
    free(w);
}

/* In the I/O thread: does the operation read the body itself, and how much may it be? */
static bool
streams(void *owner, enum http_method method, const char *path, int64_t *ret_max_body)
{
    struct api_server *s = owner;
    struct arena *a = arena_new();
    struct route_match m;
    bool streamed = false;

    if (router_find(s->router, path, a, &m)) {
        for (size_t i = 0; i < m.count; i++) {
            if (m.operations[i]->method != method)
                continue;
            streamed = streamed || (m.operations[i]->flags & OP_STREAM) != 0;
            if (m.operations[i]->max_body > *ret_max_body)
                *ret_max_body = m.operations[i]->max_body;
        }
        if (streamed)
            *ret_max_body = INT64_MAX;
    }
    arena_free(a);
    return streamed;
}

/* In the I/O thread, for each request: so no routing before it is known to be worth it. */
static bool
handle_at_once(void *owner, struct http_request *request, struct http_response *response)
{
    struct api_server *s = owner;

    if (request->method != HTTP_GET && request->method != HTTP_HEAD)
        return false;
    for (size_t i = 0; i < s->at_once_count; i++) {
        const char *rest = request->path, *at = s->at_once_paths[i];

        while (*at != '\0' && *at == *rest)
            at++, rest++;
        if (*at == '\0' && (*rest == '\0' || (str_equal(rest, "/") && !s->dialect->exact_paths)))
            return api_server_handle_at_once(s, request, response);
    }
    return false;
}

static void
find_at_once_paths(struct api_server *s)
{
    const struct api *api = s->options.api;

    s->at_once_paths = memory_calloc(api->operations_count, sizeof(*s->at_once_paths));
    for (size_t i = 0; i < api->operations_count; i++) {
        if ((api->operations[i].flags & (OP_INLINE | OP_FAST)) != 0)
            s->at_once_paths[s->at_once_count++] = api->operations[i].path;
    }
}

static int
load_policy(const struct api_server *s, struct policy **ret, struct fault *f)
{
    const struct api *api = s->options.api;
    int r = policy_load(ret, api->policies, api->policies_count, s->options.policy_file, f);

    if (r == 0 && api->projects_only)
        policy_projects_only(*ret);
    return r;
}

int
api_server_start(struct api_server **ret, const struct api_server_options *options, struct fault *f)
{
    struct http_server_options http = { .listen = options->listen,
                                        .io_threads = options->io_threads,
                                        .workers = options->workers,
                                        .waiting_workers = options->waiting_workers,
                                        .waiting_max = options->waiting_max,
                                        .tls_certificate = options->tls_certificate,
                                        .tls_key = options->tls_key };
    struct api_server *s = calloc(1, sizeof(*s));
    struct http_handler handler = { .handle = handle,
                                    .streams = streams,
                                    .handle_at_once = handle_at_once,
                                    .worker_init = worker_init,
                                    .worker_done = worker_done,
                                    .owner = s };
    const struct api *api = options->api;

    if (s == NULL)
        abort();
    s->options = *options;
    s->dialect = dialect_get(api->dialect);
    if (load_policy(s, &s->policy, f) < 0) {
        free(s);
        return -1;
    }
    s->router = router_new(api->operations, api->operations_count);
    find_at_once_paths(s);
    if (options->listen != NULL && http_server_start(&s->http, &http, &handler, f) < 0) {
        api_server_stop(s);
        return -1;
    }
    *ret = s;
    return 0;
}

int
api_server_reload_policy(struct api_server *s, struct fault *f)
{
    struct policy *fresh = NULL;

    if (load_policy(s, &fresh, f) < 0)
        return -1;
    policy_free(s->old_policy);
    s->old_policy = __atomic_exchange_n(&s->policy, fresh, __ATOMIC_ACQ_REL);
    return 0;
}

void
api_server_drain(struct api_server *s, int grace_ms)
{
    if (s->http != NULL)
        http_server_drain(s->http, grace_ms);
}

void
api_server_stop(struct api_server *s)
{
    if (s == NULL)
        return;
    if (s->http != NULL)
        http_server_stop(s->http);
    router_free(s->router);
    policy_free(s->policy);
    policy_free(s->old_policy);
    free(s->at_once_paths);
    free(s);
}

int
api_server_port(const struct api_server *s)
{
    return http_server_port(s->http);
}

struct http_server *
api_server_http(struct api_server *s)
{
    return s->http;
}

const struct policy *
api_server_policy(const struct api_server *s)
{
    return __atomic_load_n(&s->policy, __ATOMIC_ACQUIRE);
}

struct authenticator *
api_server_authenticator(struct api_server *s)
{
    return s->options.authenticator;
}

const struct api_server_options *
api_server_options(const struct api_server *s)
{
    return &s->options;
}
