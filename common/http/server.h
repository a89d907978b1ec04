/* The HTTP server: libmicrohttpd's epoll threads for I/O, a pool of workers for handlers.
 *
 * A connection is suspended while its request is with a worker, so a slow client never holds a worker and a
 * slow query never holds the I/O. Requests that break the protocol (RFC 9112: two lengths, CL and TE, bad
 * framing, sizes beyond the limits) are answered 400/413/414/431 and the connection is closed. */
#pragma once

#include <stdbool.h>

#include "request.h"
#include "response.h"

struct http_server;

struct http_handler {
    /* In a worker. Fills 'response'; must always do so. 'worker' is what worker_init made. */
    void (*handle)(void *owner, void *worker, struct http_request *request,
                   struct http_response *response);
    /* In the I/O thread, from method and path alone: shall the handler read the body itself? Also the
     * largest body it takes (bytes; default: the server's). NULL: never. */
    bool (*streams)(void *owner, enum http_method method, const char *path, int64_t *ret_max_body);
    /* In the I/O thread, before handle(): fills 'response' and returns true if that can be done from memory, without waiting for
     * anything. False: whatever it did to 'response' is undone, and a worker handles the request. NULL: never tried. */
    bool (*handle_at_once)(void *owner, struct http_request *request,
                           struct http_response *response);
    void *(*worker_init)(void *owner,
                         unsigned index); /* Once in each worker thread; may be NULL. */
    void (*worker_done)(void *owner, void *worker);
    void *owner;
};

struct http_server_options {
    const char *listen; /* "127.0.0.1:5000", "[::]:5000", "unix:/path" */
    unsigned io_threads, workers;
    unsigned waiting_workers; /* Threads for requests that take long; started when needed. 0: 1 */
    unsigned waiting_max; /* So many may queue for them, further ones are answered 429. 0: 100 */
    int64_t max_body;     /* Bytes; 0: 1 MiB. */
    unsigned max_connections;              /* 0: 4096 */
    unsigned idle_timeout_s;               /* 0: 60 */
    const char *tls_certificate, *tls_key; /* PEM files; NULL: plain. */
};

int http_server_start(struct http_server **ret, const struct http_server_options *options,
                      const struct http_handler *handler, struct fault *f);

/* No new connections; requests in work are finished for at most 'grace_ms'. */
void http_server_drain(struct http_server *s, int grace_ms);
void http_server_stop(struct http_server *s);      /* Ends its threads and frees it. */
int http_server_port(const struct http_server *s); /* The port it listens on (for "...:0"). */

/* For metrics. */
struct http_server_stats {
    uint64_t requests, responses[6]; /* by first digit of the status */
    unsigned connections, queued, busy_workers, workers;
    unsigned waiting; /* With the threads for what takes long, or queued for them. */
};
void http_server_stats(const struct http_server *s, struct http_server_stats *ret);
