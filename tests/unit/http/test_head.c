/* Requests that break the protocol, or that two parsers could read differently. */
#include "peer.h"

#include "common/base/clock.h"

struct bad_request {
    const char *text;
    size_t size;
    int status; /* 0: closed without a word */
};
#define BAD(text, status)                                                                          \
    {                                                                                              \
        text, sizeof(text) - 1, status                                                             \
    }

static const struct bad_request bad_requests[] = {
    /* Two ways to say how long the body is. */
    BAD("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: "
        "chunked\r\n\r\n0\r\n\r\n",
        400),
    BAD("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: "
        "4\r\n\r\n0\r\n\r\n",
        400),
    BAD("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nabcd", 400),
    BAD("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd", 400),
    BAD("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4, 4\r\n\r\nabcd", 400),
    BAD("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\nabcd", 400),
    BAD("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: -4\r\n\r\nabcd", 400),
    BAD("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0x4\r\n\r\nabcd", 400),
    BAD("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n", 400),
    BAD("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n", 413),
    BAD("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775808\r\n\r\n", 400),
    BAD("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n", 413),
    BAD("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
    BAD("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400),
    BAD("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
    BAD("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", 400),
    BAD("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
        "chunked\r\n\r\n0\r\n\r\n",
        400),
    BAD("POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    BAD("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
    BAD("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n", 400),
    BAD("POST /x HTTP/1.1\r\nHost: a\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    /* Bad chunks. */
    BAD("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabcd\r\n0\r\n\r\n",
        400),
    BAD("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nabcd\r\n0\r\n\r\n",
        400),
    BAD("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
        "chunked\r\n\r\nffffffffffffffffff\r\nabcd\r\n",
        413),
    BAD("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n0\r\n\r\n",
        400),
    /* Lines. */
    BAD("GET /x HTTP/1.1\nHost: a\n\n", 400),
    BAD("GET /x HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400),
    BAD("GET /x HTTP/1.1\nHost: a\r\n\r\n", 400),
    BAD("GET /x HTTP/1.1\r\nHost: a\n\r\n", 400),
    BAD("GET /x HTTP/1.1\r\nHost: a\r\n\nGET /y HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    BAD("GET /x HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", 400),
    BAD("GET /x HTTP/1.1\r\nHost: a\r\nX: a\r\n\tb\r\nY: c\r\n\r\n", 400),
    BAD("GET /x HTTP/1.1\r\nHost: a\r\nX: a\rY: b\r\n\r\n", 400),
    BAD("GET /x HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 400),
    BAD("GET /x HTTP/1.1\r\nHost: a\r\nX: a\0\r\nY: b\r\n\r\n", 400),
    BAD("GET /x HTTP/1.1\r\nHost: a\r\nX\0Z: a\r\n\r\n", 400),
    BAD("GET /x HTTP/1.1\r\nHost: a\r\nX: a\x01\r\n\r\n", 400),
    BAD("GET /x HTTP/1.1\r\nHost: a\r\nX: a\x7f\r\n\r\n", 400),
    BAD("GET /x HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400),
    BAD("GET /x HTTP/1.1\r\nHost: a\r\n: nameless\r\n\r\n", 400),
    BAD("GET /x HTTP/1.1\r\nHost: a\r\nX(): a\r\n\r\n", 400),
    /* The request line. */
    BAD("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    BAD("GET  /a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    BAD("GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    BAD("GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    BAD("GET /a?b\0c HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    BAD("GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    BAD("G(T /a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    BAD("GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    BAD("GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    BAD("GET http://a/x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    BAD("GET /a%00b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    BAD("GET /a%2fb HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    BAD("GET /a%2Fb HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    BAD("GET /a%2 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    BAD("GET /a%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    BAD("GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    BAD("GET /.. HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    BAD("GET /a/./b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    BAD("GET /a/%2e%2E/b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    BAD("GET /a/.%2e?x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    BAD("GET /a?b=%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    BAD("GET /a?b=%ff HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    BAD("GET /a HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    BAD("GET /a FTP/1.1\r\nHost: a\r\n\r\n", 400),
    BAD("GARBAGE\r\n\r\n", 0),
    /* Who is asked for, and by whom. */
    BAD("GET /x HTTP/1.1\r\n\r\n", 400),
    BAD("GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    BAD("GET /x HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
    BAD("GET /x HTTP/1.1\r\nHost: a\r\nX-Auth-Token: a\r\nx-auth-token: b\r\n\r\n", 401),
};

static void
test_refused(void **state)
{
    struct fixture *x = *state;
    int before = atomic_load(&x->handled);

    for (size_t i = 0; i < ARRAY_SIZE(bad_requests); i++) {
        const struct bad_request *bad = &bad_requests[i];
        int fd = peer_connect(x->port);
        struct answer a;

        assert_true(fd >= 0);
        peer_send(fd, bad->text, bad->size);
        a = peer_answer(fd, false);
        if (a.status != bad->status)
            fail_msg("request %zu: %d instead of %d to: %s", i, a.status, bad->status, bad->text);
        free(a.body);
        if (!peer_closed(fd))
            fail_msg("request %zu leaves the connection open: %s", i, bad->text);
        close(fd);
        if (atomic_load(&x->handled) != before)
            fail_msg("request %zu reached the handler: %s", i, bad->text);
    }
    assert_serves(x);
}

static void
test_refusal_is_json(void **state)
{
    struct fixture *x = *state;
    int fd = peer_connect(x->port);
    struct answer a;

    peer_say(fd, "GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
    a = peer_answer(fd, false);
    assert_string_equal(a.body,
                        "{\"error\":{\"code\":400,\"title\":\"Bad Request\","
                        "\"message\":\"A header that may stand only once stands twice.\"}}");
    assert_string_equal(answer_header(&a, "Content-Type"), "application/json");
    assert_string_equal(answer_header(&a, "Connection"), "close");
    free(a.body);
    close(fd);
}

/* Things that look odd and are right. */
static void
test_accepted(void **state)
{
    static const char *const good[] = {
        "GET /x HTTP/1.0\r\n\r\n",
        "\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost:a\r\nX:\r\nY: b \t \r\n\r\n",
        "GET /x HTTP/1.1\r\nhost: [::1]:80\r\nX: \xc3\xa9\r\n\r\n",
        "GET /a%20b/%E2%82%AC?a=%2f%20 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /...//.a?a=/../b HTTP/1.1\r\nHost: a\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "BREW /x HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        ("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
         "Chunked\r\n\r\n2;ext=1\r\nab\r\n0\r\nTrailer: x\r\n\r\n"),
        "GET /x HTTP/1.1\r\nHost: a\r\nCookie: a=b; c=\"d\"\r\n\r\n",
    };
    struct fixture *x = *state;

    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        int fd = peer_connect(x->port);
        struct answer a;

        peer_say(fd, good[i]);
        a = peer_answer(fd, false);
        if (a.status != 200)
            fail_msg("%d to %s: %s", a.status, good[i], a.body);
        free(a.body);
        close(fd);
    }
}

static void
test_too_long(void **state)
{
    struct fixture *x = *state;
    static char text[1024 * 1024];
    struct answer a;
    int fd;

    memset(text, 'a', sizeof(text));
    fd = peer_connect(x->port); /* A line of 1 MiB. */
    peer_say(fd, "GET /");
    peer_send(fd, text, sizeof(text));
    a = peer_answer(fd, false);
    assert_true(a.status == 414 || a.status == 0); /* 0: reset, because there was more to read. */
    free(a.body);
    close(fd);

    fd = peer_connect(x->port); /* Fits into the buffer, but is longer than allowed. */
    peer_say(fd, "GET /");
    peer_send(fd, text, 9000);
    peer_say(fd, " HTTP/1.1\r\nHost: a\r\n\r\n");
    a = peer_answer(fd, false);
    assert_int_equal(a.status, 414);
    assert_true(peer_closed(fd));
    free(a.body);
    close(fd);

    fd = peer_connect(x->port); /* 101 headers. */
    peer_say(fd, "GET / HTTP/1.1\r\nHost: a\r\n");
    for (int i = 0; i < 100; i++)
        peer_say(fd, "X: y\r\n");
    peer_say(fd, "\r\n");
    a = peer_answer(fd, false);
    assert_int_equal(a.status, 431);
    assert_true(peer_closed(fd));
    free(a.body);
    close(fd);

    fd = peer_connect(x->port); /* 10,000 headers. */
    peer_say(fd, "GET / HTTP/1.1\r\nHost: a\r\n");
    for (int i = 0; i < 10000; i++) {
        if (!peer_say(fd, "X: y\r\n"))
            break;
    }
    a = peer_answer(fd, false);
    assert_true(a.status == 431 || a.status == 0);
    free(a.body);
    close(fd);
    assert_serves(x);
}

/* What follows a chunked request on its connection is not read as a request, whatever the chunks
 * looked like. */
static void
test_chunked_closes(void **state)
{
    struct fixture *x = *state;
    int before = atomic_load(&x->handled);
    int fd = peer_connect(x->port);
    struct answer a;

    peer_say(fd, "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "2;\n\nxx\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
    a = peer_answer(fd, false);
    free(a.body);
    assert_true(peer_closed(fd));
    close(fd);
    assert_true(atomic_load(&x->handled) <= before + 1);
}

/* One byte now and then keeps libmicrohttpd's timeout away, but not ours. */
static void
test_slow_head(void **state)
{
    static const struct http_server_options options = {
        .listen = "127.0.0.1:0", .io_threads = 1, .workers = 1, .idle_timeout_s = 1
    };
    struct fixture *x = fixture_start(&options);
    int fd = peer_connect(x->port), idle = peer_connect(x->port), body = peer_connect(x->port),
        n = 0;
    int64_t started = clock_mono_ms();

    (void)state;
    peer_say(fd, "GET / HTTP/1.1\r\nX: ");
    peer_say(body, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n");
    for (char c;
         recv(fd, &c, 1, MSG_DONTWAIT) != 0 && errno == EAGAIN && clock_mono_ms() - started < 15000;
         n++) {
        struct timespec pause = { .tv_nsec = 20000000 };

        peer_say(fd, "x");
        peer_say(body, "x");
        nanosleep(&pause, NULL);
    }
    assert_in_range(clock_mono_ms() - started, 900, 14000);
    assert_true(n > 5);
    assert_true(peer_closed(idle));
    close(fd);
    close(idle);
    close(body);
    assert_serves(x);
    fixture_stop(x);
}

/* More silent connections than there may be: one that talks still gets in. */
static void
test_crowd(void **state)
{
    static const struct http_server_options options = {
        .listen = "127.0.0.1:0", .io_threads = 2, .workers = 1, .max_connections = 64
    };
    struct fixture *x = fixture_start(&options);
    int fds[300], answered = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        fds[i] = peer_connect(x->port);
        assert_true(fds[i] >= 0);
        peer_say(fds[i], "GET / HTTP/1.1\r\n");
    }
    for (int64_t started = clock_mono_ms(); answered == 0 && clock_mono_ms() - started < 10000;) {
        int fd = peer_connect(x->port);
        struct answer a;

        peer_say(fd, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
        a = peer_answer(fd, false);
        answered += a.status == 200;
        free(a.body);
        close(fd);
    }
    assert_int_equal(answered, 1);
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        close(fds[i]);
    fixture_stop(x);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_refused, setup_server, teardown_server),
        cmocka_unit_test_setup_teardown(test_refusal_is_json, setup_server, teardown_server),
        cmocka_unit_test_setup_teardown(test_accepted, setup_server, teardown_server),
        cmocka_unit_test_setup_teardown(test_too_long, setup_server, teardown_server),
        cmocka_unit_test_setup_teardown(test_chunked_closes, setup_server, teardown_server),
        cmocka_unit_test(test_slow_head),
        cmocka_unit_test(test_crowd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
