#include "ec2_signature.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"

#define ALGORITHM_4 "AWS4-HMAC-SHA256"
#define END_4 "aws4_request"

struct digest {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size;
};

static struct digest
hmac(const EVP_MD *md, const void *key, size_t key_size, const void *data, size_t size)
{
    struct digest d = { 0 };

    if (HMAC(md, key, (int)key_size, data, size, d.bytes, &d.size) == NULL)
        abort();
    return d;
}

static int
wrong(const char **ret_why, const char *why)
{
    *ret_why = why;
    return -1;
}

/* "20150830T123600Z", "2015-08-30T12:36:00Z" and its neighbours. */
static int
read_time(struct arena *a, const char *text, int64_t *ret)
{
    static const char shape[] = "ddddddddTddddddZ";
    bool basic = text != NULL && strlen(text) == strlen(shape);

    for (size_t i = 0; basic && shape[i] != '\0'; i++)
        basic = shape[i] == 'd' ? isdigit((unsigned char)text[i]) != 0 : text[i] == shape[i];
    if (basic)
        text = arena_printf(a, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", text, text + 4, text + 6, text + 9,
                            text + 11, text + 13);
    return text == NULL ? -1 : clock_parse(text, ret);
}

/* --- Parameters */

/* A value as its client wrote it: a text, or a number that has become one in JSON. NULL: neither. */
static const char *
value_text(struct arena *a, const json_t *value)
{
    if (json_is_integer(value))
        return arena_printf(a, "%lld", (long long)json_integer_value(value));
    return json_string_value(value);
}

struct pair {
    const char *name, *value;
};

/* All parameters but the signature itself; false: one is no text. */
static bool
take_params(struct arena *a, const json_t *params, struct pair **ret, size_t *ret_count)
{
    struct pair *pairs = ARENA_ARRAY(a, struct pair, json_object_size(params) + 1);
    size_t count = 0;
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)params, name, value)
    {
        if (str_equal(name, "Signature") || str_equal(name, "X-Amz-Signature"))
            continue;
        pairs[count].name = name;
        pairs[count].value = value_text(a, value);
        if (pairs[count++].value == NULL)
            return false;
    }
    *ret = pairs;
    *ret_count = count;
    return true;
}

static int
by_name(const void *x, const void *y)
{
    return strcmp(((const struct pair *)x)->name, ((const struct pair *)y)->name);
}

static int
by_name_nocase(const void *x, const void *y)
{
    return strcasecmp(((const struct pair *)x)->name, ((const struct pair *)y)->name);
}

static void
add_quoted(struct str *out, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (isalnum(c) || strchr("-_.~", c) != NULL)
            str_add_char(out, *text);
        else
            str_addf(out, "%%%02X", c);
    }
}

/* "a=b&c=d", in the order of names, quoted as RFC 3986 says. */
static void
add_canonical(struct str *out, struct pair *pairs, size_t count)
{
    qsort(pairs, count, sizeof(*pairs), by_name);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            str_add_char(out, '&');
        add_quoted(out, pairs[i].name);
        str_add_char(out, '=');
        add_quoted(out, pairs[i].value);
    }
}

/* When it was signed, or until when it is good: one of them is there, and signed. */
static int
read_times(struct arena *a, const json_t *params, struct ec2_signed *ret, const char **ret_why)
{
    const char *at = json_get_text(params, "Timestamp"), *until = json_get_text(params, "Expires");

    if (at == NULL && until == NULL)
        return wrong(ret_why, "no Timestamp");
    if ((at != NULL && read_time(a, at, &ret->signed_us) < 0) ||
        (until != NULL && read_time(a, until, &ret->expires_us) < 0))
        return wrong(ret_why, "Timestamp or Expires is no time");
    return 0;
}

/* --- Versions 1 and 2 */

static int
sign_1(struct arena *a, struct pair *pairs, size_t count, const char *secret,
       struct ec2_signed *ret)
{
    _cleanup_(str_done) struct str text = { 0 };
    struct digest d;

    qsort(pairs, count, sizeof(*pairs), by_name_nocase);
    for (size_t i = 0; i < count; i++)
        str_addf(&text, "%s%s", pairs[i].name, pairs[i].value);
    d = hmac(EVP_sha1(), secret, strlen(secret), str_text(&text), text.size);
    ret->text = str_base64(a, d.bytes, d.size);
    return 0;
}

/* Always with SHA-256, whatever method the request names. */
static int
sign_2(struct arena *a, const struct ec2_request *r, struct pair *pairs, size_t count,
       const char *secret, struct ec2_signed *ret, const char **ret_why)
{
    _cleanup_(str_done) struct str text = { 0 };
    bool named = false;
    struct digest d;

    if (r->verb == NULL || r->host == NULL || r->path == NULL)
        return wrong(ret_why, "no verb, host or path");
    for (size_t i = 0; i < count; i++) {
        if (str_equal(pairs[i].name, "SignatureMethod")) {
            pairs[i].value = "HmacSHA256";
            named = true;
        }
    }
    if (!named)
        pairs[count++] = (struct pair){ "SignatureMethod", "HmacSHA256" };
    str_addf(&text, "%s\n%s\n%s\n", r->verb, r->host, r->path);
    add_canonical(&text, pairs, count);
    d = hmac(EVP_sha256(), secret, strlen(secret), text.data, text.size);
    ret->text = str_base64(a, d.bytes, d.size);
    return 0;
}

/* --- Version 4 */

static const char *
header(const json_t *headers, const char *name)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)headers, key, value)
    {
        if (str_equal_nocase(key, name))
            return json_string_value(value);
    }
    return NULL;
}

static char *
trimmed(struct arena *a, const char *text)
{
    size_t size;

    while (isspace((unsigned char)*text))
        text++;
    size = strlen(text);
    while (size > 0 && isspace((unsigned char)text[size - 1]))
        size--;
    return arena_strndup(a, text, size);
}

/* "Credential", "SignedHeaders": from the Authorization header, or where there is none from the query. */
static const char *
auth_param(struct arena *a, const struct ec2_request *r, const char *name)
{
    const char *authorization = header(r->headers, "Authorization"), *at;

    if (authorization == NULL)
        return json_get_text(r->params, arena_printf(a, "X-Amz-%s", name));
    at = strstr(authorization, arena_printf(a, "%s=", name));
    if (at == NULL)
        return NULL;
    at += strlen(name) + 1;
    return trimmed(a, arena_strndup(a, at, strcspn(at, ",")));
}

static bool
is_version_4(const struct ec2_request *r)
{
    const char *authorization = header(r->headers, "Authorization");

    if (authorization != NULL)
        return str_starts(authorization, ALGORITHM_4);
    return str_equal(json_get_text(r->params, "X-Amz-Algorithm"), ALGORITHM_4);
}

/* The headers that were signed, "name:value" each. The host must be one of them, else a request to one is good for all. */
static bool
add_headers(struct arena *a, const struct ec2_request *r, const char *signed_headers,
            struct str *out)
{
    size_t count;
    char **names = str_split(a, signed_headers, ';', &count);
    bool host = false;

    for (size_t i = 0; i < count; i++) {
        const char *value = header(r->headers, names[i]);

        if (value == NULL)
            continue;
        host = host || str_equal(names[i], "host");
        str_addf(out, "%s:%s\n", names[i], trimmed(a, value));
    }
    return host;
}

/* key/20150830/us-east-1/iam/aws4_request -> signature of 'text' by the key that is derived for day, region and service. */
static int
derive_4(struct arena *a, const char *scope, const char *secret, const char *text, size_t size,
         struct ec2_signed *ret, const char **ret_why)
{
    const char *seed = arena_printf(a, "AWS4%s", secret);
    struct digest d = { 0 };
    size_t count;
    char **parts = str_split(a, scope, '/', &count);

    if (count != 4 || !str_equal(parts[3], END_4))
        return wrong(ret_why, "a scope that is none of version 4");
    for (size_t i = 0; i < count; i++)
        d = i == 0 ? hmac(EVP_sha256(), seed, strlen(seed), parts[i], strlen(parts[i]))
                   : hmac(EVP_sha256(), d.bytes, d.size, parts[i], strlen(parts[i]));
    d = hmac(EVP_sha256(), d.bytes, d.size, text, size);
    ret->text = str_hex(a, d.bytes, d.size);
    return 0;
}

static int
sign_4(struct arena *a, const struct ec2_request *r, struct pair *pairs, size_t count,
       const char *secret, struct ec2_signed *ret, const char **ret_why)
{
    _cleanup_(str_done) struct str canonical = { 0 };
    const char *credential = auth_param(a, r, "Credential"),
               *names = auth_param(a, r, "SignedHeaders"), *date = header(r->headers, "X-Amz-Date"),
               *scope = credential == NULL ? NULL : strchr(credential, '/'), *text;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    if (date == NULL)
        date = json_get_text(r->params, "X-Amz-Date");
    if (scope == NULL || names == NULL || r->verb == NULL || r->path == NULL ||
        r->body_hash == NULL)
        return wrong(ret_why, "a part of version 4 is missing");
    scope++;
    if (read_time(a, date, &ret->signed_us) < 0 || strlen(date) < 8 ||
        strncmp(date, scope, 8) != 0 || scope[8] != '/')
        return wrong(ret_why, "the day of the scope is not that of the request");
    str_addf(&canonical, "%s\n%s\n", r->verb, r->path);
    if (!str_equal_nocase(r->verb, "POST"))
        add_canonical(&canonical, pairs, count);
    str_add_char(&canonical, '\n');
    if (!add_headers(a, r, names, &canonical))
        return wrong(ret_why, "the host is not signed");
    str_addf(&canonical, "\n%s\n%s", names, r->body_hash);
    for (char *at = canonical.data; *at != '\n'; at++)
        *at = (char)toupper((unsigned char)*at);
    if (EVP_Digest(canonical.data, canonical.size, digest, &size, EVP_sha256(), NULL) != 1)
        abort();
    text = arena_printf(a, ALGORITHM_4 "\n%s\n%s\n%s", date, scope, str_hex(a, digest, size));
    return derive_4(a, scope, secret, text, strlen(text), ret, ret_why);
}

int
ec2_sign(struct arena *a, const struct ec2_request *r, const char *secret, struct ec2_signed *ret,
         const char **ret_why)
{
    const json_t *given = json_object_get(r->params, "SignatureVersion");
    const char *version = given == NULL ? NULL : value_text(a, given);
    struct ec2_signed made = { 0 };
    struct pair *pairs;
    size_t count;
    int result;

    if (!take_params(a, r->params, &pairs, &count))
        return wrong(ret_why, "a parameter is no text");
    if (str_equal(version, "1"))
        result = sign_1(a, pairs, count, secret, &made);
    else if (str_equal(version, "2"))
        result = sign_2(a, r, pairs, count, secret, &made, ret_why);
    else if (version == NULL && is_version_4(r))
        result = sign_4(a, r, pairs, count, secret, &made, ret_why);
    else
        return wrong(ret_why, "a version that is not known");
    if (result == 0 && version != NULL)
        result = read_times(a, r->params, &made, ret_why);
    if (result == 0)
        *ret = made;
    return result;
}

/* --- S3 */

/* AWS4-HMAC-SHA256, date, scope, digest. */
static int
s3_sign_4(struct arena *a, const char *text, size_t size, const char *secret,
          struct ec2_signed *ret, const char **ret_why)
{
    static const char *const services[] = { "/s3/", "/iam/", "/sts/" };
    size_t count;
    char **lines = str_split(a, text, '\n', &count);
    bool known = false;

    if (count != 4 || !str_equal(lines[0], ALGORITHM_4) ||
        read_time(a, lines[1], &ret->signed_us) < 0 || strncmp(lines[1], lines[2], 8) != 0)
        return wrong(ret_why, "not a text of version 4");
    for (size_t i = 0; i < ARRAY_SIZE(services); i++)
        known = known || strstr(lines[2], services[i]) != NULL;
    if (!known)
        return wrong(ret_why, "a scope of another service");
    return derive_4(a, lines[2], secret, text, size, ret, ret_why);
}

/* Verb, digest, type, date or end, then headers and resource. */
static int
s3_sign_2(struct arena *a, const char *text, size_t size, const char *secret,
          struct ec2_signed *ret)
{
    size_t count;
    char **lines = str_split(a, text, '\n', &count);
    struct digest d = hmac(EVP_sha1(), secret, strlen(secret), text, size);
    int64_t end_s;

    if (count > 4 && str_to_int64(lines[3], 1, INT64_MAX / 1000000, &end_s) == 0)
        ret->expires_us = end_s * INT64_C(1000000);
    ret->text = str_base64(a, d.bytes, d.size);
    return 0;
}

int
s3_sign(struct arena *a, const char *string_to_sign, size_t size, const char *secret,
        struct ec2_signed *ret, const char **ret_why)
{
    struct ec2_signed made = { 0 };
    int result;

    if (memchr(string_to_sign, '\0', size) != NULL)
        return wrong(ret_why, "a text with a NUL");
    result = size >= 4 && strncmp(string_to_sign, "AWS4", 4) == 0
                 ? s3_sign_4(a, string_to_sign, size, secret, &made, ret_why)
                 : s3_sign_2(a, string_to_sign, size, secret, &made);
    if (result == 0)
        *ret = made;
    return result;
}
