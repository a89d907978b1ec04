#include "plain_http.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"
#include "plain_answer.h"

enum { CONNECT_MS = 10000 };

struct target {
    char host[256], port[8], server[300];
    const char *path;
};

void
plain_http_close(struct plain_http *h)
{
    if (h->fd >= 0)
        close(h->fd);
    h->fd = -1;
}

static int
parse_url(const char *url, struct target *t, struct fault *f)
{
    const char *host = url + strlen("http://"), *end = host + strcspn(host, "/?"),
               *close_bracket = NULL, *colon;
    size_t size;

    if (host[0] == '[') {
        close_bracket = memchr(host, ']', (size_t)(end - host));
        if (close_bracket == NULL)
            return fault_raise_cause(f, "not an http URL");
        host++;
        colon = close_bracket[1] == ':' ? close_bracket + 1 : end;
        size = (size_t)(close_bracket - host);
    } else {
        colon = memchr(host, ':', (size_t)(end - host));
        colon = colon != NULL ? colon : end;
        size = (size_t)(colon - host);
    }
    if (size == 0 || size >= sizeof(t->host) || end - colon > 6)
        return fault_raise_cause(f, "not an http URL");
    snprintf(t->host, sizeof(t->host), "%.*s", (int)size, host);
    snprintf(t->port, sizeof(t->port), "%.*s", colon < end ? (int)(end - colon - 1) : 2,
             colon < end ? colon + 1 : "80");
    snprintf(t->server, sizeof(t->server), close_bracket != NULL ? "[%s]:%s" : "%s:%s", t->host,
             t->port);
    t->path = end;
    return 0;
}

static void
set_timeout(int fd, int milliseconds)
{
    struct timeval limit = { .tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000 };

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

static int
connect_to(int family, int type, const struct sockaddr *address, socklen_t size)
{
    int fd = socket(family, type | SOCK_CLOEXEC, 0), on = 1;

    if (fd < 0)
        return -errno;
    set_timeout(fd, CONNECT_MS); /* Linux: connect() heeds it too. */
    if (family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(fd, address, size) < 0) {
        int r = -errno;

        close(fd);
        return r == -EINPROGRESS ? -ETIMEDOUT : r;
    }
    return fd;
}

static int
unreachable(struct fault *f, const char *why)
{
    fault_raise(f, FAULT_UNAVAILABLE, "The service cannot be reached.");
    return fault_add_cause(f, "%s", why);
}

static int
open_connection(struct plain_http *h, const struct target *t, struct fault *f)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG }, *found;
    int r;

    if (h->unix_socket != NULL) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        if (strlen(h->unix_socket) >= sizeof(address.sun_path))
            return unreachable(f, "the socket's path is too long");
        memcpy(address.sun_path, h->unix_socket, strlen(h->unix_socket) + 1);
        h->fd =
            connect_to(AF_UNIX, SOCK_STREAM, (const struct sockaddr *)&address, sizeof(address));
        return h->fd >= 0 ? 0 : unreachable(f, strerror(-h->fd));
    }
    r = getaddrinfo(t->host, t->port, &hints, &found);
    if (r == EAI_NONAME ||
        r == EAI_ADDRFAMILY) { /* Loopback addresses don't count as configured. */
        hints.ai_flags = 0;
        r = getaddrinfo(t->host, t->port, &hints, &found);
    }
    if (r != 0)
        return unreachable(f, gai_strerror(r));
    r = -ECONNREFUSED;
    for (const struct addrinfo *one = found; one != NULL && r < 0; one = one->ai_next)
        r = connect_to(one->ai_family, one->ai_socktype, one->ai_addr, one->ai_addrlen);
    freeaddrinfo(found);
    h->fd = r;
    if (r < 0)
        return unreachable(f, strerror(-r));
    snprintf(h->server, sizeof(h->server), "%s", t->server);
    return 0;
}

static int
send_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

static int
send_file(int fd, const struct http_exchange *x)
{
    static char piece[PLAIN_PIECE];
    off_t start = lseek(x->body_file, 0, SEEK_CUR), at = start;
    size_t left = x->body_size;

    while (left > 0) {
        ssize_t n = pread(x->body_file, piece, MIN(sizeof(piece), left), at);
        int r = n > 0 ? send_all(fd, piece, (size_t)n) : n < 0 ? -errno : -ENODATA;

        if (r < 0)
            return r;
        at += n;
        left -= (size_t)n;
        if (x->sent != NULL)
            x->sent(x->sent_owner, (size_t)(at - start));
    }
    return 0;
}

/* A line break in a header would be a header of its own. */
static bool
is_clean(const char *text)
{
    return strpbrk(text, "\r\n") == NULL;
}

static int
send_request(int fd, const struct target *t, const struct http_exchange *x, struct fault *f)
{
    _cleanup_(str_done) struct str head = { 0 };
    bool has_body =
        x->body != NULL || x->body_file > 0 || x->method == HTTP_POST || x->method == HTTP_PUT;
    int r;

    str_addf(&head, "%s %s%s HTTP/1.1\r\nHost: %s\r\n", http_method_name(x->method),
             t->path[0] == '/' ? "" : "/", t->path, t->server);
    for (size_t i = 0; i < x->headers_count; i++) {
        if (x->headers[i].value == NULL)
            continue;
        if (!is_clean(x->headers[i].value))
            return fault_raise_cause(f, "a header's value has a line break");
        str_addf(&head, "%s: %s\r\n", x->headers[i].name, x->headers[i].value);
    }
    if (x->body != NULL || x->body_file > 0)
        str_addf(&head, "Content-Type: %s\r\n",
                 x->content_type != NULL ? x->content_type : "application/json");
    if (has_body)
        str_addf(&head, "Content-Length: %zu\r\n",
                 x->body != NULL || x->body_file > 0 ? x->body_size : 0);
    str_add(&head, "\r\n");
    if (!is_clean(t->path))
        return fault_raise_cause(f, "not an http URL");
    if (x->body != NULL && x->body_file <= 0)
        str_add_n(&head, x->body, x->body_size);
    r = send_all(fd, head.data, head.size);
    return r == 0 && x->body_file > 0 ? send_file(fd, x) : r;
}

static bool
may_repeat(enum http_method method)
{
    return method != HTTP_POST && method != HTTP_PATCH;
}

int
plain_http_run(struct plain_http *h, struct arena *a, struct http_exchange *x, struct fault *f)
{
    struct plain_reader in = { .buffer = arena_alloc(a, PLAIN_PIECE) };
    struct target t = { .path = "" };
    bool reused, closes = false;
    int sent, r;

    if (parse_url(x->url, &t, f) < 0)
        return -1;
    /* A connection may have been closed at the other end meanwhile, which shows only afterwards: what may not be done twice
     * gets a new one. */
    if (h->fd >= 0 &&
        (!may_repeat(x->method) || (h->unix_socket == NULL && !str_equal(h->server, t.server))))
        plain_http_close(h);
    reused = h->fd >= 0;
    if (!reused && open_connection(h, &t, f) < 0)
        return -1;
    set_timeout(h->fd, x->deadline_ms > 0 ? x->deadline_ms : 30000);
    in.fd = h->fd;
    sent = send_request(h->fd, &t, x, f);
    if (f->kind != FAULT_NONE) {
        plain_http_close(h);
        return -1;
    }
    /* A server that refuses a body may answer before it has all of it. */
    r = plain_answer_read(&in, a, x, &closes, f);
    if (closes)
        plain_http_close(h);
    if (r == 0)
        return 0;
    plain_http_close(h);
    if (reused && !in.any)
        return plain_http_run(h, a, x, f);
    if (f->kind != FAULT_NONE)
        return -1;
    if (r == -EAGAIN)
        r = -ETIMEDOUT;
    fault_raise(f, FAULT_TIMEOUT, "The service did not answer in time.");
    return fault_add_cause(f, "%s", strerror(sent < 0 ? -sent : -r));
}
