/* Bodies that handlers read as they come. */
#include "peer.h"

#include "common/base/clock.h"

enum { MIB = 1024 * 1024 };

static int
upload_start(struct fixture *x, const char *path, long long length)
{
    int fd = peer_connect(x->port);
    char head[300];

    if (length >= 0)
        snprintf(head, sizeof(head),
                 "PUT %s HTTP/1.1\r\nHost: a\r\nUser-Agent: test\r\nContent-Length: %lld\r\n\r\n",
                 path, length);
    else
        snprintf(head, sizeof(head),
                 "PUT %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", path);
    assert_true(peer_say(fd, head));
    return fd;
}

static unsigned long long
sum_of(const char *data, size_t size)
{
    unsigned long long sum = 0;

    for (size_t i = 0; i < size; i++)
        sum = sum * 31 + (unsigned char)data[i];
    return sum;
}

static char *
some_data(size_t size)
{
    char *data = malloc(size);

    for (size_t i = 0; i < size; i++)
        data[i] = (char)(i * 13 + i / 777);
    return data;
}

/* Larger than the buffer, in both framings; the connection serves on after a Content-Length. */
static void
test_upload(void **state)
{
    struct fixture *x = *state;
    size_t size = 5 * MIB + 123;
    char *data = some_data(size), expected[100];
    struct answer a;
    int fd = upload_start(x, "/stream/a", (long long)size);

    peer_send(fd, data, size);
    a = peer_answer(fd, false);
    assert_int_equal(a.status, 200);
    snprintf(expected, sizeof(expected), "{\"total\": %zu, \"sum\": %llu, \"agent\": \"test\"}",
             size, sum_of(data, size));
    assert_string_equal(a.body, expected);
    free(a.body);
    peer_say(fd, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    a = peer_answer(fd, false);
    assert_int_equal(a.status, 200);
    free(a.body);
    close(fd);

    fd = upload_start(x, "/stream/a", -1);
    for (size_t at = 0; at < size;) {
        size_t part = MIN(size - at, 100000 + at % 1000);
        char line[32];

        snprintf(line, sizeof(line), "%zx\r\n", part);
        peer_say(fd, line);
        peer_send(fd, data + at, part);
        peer_say(fd, "\r\n");
        at += part;
    }
    peer_say(fd, "0\r\n\r\n");
    a = peer_answer(fd, false);
    snprintf(expected, sizeof(expected), "{\"total\": %zu, \"sum\": %llu", size,
             sum_of(data, size));
    assert_memory_equal(a.body, expected, strlen(expected));
    free(a.body);
    assert_true(peer_closed(fd));
    close(fd);
    free(data);
}

/* The handler waits, so the sender must: what lies between is bounded. */
static void
test_slow_reader(void **state)
{
    struct fixture *x = *state;
    size_t size = 64 * (size_t)MIB, sent = 0;
    char *data = some_data(size);
    int fd = upload_start(x, "/stream/wait", (long long)size);
    struct answer a;

    sem_wait(&x->entered);
    for (int stuck = 0; stuck < 20;) {
        ssize_t n = send(fd, data + sent, MIN(size - sent, 65536u), MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n > 0) {
            sent += (size_t)n;
            stuck = 0;
        } else {
            struct timespec pause = { .tv_nsec = 5000000 };

            nanosleep(&pause, NULL);
            stuck++;
        }
        assert_true(sent < size);
    }
    assert_in_range(sent, 1,
                    40 * MIB); /* The kernel's buffers, and not even ours: nothing was read yet. */
    sem_post(&x->leave);
    peer_send(fd, data + sent, size - sent);
    a = peer_answer(fd, false);
    assert_int_equal(a.status, 200);
    free(a.body);
    close(fd);
    free(data);
}

static void
test_slow_sender(void **state)
{
    struct fixture *x = *state;
    int fd = upload_start(x, "/stream/a", 300);
    struct answer a;

    for (int i = 0; i < 300; i++)
        peer_say(fd, "x");
    a = peer_answer(fd, false);
    assert_non_null(strstr(a.body, "\"total\": 300"));
    free(a.body);
    close(fd);
}

/* Without the pace the handler gets an error and its worker back. */
static void
test_stalled_sender(void **state)
{
    static const struct http_server_options options = {
        .listen = "127.0.0.1:0", .io_threads = 1, .workers = 1, .idle_timeout_s = 1
    };
    struct fixture *x = fixture_start(&options);
    int stalled = upload_start(x, "/stream/a", 300), trickling = upload_start(x, "/stream/b", 300);
    int64_t started = clock_mono_ms();

    (void)state;
    peer_say(stalled, "some");
    for (int i = 0; i < 100 && sem_trywait(&x->entered) != 0; i++) {
        struct timespec pause = { .tv_nsec = 50000000 };

        nanosleep(&pause, NULL);
        peer_say(trickling, "x");
    }
    sem_wait(&x->entered);
    assert_in_range(clock_mono_ms() - started, 900, 15000);
    assert_int_equal(atomic_load(&x->read_failed), FAULT_INVALID);
    close(stalled);
    close(trickling);
    fixture_stop(x);
}

/* The client goes away in the middle, or says less than it announced. */
static void
test_disconnect(void **state)
{
    static const size_t sizes[] = { 0, 1, 1000, 3 * MIB };
    struct fixture *x = *state;
    char *data = some_data(3 * MIB);

    for (size_t i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
        int fd = upload_start(x, "/stream/a", i % 2 ? -1 : 4 * MIB);

        atomic_store(&x->read_failed, 0);
        if (i % 2)
            peer_say(fd, "400000\r\n");
        peer_send(fd, data, sizes[i / 2]);
        if (i % 3 == 0)
            shutdown(fd, SHUT_WR); /* Half closed. */
        else
            close(fd);
        sem_wait(&x->entered);
        assert_int_equal(atomic_load(&x->read_failed), FAULT_INVALID);
        if (i % 3 == 0)
            close(fd);
    }
    free(data);
    assert_serves(x);
}

/* The client goes away while the handler does something else; the handler then reads. */
static void
test_disconnect_unread(void **state)
{
    struct fixture *x = *state;
    int fd = upload_start(x, "/stream/wait", 4 * MIB);

    sem_wait(&x->entered);
    peer_say(fd, "abc");
    close(fd);
    sem_post(&x->leave);
    sem_wait(&x->entered);
    assert_int_equal(atomic_load(&x->read_failed), FAULT_INVALID);
    assert_serves(x);
}

/* What is refused for other reasons is answered without its body. */
static void
test_refused_unread(void **state)
{
    struct fixture *x = *state;
    int fd = peer_connect(x->port);
    struct answer a;

    peer_say(fd, "PUT /stream/refuse HTTP/1.1\r\nHost: a\r\nExpect: "
                 "100-continue\r\nContent-Length: 1000000000000\r\n\r\n");
    a = peer_answer(fd, false);
    assert_int_equal(a.status, 403);
    free(a.body);
    assert_true(peer_closed(fd));
    close(fd);

    fd = peer_connect(x->port); /* And asked for where it is wanted. */
    peer_say(
        fd,
        "PUT /stream/a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    a = peer_answer(fd, false);
    assert_int_equal(a.status, 100);
    free(a.body);
    peer_say(fd, "abc");
    a = peer_answer(fd, false);
    assert_int_equal(a.status, 200);
    free(a.body);
    close(fd);
}

/* An error in the middle: the rest is thrown away, then comes the answer. */
static void
test_early_end(void **state)
{
    struct fixture *x = *state;
    size_t size = 8 * MIB;
    char *data = some_data(size);
    int fd = upload_start(x, "/stream/early", (long long)size);
    struct answer a;

    peer_send(fd, data, 100);
    sem_wait(&x->entered);
    peer_send(fd, data, size - 100);
    a = peer_answer(fd, false);
    assert_int_equal(a.status, 409);
    free(a.body);
    close(fd);

    fd = upload_start(x, "/stream/early", (long long)1 << 39); /* But not for ever. */
    for (int i = 0; peer_send(fd, data, size); i++)
        assert_true(i < 100);
    close(fd);
    free(data);
    assert_serves(x);
}

static void
test_too_large(void **state)
{
    struct fixture *x = *state;
    int fd = upload_start(x, "/stream/small", 1001);
    struct answer a = peer_answer(fd, false);

    assert_int_equal(a.status, 413); /* Announced: refused at once. */
    free(a.body);
    close(fd);
    fd = upload_start(x, "/stream/small", -1);
    for (int i = 0; i < 11; i++)
        peer_say(fd, "64\r\n"
                     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                     "aaaaaaaaaaaaaaaaaaaaaaa\r\n");
    peer_say(fd, "0\r\n\r\n");
    a = peer_answer(fd, false);
    assert_int_equal(a.status, 413);
    assert_int_equal(atomic_load(&x->read_failed), FAULT_TOO_LARGE);
    free(a.body);
    close(fd);
}

/* No body at all is an end, not a wait. */
static void
test_empty(void **state)
{
    static const char *const paths[] = { "/stream/a", "/stream/refuse" };
    struct fixture *x = *state;
    int fd = peer_connect(x->port);

    for (int i = 0; i < 6; i++) {
        char text[200];
        struct answer a;

        snprintf(text, sizeof(text), "PUT %s HTTP/1.1\r\nHost: a\r\n%s\r\n", paths[i % 2],
                 i % 3 ? "Content-Length: 0\r\n" : "");
        peer_say(fd, text);
        a = peer_answer(fd, false);
        assert_int_equal(a.status, i % 2 ? 403 : 200);
        free(a.body);
    }
    close(fd);
}

/* More uploads than there are workers don't keep other requests waiting. */
static void
test_many_uploads(void **state)
{
    struct fixture *x = *state;
    int fds[12];

    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        fds[i] = upload_start(x, "/stream/wait", 10);
        sem_wait(&x->entered);
    }
    assert_serves(x);
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        sem_post(&x->leave);
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        struct answer a;

        peer_say(fds[i], "0123456789");
        a = peer_answer(fds[i], false);
        assert_int_equal(a.status, 200);
        free(a.body);
        close(fds[i]);
    }
}

static void
test_stop_while_uploading(void **state)
{
    static const struct http_server_options options = { .listen = "127.0.0.1:0",
                                                        .io_threads = 2,
                                                        .workers = 1 };
    struct fixture *x = fixture_start(&options);
    int64_t started = clock_mono_ms();
    int fds[4];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        fds[i] = upload_start(x, "/stream/a", 10 * MIB);
        peer_say(fds[i], "abc");
    }
    while (atomic_load(&x->handled) < (int)ARRAY_SIZE(fds))
        sched_yield();
    http_server_drain(x->server, 10);
    fixture_stop(x);
    assert_true(clock_mono_ms() - started < 15000);
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        close(fds[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_upload, setup_server, teardown_server),
        cmocka_unit_test_setup_teardown(test_slow_reader, setup_server, teardown_server),
        cmocka_unit_test_setup_teardown(test_slow_sender, setup_server, teardown_server),
        cmocka_unit_test(test_stalled_sender),
        cmocka_unit_test_setup_teardown(test_disconnect, setup_server, teardown_server),
        cmocka_unit_test_setup_teardown(test_disconnect_unread, setup_server, teardown_server),
        cmocka_unit_test_setup_teardown(test_refused_unread, setup_server, teardown_server),
        cmocka_unit_test_setup_teardown(test_early_end, setup_server, teardown_server),
        cmocka_unit_test_setup_teardown(test_too_large, setup_server, teardown_server),
        cmocka_unit_test_setup_teardown(test_empty, setup_server, teardown_server),
        cmocka_unit_test_setup_teardown(test_many_uploads, setup_server, teardown_server),
        cmocka_unit_test(test_stop_while_uploading),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
