/* Signatures as other implementations make them (the S3 version 4 one is the example of AWS's manual), and that each part of a
 * request changes them. */
#include "services/identity/ec2_signature.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "tests/unit/asserts.h"

#define SECRET "89cdf9e94e2643cab35b8b8ac5a51f83"
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define AUTHORIZATION                                                                              \
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20110909/us-east-1/iam/aws4_request,"                 \
    "SignedHeaders=content-type;host;x-amz-date,"

static struct arena *arena;

static int
setup(void **state)
{
    (void)state;
    arena = arena_new();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

struct request {
    const char *verb, *host, *path, *body_hash, *params, *headers;
};

static const struct request version_1 = {
    .params = "{\"SignatureVersion\": \"1\", \"AWSAccessKeyId\": \"k\", \"Timestamp\": "
              "\"2012-11-28T15:20:00Z\", \"action\": \"x\", \"Zed\": \"1\", \"aB\": \"\xc3\xbc\", "
              "\"ac\": 7, \"Signature\": \"what it is to be compared with\"}"
};
static const struct request version_2 = {
    "GET",
    "127.0.0.1",
    "/v1/",
    NULL,
    "{\"SignatureVersion\": \"2\", \"AWSAccessKeyId\": \"66ec26be9c111ac53648b5\", "
    "\"SignatureMethod\": \"HmacSHA1\", \"Timestamp\": \"2012-11-28T15:20:00Z\", \"Filter\": "
    "\"a b/c=d&e+f~g_h-i.j*(\xc3\xbc)\"}",
    NULL
};
static const struct request version_2_until = {
    "POST",
    "example.com:8773",
    "/services/Cloud",
    NULL,
    "{\"SignatureVersion\": \"2\", \"AWSAccessKeyId\": \"k\", \"Expires\": "
    "\"2012-11-28T15:20:00Z\", \"Action\": \"DescribeInstances\"}",
    NULL
};
static const struct request version_4 = {
    "POST",
    NULL,
    "/",
    "b6359072c78d70ebee1e81adcbab4f01bf2c23245fa365ef83fe8f1f955085e2",
    "{\"Action\": \"CreateUser\"}",
    "{\"Content-Type\": \"application/x-www-form-urlencoded; charset=utf-8\", \"X-Amz-Date\": "
    "\"20110909T233600Z\", \"Host\": \"iam.amazonaws.com\", \"Authorization\": \"" AUTHORIZATION "\"}"
};
static const struct request version_4_query = {
    "get",
    NULL,
    "/a",
    EMPTY,
    "{\"Action\": \"List\", \"X-Amz-Algorithm\": \"AWS4-HMAC-SHA256\", \"X-Amz-Credential\": "
    "\"AK/20110909/eu/ec2/aws4_request\", \"X-Amz-Date\": \"20110909T233600Z\", "
    "\"X-Amz-SignedHeaders\": \"host\", \"X-Amz-Signature\": \"x\"}",
    "{\"host\": \" h:8773 \"}"
};

static json_t *
parsed(const char *text)
{
    return text == NULL ? NULL : json_own(arena, json_loads(text, 0, NULL));
}

static int
sign(const struct request *from, const char *secret, struct ec2_signed *ret)
{
    const struct ec2_request r = { .verb = from->verb,
                                   .host = from->host,
                                   .path = from->path,
                                   .body_hash = from->body_hash,
                                   .params = parsed(from->params),
                                   .headers = parsed(from->headers) };
    const char *why = NULL;
    int result = ec2_sign(arena, &r, secret, ret, &why);

    assert_int_equal(result < 0, why != NULL);
    return result;
}

static void
test_versions(void **state)
{
    static const struct {
        const struct request *request;
        const char *signature, *signed_at, *expires;
    } cases[] = {
        { &version_1, "wBmaXH+rJfcpZ+Houx/MjjPvZxs=", "2012-11-28T15:20:00Z", NULL },
        { &version_2, "Ltjy7FZMoZ96ugOVApFvKeIjJS4zbe7KTDjFqlENeB4=", "2012-11-28T15:20:00Z",
          NULL },
        { &version_2_until, "o52wZGuPEB6IzV4w+TEhm0CiF4QKPjos0oZOzZEeUBc=", NULL,
          "2012-11-28T15:20:00Z" },
        { &version_4, "738cdc0fbe4e8dd695d13fb23e6e56f1f24e48f09cdfcd9a56e0b09cdcde765f",
          "2011-09-09T23:36:00Z", NULL },
        { &version_4_query, "7391258bcb5670010bae641446634490b483a089f87a02fc61ec0c864f3e7dd4",
          "2011-09-09T23:36:00Z", NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct ec2_signed s = { 0 }, other = { 0 };

        assert_ok(sign(cases[i].request, SECRET, &s));
        assert_string_equal(s.text, cases[i].signature);
        assert_string_equal(s.signed_us == 0 ? "" : clock_format(arena, s.signed_us, CLOCK_Z),
                            cases[i].signed_at == NULL ? "" : cases[i].signed_at);
        assert_string_equal(s.expires_us == 0 ? "" : clock_format(arena, s.expires_us, CLOCK_Z),
                            cases[i].expires == NULL ? "" : cases[i].expires);
        assert_ok(sign(cases[i].request, "another", &other));
        assert_string_not_equal(s.text, other.text);
    }
}

/* Another host, path, verb, body, day, region, service, parameter: another signature, or none. */
static void
test_each_part_counts(void **state)
{
    static const struct {
        const struct request *request;
        const char *from, *to; /* In params and headers; NULL: the members below. */
        struct request other;
    } cases[] = {
        { &version_2, NULL, NULL, { .verb = "POST" } },
        { &version_2, NULL, NULL, { .host = "127.0.0.2" } },
        { &version_2, NULL, NULL, { .path = "/v2/" } },
        { &version_2, "15:20", "15:21", { 0 } },
        { &version_2, "a b", "a c", { 0 } },
        { &version_1, "\"x\"", "\"y\"", { 0 } },
        { &version_4, NULL, NULL, { .verb = "PUT" } },
        { &version_4, NULL, NULL, { .path = "/x" } },
        { &version_4, NULL, NULL, { .body_hash = EMPTY } },
        { &version_4, "us-east-1", "us-east-2", { 0 } },
        { &version_4, "/iam/", "/ec2/", { 0 } },
        { &version_4, "iam.amazonaws.com", "evil.example.com", { 0 } },
        { &version_4, "T233600Z", "T233700Z", { 0 } },
        { &version_4, "charset=utf-8", "charset=utf-7", { 0 } },
        { &version_4_query, "\"List\"", "\"Lost\"", { 0 } },
        { &version_4_query, "/eu/", "/us/", { 0 } },
        { &version_4_query, "h:8773", "i:8773", { 0 } },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct request changed = *cases[i].request;
        const char **texts[] = { &changed.params, &changed.headers };
        struct ec2_signed right = { 0 }, s = { 0 };

        changed.verb = cases[i].other.verb != NULL ? cases[i].other.verb : changed.verb;
        changed.host = cases[i].other.host != NULL ? cases[i].other.host : changed.host;
        changed.path = cases[i].other.path != NULL ? cases[i].other.path : changed.path;
        changed.body_hash =
            cases[i].other.body_hash != NULL ? cases[i].other.body_hash : changed.body_hash;
        for (size_t j = 0; j < ARRAY_SIZE(texts) && cases[i].from != NULL; j++) {
            const char *at = *texts[j] == NULL ? NULL : strstr(*texts[j], cases[i].from);

            if (at != NULL)
                *texts[j] = arena_printf(arena, "%.*s%s%s", (int)(at - *texts[j]), *texts[j],
                                         cases[i].to, at + strlen(cases[i].from));
        }
        assert_ok(sign(cases[i].request, SECRET, &right));
        if (sign(&changed, SECRET, &s) == 0 && str_equal(s.text, right.text))
            fail_msg("case %zu: the same signature", i);
    }
}

static void
test_what_does_not_hang_together(void **state)
{
    static const struct request cases[] = {
        { 0 },
        { .params = "{}" },
        { .params = "{\"SignatureVersion\": \"0\", \"Action\": \"x\", \"Timestamp\": "
                    "\"2012-11-28T15:20:00Z\"}" },
        { .params = "{\"SignatureVersion\": \"3\"}" },
        { .params = "{\"SignatureVersion\": []}" },
        { .params = "{\"SignatureVersion\": \"1\"}" }, /* No time: good for ever. */
        { .params = "{\"SignatureVersion\": \"1\", \"Timestamp\": \"yesterday\"}" },
        { .params = "{\"SignatureVersion\": \"1\", \"Timestamp\": \"2012-11-28T15:20:00Z\", \"a\": "
                    "{}}" },
        { .params = "{\"SignatureVersion\": \"2\", \"Timestamp\": \"2012-11-28T15:20:00Z\"}" },
        { "GET", NULL, "/", NULL, "{}", "{\"Authorization\": \"" AUTHORIZATION "\"}" },
        { "GET", NULL, "/", EMPTY, "{}", "{\"Authorization\": \"" AUTHORIZATION "\"}" },
        { "GET", NULL, "/", EMPTY, "{}", "{\"Authorization\": \"AWS4-HMAC-SHA256\"}" },
        /* The day of the scope is not that of the request. */
        { "GET", NULL, "/", EMPTY, "{}",
          "{\"X-Amz-Date\": \"20110910T233600Z\", \"Host\": \"h\", \"Authorization\": "
          "\"" AUTHORIZATION "\"}" },
        { "GET", NULL, "/", EMPTY, "{}",
          "{\"X-Amz-Date\": \"20110909\", \"Host\": \"h\", \"Authorization\": \"" AUTHORIZATION
          "\"}" },
        /* The host is not signed, or not there. */
        { "GET", NULL, "/", EMPTY, "{}",
          "{\"X-Amz-Date\": \"20110909T233600Z\", \"Authorization\": \"" AUTHORIZATION "\"}" },
        { "GET", NULL, "/", EMPTY, "{}",
          "{\"X-Amz-Date\": \"20110909T233600Z\", \"Host\": \"h\", \"Authorization\": "
          "\"AWS4-HMAC-SHA256 Credential=A/20110909/r/iam/aws4_request, "
          "SignedHeaders=x-amz-date\"}" },
        { "GET", NULL, "/", EMPTY, "{}",
          "{\"X-Amz-Date\": \"20110909T233600Z\", \"Host\": \"h\", \"Authorization\": "
          "\"AWS4-HMAC-SHA256 Credential=A/20110909/r/aws4_request, SignedHeaders=host\"}" },
        { "GET", NULL, "/", EMPTY, "{}", "{\"Authorization\": 1}" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct ec2_signed s = { 0 };

        if (sign(&cases[i], SECRET, &s) == 0)
            fail_msg("case %zu has a signature", i);
    }
}

static void
test_s3(void **state)
{
    static const struct {
        const char *text, *secret, *signature; /* NULL: none */
        int64_t expires_s;
    } cases[] = {
        { "GET\n\n\nTue, 27 Mar 2007 19:36:42 +0000\n/awsexamplebucket1/photos/puppy.jpg", SECRET,
          "T/janx1id+z5CrApBH8sYdN6jiw=", 0 },
        { "GET\n\n\n1175139620\n/awsexamplebucket1/photos/puppy.jpg", SECRET,
          "Tllx/TyzB+k7Cl6CeqRbmafOzdo=", 1175139620 },
        { "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n"
          "7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972",
          "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
          "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41", 0 },
        { "AWS4-HMAC-SHA256\n20130525T000000Z\n20130524/us-east-1/s3/aws4_request\nx", SECRET, NULL,
          0 },
        { "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/ec2/aws4_request\nx", SECRET,
          NULL, 0 },
        { "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws3_request\nx", SECRET, NULL,
          0 },
        { "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/s3/aws4_request\nx", SECRET, NULL, 0 },
        { "AWS4-HMAC-SHA256\nnow\n20130524/us-east-1/s3/aws4_request\nx", SECRET, NULL, 0 },
        { "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request", SECRET, NULL,
          0 },
        { "AWS4-HMAC-SHA512\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\nx", SECRET, NULL,
          0 },
    };
    struct ec2_signed s = { 0 };
    const char *why;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int r = s3_sign(arena, cases[i].text, strlen(cases[i].text), cases[i].secret, &s, &why);

        assert_int_equal(r < 0, cases[i].signature == NULL);
        if (r < 0)
            continue;
        assert_string_equal(s.text, cases[i].signature);
        assert_int_equal(s.expires_us, cases[i].expires_s * 1000000);
    }
    assert_true(s3_sign(arena, "GET\0", 4, SECRET, &s, &why) < 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_versions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_each_part_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_does_not_hang_together, setup, teardown),
        cmocka_unit_test_setup_teardown(test_s3, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
