/* The two addresses for operators: management (TCP: health and metrics) and the control socket
 * (the same, and control.c). Both are up before anything else is, so that a daemon that waits
 * for its database can say so. */
#include "running.h"

#include "../base/str.h"

static void
handle(void *owner, void *worker _unused_, struct http_request *request,
       struct http_response *response)
{
    struct endpoint *e = owner;
    bool reads = request->method == HTTP_GET || request->method == HTTP_HEAD;

    if (reads && str_equal(request->path, "/healthz")) {
        str_add(&response->body, "{\"status\": \"ok\"}");
    } else if (reads && str_equal(request->path, "/readyz")) {
        response->status = health_check(e->running, &response->body);
    } else if (reads && str_equal(request->path, "/metrics")) {
        response->content_type = "text/plain; version=0.0.4; charset=utf-8";
        metrics_write(e->running, &response->body);
    } else if (e->control) {
        control_handle(e->running, request, response);
    } else {
        response->status = 404;
        str_add(&response->body, "{\"error\": {\"code\": 404, \"title\": \"Not Found\", "
                                 "\"message\": \"/healthz, /readyz and "
                                 "/metrics are here.\"}}");
    }
}

static int
start(struct endpoint *e, const char *listen, struct fault *f)
{
    struct http_server_options options = { .listen = listen,
                                           .io_threads = 1,
                                           .workers = 1,
                                           .max_body = 64 * 1024,
                                           .max_connections = 64,
                                           .idle_timeout_s = 30 };
    struct http_handler handler = { .handle = handle, .owner = e };

    return str_empty(listen) ? 0 : http_server_start(&e->server, &options, &handler, f);
}

int
management_start(struct running *r, struct fault *f)
{
    const char *path = r->d.config->control_socket;

    r->management = (struct endpoint){ .running = r };
    r->control = (struct endpoint){ .running = r, .control = true };
    if (start(&r->management, r->d.config->management_listen, f) < 0)
        return -1;
    return start(&r->control, str_empty(path) ? "" : arena_printf(r->arena, "unix:%s", path), f);
}

void
management_stop(struct running *r)
{
    http_server_stop(r->management.server);
    http_server_stop(r->control.server);
    r->management.server = r->control.server = NULL;
}
