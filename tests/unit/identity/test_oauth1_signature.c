/* OAuth 1.0: reading its header, and the signatures of RFC 5849's examples. */
#include "base/str.h"
#include "services/identity/oauth1_signature.h"
#include "tests/unit/asserts.h"

#define PHOTOS                                                                                     \
    "OAuth realm=\"Photos\", oauth_consumer_key=\"dpf43f3p2l4k3l03\", "                            \
    "oauth_token=\"nnch734d00sl2jdk\", oauth_signature_method=\"HMAC-SHA1\", "                     \
    "oauth_timestamp=\"137131202\", oauth_nonce=\"chapoH\", "                                      \
    "oauth_signature=\"MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D\""

static void
test_headers(void **state)
{
    static const struct {
        const char *header, *token; /* NULL: refused. */
    } cases[] = {
        { PHOTOS, "nnch734d00sl2jdk" },
        { "OAuth oauth_token=\"a%20%22b%22\"", "a \"b\"" },
        { "oauth oauth_token=\"a\" ,\toauth_nonce=\"\"", "a" },
        { NULL, NULL },
        { "", NULL },
        { "Basic YTpi", NULL },
        { "OAuth ", NULL },
        { "OAuth oauth_token=a", NULL },
        { "OAuth oauth_token=\"a", NULL },
        { "OAuth oauth_token=\"a\" b", NULL },
        { "OAuth oauth_token=\"a\", oauth_token=\"b\"", NULL },
        { "OAuth oauth_token=\"%00\"", NULL },
        { "OAuth oauth_token=\"%zz\"", NULL },
    };
    struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fault f = { 0 };
        struct oauth1 o = { 0 };
        int r = oauth1_parse(a, cases[i].header, &o, &f);

        if (cases[i].token == NULL) {
            assert_fault(r, f, FAULT_INVALID, "Authorization");
            continue;
        }
        assert_ok(r);
        assert_string_equal(oauth1_get(&o, "oauth_token"), cases[i].token);
        assert_null(oauth1_get(&o, "realm"));
    }
    arena_free(a);
}

static void
test_many_parameters(void **state)
{
    struct arena *a = arena_new();
    struct str s = { 0 };
    struct fault f = { 0 };
    struct oauth1 o;

    (void)state;
    str_add(&s, "OAuth a=\"b\"");
    for (int i = 0; i < 1000; i++)
        str_addf(&s, ", a%d=\"b\"", i);
    assert_fault(oauth1_parse(a, str_text(&s), &o, &f), f, FAULT_INVALID, "Authorization");
    str_done(&s);
    arena_free(a);
}

static void
test_signatures(void **state)
{
    static const struct http_pair query[] = { { "size", "original" }, { "file", "vacation.jpg" } };
    static const struct {
        const char *method, *url, *consumer, *token;
        size_t query;
        int64_t now_s;
        bool good;
    } cases[] = {
        { "GET", "http://photos.example.net/photos", "kd94hf93k423kf44", "pfkkdhi9sl3r4s00", 2,
          137131202, true },
        { "GET", "HTTP://Photos.Example.Net:80/photos", "kd94hf93k423kf44", "pfkkdhi9sl3r4s00", 2,
          137131302, true },
        { "POST", "http://photos.example.net/photos", "kd94hf93k423kf44", "pfkkdhi9sl3r4s00", 2,
          137131202, false },
        { "GET", "https://photos.example.net/photos", "kd94hf93k423kf44", "pfkkdhi9sl3r4s00", 2,
          137131202, false },
        { "GET", "http://photos.example.net:8080/photos", "kd94hf93k423kf44", "pfkkdhi9sl3r4s00", 2,
          137131202, false },
        { "GET", "http://photos.example.net/Photos", "kd94hf93k423kf44", "pfkkdhi9sl3r4s00", 2,
          137131202, false },
        { "GET", "http://photos.example.net/photos", "kd94hf93k423kf44", "", 2, 137131202, false },
        { "GET", "http://photos.example.net/photos", "", "pfkkdhi9sl3r4s00", 2, 137131202, false },
        { "GET", "http://photos.example.net/photos", "kd94hf93k423kf44", "pfkkdhi9sl3r4s00", 1,
          137131202, false },
        { "GET", "http://photos.example.net/photos", "kd94hf93k423kf44", "pfkkdhi9sl3r4s00", 2,
          137131202 + 601, false },
        { "GET", "http://photos.example.net/photos", "kd94hf93k423kf44", "pfkkdhi9sl3r4s00", 2,
          137131202 - 601, false },
    };
    struct arena *a = arena_new();
    struct fault f = { 0 };
    struct oauth1 o;

    (void)state;
    assert_ok(oauth1_parse(a, PHOTOS, &o, &f));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        if (oauth1_verify(a, &o, cases[i].method, cases[i].url, query, cases[i].query,
                          cases[i].consumer, cases[i].token, cases[i].now_s * 1000000,
                          600) != cases[i].good)
            fail_msg("case %zu", i);
    }
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_many_parameters),
        cmocka_unit_test(test_signatures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
