/* Against an identity that lives in this program. */
#include "common/daemon/service_client.h"

#include <stdatomic.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/jsonw.h"
#include "common/base/str.h"
#include "common/http/server.h"
#include "tests/unit/asserts.h"

struct world {
    struct http_server *server;
    struct daemon_config config;
    char url[64];
    struct service_client *client;
    struct http_client *http;
    struct arena *arena;
    atomic_int logins, calls;
    atomic_int generation; /* Of the only token that is good. */
    atomic_bool short_lived;
};

static void
log_in(struct world *w, struct http_request *r, struct http_response *response)
{
    struct fault f = { 0 };
    json_t *body;
    const json_t *user;
    struct jsonw j;

    assert_ok(json_read(r->arena, r->body, r->body_size, &body, &f));
    user =
        json_object_get(json_object_get(json_object_get(json_object_get(body, "auth"), "identity"),
                                        "password"),
                        "user");
    atomic_fetch_add(&w->logins, 1);
    if (!str_equal(json_get_text(user, "name"), "nova") ||
        !str_equal(json_get_text(user, "password"), "p\"w")) {
        response->status = 401;
        return;
    }
    response->status = 201;
    http_response_header(response, "X-Subject-Token",
                         arena_printf(r->arena, "token-%d", atomic_load(&w->generation)));
    jsonw_init(&j, &response->body);
    jsonw_object(&j, NULL);
    jsonw_object(&j, "token");
    jsonw_text(&j, "expires_at",
               clock_format(r->arena,
                            clock_now_us() +
                                (atomic_load(&w->short_lived) ? 200 : 3600) * INT64_C(1000000),
                            CLOCK_MICRO_Z));
    jsonw_array(&j, "catalog");
    for (int i = 0; i < 2; i++) {
        jsonw_object(&j, NULL);
        jsonw_text(&j, "type", i == 0 ? "block-storage" : "placement");
        jsonw_array(&j, "endpoints");
        for (int k = 0; k < 3; k++) {
            jsonw_object(&j, NULL);
            jsonw_text(&j, "interface", k == 0 ? "admin" : "public");
            jsonw_text(&j, "region_id", k == 2 ? "RegionOne" : "Elsewhere");
            jsonw_text(&j, "url",
                       k < 2
                           ? "http://192.0.2.1:1/"
                           : arena_printf(r->arena, i == 0 ? "%s/v3/abc" : "%s/placement", w->url));
            jsonw_end(&j);
        }
        jsonw_end(&j);
        jsonw_end(&j);
    }
    jsonw_end(&j);
    jsonw_end(&j);
    jsonw_end(&j);
}

static void
handle(void *owner, void *worker _unused_, struct http_request *r, struct http_response *response)
{
    struct world *w = owner;
    const char *own = http_header(r, "X-Service-Token") != NULL ? http_header(r, "X-Service-Token")
                                                                : http_header(r, "X-Auth-Token");
    struct jsonw j;

    if (str_equal(r->path, "/v3/auth/tokens")) {
        log_in(w, r, response);
        return;
    }
    atomic_fetch_add(&w->calls, 1);
    if (!str_equal(r->path, "/v3/OS-VIRGA/keys") &&
        !str_equal(own, arena_printf(r->arena, "token-%d", atomic_load(&w->generation)))) {
        response->status = 401;
        return;
    }
    if (str_ends(r->path, "/conflict")) {
        response->status = 409;
        str_add(&response->body, "{\"NeutronError\": {\"type\": \"IpAddressInUse\", \"message\": "
                                 "\"Taken.\", \"detail\": \"\"}}");
        return;
    }
    if (str_ends(r->path, "/placement-conflict")) {
        response->status = 409;
        str_add(&response->body,
                "{\"errors\": [{\"status\": 409, \"title\": \"Conflict\", \"detail\": \"Again.\", "
                "\"code\": \"placement.concurrent_update\"}]}");
        return;
    }
    if (str_ends(r->path, "/broken")) {
        response->status = 500;
        str_add(&response->body, "<html>secret path</html>");
        return;
    }
    jsonw_init(&j, &response->body);
    jsonw_object(&j, NULL);
    jsonw_text(&j, "path", r->path);
    jsonw_text(&j, "user_token",
               http_header(r, "X-Service-Token") != NULL ? http_header(r, "X-Auth-Token") : NULL);
    jsonw_text(&j, "version", http_header(r, "OpenStack-API-Version"));
    jsonw_text(&j, "request_id", http_header(r, "X-OpenStack-Request-ID"));
    jsonw_text(&j, "body", r->body);
    jsonw_bool(&j, "token", http_header(r, "X-Auth-Token") != NULL);
    jsonw_end(&j);
}

static int
setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct http_server_options options = { .listen = "127.0.0.1:0", .io_threads = 1, .workers = 2 };
    struct http_handler handler = { .handle = handle, .owner = w };
    struct fault f = { 0 };

    assert_ok(http_server_start(&w->server, &options, &handler, &f));
    snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%d", http_server_port(w->server));
    w->arena = arena_new();
    w->config = (struct daemon_config){ .identity_url = arena_printf(w->arena, "%s/v3/", w->url),
                                        .auth_username = "nova",
                                        .auth_password = "p\"w",
                                        .auth_project_name = "service",
                                        .auth_user_domain = "Default",
                                        .auth_project_domain = "Default",
                                        .region = "RegionOne" };
    assert_ok(service_client_open(&w->client, &w->config, &f));
    w->http = http_client_new(NULL);
    *state = w;
    return 0;
}

static int
teardown(void **state)
{
    struct world *w = *state;

    service_client_close(w->client);
    http_client_free(w->http);
    http_server_stop(w->server);
    arena_free(w->arena);
    free(w);
    return 0;
}

static int
call(struct world *w, const char *type, const char *path, struct service_call *c, struct fault *f)
{
    fault_clear(f);
    c->service_type = type;
    c->path = path;
    return service_call_run(w->client, w->http, w->arena, c, f);
}

static void
test_calls(void **state)
{
    struct world *w = *state;
    json_t *body = json_own(w->arena, json_pack("{s:i}", "a", 1));
    struct service_call c = { .method = HTTP_PUT,
                              .body = body,
                              .microversion = "placement 1.39",
                              .request_id = "req-1",
                              .token = "user" };
    struct service_call plain = { .method = HTTP_GET };
    struct fault f = { 0 };

    assert_ok(call(w, "placement", "/resource_providers", &c, &f));
    assert_int_equal(c.status, 200);
    assert_string_equal(json_get_text(c.answer, "path"), "/placement/resource_providers");
    assert_string_equal(json_get_text(c.answer, "user_token"), "user");
    assert_string_equal(json_get_text(c.answer, "version"), "placement 1.39");
    assert_string_equal(json_get_text(c.answer, "request_id"), "req-1");
    assert_string_equal(json_get_text(c.answer, "body"), "{\"a\":1}");
    assert_ok(call(w, "volumev3", "/v3/abc/volumes", &plain,
                   &f)); /* By an alias; cut before its version. */
    assert_string_equal(json_get_text(plain.answer, "path"), "/v3/abc/volumes");
    assert_ok(call(w, "identity", "/v3/users", &plain, &f));
    assert_string_equal(json_get_text(plain.answer, "path"), "/v3/users");
    assert_int_equal(atomic_load(&w->logins), 1);
    assert_fault(call(w, "image", "/v2/images", &plain, &f), f, FAULT_UNAVAILABLE, "image");
}

static void
test_anonymous(void **state)
{
    struct world *w = *state;
    struct service_call c = { .method = HTTP_GET, .anonymous = true };
    struct fault f = { 0 };

    assert_ok(call(w, "identity", "/v3/OS-VIRGA/keys", &c, &f));
    assert_false(json_get_bool(c.answer, "token"));
    assert_int_equal(atomic_load(&w->logins), 0);
}

static void
test_renewal(void **state)
{
    struct world *w = *state;
    struct service_call c = { .method = HTTP_GET };
    struct fault f = { 0 };
    char *token;

    assert_ok(call(w, "identity", "/v3/x", &c, &f));
    atomic_store(&w->generation, 7); /* Revoked: one login, one repetition. */
    assert_ok(call(w, "identity", "/v3/x", &c, &f));
    assert_int_equal(atomic_load(&w->logins), 2);
    assert_int_equal(atomic_load(&w->calls), 3);
    assert_ok(service_token(w->client, w->http, w->arena, &token, &f));
    assert_string_equal(token, "token-7");
    assert_int_equal(atomic_load(&w->logins), 2);

    atomic_store(&w->short_lived, true); /* Expires too soon to be used twice. */
    atomic_store(&w->generation, 8);
    assert_ok(call(w, "identity", "/v3/x", &c, &f));
    assert_ok(call(w, "identity", "/v3/x", &c, &f));
    assert_int_equal(atomic_load(&w->logins), 4);
}

static void
test_faults(void **state)
{
    struct world *w = *state;
    struct service_call c = { .method = HTTP_GET };
    struct fault f = { 0 };

    assert_fault(call(w, "identity", "/v3/conflict", &c, &f), f, FAULT_CONFLICT, "Taken.");
    assert_string_equal(f.code, "IpAddressInUse");
    assert_fault(call(w, "identity", "/v3/placement-conflict", &c, &f), f, FAULT_CONFLICT,
                 "Again.");
    assert_string_equal(f.code, "placement.concurrent_update");
    assert_fault(call(w, "identity", "/v3/broken", &c, &f), f, FAULT_UNAVAILABLE, "identity");
    assert_null(strstr(f.message, "secret"));
    w->config.auth_password = "wrong";
    atomic_store(&w->generation, 9);
    assert_fault(call(w, "identity", "/v3/x", &c, &f), f, FAULT_UNAVAILABLE, NULL);
    assert_non_null(strstr(f.cause, "refuses user nova"));
    assert_null(strstr(f.cause, "wrong"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_calls, setup, teardown),
        cmocka_unit_test_setup_teardown(test_anonymous, setup, teardown),
        cmocka_unit_test_setup_teardown(test_renewal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_faults, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
