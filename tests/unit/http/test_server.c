#include "peer.h"

#include <sys/un.h>

#include "common/base/clock.h"

static void
test_request_and_response(void **state)
{
    struct fixture *x = *state;
    int fd = peer_connect(x->port);
    struct answer a;

    peer_say(fd, "GET /v2/a%20b?a=%41&c HTTP/1.1\r\nHost: a\r\nX-AUTH-token:  secret \r\n\r\n");
    a = peer_answer(fd, false);
    assert_int_equal(a.status, 200);
    assert_string_equal(
        a.body,
        "{\"method\":\"GET\",\"path\":\"/v2/a%20b\",\"query\":\"a=%41&c\",\"a\":\"A\","
        "\"peer\":\"127.0.0.1\",\"token\":\"secret\",\"size\":0,\"body\":\"\",\"inline\":false}");
    assert_string_equal(answer_header(&a, "Content-Type"), "application/json");
    assert_string_equal(answer_header(&a, "X-Test"), "two"); /* Replaced, not added. */
    free(a.body);

    peer_say(
        fd,
        "POST /y HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"); /* The same connection. */
    a = peer_answer(fd, false);
    assert_non_null(strstr(a.body, "\"method\":\"POST\""));
    assert_non_null(strstr(a.body, "\"size\":5,\"body\":\"hello\""));
    assert_non_null(strstr(a.body, "\"token\":null")); /* Nothing of the request before. */
    free(a.body);
    close(fd);
}

static void
test_head_and_no_content(void **state)
{
    struct fixture *x = *state;
    int fd = peer_connect(x->port);
    struct answer a;

    peer_say(fd, "HEAD /y HTTP/1.1\r\nHost: a\r\n\r\n");
    a = peer_answer(fd, true);
    assert_int_equal(a.status, 200);
    assert_string_not_equal(answer_header(&a, "Content-Length"), "0");
    free(a.body);
    peer_say(fd, "GET /empty HTTP/1.1\r\nHost: a\r\n\r\n");
    a = peer_answer(fd, false);
    assert_int_equal(a.status, 204);
    assert_null(answer_header(&a, "Content-Type"));
    assert_null(answer_header(&a, "Content-Length"));
    free(a.body);
    peer_say(fd, "GET /inline HTTP/1.1\r\nHost: a\r\n\r\n");
    a = peer_answer(fd, false);
    assert_non_null(strstr(a.body, "\"inline\":true"));
    free(a.body);
    peer_say(fd, "GET /declined HTTP/1.1\r\nHost: a\r\n\r\n"); /* A worker's, as if never tried. */
    a = peer_answer(fd, false);
    assert_int_equal(a.status, 200);
    assert_null(answer_header(&a, "X-Declined"));
    assert_non_null(strstr(a.body, "\"path\":\"/declined\""));
    assert_non_null(strstr(a.body, "\"inline\":false"));
    free(a.body);
    close(fd);
}

/* What takes long queues apart: others are served meanwhile, and more than may queue is refused. */
static void
test_later(void **state _unused_)
{
    static const struct http_server_options options = {
        .listen = "127.0.0.1:0", .workers = 1, .waiting_workers = 1, .waiting_max = 1
    };
    struct fixture *x = fixture_start(&options);
    struct http_server_stats stats = { 0 };
    int fds[3];
    struct answer a;

    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        fds[i] = peer_connect(x->port);
        assert_true(fds[i] >= 0);
        peer_say(fds[i], "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
        if (i == 0)
            sem_wait(&x->entered); /* In work. */
        while (i == 1 && stats.waiting < 2)
            http_server_stats(x->server, &stats);
    }
    a = peer_answer(fds[2], false);
    assert_int_equal(a.status, 429);
    assert_string_equal(answer_header(&a, "Retry-After"), "5");
    assert_null(answer_header(&a, "X-Later"));
    free(a.body);
    assert_serves(x); /* The one worker is free. */
    sem_post(&x->leave);
    sem_post(&x->leave);
    for (size_t i = 0; i < 2; i++) {
        a = peer_answer(fds[i], false);
        assert_int_equal(a.status, 200);
        assert_null(answer_header(&a, "X-Later"));
        assert_non_null(strstr(a.body, "\"path\":\"/later\""));
        free(a.body);
    }
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        close(fds[i]);
    fixture_stop(x);
}

/* A head and a body that come in single bytes, and several requests in one packet. */
static void
test_pieces(void **state)
{
    static const char text[] = "PUT /y HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    struct fixture *x = *state;
    int fd = peer_connect(x->port);
    struct answer a;

    for (size_t i = 0; i < sizeof(text) - 1; i++)
        peer_send(fd, text + i, 1);
    a = peer_answer(fd, false);
    assert_non_null(strstr(a.body, "\"body\":\"abc\""));
    free(a.body);
    peer_say(fd, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: "
                 "2\r\n\r\nab"
                 "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n");
    for (int i = 1; i <= 3; i++) {
        char path[16];

        snprintf(path, sizeof(path), "\"/%d\"", i);
        a = peer_answer(fd, false);
        assert_non_null(strstr(a.body, path));
        free(a.body);
    }
    close(fd);
}

static void
test_body_limit(void **state)
{
    struct fixture *x = *state;
    size_t size = 1024 * 1024;
    char *body = calloc(1, size), head[100];
    int fd = peer_connect(x->port);
    struct answer a;

    snprintf(head, sizeof(head), "POST /y HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n",
             size);
    peer_say(fd, head);
    peer_send(fd, body, size);
    a = peer_answer(fd, false);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"size\":1048576"));
    free(a.body);
    /* Chunked, it is seen only when it has come; the answer still does. */
    snprintf(head, sizeof(head),
             "POST /y HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%zx\r\n", size);
    peer_say(fd, head);
    peer_send(fd, body, size);
    peer_say(fd, "\r\n1\r\nx\r\n0\r\n\r\n");
    a = peer_answer(fd, false);
    assert_int_equal(a.status, 413);
    free(a.body);
    assert_true(peer_closed(fd));
    close(fd);
    /* And no end of it ends the connection. */
    fd = peer_connect(x->port);
    peer_say(fd, "POST /y HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 100; i++) {
        snprintf(head, sizeof(head), "%zx\r\n", size);
        if (!peer_say(fd, head) || !peer_send(fd, body, size) || !peer_say(fd, "\r\n"))
            break;
        assert_true(i < 64);
    }
    close(fd);
    free(body);
    assert_serves(x);
}

/* An operation may allow more than the server does, or less. */
static void
test_body_limit_of_operation(void **state)
{
    struct fixture *x = *state;
    size_t size = 24 * 1024 * 1024;
    char *body = calloc(1, size), head[100];
    int fd = peer_connect(x->port);
    struct answer a;

    snprintf(head, sizeof(head), "POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n",
             size);
    peer_say(fd, head);
    peer_send(fd, body, size);
    a = peer_answer(fd, false);
    assert_int_equal(a.status, 200);
    free(a.body);
    snprintf(head, sizeof(head),
             "POST /large HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%zx\r\n", size);
    peer_say(fd, head);
    peer_send(fd, body, size);
    peer_say(fd, "\r\n1\r\nx\r\n0\r\n\r\n");
    a = peer_answer(fd, false);
    assert_int_equal(a.status, 413);
    free(a.body);
    close(fd);
    fd = peer_connect(x->port);
    peer_say(fd, "POST /little HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n");
    a = peer_answer(fd, false);
    assert_int_equal(a.status, 413);
    free(a.body);
    close(fd);
    free(body);
}

static void
test_file(void **state)
{
    struct fixture *x = *state;
    size_t size = 4000000;
    char *data = malloc(size);
    struct answer a;
    int fd;

    for (size_t i = 0; i < size; i++)
        data[i] = (char)(i * 7 + i / 1000);
    snprintf(x->file, sizeof(x->file), "/tmp/test-http-XXXXXX");
    fd = mkstemp(x->file);
    assert_int_equal(write(fd, data, size), (ssize_t)size);
    close(fd);

    fd = peer_connect(x->port);
    for (int i = 0; i < 3; i++) {
        peer_say(fd, "GET /file HTTP/1.1\r\nHost: a\r\n\r\n");
        a = peer_answer(fd, false);
        assert_int_equal(a.status, 200);
        assert_string_equal(answer_header(&a, "Content-Type"), "application/octet-stream");
        assert_int_equal(a.size, 3000000);
        assert_memory_equal(a.body, data + 1000, a.size);
        free(a.body);
        peer_say(fd, "HEAD /file HTTP/1.1\r\nHost: a\r\n\r\n");
        a = peer_answer(fd, true);
        assert_string_equal(answer_header(&a, "Content-Length"), "3000000");
        free(a.body);
    }
    close(fd);
    fd = peer_connect(x->port); /* Gone in the middle. */
    peer_say(fd, "GET /file HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_true(recv(fd, data, 1000, 0) > 0);
    close(fd);
    free(data);
    assert_serves(x);
}

struct caller {
    struct fixture *fixture;
    pthread_t thread;
    int id, good;
};

static void *
call_often(void *object)
{
    struct caller *c = object;
    int fd = peer_connect(c->fixture->port);

    for (int i = 0; i < 200; i++) {
        char request[300], expected[60];
        struct answer a;

        snprintf(request, sizeof(request),
                 "POST /%s?a=%d-%d HTTP/1.1\r\nHost: a\r\nX-Auth-Token: t%d-%d\r\nContent-Length: "
                 "4\r\n\r\n%04d",
                 i % 3 == 0 ? "inline" : "x", c->id, i, c->id, i, i);
        snprintf(expected, sizeof(expected), "\"token\":\"t%d-%d\",\"size\":4,\"body\":\"%04d\"",
                 c->id, i, i);
        peer_say(fd, request);
        a = peer_answer(fd, false);
        c->good += a.status == 200 && strstr(a.body, expected) != NULL;
        free(a.body);
        if (i % 50 == 49) {
            close(fd);
            fd = peer_connect(c->fixture->port);
        }
    }
    close(fd);
    return NULL;
}

/* No answer ever belongs to another request. */
static void
test_concurrent(void **state)
{
    struct fixture *x = *state;
    struct caller callers[16];
    struct http_server_stats stats;

    for (size_t i = 0; i < ARRAY_SIZE(callers); i++) {
        callers[i] = (struct caller){ .fixture = x, .id = (int)i };
        assert_int_equal(pthread_create(&callers[i].thread, NULL, call_often, &callers[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_SIZE(callers); i++) {
        pthread_join(callers[i].thread, NULL);
        assert_int_equal(callers[i].good, 200);
    }
    http_server_stats(x->server, &stats);
    assert_int_equal(stats.requests, 16 * 200);
    assert_int_equal(stats.responses[2], 16 * 200);
    assert_int_equal(stats.workers, 3);
    assert_in_range(stats.busy_workers, 0, 3); /* Counted out after the answer. */
}

/* Slow queries hold the workers, not the others. */
static void
test_busy_workers(void **state)
{
    struct fixture *x = *state;
    struct http_server_stats stats;
    struct answer a;
    int fds[5], other = peer_connect(x->port);

    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        fds[i] = peer_connect(x->port);
        peer_say(fds[i], "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    for (int i = 0; i < 3; i++)
        sem_wait(&x->entered);
    peer_say(other, "GET /inline HTTP/1.1\r\nHost: a\r\n\r\n");
    a = peer_answer(other, false);
    assert_int_equal(a.status, 200);
    free(a.body);
    peer_say(other, "PUT /stream/x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab");
    a = peer_answer(other, false);
    assert_int_equal(a.status, 200);
    free(a.body);
    http_server_stats(x->server, &stats);
    assert_in_range(stats.busy_workers, 3,
                    4); /* The upload's may not have counted itself out yet. */
    close(fds[0]);      /* One goes away while it is worked on. */
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        sem_post(&x->leave);
    for (size_t i = 1; i < ARRAY_SIZE(fds); i++) {
        a = peer_answer(fds[i], false);
        assert_int_equal(a.status, 200);
        free(a.body);
        close(fds[i]);
    }
    close(other);
    assert_serves(x);
}

static void
test_unix_socket(void **state)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct http_server_options options = { 0 };
    char folder[] = "/tmp/test-http-XXXXXX", listen_at[160];
    struct http_server *second;
    struct http_handler none = { .handle = handle };
    struct fault f = { 0 };
    struct fixture *x;
    struct answer a;
    int fd;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", folder);
    snprintf(listen_at, sizeof(listen_at), "unix:%s", address.sun_path);
    /* The socket of a process that was killed. */
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_ok(bind(fd, (struct sockaddr *)&address, sizeof(address)));
    close(fd);

    options.listen = listen_at;
    x = fixture_start(&options);
    assert_int_equal(http_server_start(&second, &options, &none, &f) < 0,
                     1); /* Not stale any more. */
    assert_int_equal(f.kind, FAULT_UNAVAILABLE);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_ok(connect(fd, (struct sockaddr *)&address, sizeof(address)));
    peer_say(fd, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    a = peer_answer(fd, false);
    assert_non_null(strstr(a.body, "\"peer\":\"unix\""));
    free(a.body);
    close(fd);
    fixture_stop(x);
    assert_int_equal(access(address.sun_path, F_OK), -1);
    rmdir(folder);
}

static void
test_bad_options(void **state)
{
    static const char *const addresses[] = {
        "",       "127.0.0.1",       "nowhere.example:1", "127.0.0.1:x", "unix:relative",
        "[::1:5", "1.2.3.4:99999999"
    };
    struct http_handler handler = { .handle = handle };
    struct http_server *s;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
        struct http_server_options options = { .listen = addresses[i] };
        struct fault f = { 0 };

        assert_true(http_server_start(&s, &options, &handler, &f) < 0);
        if (f.message[0] == '\0')
            fail_msg("%s: no message", addresses[i]);
    }
    {
        struct http_server_options options = { .listen = "127.0.0.1:0",
                                               .tls_certificate = "/nonexistent",
                                               .tls_key = "/nonexistent" };
        struct fault f = { 0 };

        assert_fault(http_server_start(&s, &options, &handler, &f), f, FAULT_INVALID,
                     "/nonexistent");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_later),
        cmocka_unit_test_setup_teardown(test_request_and_response, setup_server, teardown_server),
        cmocka_unit_test_setup_teardown(test_head_and_no_content, setup_server, teardown_server),
        cmocka_unit_test_setup_teardown(test_pieces, setup_server, teardown_server),
        cmocka_unit_test_setup_teardown(test_body_limit, setup_server, teardown_server),
        cmocka_unit_test_setup_teardown(test_body_limit_of_operation, setup_server,
                                        teardown_server),
        cmocka_unit_test_setup_teardown(test_file, setup_server, teardown_server),
        cmocka_unit_test_setup_teardown(test_concurrent, setup_server, teardown_server),
        cmocka_unit_test_setup_teardown(test_busy_workers, setup_server, teardown_server),
        cmocka_unit_test(test_unix_socket),
        cmocka_unit_test(test_bad_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
