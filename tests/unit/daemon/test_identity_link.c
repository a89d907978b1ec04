/* A daemon's authenticator against an identity that lives in this program, with real keys and tokens. */
#include <stdatomic.h>
#include <unistd.h>

#include "common/auth/token.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/jsonw.h"
#include "common/base/process.h"
#include "common/base/str.h"
#include "common/daemon/identity_link.h"
#include "tests/unit/asserts.h"

struct world {
    struct http_server *server;
    struct keyring *keyring;
    struct arena *arena;
    struct daemon d;
    struct daemon_config config;
    struct identity_link *link;
    char folder[32];
    atomic_int revocations_asked, keys_asked;
    _Atomic(const char *) revoked_user;
    atomic_bool away;
};

static void
list_revocations(struct world *w, struct jsonw *j, struct arena *a)
{
    struct revocation r = { .user_id = atomic_load(&w->revoked_user),
                            .issued_before_us = clock_now_us(),
                            .expires_us = clock_now_us() + INT64_C(3600000000) };

    jsonw_object(j, NULL);
    jsonw_array(j, "revocations");
    if (r.user_id != NULL)
        jsonw_json(j, NULL, json_own(a, revocation_to_json(&r)));
    jsonw_end(j);
    jsonw_int(j, "as_of_us", clock_now_us());
    jsonw_end(j);
}

static void
handle(void *owner, void *worker _unused_, struct http_request *r, struct http_response *response)
{
    struct world *w = owner;
    struct jsonw j;

    jsonw_init(&j, &response->body);
    if (atomic_load(&w->away)) {
        response->status = 503;
    } else if (str_equal(r->path, "/v3/auth/tokens")) {
        response->status = 201;
        http_response_header(response, "X-Subject-Token", "own");
        str_add(&response->body, "{\"token\": {\"expires_at\": \"2099-01-01T00:00:00.000000Z\"}}");
    } else if (str_equal(r->path, "/v3/OS-VIRGA/keys")) {
        atomic_fetch_add(&w->keys_asked, 1);
        assert_null(http_header(r, "X-Auth-Token"));
        jsonw_json(&j, NULL, json_own(r->arena, keyring_jwks(w->keyring)));
    } else if (str_equal(r->path, "/v3/OS-VIRGA/revocations") && http_query(r, "since") != NULL &&
               str_equal(http_header(r, "X-Auth-Token"), "own")) {
        atomic_fetch_add(&w->revocations_asked, 1);
        list_revocations(w, &j, r->arena);
    } else {
        response->status = 404;
    }
}

static int
setup(void **state)
{
    static const struct daemon_spec spec = { .name = "virga-test" };
    struct world *w = calloc(1, sizeof(*w));
    struct http_server_options options = { .listen = "127.0.0.1:0", .io_threads = 1, .workers = 2 };
    struct http_handler handler = { .handle = handle, .owner = w };
    struct fault f = { 0 };

    w->arena = arena_new();
    snprintf(w->folder, sizeof(w->folder), "/tmp/test-daemon-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    assert_ok(keyring_generate(w->folder, &f));
    assert_ok(keyring_open_directory(&w->keyring, w->folder, &f));
    assert_ok(http_server_start(&w->server, &options, &handler, &f));
    w->config = (struct daemon_config){
        .identity_url =
            arena_printf(w->arena, "http://127.0.0.1:%d/v3", http_server_port(w->server)),
        .auth_username = "u",
        .auth_password = "p",
        .auth_project_name = "service",
        .auth_user_domain = "Default",
        .auth_project_domain = "Default",
        .auth_mode = "local",
        .revocation_poll_s = 3600,
    };
    w->d.spec = &spec;
    w->d.config = &w->config;
    assert_ok(identity_link_open(&w->link, &w->d, &f));
    *state = w;
    return 0;
}

static int
teardown(void **state)
{
    struct world *w = *state;
    const char *const remove[] = { "rm", "-r", w->folder, NULL };
    struct process_run run = { .argv = remove };
    struct fault f = { 0 };

    authenticator_close(w->d.authenticator);
    identity_link_close(w->link);
    http_server_stop(w->server);
    keyring_free(w->keyring);
    process_run(w->arena, &run, &f);
    arena_free(w->arena);
    free(w);
    return 0;
}

static char *
make_token(struct world *w, const char *user)
{
    static const char *const methods[] = { "password" };
    struct auth_context c = { .user_id = user,
                              .user_name = user,
                              .user_domain_id = "default",
                              .user_domain_name = "Default",
                              .methods = methods,
                              .methods_count = 1,
                              .audit_id = user,
                              .audit_chain_id = user,
                              .issued_us = clock_now_us(),
                              .expires_us = clock_now_us() + INT64_C(3600000000) };
    struct fault f = { 0 };
    char *token;

    if (token_sign(w->keyring, w->arena, &c, &token, &f) < 0)
        fail_msg("%s %s", f.message, f.cause);
    return token;
}

static void
test_token(void **state)
{
    struct world *w = *state;
    char *token = make_token(w, "alice");
    struct auth_context c;
    struct fault f = { 0 };

    assert_ok(authenticator_poll(w->d.authenticator, &f));
    assert_ok(authenticator_check(w->d.authenticator, w->arena, token, &c, &f));
    assert_string_equal(c.user_id, "alice");
    atomic_store(&w->revoked_user, "alice");
    assert_ok(authenticator_poll(w->d.authenticator, &f));
    assert_fault(authenticator_check(w->d.authenticator, w->arena, token, &c, &f), f,
                 FAULT_UNAUTHORIZED, NULL);
    assert_true(atomic_load(&w->keys_asked) >= 1);
    assert_true(atomic_load(&w->revocations_asked) >= 2);
}

static void
test_identity_away(void **state)
{
    struct world *w = *state;
    char *token = make_token(w, "bob");
    struct auth_context c;
    struct fault f = { 0 };

    assert_ok(authenticator_poll(w->d.authenticator, &f));
    assert_ok(authenticator_check(w->d.authenticator, w->arena, token, &c, &f));
    atomic_store(&w->away, true);
    assert_fault(authenticator_poll(w->d.authenticator, &f), f, FAULT_UNAVAILABLE, NULL);
    fault_clear(&f);
    assert_ok(authenticator_check(w->d.authenticator, w->arena, token, &c, &f)); /* Goes on. */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_token, setup, teardown),
        cmocka_unit_test_setup_teardown(test_identity_away, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
