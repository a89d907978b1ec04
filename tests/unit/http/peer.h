/* A client that says exactly what a test wants, and a server whose handlers are driven by the
 * path. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/base/jsonw.h"
#include "common/http/body.h"
#include "common/http/server.h"
#include "common/http/url.h"
#include "tests/unit/asserts.h"

struct fixture {
    struct http_server *server;
    int port;
    sem_t entered, leave; /* Handlers of /wait and /stream/wait. */
    atomic_int handled, workers_up, workers_down;
    atomic_int read_failed; /* Kind of the last fault of http_body_read(). */
    char file[64];
};

static inline int
peer_connect(int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval limit = { .tv_sec = 20 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* False when the other side has closed. */
static inline bool
peer_send(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        data += n;
        size -= (size_t)n;
    }
    return true;
}

static inline bool
peer_say(int fd, const char *text)
{
    return peer_send(fd, text, strlen(text));
}

struct answer {
    int status; /* 0: closed without one. */
    char head[4096];
    char *body; /* Terminated; free(). */
    size_t size;
};

static inline const char *
answer_header(const struct answer *a, const char *name)
{
    static _Thread_local char value[512];

    for (const char *at = strstr(a->head, "\r\n"); at != NULL; at = strstr(at + 2, "\r\n")) {
        if (strncasecmp(at + 2, name, strlen(name)) == 0 && at[2 + strlen(name)] == ':') {
            snprintf(value, sizeof(value), "%.*s", (int)strcspn(at + 4 + strlen(name), "\r"),
                     at + 4 + strlen(name));
            return value;
        }
    }
    return NULL;
}

/* Reads one answer; 'no_body' for HEAD. */
static inline struct answer
peer_answer(int fd, bool no_body)
{
    struct answer a = { 0 };
    size_t used = 0;
    const char *length;

    while (used < sizeof(a.head) - 1 &&
           (used < 4 || memcmp(a.head + used - 4, "\r\n\r\n", 4) != 0)) {
        ssize_t n = recv(fd, a.head + used, 1, 0);

        if (n <= 0) {
            if (n < 0 && errno != ECONNRESET)
                fail_msg("no answer in time: %s", strerror(errno));
            return a;
        }
        used++;
    }
    a.status = (int)strtol(a.head + 9, NULL, 10);
    length = answer_header(&a, "Content-Length");
    a.size = length != NULL && !no_body && a.status != 100 ? (size_t)strtoull(length, NULL, 10) : 0;
    a.body = calloc(1, a.size + 1);
    for (used = 0; used < a.size;) {
        ssize_t n = recv(fd, a.body + used, a.size - used, 0);

        assert_true(n > 0);
        used += (size_t)n;
    }
    return a;
}

/* No other answer comes, but the end. (libmicrohttpd 0.9.75 says its own refusal of a bad
 * Content-Length twice.) */
static inline bool
peer_closed(int fd)
{
    char text[8192];
    size_t used = 0;
    ssize_t n = 0;

    while (used < sizeof(text) - 1 && (n = recv(fd, text + used, sizeof(text) - 1 - used, 0)) > 0)
        used += (size_t)n;
    text[used] = '\0';
    return (n == 0 || (n < 0 && errno == ECONNRESET)) && strstr(text, " 200 ") == NULL;
}

static inline void
handle_stream(struct fixture *x, struct http_request *r, struct http_response *response)
{
    uint64_t total = 0, sum = 0;
    struct fault f = { 0 };
    static _Thread_local char part[100000];
    ssize_t n;

    if (str_starts(r->path, "/stream/refuse")) {
        response->status = 403;
        return;
    }
    if (str_starts(r->path, "/stream/wait")) {
        sem_post(&x->entered);
        sem_wait(&x->leave);
    }
    while ((n = http_body_read(r, part, sizeof(part), &f)) > 0) {
        total += (uint64_t)n;
        for (ssize_t i = 0; i < n; i++)
            sum = sum * 31 + (unsigned char)part[i];
        if (str_starts(r->path, "/stream/early")) {
            response->status = 409;
            sem_post(&x->entered);
            return;
        }
    }
    if (n < 0) {
        response->status = fault_status(f.kind);
        atomic_store(&x->read_failed, (int)f.kind);
        sem_post(&x->entered);
    }
    str_addf(&response->body, "{\"total\": %llu, \"sum\": %llu, \"agent\": \"%s\"}",
             (unsigned long long)total, (unsigned long long)sum,
             str_empty(http_header(r, "User-Agent")) ? "" : http_header(r, "User-Agent"));
}

static inline void
handle(void *owner, void *worker, struct http_request *r, struct http_response *response)
{
    struct fixture *x = owner;
    struct jsonw w;

    atomic_fetch_add(&x->handled, 1);
    if (r->stream != NULL) {
        handle_stream(x, r, response);
        return;
    }
    if (str_equal(r->path, "/wait")) {
        sem_post(&x->entered);
        sem_wait(&x->leave);
    }
    if (str_equal(r->path, "/later")) {
        if (!r->may_wait) { /* Nothing of this may show. */
            http_response_header(response, "X-Later", "yes");
            str_add(&response->body, "later");
            response->later = true;
            return;
        }
        sem_post(&x->entered);
        sem_wait(&x->leave);
    }
    if (str_equal(r->path, "/empty")) {
        response->status = 204;
        return;
    }
    if (str_equal(r->path, "/file")) {
        response->file = open(x->file, O_RDONLY | O_CLOEXEC);
        response->file_offset = 1000;
        response->file_size = 3000000;
        return;
    }
    http_response_header(response, "X-Test", "one");
    http_response_header(response, "x-test", "two");
    jsonw_init(&w, &response->body);
    jsonw_object(&w, NULL);
    jsonw_text(&w, "method", http_method_name(r->method));
    jsonw_text(&w, "path", r->path);
    jsonw_text(&w, "query", r->query_text);
    jsonw_text(&w, "a", http_query(r, "a"));
    jsonw_text(&w, "peer", r->peer);
    jsonw_text(&w, "token", http_header(r, "x-auth-token"));
    jsonw_int(&w, "size", (int64_t)r->body_size);
    if (r->body_size < 1000)
        jsonw_text(&w, "body", r->body);
    jsonw_bool(&w, "inline", worker == NULL);
    jsonw_end(&w);
}

static inline bool
streams(void *owner _unused_, enum http_method method _unused_, const char *path,
        int64_t *ret_max_body)
{
    if (str_equal(path, "/large"))
        *ret_max_body = 24 * 1024 * 1024;
    if (str_equal(path, "/little"))
        *ret_max_body = 10;
    if (!str_starts(path, "/stream/"))
        return false;
    *ret_max_body = str_starts(path, "/stream/small") ? 1000 : (int64_t)1 << 40;
    return true;
}

static inline bool
handle_at_once(void *owner, struct http_request *request, struct http_response *response)
{
    if (str_equal(request->path, "/declined")) { /* Nothing of this may show. */
        http_response_header(response, "X-Declined", "yes");
        str_add(&response->body, "declined");
        response->status = 418;
        return false;
    }
    if (!str_equal(request->path, "/inline"))
        return false;
    handle(owner, NULL, request, response);
    return true;
}

static inline void *
worker_init(void *owner, unsigned index _unused_)
{
    struct fixture *x = owner;

    atomic_fetch_add(&x->workers_up, 1);
    return x;
}

static inline void
worker_done(void *owner, void *worker)
{
    struct fixture *x = owner;

    assert_ptr_equal(owner, worker);
    atomic_fetch_add(&x->workers_down, 1);
}

static inline struct fixture *
fixture_start(const struct http_server_options *options)
{
    struct fixture *x = calloc(1, sizeof(*x));
    struct http_handler handler = { .handle = handle,
                                    .streams = streams,
                                    .handle_at_once = handle_at_once,
                                    .worker_init = worker_init,
                                    .worker_done = worker_done,
                                    .owner = x };
    struct fault f = { 0 };

    sem_init(&x->entered, 0, 0);
    sem_init(&x->leave, 0, 0);
    if (http_server_start(&x->server, options, &handler, &f) < 0)
        fail_msg("%s %s", f.message, f.cause);
    x->port = http_server_port(x->server);
    return x;
}

static inline void
fixture_stop(struct fixture *x)
{
    for (int i = 0; i < 64; i++)
        sem_post(&x->leave); /* Where a test ended early. */
    http_server_stop(x->server);
    assert_int_equal(atomic_load(&x->workers_up), atomic_load(&x->workers_down));
    sem_destroy(&x->entered);
    sem_destroy(&x->leave);
    if (x->file[0] != '\0')
        unlink(x->file);
    free(x);
}

static inline int
setup_server(void **state)
{
    static const struct http_server_options options = { .listen = "127.0.0.1:0",
                                                        .io_threads = 2,
                                                        .workers = 3 };

    *state = fixture_start(&options);
    return 0;
}

static inline int
teardown_server(void **state)
{
    fixture_stop(*state);
    return 0;
}

/* The server still answers somebody else. */
static inline void
assert_serves(struct fixture *x)
{
    int fd = peer_connect(x->port);
    struct answer a;

    assert_true(fd >= 0);
    peer_say(fd, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    a = peer_answer(fd, false);
    assert_int_equal(a.status, 200);
    free(a.body);
    close(fd);
}
