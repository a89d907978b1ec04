/* What is asked of an issuer, and what of its answers is kept. */
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/str.h"
#include "http/url.h"
#include "oidc_internal.h"

enum {
    ASK_DEADLINE_MS = 5000,
    ANSWER_MAX = 512 * 1024,
    WAITING_MAX = 8, /* Workers that may wait for one issuer at a time. */
    DISCOVERY_KEPT_MS = 3600 * 1000,
    KEYS_KEPT_MS = 300 * 1000,
    KEYS_RENEWED_MS = 10 * 1000,
};

/* Over TLS, unless the issuer itself was configured without; and nothing that would be more than a URL in a header. */
static bool
may_ask(const struct oidc_client *c, const char *url)
{
    for (const unsigned char *at = (const unsigned char *)url; *at != '\0'; at++) {
        if (*at <= ' ' || *at >= 0x7f)
            return false;
    }
    return str_starts(url, "https://") ||
           (str_starts(url, "http://") && str_starts(c->settings.issuer, "http://"));
}

static int
away(struct fault *f, const struct oidc_client *c, const char *why)
{
    fault_clear(f);
    fault_raise(f, FAULT_UNAVAILABLE, "The identity provider cannot be asked now.");
    return fault_add_cause(f, "issuer %.200s: %s", c->settings.issuer, why);
}

static int
exchange(struct call *call, struct oidc_client *c, struct http_exchange *x, struct fault *f)
{
    int r;

    if (!may_ask(c, x->url))
        return away(f, c, "an endpoint without TLS");
    if (atomic_fetch_add(&c->busy, 1) >= WAITING_MAX) {
        atomic_fetch_sub(&c->busy, 1);
        return away(f, c, "too many requests wait for it");
    }
    r = http_client_run(call->client, call->arena, x, f);
    atomic_fetch_sub(&c->busy, 1);
    return r < 0 ? away(f, c, arena_printf(call->arena, "%.200s", f->message)) : 0;
}

const char *
oidc_credentials(struct call *call, const struct oidc_client *c)
{
    const char *pair;

    if (str_empty(c->settings.client_secret))
        return NULL;
    pair = arena_printf(call->arena, "%s:%s", url_encode(call->arena, c->settings.client_id),
                        url_encode(call->arena, c->settings.client_secret));
    return arena_printf(call->arena, "Basic %s", str_base64(call->arena, pair, strlen(pair)));
}

int
oidc_ask(struct call *call, struct oidc_client *c, const char *url, const char *form,
         const char *authorization, json_t **ret, struct fault *f)
{
    struct http_pair headers[2] = { { "Accept", "application/json" },
                                    { "Authorization", authorization } };
    struct http_exchange x = { .method = form == NULL ? HTTP_GET : HTTP_POST,
                               .url = url,
                               .headers = headers,
                               .headers_count = authorization == NULL ? 1 : 2,
                               .body = form,
                               .body_size = form == NULL ? 0 : strlen(form),
                               .content_type = "application/x-www-form-urlencoded",
                               .deadline_ms = ASK_DEADLINE_MS,
                               .max_answer = ANSWER_MAX };

    if (exchange(call, c, &x, f) < 0)
        return -1;
    if (x.status >= 500)
        return away(f, c, arena_printf(call->arena, "it answered %d", x.status));
    if (x.status != 200)
        return oidc_refuse(f, arena_printf(call->arena, "the issuer answered %d", x.status));
    if (json_read(call->arena, x.answer, x.answer_size, ret, f) < 0 || !json_is_object(*ret))
        return away(f, c, "it answered no JSON object");
    return 0;
}

/* --- Documents that are kept */

/* A copy of what is kept, if it is not older than that. */
static json_t *
kept(struct call *call, struct oidc_client *c, const struct oidc_document *d, int64_t max_age_ms)
{
    const char *text = NULL;
    struct fault f = { 0 };
    json_t *value = NULL;

    pthread_mutex_lock(&c->mutex);
    if (d->text != NULL && clock_mono_ms() - d->fetched_ms < max_age_ms)
        text = arena_strdup(call->arena, d->text);
    pthread_mutex_unlock(&c->mutex);
    return text != NULL && json_read(call->arena, text, strlen(text), &value, &f) == 0 ? value
                                                                                       : NULL;
}

static void
keep(struct call *call, struct oidc_client *c, struct oidc_document *d, const json_t *value)
{
    char *text = memory_strdup(json_text(call->arena, value));

    pthread_mutex_lock(&c->mutex);
    free(d->text);
    d->text = text;
    d->fetched_ms = clock_mono_ms();
    pthread_mutex_unlock(&c->mutex);
}

/* The document has to say that it is this issuer's: another's would send tokens and codes elsewhere. */
static int
discover(struct call *call, struct oidc_client *c, json_t **ret, struct fault *f)
{
    const char *issuer = c->settings.issuer;
    size_t size = strlen(issuer);

    *ret = kept(call, c, &c->discovery, DISCOVERY_KEPT_MS);
    if (*ret != NULL)
        return 0;
    while (size > 0 && issuer[size - 1] == '/')
        size--;
    if (oidc_ask(call, c,
                 arena_printf(call->arena, "%.*s/.well-known/openid-configuration", (int)size,
                              issuer),
                 NULL, NULL, ret, f) < 0)
        return away(f, c, "no discovery document");
    if (!str_equal(json_get_text(*ret, "issuer"), issuer))
        return away(f, c, "its discovery document is another issuer's");
    keep(call, c, &c->discovery, *ret);
    return 0;
}

int
oidc_endpoint(struct call *call, struct oidc_client *c, const char *configured, const char *member,
              const char **ret, struct fault *f)
{
    json_t *document;

    *ret = configured;
    if (!str_empty(configured))
        return 0;
    if (discover(call, c, &document, f) < 0)
        return -1;
    *ret = json_get_text(document, member);
    if (*ret == NULL || !may_ask(c, *ret))
        return away(f, c, arena_printf(call->arena, "no %s, or one without TLS", member));
    return 0;
}

int
oidc_keys(struct call *call, struct oidc_client *c, bool renew, json_t **ret, struct fault *f)
{
    const char *url;

    *ret = kept(call, c, &c->keys, renew ? KEYS_RENEWED_MS : KEYS_KEPT_MS);
    if (*ret != NULL)
        return 0;
    if (oidc_endpoint(call, c, c->settings.jwks_uri, "jwks_uri", &url, f) < 0)
        return -1;
    if (oidc_ask(call, c, url, NULL, NULL, ret, f) < 0)
        return away(f, c, "no keys");
    keep(call, c, &c->keys, *ret);
    return 0;
}
