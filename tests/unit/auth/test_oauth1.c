/* OAuth 1.0: reading its header, and the signatures of RFC 5849's examples. */
#include "auth/oauth1.h"
#include "base/str.h"
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

/* A request for a first token, signed as Python's hmac does it; and that what is signed is taken. */
static void
test_signing(void **state)
{
    struct arena *a = arena_new();
    struct fault f = { 0 };
    struct oauth1 o = { .params = { { "oauth_consumer_key", "dpf43f3p2l4k3l03" },
                                    { "oauth_callback", "http://printer.example.com/ready" } },
                        .count = 2 },
                  read;
    const char *url = "https://photos.example.net/initiate";
    char *header = oauth1_sign(a, &o, "POST", url, "kd94hf93k423kf44", "",
                               INT64_C(137131200) * 1000000, "wIjqoxSoxx");

    (void)state;
    assert_string_equal(
        header, "OAuth oauth_consumer_key=\"dpf43f3p2l4k3l03\", "
                "oauth_callback=\"http%3A%2F%2Fprinter.example.com%2Fready\", "
                "oauth_signature_method=\"HMAC-SHA1\", oauth_timestamp=\"137131200\", "
                "oauth_nonce=\"wIjqoxSoxx\", oauth_signature=\"RZVmRX1sbb%2B0vjthvStUZOo5SLw%3D\"");
    assert_ok(oauth1_parse(a, header, &read, &f));
    assert_true(oauth1_verify(a, &read, "POST", url, NULL, 0, "kd94hf93k423kf44", "",
                              INT64_C(137131200) * 1000000, 1));
    assert_false(oauth1_verify(a, &read, "POST", url, NULL, 0, "kd94hf93k423kf44", "x",
                               INT64_C(137131200) * 1000000, 1));
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_many_parameters),
        cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_signing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
