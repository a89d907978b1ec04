#include "oauth1.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include "base/str.h"
#include "http/url.h"

#define QUERY_MAX 64

const char *
oauth1_get(const struct oauth1 *o, const char *name)
{
    for (size_t i = 0; i < o->count; i++) {
        if (str_equal(o->params[i].name, name))
            return o->params[i].value;
    }
    return NULL;
}

static int
bad_header(struct fault *f)
{
    return fault_raise_field(f, "Authorization", "Cannot retrieve Authorization headers");
}

/* name="value" */
static int
add_param(struct arena *a, const char *part, struct oauth1 *o, struct fault *f)
{
    const char *name = part + strspn(part, " \t\r\n"), *value = strchr(name, '='), *end;
    struct http_pair *p;

    if (value == NULL || value[1] != '"' || (end = strchr(value + 2, '"')) == NULL ||
        end[1 + strspn(end + 1, " \t")] != '\0' || o->count == ARRAY_SIZE(o->params))
        return bad_header(f);
    p = &o->params[o->count];
    p->name = url_decode(a, name, (size_t)(value - name));
    p->value = url_decode(a, value + 2, (size_t)(end - value - 2));
    if (p->name == NULL || p->value == NULL || oauth1_get(o, p->name) != NULL)
        return bad_header(f);
    if (!str_equal_nocase(p->name, "realm"))
        o->count++;
    return 0;
}

int
oauth1_parse(struct arena *a, const char *header, struct oauth1 *ret, struct fault *f)
{
    struct oauth1 o = { 0 };
    size_t count;
    char **parts;

    if (header == NULL || strncasecmp(header, "OAuth ", 6) != 0)
        return bad_header(f);
    parts = str_split(a, header + 6, ',', &count);
    if (count == 0)
        return bad_header(f);
    for (size_t i = 0; i < count; i++) {
        if (add_param(a, parts[i], &o, f) < 0)
            return -1;
    }
    *ret = o;
    return 0;
}

/* --- The text that is signed (section 3.4.1) */

static int
compare_pairs(const void *x, const void *y)
{
    const struct http_pair *a = x, *b = y;
    int r = strcmp(a->name, b->name);

    return r != 0 ? r : strcmp(a->value, b->value);
}

/* "https://Host:443/Path" as "https://host/Path". */
static char *
base_url(struct arena *a, const char *url)
{
    char *copy = arena_strdup(a, url), *host = strstr(copy, "://");
    size_t size;

    if (host == NULL)
        return copy;
    size = (size_t)(host - copy) + 3 + strcspn(host + 3, "/");
    for (size_t i = 0; i < size; i++)
        copy[i] = (char)(copy[i] >= 'A' && copy[i] <= 'Z' ? copy[i] - 'A' + 'a' : copy[i]);
    for (size_t i = 0; i < 2; i++) {
        const char *scheme = i == 0 ? "http:" : "https:", *port = i == 0 ? ":80" : ":443";
        size_t width = strlen(port);

        if (str_starts(copy, scheme) && size > width &&
            strncmp(copy + size - width, port, width) == 0)
            return arena_printf(a, "%.*s%s", (int)(size - width), copy, copy + size);
    }
    return copy;
}

static char *
normalized(struct arena *a, const struct oauth1 *o, const struct http_pair *query, size_t count)
{
    struct http_pair *all = ARENA_ARRAY(a, struct http_pair, o->count + count);
    struct str s = { 0 };
    size_t n = 0;
    char *copy;

    for (size_t i = 0; i < o->count + count; i++) {
        const struct http_pair *p = i < o->count ? &o->params[i] : &query[i - o->count];

        if (i < o->count && str_equal(p->name, "oauth_signature"))
            continue;
        all[n].name = url_encode(a, p->name);
        all[n++].value = url_encode(a, p->value == NULL ? "" : p->value);
    }
    qsort(all, n, sizeof(*all), compare_pairs);
    for (size_t i = 0; i < n; i++)
        str_addf(&s, "%s%s=%s", i == 0 ? "" : "&", all[i].name, all[i].value);
    copy = arena_strdup(a, str_text(&s));
    str_done(&s);
    return copy;
}

/* The signature of a request. */
static char *
signature(struct arena *a, const struct oauth1 *o, const char *method, const char *url,
          const struct http_pair *query, size_t query_count, const char *consumer_secret,
          const char *token_secret)
{
    char *text = arena_printf(a, "%s&%s&%s", method, url_encode(a, base_url(a, url)),
                              url_encode(a, normalized(a, o, query, query_count)));
    char *key =
        arena_printf(a, "%s&%s", url_encode(a, consumer_secret), url_encode(a, token_secret));
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    if (HMAC(EVP_sha1(), key, (int)strlen(key), (const unsigned char *)text, strlen(text), bytes,
             &size) == NULL)
        abort();
    return str_base64(a, bytes, size);
}

bool
oauth1_verify(struct arena *a, const struct oauth1 *o, const char *method, const char *url,
              const struct http_pair *query, size_t query_count, const char *consumer_secret,
              const char *token_secret, int64_t now_us, int64_t window_s)
{
    const char *given = oauth1_get(o, "oauth_signature");
    const char *version = oauth1_get(o, "oauth_version");
    int64_t signed_s;
    char *right;

    if (given == NULL || oauth1_get(o, "oauth_nonce") == NULL ||
        !str_equal(oauth1_get(o, "oauth_signature_method"), "HMAC-SHA1") ||
        (version != NULL && !str_equal(version, "1.0")) || query_count > QUERY_MAX ||
        oauth1_get(o, "oauth_timestamp") == NULL ||
        str_to_int64(oauth1_get(o, "oauth_timestamp"), 0, INT64_MAX / 2000000, &signed_s) < 0)
        return false;
    if (llabs((long long)(now_us / 1000000 - signed_s)) > window_s)
        return false;
    right = signature(a, o, method, url, query, query_count, consumer_secret, token_secret);
    return strlen(given) == strlen(right) && CRYPTO_memcmp(given, right, strlen(right)) == 0;
}

static void
say(struct oauth1 *o, const char *name, const char *value)
{
    assert(o->count < ARRAY_SIZE(o->params));
    o->params[o->count++] = (struct http_pair){ name, value };
}

char *
oauth1_sign(struct arena *a, struct oauth1 *o, const char *method, const char *url,
            const char *consumer_secret, const char *token_secret, int64_t now_us,
            const char *nonce)
{
    _cleanup_(str_done) struct str s = { 0 };

    say(o, "oauth_signature_method", "HMAC-SHA1");
    say(o, "oauth_timestamp", arena_printf(a, "%lld", (long long)(now_us / 1000000)));
    say(o, "oauth_nonce", nonce);
    say(o, "oauth_signature", signature(a, o, method, url, NULL, 0, consumer_secret, token_secret));
    str_add(&s, "OAuth ");
    for (size_t i = 0; i < o->count; i++)
        str_addf(&s, "%s%s=\"%s\"", i > 0 ? ", " : "", url_encode(a, o->params[i].name),
                 url_encode(a, o->params[i].value));
    return arena_strdup(a, str_text(&s));
}
