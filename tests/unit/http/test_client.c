#include "peer.h"

#include "common/base/process.h"
#include "common/http/client.h"

static const char *
url(struct arena *a, const struct fixture *x, const char *path)
{
    return arena_printf(a, "http://127.0.0.1:%d%s", x->port, path);
}

static void
test_exchange(void **state)
{
    static const struct http_pair headers[] = { { "X-Auth-Token", "secret" },
                                                { "X-None", NULL },
                                                { "X-Empty", "" } };
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct fixture *x = *state;
    struct http_client *c = http_client_new(NULL);
    struct fault f = { 0 };
    struct http_exchange get = { .method = HTTP_GET, .headers = headers, .headers_count = 3 };
    struct http_exchange post = { .method = HTTP_POST, .body = "{}", .body_size = 2 };
    struct http_exchange head = { .method = HTTP_HEAD };
    struct http_exchange empty = { .method = HTTP_DELETE };

    get.url = url(a, x, "/v2/a%20b?a=1");
    assert_ok(http_client_run(c, a, &get, &f));
    assert_int_equal(get.status, 200);
    assert_non_null(strstr(get.answer, "\"path\":\"/v2/a%20b\""));
    assert_non_null(strstr(get.answer, "\"token\":\"secret\""));
    assert_int_equal(strlen(get.answer), get.answer_size);
    assert_string_equal(http_exchange_header(&get, "x-test"), "two");
    assert_null(http_exchange_header(&get, "x-nothing"));

    post.url = url(a, x, "/p");
    assert_ok(http_client_run(c, a, &post, &f));
    assert_non_null(strstr(post.answer, "\"method\":\"POST\""));
    assert_non_null(strstr(post.answer, "\"body\":\"{}\""));
    assert_non_null(strstr(post.answer, "\"token\":null")); /* Nothing of the exchange before. */
    head.url = url(a, x, "/p");
    assert_ok(http_client_run(c, a, &head, &f));
    assert_int_equal(head.status, 200);
    assert_int_equal(head.answer_size, 0);
    empty.url = url(a, x, "/empty");
    assert_ok(http_client_run(c, a, &empty, &f));
    assert_int_equal(empty.status, 204);
    assert_string_equal(empty.answer, "");
    {
        struct http_server_stats stats;

        http_server_stats(x->server, &stats);
        assert_int_equal(stats.connections, 1); /* Kept alive. */
        assert_int_equal(stats.requests, 4);
    }
    http_client_free(c);
}

static void
test_methods(void **state)
{
    static const enum http_method methods[] = { HTTP_GET,   HTTP_POST,   HTTP_PUT,
                                                HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS };
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct fixture *x = *state;
    struct http_client *c = http_client_new(NULL);

    for (size_t i = 0; i < 2 * ARRAY_SIZE(methods); i++) {
        struct http_exchange e = { .method = methods[i / 2],
                                   .url = url(a, x, "/m"),
                                   .body = i % 2 ? "abc" : NULL,
                                   .body_size = i % 2 * 3 };
        struct fault f = { 0 };

        assert_ok(http_client_run(c, a, &e, &f));
        assert_non_null(
            strstr(e.answer, arena_printf(a, "\"method\":\"%s\"", http_method_name(e.method))));
        assert_non_null(strstr(e.answer, i % 2 ? "\"body\":\"abc\"" : "\"body\":\"\""));
    }
    http_client_free(c);
}

struct sunk {
    size_t size, limit;
};

static int
sink(void *owner, const char *data _unused_, size_t size, struct fault *f)
{
    struct sunk *s = owner;

    s->size += size;
    return s->size > s->limit ? fault_raise(f, FAULT_QUOTA, "enough") : 0;
}

static void
test_files_and_sinks(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct fixture *x = *state;
    struct http_client *c = http_client_new(NULL);
    struct fault f = { 0 };
    struct sunk all = { .limit = SIZE_MAX }, some = { .limit = 100000 };
    struct http_exchange up = { .method = HTTP_PUT, .content_type = "application/octet-stream" };
    struct http_exchange down = { .method = HTTP_GET, .sink = sink, .sink_owner = &all };
    char *data = calloc(1, 4000000);
    int fd;

    snprintf(x->file, sizeof(x->file), "/tmp/test-http-XXXXXX");
    fd = mkstemp(x->file);
    assert_int_equal(write(fd, data, 4000000), 4000000);
    free(data);
    up.url = url(a, x, "/stream/a");
    up.body_file = fd;
    up.body_size = 3999990;
    lseek(fd, 10, SEEK_SET);
    assert_ok(http_client_run(c, a, &up, &f));
    assert_int_equal(up.status, 200);
    assert_non_null(strstr(up.answer, "\"total\": 3999990"));
    lseek(fd, 20, SEEK_SET); /* Shorter than said. */
    assert_fault(http_client_run(c, a, &up, &f), f, FAULT_INTERNAL, NULL);
    close(fd);

    fault_clear(&f);
    down.url = url(a, x, "/file");
    assert_ok(http_client_run(c, a, &down, &f));
    assert_int_equal(all.size, 3000000);
    down.sink_owner = &some;
    assert_fault(http_client_run(c, a, &down, &f), f, FAULT_QUOTA, "enough");
    down.sink = NULL;
    down.max_answer = 2999999;
    fault_clear(&f);
    assert_fault(http_client_run(c, a, &down, &f), f, FAULT_UNAVAILABLE, "larger");
    down.max_answer = 3000000;
    assert_ok(http_client_run(c, a, &down, &f));
    assert_int_equal(down.answer_size, 3000000);
    http_client_free(c);
}

/* What a caller may try again, and what not. */
static void
test_failures(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct http_client *c = http_client_new(NULL);
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);
    int silent = socket(AF_INET, SOCK_STREAM, 0);
    struct http_exchange e = { .method = HTTP_GET, .deadline_ms = 200 };
    struct fault f = { 0 };

    (void)state;
    assert_ok(bind(silent, (struct sockaddr *)&address, size));
    assert_ok(getsockname(silent, (struct sockaddr *)&address, &size));
    e.url = arena_printf(a, "http://127.0.0.1:%d/", ntohs(address.sin_port));
    assert_fault(http_client_run(c, a, &e, &f), f, FAULT_UNAVAILABLE,
                 "reached"); /* Nobody listens. */
    assert_ok(listen(silent, 5));
    fault_clear(&f);
    assert_fault(http_client_run(c, a, &e, &f), f, FAULT_TIMEOUT,
                 NULL); /* Connected, sent, no answer. */
    close(silent);
    e.url = "file:///etc/hostname";
    fault_clear(&f);
    assert_fault(http_client_run(c, a, &e, &f), f, FAULT_INTERNAL, NULL);
    e.url = "http://no-such-host.invalid/";
    fault_clear(&f);
    assert_fault(http_client_run(c, a, &e, &f), f, FAULT_UNAVAILABLE, NULL);
    http_client_free(c);
    http_client_free(NULL);
}

static void
test_tls(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    char folder[] = "/tmp/test-http-XXXXXX";
    struct http_server_options options = { .listen = "127.0.0.1:0", .io_threads = 1, .workers = 1 };
    struct http_client_options trusting = { 0 };
    struct http_exchange e = { .method = HTTP_GET };
    struct fault f = { 0 };
    struct http_client *c;
    struct fixture *x;
    char *key, *certificate;

    (void)state;
    assert_non_null(mkdtemp(folder));
    key = arena_printf(a, "%s/key", folder);
    certificate = arena_printf(a, "%s/certificate", folder);
    {
        const char *const argv[] = { "openssl",
                                     "req",
                                     "-x509",
                                     "-newkey",
                                     "ec",
                                     "-pkeyopt",
                                     "ec_paramgen_curve:P-256",
                                     "-nodes",
                                     "-keyout",
                                     key,
                                     "-out",
                                     certificate,
                                     "-days",
                                     "1",
                                     "-subj",
                                     "/CN=test",
                                     "-addext",
                                     "subjectAltName=IP:127.0.0.1",
                                     NULL };
        struct process_run run = { .argv = argv };

        if (process_run(a, &run, &f) < 0)
            fail_msg("%s", f.cause);
    }
    options.tls_certificate = trusting.ca_file = certificate;
    options.tls_key = key;
    x = fixture_start(&options);

    c = http_client_new(&trusting);
    e.url = arena_printf(a, "https://127.0.0.1:%d/x", x->port);
    assert_ok(http_client_run(c, a, &e, &f));
    assert_int_equal(e.status, 200);
    e.url = arena_printf(a, "https://localhost:%d/x", x->port); /* Not the certificate's name. */
    assert_fault(http_client_run(c, a, &e, &f), f, FAULT_UNAVAILABLE, NULL);
    http_client_free(c);
    c = http_client_new(NULL); /* Not signed by anybody it knows. */
    e.url = arena_printf(a, "https://127.0.0.1:%d/x", x->port);
    assert_fault(http_client_run(c, a, &e, &f), f, FAULT_UNAVAILABLE, NULL);
    http_client_free(c);
    fixture_stop(x);
    unlink(key);
    unlink(certificate);
    rmdir(folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_exchange, setup_server, teardown_server),
        cmocka_unit_test_setup_teardown(test_methods, setup_server, teardown_server),
        cmocka_unit_test_setup_teardown(test_files_and_sinks, setup_server, teardown_server),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_tls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
