#include "image_download.h"

#include "base/memory.h"
#include "daemon/service_client.h"

enum { MINUTE_MS = 60000, DEADLINE_MAX_MS = 3600000 };
#define SLOWEST_BYTES_A_MINUTE ((int64_t)64 << 20)

struct image_download {
    struct service_client *services;
};

int
image_download_open(struct image_download **ret, const struct daemon_config *config,
                    struct fault *f)
{
    struct image_download *d = memory_calloc(1, sizeof(*d));
    int r = service_client_open(&d->services, config, f);

    if (r < 0) {
        free(d);
        return r;
    }
    *ret = d;
    return 0;
}

void
image_download_close(struct image_download *d)
{
    if (d == NULL)
        return;
    service_client_close(d->services);
    free(d);
}

static void
free_client(struct http_client **c)
{
    http_client_free(*c);
}

/* Only the image's own bytes go on to the cache; what comes with an error is nobody's. */
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
explain(int status, const struct guest_image *image, struct fault *f)
{
    if (status == 404 || status == 403 || status == 410)
        fault_raise(f, FAULT_NOT_FOUND, "Image %s could not be found.", image->image_id);
    else
        fault_raise(f, FAULT_UNAVAILABLE, "The image could not be read from the image service.");
    return fault_add_cause(f, "image %s: status %d", image->image_id, status);
}

int
image_download_run(void *owner, const struct guest_image *image,
                   int (*sink)(void *sink_owner, const char *data, size_t size, struct fault *f),
                   void *sink_owner, struct fault *f)
{
    struct image_download *d = owner;
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(free_client) struct http_client *http = http_client_new(NULL);
    struct http_pair headers[] = { { "X-Auth-Token", NULL } };
    struct http_exchange x = {
        .method = HTTP_GET,
        .url = image->url,
        .headers = headers,
        .headers_count = ARRAY_SIZE(headers),
        .deadline_ms =
            (int)MIN(MINUTE_MS * (2 + image->size / SLOWEST_BYTES_A_MINUTE), DEADLINE_MAX_MS),
    };
    struct pass pass = { &x, sink, sink_owner };
    char *token;
    int r;

    x.sink = pass_on;
    x.sink_owner = &pass;
    r = service_token(d->services, http, a, &token, f);
    if (r < 0)
        return r;
    headers[0].value = token;
    r = http_client_run(http, a, &x, f);
    if (r < 0)
        return r;
    if (x.status == 401) {
        /* It was revoked since we got it. Nothing has reached the cache. */
        r = service_token_renew(d->services, http, a, token, &token, f);
        if (r < 0)
            return r;
        headers[0].value = token;
        r = http_client_run(http, a, &x, f);
        if (r < 0)
            return r;
    }
    /* 204 is upstream's answer for an image without data. */
    return x.status == 200 || (x.status == 204 && image->size == 0) ? 0
                                                                    : explain(x.status, image, f);
}
