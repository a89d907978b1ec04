#include "rest.h"

#include <limits.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/release.h"
#include "base/str.h"
#include "cloud.h"
#include "session.h"
#include "trace.h"

/* What the tables are written for: the newest shape that all they show has. Compute's stays below 2.88 (which drops a
 * hypervisor's figures) and 2.92 (which makes no key pairs). */
static const struct {
    const char *type, *version;
} microversions[SERVICE_COUNT] = {
    [SERVICE_COMPUTE] = { "compute", "2.79" },
    [SERVICE_VOLUME] = { "volume", "3.59" },
    [SERVICE_PLACEMENT] = { "placement", "1.36" },
};

int
rest_exchange(struct cli *cli, struct http_exchange *x, struct fault *f)
{
    int64_t start_us = clock_mono_us();
    int r;

    if (cli->debug)
        trace_request(cli->arena, x);
    r = transport_run(session_transport(cli), cli->arena, x, f);
    if (cli->debug && r >= 0)
        trace_answer(cli->arena, x, clock_mono_us() - start_us);
    if (r < 0 && (f->kind == FAULT_UNAVAILABLE || f->kind == FAULT_TIMEOUT))
        return fault_raise(f, f->kind, "%s %s: %s", x->url,
                           f->kind == FAULT_TIMEOUT ? "did not answer" : "cannot be reached",
                           arena_strdup(cli->arena, f->cause[0] != '\0' ? f->cause : f->message));
    return r;
}

/* The message of any of the services' error shapes. */
static const char *
message_of(const json_t *answer)
{
    const json_t *errors = json_object_get(answer, "errors"), *inner;
    const char *text, *key;

    text = json_get_text(json_array_get(errors, 0), "detail");
    if (text == NULL)
        text = json_get_text(answer, "message");
    json_object_foreach((json_t *)(uintptr_t)answer, key, inner)
    {
        if (text == NULL)
            text = json_get_text(inner, "message");
    }
    return text;
}

int
rest_explain(struct arena *a, const struct http_exchange *x, struct fault *f)
{
    static const char *const id_headers[] = { "X-OpenStack-Request-ID", "X-Compute-Request-Id",
                                              "X-Image-Request-Id" };
    const char *id = NULL, *message = NULL;
    struct fault ignored = { 0 };
    json_t *answer;

    for (size_t i = 0; id == NULL && i < ARRAY_SIZE(id_headers); i++)
        id = http_exchange_header(x, id_headers[i]);
    if (x->answer_size > 0 && json_read(a, x->answer, x->answer_size, &answer, &ignored) >= 0)
        message = message_of(answer);
    else if (x->answer_size > 0 && x->answer_size < 500 && x->answer[0] != '<')
        message = x->answer;
    return fault_raise(f,
                       x->status == 404   ? FAULT_NOT_FOUND
                       : x->status == 403 ? FAULT_FORBIDDEN
                                          : FAULT_CONFLICT,
                       "%s (HTTP %d)%s%s%s", message != NULL ? message : "The service refused.",
                       x->status, id != NULL ? " (Request-ID: " : "", id != NULL ? id : "",
                       id != NULL ? ")" : "");
}

static void
fill_headers(struct cli *cli, const struct rest *r, struct http_pair *headers, size_t *count)
{
    const char *version = cloud_api_version(cli->cloud, r->service),
               *type = microversions[r->service].type;

    headers[(*count)++] = (struct http_pair){ "X-Auth-Token", cli->session->token };
    headers[(*count)++] =
        (struct http_pair){ "Accept", r->sink != NULL || r->text ? "*/*" : "application/json" };
    headers[(*count)++] = (struct http_pair){ "User-Agent", "virga/" VIRGA_VERSION };
    for (size_t i = 0; i < r->headers_count; i++)
        headers[(*count)++] = r->headers[i];
    if (type == NULL)
        return;
    if (r->microversion != NULL)
        version = r->microversion;
    else if (version == NULL ||
             strchr(version, '.') == NULL) /* "2": which API, not which version. */
        version = str_equal(version, "latest") ? version : microversions[r->service].version;
    headers[(*count)++] = (struct http_pair){ "OpenStack-API-Version",
                                              arena_printf(cli->arena, "%s %s", type, version) };
}

static int
attempt(struct cli *cli, struct rest *r, struct fault *f)
{
    struct http_pair *headers = ARENA_ARRAY(cli->arena, struct http_pair, 4 + r->headers_count);
    struct http_exchange x = { .method = r->method,
                               .headers = headers,
                               .content_type = r->content_type };
    char *base;

    if (session_open(cli, false, f) < 0 || session_url(cli, r->service, &base, f) < 0)
        return -1;
    fill_headers(cli, r, headers, &x.headers_count);
    x.url = arena_printf(cli->arena, "%s%s", base, r->path);
    x.sink = r->sink;
    x.sink_owner = r->owner;
    x.deadline_ms = r->sink != NULL || r->body_file > 0 ? INT_MAX : 120000;
    if (r->body_file > 0) {
        x.body_file = r->body_file;
        x.body_size = r->body_size;
        x.sent = r->sent;
        x.sent_owner = r->owner;
    } else if (r->body != NULL) {
        x.body = json_text(cli->arena, r->body);
        x.body_size = strlen(x.body);
    }
    r->status = 0;
    if (rest_exchange(cli, &x, f) < 0)
        return -1;
    r->status = x.status;
    r->exchange = x;
    return 0;
}

int
rest_call(struct cli *cli, struct rest *r, struct fault *f)
{
    if (attempt(cli, r, f) < 0)
        return -1;
    if (r->status == 401 && cli->session->from_cache) {
        if (session_open(cli, true, f) < 0 || attempt(cli, r, f) < 0)
            return -1;
    }
    r->answer = NULL;
    if (r->status >= 400)
        return rest_explain(cli->arena, &r->exchange, f);
    if (r->sink == NULL && !r->text && r->exchange.answer_size > 0 &&
        json_read(cli->arena, r->exchange.answer, r->exchange.answer_size, &r->answer, f) < 0)
        return fault_raise(f, FAULT_INTERNAL, "%s did not answer in JSON.", r->exchange.url);
    return 0;
}

json_t *
rest_get(struct cli *cli, enum service service, const char *path, int *ret_status, struct fault *f)
{
    struct rest r = { .service = service, .method = HTTP_GET, .path = path };
    int result = rest_call(cli, &r, f);

    if (ret_status != NULL)
        *ret_status = r.status;
    if (result < 0)
        return NULL;
    if (r.answer == NULL)
        fault_raise(f, FAULT_INTERNAL, "%s answered with nothing.", r.exchange.url);
    return r.answer;
}
