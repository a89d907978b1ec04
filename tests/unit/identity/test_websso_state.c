#include "services/identity/websso_state.h"

#include "auth/token.h"
#include "tests/unit/auth/ring.h"

static char path[32];
static struct keyring *ring;

static int
setup(void **state)
{
    struct fault f = { 0 };

    (void)state;
    ring_make_directory(path);
    return keyring_generate(path, &f) < 0 || keyring_open_directory(&ring, path, &f) < 0 ? -1 : 0;
}

static int
teardown(void **state)
{
    (void)state;
    keyring_free(ring);
    ring_remove_directory(path);
    return 0;
}

static const struct websso_state one = { .idp_id = "acme/\xc3\xb6",
                                         .protocol_id = "openid",
                                         .origin = "https://dash/?a=\"1\"&b",
                                         .browser = "digest",
                                         .expires_us = NOW + 1 };

static void
test_there_and_back(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const char *text, *another;
    struct websso_state s;
    struct fault f = { 0 };

    (void)state;
    assert_ok(websso_state_seal(ring, a, &one, &text, &f));
    assert_ok(websso_state_seal(ring, a, &one, &another, &f));
    assert_string_not_equal(text, another);
    assert_int_equal(strspn(text,
                            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."),
                     strlen(text)); /* Nothing that a URL would escape. */
    assert_ok(websso_state_open(ring, a, text, NOW, &s, &f));
    assert_string_equal(s.idp_id, one.idp_id);
    assert_string_equal(s.protocol_id, one.protocol_id);
    assert_string_equal(s.origin, one.origin);
    assert_string_equal(s.browser, one.browser);
    assert_int_equal(s.expires_us, one.expires_us);
    assert_fault(websso_state_open(ring, a, text, NOW + 1, &s, &f), f, FAULT_UNAUTHORIZED, NULL);
    assert_string_equal(f.cause, "a state whose time is over");
}

static void
test_forged(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct auth_context c = ring_context();
    struct fault f = { 0 };
    struct websso_state s;
    const char *text;
    char *token;

    (void)state;
    assert_ok(websso_state_seal(ring, a, &one, &text, &f));
    for (size_t i = 0; i <= strlen(text); i++) {
        char *changed = arena_strdup(a, text);

        if (i < strlen(text)) {
            changed[i] = changed[i] == 'A' ? 'B' : 'A';
            assert_fault(websso_state_open(ring, a, changed, NOW, &s, &f), f, FAULT_UNAUTHORIZED,
                         NULL);
            changed[i] = '\0'; /* Cut off there. */
        } else {
            changed = arena_printf(a, "%sA", text);
        }
        assert_fault(websso_state_open(ring, a, changed, NOW, &s, &f), f, FAULT_UNAUTHORIZED, NULL);
    }
    assert_ok(token_sign(ring, a, &c, &token, &f));
    assert_fault(websso_state_open(ring, a, token, NOW, &s, &f), f, FAULT_UNAUTHORIZED, NULL);
    assert_fault(token_verify(ring, a, text, NOW, &c, &f), f, FAULT_UNAUTHORIZED, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_there_and_back),
                                        cmocka_unit_test(test_forged) };

    return cmocka_run_group_tests(tests, setup, teardown);
}
