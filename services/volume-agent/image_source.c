/* Images from the image service over HTTP. */
#include "image_source.h"

#include "base/memory.h"
#include "base/str.h"
#include "daemon/service_client.h"

struct http_source {
    struct image_source source;
    struct service_client *services; /* NULL: no identity is configured. */
    int64_t deadline_s;
};

/* Our token, if the URL is below the image service's endpoint. */
static int
token_for(struct http_source *s, struct http_client *http, struct arena *a, const char *url,
          char **ret, struct fault *f)
{
    char *endpoint;
    size_t length;
    int r;

    *ret = NULL;
    if (s->services == NULL)
        return 0;
    r = service_endpoint(s->services, http, a, "image", &endpoint, f);
    if (r < 0)
        return r;
    length = strlen(endpoint);
    while (length > 0 && endpoint[length - 1] == '/')
        length--;
    if (strncmp(url, endpoint, length) != 0 || url[length] != '/')
        return 0;
    return service_token(s->services, http, a, ret, f);
}

static int
get(struct http_source *s, struct http_client *http, struct arena *a, struct http_exchange *x,
    struct fault *f)
{
    struct http_pair header = { .name = "X-Auth-Token" };
    char *token;
    int r;

    r = token_for(s, http, a, x->url, &token, f);
    if (r < 0)
        return r;
    if (token != NULL) {
        header.value = token;
        x->headers = &header;
        x->headers_count = 1;
    }
    r = http_client_run(http, a, x, f);
    x->headers = NULL;
    x->headers_count = 0;
    return r;
}

/* Only the image's own bytes go on; what comes with an error is nobody's. */
struct pass {
    const struct http_exchange *exchange;
    int (*sink)(void *owner, const char *data, size_t size, struct fault *f);
    void *owner;
};

static int
pass_on(void *owner, const char *data, size_t size, struct fault *f)
{
    const struct pass *pass = owner;

    return pass->exchange->status == 200 ? pass->sink(pass->owner, data, size, f) : 0;
}

static int
download(void *owner, struct arena *a, const struct volume_image *image,
         int (*sink)(void *sink_owner, const char *data, size_t size, struct fault *f),
         void *sink_owner, struct fault *f)
{
    struct http_source *s = owner;
    struct http_client *http = http_client_new(NULL);
    struct http_exchange x = {
        .method = HTTP_GET,
        .url = image->url,
        .deadline_ms = (int)MIN(s->deadline_s * 1000, INT32_MAX),
        .sink = pass_on,
    };
    struct pass pass = { .exchange = &x, .sink = sink, .owner = sink_owner };
    int r;

    x.sink_owner = &pass;
    r = get(s, http, a, &x, f);
    http_client_free(http);
    if (r < 0 || x.status == 200)
        return r;
    fault_raise(f, x.status == 404 ? FAULT_NOT_FOUND : FAULT_UNAVAILABLE,
                "Image %s could not be read from the image service.", image->id);
    return fault_add_cause(f, "%s: status %d", image->url, x.status);
}

struct image_source *
image_source_open(struct daemon *d, int64_t deadline_s, struct fault *f)
{
    struct http_source *s = memory_calloc(1, sizeof(*s));

    s->source = (struct image_source){ .download = download, .owner = s };
    s->deadline_s = deadline_s;
    if (!str_empty(d->config->identity_url) &&
        service_client_open(&s->services, d->config, f) < 0) {
        free(s);
        return NULL;
    }
    return &s->source;
}

void
image_source_close(struct image_source *source)
{
    struct http_source *s = source != NULL ? source->owner : NULL;

    if (s == NULL)
        return;
    service_client_close(s->services);
    free(s);
}
