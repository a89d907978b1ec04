/* The client against a peer that says exactly what each case has. */
#include "services/cli/plain_http.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"
#include "tests/unit/asserts.h"

struct peer {
    int listener;
    const char *answer;
    char request[4096];
    pthread_t thread;
    char path[64];
};

/* Takes one connection, reads a request's head and what came with it, answers, closes. */
static void *
serve(void *object)
{
    struct peer *p = object;
    int fd = accept(p->listener, NULL, NULL);
    size_t size = 0;
    ssize_t n;

    while (strstr(p->request, "\r\n\r\n") == NULL &&
           (n = recv(fd, p->request + size, sizeof(p->request) - 1 - size, 0)) > 0)
        size += (size_t)n;
    if (send(fd, p->answer, strlen(p->answer), MSG_NOSIGNAL) < 0)
        p->request[0] = '\0';
    close(fd);
    return NULL;
}

static void
peer_start(struct peer *p, const char *answer)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    *p = (struct peer){ .answer = answer };
    snprintf(p->path, sizeof(p->path), "/tmp/plain-http-test-%d", (int)getpid());
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", p->path);
    (void)unlink(p->path);
    p->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_return_code(bind(p->listener, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_return_code(listen(p->listener, 1), 0);
    assert_int_equal(pthread_create(&p->thread, NULL, serve, p), 0);
}

static void
peer_end(struct peer *p)
{
    pthread_join(p->thread, NULL);
    close(p->listener);
    (void)unlink(p->path);
}

static void
test_answers(void **state)
{
    static const struct {
        const char *answer;
        int status; /* 0: it is a failure. */
        const char *body;
    } cases[] = {
        { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
          "chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nTrailer: t\r\n\r\n",
          200, "hello" },
        { "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end", 200, "until the end" },
        { "HTTP/1.0 200 OK\r\n\r\nold", 200, "old" },
        { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", 404,
          "no" },
        { "HTTP/1.1 204 No Content\r\n\r\n", 204, "" },
        { "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", 0, NULL },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", 0, NULL },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 0, NULL },
        { "HTTP/1.1 200 OK\r\nContent-Le", 0, NULL },
        { "SSH-2.0-nonsense\r\n\r\n", 0, NULL },
        { "", 0, NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct http_exchange x = { .method = HTTP_GET, .url = "http://host/path?q=1" };
        struct arena *a = arena_new();
        struct fault f = { 0 };
        struct peer p;
        struct plain_http h = { .fd = -1 };

        peer_start(&p, cases[i].answer);
        h.unix_socket = p.path;
        if (cases[i].status == 0) {
            assert_fault(plain_http_run(&h, a, &x, &f), f, FAULT_TIMEOUT, NULL);
        } else {
            assert_ok(plain_http_run(&h, a, &x, &f));
            assert_int_equal(x.status, cases[i].status);
            assert_string_equal(x.answer, cases[i].body);
        }
        plain_http_close(&h);
        peer_end(&p);
        assert_true(str_starts(p.request, "GET /path?q=1 HTTP/1.1\r\nHost: host:80\r\n"));
        arena_free(a);
    }
}

static void
test_request(void **state)
{
    struct http_pair headers[] = { { "X-One", "1" }, { "X-None", NULL } };
    struct http_exchange x = { .method = HTTP_POST,
                               .url = "http://[::1]:81/",
                               .headers = headers,
                               .headers_count = 2,
                               .body = "{}",
                               .body_size = 2 };
    struct arena *a = arena_new();
    struct fault f = { 0 };
    struct peer p;
    struct plain_http h = { .fd = -1 };

    (void)state;
    peer_start(&p, "HTTP/1.1 200 OK\r\nX-Answer:  yes \r\nContent-Length: 0\r\n\r\n");
    h.unix_socket = p.path;
    assert_ok(plain_http_run(&h, a, &x, &f));
    plain_http_close(&h);
    peer_end(&p);
    assert_true(str_starts(p.request,
                           "POST / HTTP/1.1\r\nHost: [::1]:81\r\nX-One: 1\r\nContent-Type: "
                           "application/json\r\nContent-Length: 2\r\n\r\n{}"));
    assert_string_equal(http_exchange_header(&x, "x-answer"), "yes");
    arena_free(a);
}

/* A value with a line break would be a header, or a request, of its own. */
static void
test_no_header_injection(void **state)
{
    struct http_pair headers[] = { { "X-Auth-Token", "a\r\nX-Evil: 1" } };
    struct http_exchange x = {
        .method = HTTP_GET, .url = "http://host/", .headers = headers, .headers_count = 1
    };
    struct arena *a = arena_new();
    struct fault f = { 0 };
    struct peer p;
    struct plain_http h = { .fd = -1 };

    (void)state;
    peer_start(&p, "");
    h.unix_socket = p.path;
    assert_true(plain_http_run(&h, a, &x, &f) < 0);
    plain_http_close(&h);
    peer_end(&p);
    assert_string_equal(p.request, "");
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_no_header_injection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
