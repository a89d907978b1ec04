/* The bytes of images: upload, staging and download.
 *
 * An upload holds no database connection while its bytes come, which may take hours. Row and file find each other
 * through data_id, a name that no other upload has: the row is taken by 'queued' becoming 'saving', and becomes
 * 'active' only if it still carries that name. So of two uploads one wins, and an image that was deleted meanwhile
 * stays deleted. What a killed daemon leaves is the reaper's. */
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "images.h"
#include "intake.h"

static int
check_request(struct call *call, struct fault *f)
{
    const char *type = http_header(call->request, "Content-Type");
    const char *store = http_header(call->request, "X-Image-Meta-Store");
    int64_t cap = image_service_of(call)->config->size_cap;

    if (type == NULL ||
        strncasecmp(type, "application/octet-stream", strlen("application/octet-stream")) != 0)
        return fault_raise(f, FAULT_MEDIA_TYPE,
                           "The bytes of an image are sent as application/octet-stream.");
    if (store != NULL && !str_equal(store, "file"))
        return fault_raise(f, FAULT_INVALID, "Invalid store: %.100s. There is one, 'file'.", store);
    if (call->request->content_length > cap)
        return fault_raise(f, FAULT_TOO_LARGE, "The image is larger than the limit of %lld bytes.",
                           (long long)cap);
    return 0;
}

static int
check_state(const struct image *image, const char *wanted, struct fault *f)
{
    if (image->status != IMAGE_STATUS_QUEUED)
        return fault_raise(f, FAULT_CONFLICT,
                           "Image status transition from %s to %s is not allowed.",
                           image_status_names[image->status], wanted);
    if (field_null(&image->set, IMAGE_F_DISK_FORMAT) ||
        field_null(&image->set, IMAGE_F_CONTAINER_FORMAT))
        return fault_raise(
            f, FAULT_INVALID,
            "Properties disk_format, container_format must be set prior to saving data.");
    return 0;
}

/* Takes the row for this upload, if it still has the formats that the bytes will be inspected for. */
static int
begin(struct call *call, const struct image *image, const char *status,
      const struct store_file *file, struct fault *f)
{
    struct image_begin_data_row row;
    struct image *now = ARENA_NEW(call->arena, struct image);
    int r = image_begin_data(call->db, image->id, status, file->id,
                             image_disk_format_names[image->disk_format],
                             image_container_format_names[image->container_format], &row, f);

    if (r != 0)
        return r < 0 ? r : 0;
    if (image_get(call, "upload_image", false, now, f) < 0 || check_state(now, status, f) < 0)
        return -1;
    return fault_raise(f, FAULT_CONFLICT, "The image's state changed meanwhile; try again.");
}

/* Gives the row back. If not even that works, the reaper will. */
static void
drop(struct call *call, const struct image *image, const struct store_file *file)
{
    struct fault f = { 0 };

    if (call->db->connection == NULL &&
        db_pool_get(api_server_options(call->server)->pool, call->arena, call->db, &f) < 0) {
        log_warn("image.drop image=%s cause=\"%s\"", image->id, f.cause);
        return;
    }
    if (image_drop_data(call->db, image->id, file->id, &f) < 0)
        log_warn("image.drop image=%s cause=\"%s\"", image->id, f.cause);
}

typedef int finish_fn(struct call *call, const struct image *image, const struct store_file *file,
                      const struct intake *got, struct fault *f);

static int
finish_upload(struct call *call, const struct image *image, const struct store_file *file,
              const struct intake *got, struct fault *f)
{
    return image_finish_data(call->db, image->id, file->id, got->size,
                             got->virtual_size < 0 ? NULL : &got->virtual_size, got->digests.md5,
                             got->digests.sha512, f);
}

static int
finish_stage(struct call *call, const struct image *image, const struct store_file *file,
             const struct intake *got, struct fault *f)
{
    json_t *staged =
        json_own(call->arena,
                 json_pack("{s:I, s:s, s:s}", "size", (json_int_t)got->size, "checksum",
                           got->digests.md5, "os_hash_value", got->digests.sha512));

    if (got->virtual_size >= 0)
        json_object_set_new(staged, "virtual_size", json_integer(got->virtual_size));
    return image_finish_stage(call->db, image->id, file->id, staged, f);
}

static int
finish(struct call *call, const struct image *image, struct store_file *file,
       const struct intake *got, finish_fn *record, struct fault *f)
{
    int r;

    if (store_keep(file, f) < 0 ||
        db_pool_get(api_server_options(call->server)->pool, call->arena, call->db, f) < 0)
        return -1;
    store_leave(file); /* An answer that doesn't come leaves open whether the row has it. */
    r = record(call, image, file, got, f);
    if (r < 0)
        return r;
    if (r == 0) {
        file->left = false;
        return fault_raise(
            f, FAULT_GONE,
            "Image %s could not be found after upload. The image may have been deleted during "
            "the upload.",
            image->id);
    }
    return 0;
}

static int
receive(struct call *call, const char *status, finish_fn *record, struct fault *f)
{
    struct image_service *service = image_service_of(call);
    struct image *image = ARENA_NEW(call->arena, struct image);
    _cleanup_(store_file_done) struct store_file file = { 0 };
    struct intake got;

    if (check_request(call, f) < 0 || image_get(call, "upload_image", false, image, f) < 0 ||
        check_state(image, status, f) < 0 || store_create(service->store, &file, f) < 0 ||
        begin(call, image, status, &file, f) < 0)
        return -1;
    db_release(call->db);
    if (intake_run(call->request, &file, image, service->config->size_cap, &got, f) == 0 &&
        finish(call, image, &file, &got, record, f) == 0)
        return 0;
    drop(call, image, &file);
    return -1;
}

int
image_upload(struct call *call, struct fault *f)
{
    return receive(call, "saving", finish_upload, f);
}

int
image_stage(struct call *call, struct fault *f)
{
    return receive(call, "uploading", finish_stage, f);
}

/* --- Download */

/* "bytes=5-9", "bytes=5-", "bytes=-5" of 'size' bytes: 1; other units and several ranges are not for us: 0. */
static int
parse_range(const char *text, int64_t size, int64_t *ret_first, int64_t *ret_last, struct fault *f)
{
    char copy[64];
    char *dash;
    int64_t first = 0, last = size - 1;

    if (text == NULL || !str_starts(text, "bytes=") || strchr(text, ',') != NULL)
        return 0;
    snprintf(copy, sizeof(copy), "%s", text + strlen("bytes="));
    dash = strchr(copy, '-');
    if (dash == NULL)
        return fault_raise(f, FAULT_RANGE, "Invalid range: %.60s", text);
    *dash = '\0';
    if ((copy[0] != '\0' && str_to_int64(copy, 0, INT64_MAX, &first) < 0) ||
        (dash[1] != '\0' && str_to_int64(dash + 1, 0, INT64_MAX, &last) < 0) ||
        (copy[0] == '\0' && dash[1] == '\0'))
        return fault_raise(f, FAULT_RANGE, "Invalid range: %.60s", text);
    if (copy[0] == '\0') { /* The last so many. */
        if (last == 0)
            return fault_raise(f, FAULT_RANGE, "Invalid range: %.60s", text);
        first = MAX(size - last, 0);
        last = size - 1;
    }
    if (first > last || first >= size)
        return fault_raise(f, FAULT_RANGE, "Invalid range: %.60s; the image has %lld bytes.", text,
                           (long long)size);
    *ret_first = first;
    *ret_last = MIN(last, size - 1);
    return 1;
}

static int
send_file(struct call *call, const struct image *image, int fd, int64_t size, struct fault *f)
{
    int64_t first = 0, last = size - 1;
    int part = parse_range(http_header(call->request, "Range"), size, &first, &last, f);

    call_header(call, "Accept-Ranges", "bytes");
    if (part < 0) {
        call_header(call, "Content-Range",
                    arena_printf(call->arena, "bytes */%lld", (long long)size));
        return -1;
    }
    if (part > 0) {
        call_status(call, 206);
        call_header(call, "Content-Range",
                    arena_printf(call->arena, "bytes %lld-%lld/%lld", (long long)first,
                                 (long long)last, (long long)size));
    } else if (image->checksum != NULL) {
        call_header(call, "Content-MD5", image->checksum);
    }
    call->response->content_type = "application/octet-stream";
    call->response->file = fd;
    call->response->file_offset = first;
    call->response->file_size = last - first + 1;
    return 0;
}

int
image_download(struct call *call, struct fault *f)
{
    struct image *image = ARENA_NEW(call->arena, struct image);
    int64_t size;
    int fd;

    if (image_get(call, "download_image", false, image, f) < 0)
        return -1;
    if (image->status == IMAGE_STATUS_DEACTIVATED &&
        !call_allowed(call, "download_deactivated", &image_resource, image))
        return fault_raise(
            f, FAULT_FORBIDDEN,
            "The requested image has been deactivated. Image data download is forbidden.");
    if (image->status != IMAGE_STATUS_ACTIVE && image->status != IMAGE_STATUS_DEACTIVATED) {
        call_status(call, 204);
        return 0;
    }
    if (store_read(image_service_of(call)->store, image->data_id, &fd, &size, f) < 0)
        return -1;
    if (size != image->size) {
        close(fd);
        return fault_raise_cause(f, "file %s of image %s has %lld bytes instead of %lld",
                                 image->data_id, image->id, (long long)size,
                                 (long long)image->size);
    }
    if (size == 0) { /* An empty image. */
        close(fd);
        call_status(call, 204);
        return 0;
    }
    if (send_file(call, image, fd, size, f) < 0) {
        close(fd);
        return -1;
    }
    return 0;
}
