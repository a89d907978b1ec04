/* Downloads from a server that is identity and image service at once. */
#include "services/compute-agent/image_download.h"

#include <stdatomic.h>

#include "base/str.h"
#include "http/server.h"
#include "tests/unit/asserts.h"

enum { SIZE = 300000 };

struct fixture {
    struct arena *a;
    struct http_server *server;
    struct daemon_config config;
    struct image_download *download;
    const char *base;
    atomic_int logins;
    struct str got;
};

/* The first token is one that the image service does not take any more. */
static void
answer(void *owner, void *worker, struct http_request *request, struct http_response *response)
{
    struct fixture *x = owner;
    const char *token = http_header(request, "X-Auth-Token");

    (void)worker;
    if (str_equal(request->path, "/v3/auth/tokens")) {
        int number = atomic_fetch_add(&x->logins, 1) + 1;

        response->status = 201;
        http_response_header(response, "X-Subject-Token", number == 1 ? "revoked" : "good");
        str_add(&response->body,
                "{\"token\":{\"expires_at\":\"2999-01-01T00:00:00Z\",\"catalog\":[]}}");
        return;
    }
    if (!str_equal(token, "good")) {
        response->status = 401;
        str_add(&response->body, "{\"error\":\"these are not the image's bytes\"}");
    } else if (str_equal(request->path, "/image")) {
        for (int i = 0; i < SIZE; i++)
            str_add_char(&response->body, (char)(i % 251));
    } else {
        response->status = str_equal(request->path, "/gone") ? 404 : 500;
        str_add(&response->body, "no");
    }
}

static int
take(void *owner, const char *data, size_t size, struct fault *f)
{
    (void)f;
    str_add_n(owner, data, size);
    return 0;
}

static int
refuse(void *owner, const char *data, size_t size, struct fault *f)
{
    (void)owner;
    (void)data;
    (void)size;
    return fault_raise(f, FAULT_INVALID, "not such an image");
}

static int
setup(void **state)
{
    static struct fixture fixture;
    struct http_handler handler = { .handle = answer, .owner = &fixture };
    struct http_server_options options = { .listen = "127.0.0.1:0", .io_threads = 1, .workers = 1 };
    struct fault f = { 0 };

    fixture = (struct fixture){ .a = arena_new() };
    *state = &fixture;
    assert_ok(http_server_start(&fixture.server, &options, &handler, &f));
    fixture.base = arena_printf(fixture.a, "http://127.0.0.1:%d", http_server_port(fixture.server));
    fixture.config = (struct daemon_config){
        .identity_url = arena_printf(fixture.a, "%s/v3", fixture.base),
        .auth_username = "agent",
        .auth_password = "secret",
        .auth_project_name = "service",
        .auth_user_domain = "Default",
        .auth_project_domain = "Default",
        .region = "RegionOne",
    };
    return image_download_open(&fixture.download, &fixture.config, &f);
}

static int
teardown(void **state)
{
    struct fixture *x = *state;

    image_download_close(x->download);
    http_server_stop(x->server);
    str_done(&x->got);
    arena_free(x->a);
    return 0;
}

static struct guest_image
image(const struct fixture *x, const char *path)
{
    return (struct guest_image){ .image_id = "the-id",
                                 .size = SIZE,
                                 .url = arena_printf(x->a, "%s%s", x->base, path) };
}

static void
test_bytes_and_revoked_token(void **state)
{
    struct fixture *x = *state;
    struct guest_image wanted = image(x, "/image");
    struct fault f = { 0 };

    assert_ok(image_download_run(x->download, &wanted, take, &x->got, &f));
    assert_int_equal(x->got.size, SIZE);
    for (int i = 0; i < SIZE; i++)
        assert_int_equal(x->got.data[i], (char)(i % 251));
    assert_int_equal(x->logins, 2);
    str_clear(&x->got);
    assert_ok(image_download_run(x->download, &wanted, take, &x->got, &f));
    assert_int_equal(x->logins, 2);
}

static void
test_failures(void **state)
{
    struct fixture *x = *state;
    struct guest_image gone = image(x, "/gone"), broken = image(x, "/broken"),
                       good = image(x, "/image");
    struct guest_image nobody = { .image_id = "the-id", .url = "http://127.0.0.1:1/image" };
    struct fault f = { 0 };
    int r;

    r = image_download_run(x->download, &gone, take, &x->got, &f);
    assert_fault(r, f, FAULT_NOT_FOUND, "the-id");
    r = image_download_run(x->download, &broken, take, &x->got, &f);
    assert_fault(r, f, FAULT_UNAVAILABLE, NULL);
    r = image_download_run(x->download, &nobody, take, &x->got, &f);
    assert_fault(r, f, FAULT_UNAVAILABLE, NULL);
    assert_int_equal(x->got.size, 0);
    r = image_download_run(x->download, &good, refuse, NULL, &f);
    assert_fault(r, f, FAULT_INVALID, "not such");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_bytes_and_revoked_token, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failures, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
