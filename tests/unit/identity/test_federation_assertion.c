#include "services/identity/federation_assertion.h"

#include "../asserts.h"
#include "base/json.h"
#include "base/str.h"

static void
assert_values(const struct assertion *a, const char *name, const char *wanted)
{
    const struct texts *values = assertion_find(a, name);
    _cleanup_(str_done) struct str text = { 0 };

    for (size_t i = 0; values != NULL && i < values->count; i++)
        str_addf(&text, "%s|", values->items[i]);
    if (!str_equal(values == NULL ? NULL : str_text(&text), wanted))
        fail_msg("%s: %s", name, values == NULL ? "absent" : str_text(&text));
}

static void
test_claims(void **state)
{
    static const char text[] =
        "{\"sub\":\"bob\",\"iss\":\"i\",\"groups\":[\"a;b\",\"c\",7],\"group-ids\":\"x;y\","
        "\"yes\":true,\"no\":false,\"none\":null,\"n\":1.5,\"o\":{\"k\":1},\"empty\":[],"
        "\"ISS\":\"evil\",\"Sub\":\"admin\"}";
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct assertion out;
    struct fault f = { 0 };
    json_t *claims;

    (void)state;
    assert_ok(json_read(a, text, strlen(text), &claims, &f));
    assertion_from_claims(a, claims, &out);
    assert_values(&out, "OIDC-sub", "bob|");
    assert_values(&out, "HTTP_OIDC_SUB", "bob|"); /* Not the claim that only looks like it. */
    assert_values(&out, "HTTP_OIDC_ISS", "i|");
    assert_values(&out, "REMOTE_USER", "bob|");
    assert_values(&out, "OIDC-groups", "a;b|c|7|");
    assert_values(&out, "HTTP_OIDC_GROUP_IDS", "x;y|");
    assert_values(&out, "OIDC-yes", "1|");
    assert_values(&out, "OIDC-no", "0|");
    assert_values(&out, "OIDC-n", "1.5|");
    assert_values(&out, "OIDC-o", "{\"k\":1}|");
    assert_values(&out, "OIDC-none", NULL);
    assert_values(&out, "OIDC-empty", NULL);
    assert_values(&out, "sub", NULL);
}

static void
test_headers(void **state)
{
    static const char *const prefixes[] = { "OIDC-", "Remote-User", NULL };
    struct http_pair headers[] = {
        { "Host", "h" },
        { "oidc-group-ids", "a;b;;c" },
        { "OIDC-Group_Ids", "admins" }, /* The same attribute, which no proxy would remove. */
        { "OIDC_Sub", "admin" },
        { "X-OIDC-Sub", "admin" },
        { "OIDC-Empty", "" },
        { "OIDC-Bytes", "\xff" },
        { "remote-user", "bob" },
    };
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct http_request r = { .headers = headers, .headers_count = 8 };
    struct assertion out;
    struct fault f = { 0 };

    (void)state;
    assert_ok(assertion_from_headers(a, &r, prefixes, &out, &f));
    assert_values(&out, "HTTP_OIDC_GROUP_IDS", "a|b||c|");
    assert_values(&out, "HTTP_OIDC_SUB", NULL);
    assert_values(&out, "HTTP_OIDC_EMPTY", "|");
    assert_values(&out, "HTTP_OIDC_BYTES", NULL);
    assert_values(&out, "HTTP_HOST", NULL);
    assert_values(&out, "REMOTE_USER", "bob|");
    headers[0] = (struct http_pair){ "OIDC-GROUP-IDS", "admins" };
    assert_fault(assertion_from_headers(a, &r, prefixes, &out, &f), f, FAULT_UNAUTHORIZED, NULL);
}

static void
test_proxies(void **state)
{
    static const struct {
        const char *peer, *proxy;
        bool trusted;
    } cases[] = {
        { "10.0.0.1", "10.0.0.1", true },
        { "10.0.0.2", "10.0.0.1", false },
        { "10.0.0.10", "10.0.0.1", false },
        { "10.1.2.3", "10.0.0.0/8", true },
        { "11.0.0.0", "10.0.0.0/8", false },
        { "10.0.1.127", "10.0.1.0/25", true },
        { "10.0.1.128", "10.0.1.0/25", false },
        { "1.2.3.4", "0.0.0.0/0", true },
        { "::1", "0.0.0.0/0", false },
        { "::1", "::1", true },
        { "fd00::5", "fd00::/64", true },
        { "fd00:0:0:1::5", "fd00::/64", false },
        { "10.0.0.1", "fd00::/8", false },
        { "unix", "unix", true },
        { "unix", "0.0.0.0/0", false },
        { "10.0.0.1", "unix", false },
        { "", "0.0.0.0/0", false },
    };
    static const char *const bad[] = { "10.0.0",    "10.0.0.0/33", "::/129",      "host",
                                       "10.0.0.0/", "/8",          "10.0.0.0/-1", "" };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *const list[] = { "192.0.2.1", cases[i].proxy, NULL };
        struct fault f = { 0 };

        assert_ok(assertion_check_proxies(list, &f));
        assert_int_equal(assertion_trusts(cases[i].peer, list), cases[i].trusted);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        const char *const list[] = { bad[i], NULL };
        struct fault f = { 0 };

        assert_fault(assertion_check_proxies(list, &f), f, FAULT_INVALID, "no address");
        assert_false(assertion_trusts("10.0.0.1", list));
    }
    assert_false(assertion_trusts("127.0.0.1", (const char *const[]){ NULL }));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_claims),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_proxies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
