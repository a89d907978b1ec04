#include "intake.h"

/* One or two opinions of what the bytes are; the image is refused when nobody accepts it. */
struct inspection {
    struct disk_inspector *declared, *plain;
    struct fault why; /* Of the declared one, when it has refused. */
};

static void
inspection_done(struct inspection *i)
{
    disk_inspector_free(i->declared);
    disk_inspector_free(i->plain);
}

void
intake_expect(const struct image *image, enum disk_format *ret_declared, bool *ret_other_ok)
{
    enum disk_format format = DISK_RAW;

    /* The column is one of the schema's names, and aki, ari and ami are raw. */
    (void)disk_format_parse(image_disk_format_names[image->disk_format], &format);
    *ret_declared = format;
    *ret_other_ok = image->container_format != IMAGE_CONTAINER_FORMAT_BARE && format != DISK_RAW;
}

static void
inspection_begin(struct inspection *i, const struct image *image)
{
    enum disk_format declared;
    bool other_ok;

    intake_expect(image, &declared, &other_ok);
    i->declared = disk_inspector_new(declared);
    i->plain = other_ok ? disk_inspector_new(DISK_RAW) : NULL;
}

static int
inspection_feed(struct inspection *i, const void *data, size_t size, struct fault *f)
{
    struct fault other = { 0 };

    if (i->declared != NULL && disk_inspector_feed(i->declared, data, size, &i->why) < 0) {
        disk_inspector_free(i->declared);
        i->declared = NULL;
    }
    if (i->plain != NULL && disk_inspector_feed(i->plain, data, size, &other) < 0) {
        disk_inspector_free(i->plain);
        i->plain = NULL;
    }
    if (i->declared != NULL || i->plain != NULL)
        return 0;
    *f = i->why;
    return -1;
}

static int
inspection_finish(struct inspection *i, int64_t *ret_virtual_size, struct fault *f)
{
    struct disk_info info = { 0 };
    struct fault other = { 0 };

    if (i->declared != NULL && disk_inspector_finish(i->declared, &info, &i->why) == 0) {
        *ret_virtual_size = (int64_t)info.virtual_bytes;
        return 0;
    }
    if (i->plain != NULL && disk_inspector_finish(i->plain, &info, &other) == 0) {
        *ret_virtual_size = -1;
        return 0;
    }
    *f = i->why;
    return -1;
}

/* A whole buffer, unless the body ends. */
static ssize_t
fill(struct http_request *request, char *buffer, struct fault *f)
{
    size_t size = 0;

    while (size < DIGEST_BUFFER) {
        ssize_t n = http_body_read(request, buffer + size, DIGEST_BUFFER - size, f);

        if (n < 0)
            return -1;
        if (n == 0)
            break;
        size += (size_t)n;
    }
    return (ssize_t)size;
}

int
intake_run(struct http_request *request, struct store_file *file, const struct image *image,
           int64_t cap, struct intake *ret, struct fault *f)
{
    _cleanup_(inspection_done) struct inspection inspection = { 0 };
    _cleanup_(digest_freep) struct digest *digest = digest_new();
    struct intake got = { .virtual_size = -1 };

    inspection_begin(&inspection, image);
    for (;;) {
        char *buffer = digest_buffer(digest);
        ssize_t size = fill(request, buffer, f);

        if (size < 0)
            return -1;
        if (size == 0)
            break;
        if (size > cap - got.size)
            return fault_raise(f, FAULT_TOO_LARGE,
                               "The image is larger than the limit of %lld bytes.", (long long)cap);
        digest_submit(digest, (size_t)size);
        if (inspection_feed(&inspection, buffer, (size_t)size, f) < 0 ||
            store_write(file, buffer, (size_t)size, got.size, f) < 0)
            return -1;
        got.size += size;
    }
    if (inspection_finish(&inspection, &got.virtual_size, f) < 0)
        return -1;
    digest_finish(digest, &got.digests);
    *ret = got;
    return 0;
}
