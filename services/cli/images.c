/* Images: their data, as it comes and goes, and their patches (RFC 6902, as the Image API v2 has it). */
#include "images.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access.h"
#include "base/clock.h"
#include "base/json.h"
#include "body.h"
#include "http/url.h"
#include "kind.h"
#include "kinds.h"
#include "rest.h"
#include "wait.h"

static bool
is_base_member(const char *name)
{
    static const char *const members[] = {
        "status",     "name",       "container_format", "created_at", "size",   "disk_format",
        "updated_at", "visibility", "min_disk",         "protected",  "id",     "file",
        "checksum",   "owner",      "virtual_size",     "min_ram",    "schema", "tags"
    };

    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        if (str_equal(name, members[i]))
            return true;
    }
    return false;
}

static char *
readable(struct arena *a, json_int_t size)
{
    static const char *const units[] = { "", "K", "M", "G", "T", "P" };
    double value = (double)size;
    size_t unit = 0;

    for (; value >= 1000 && unit + 1 < ARRAY_SIZE(units); unit++)
        value /= 1000;
    return unit == 0 ? arena_printf(a, "%lld", (long long)size)
                     : arena_printf(a, "%.1f%s", value, units[unit]);
}

int
images_print(struct cli *cli, json_t *image, struct fault *f)
{
    json_t *shown = json_own(cli->arena, json_object()),
           *properties = json_own(cli->arena, json_object()), *value;
    const char *member;

    json_object_foreach(image, member, value)
    {
        if (!is_base_member(member))
            json_object_set(properties, member, value);
        else if (!json_is_null(value) || str_equal(member, "name"))
            json_object_set(shown, member, value);
    }
    if (json_object_size(properties) > 0)
        json_object_set(shown, "properties", properties);
    if (args_has(&cli->args, "--human-readable") && json_is_integer(json_object_get(shown, "size")))
        json_object_set_new(shown, "size",
                            json_string(readable(cli->arena, json_integer_value(
                                                                 json_object_get(shown, "size")))));
    return output_fields(cli, NULL, shown, f);
}

int
images_show(struct cli *cli, struct fault *f)
{
    json_t *image;

    if (kind_find(cli, &kind_image, args_get(&cli->args, "<image>"), NULL, &image, f) < 0)
        return -1;
    return images_print(cli, image, f);
}

/* --- data */

struct progress {
    struct cli *cli;
    size_t total, moved;
    int64_t start_ms, shown_ms;
    bool always;
    int fd;
};

static void
show_progress(struct progress *p)
{
    int64_t now_ms = clock_mono_ms();
    double seconds = (double)(now_ms - p->start_ms) / 1000.0;
    char text[128];

    if (now_ms - p->shown_ms < 100 || now_ms - p->start_ms < 300)
        return;
    p->shown_ms = now_ms;
    if (p->total > 0)
        snprintf(text, sizeof(text), "%3d%% of %s, %s/s",
                 (int)((double)p->moved * 100.0 / (double)p->total),
                 readable(p->cli->arena, (json_int_t)p->total),
                 readable(p->cli->arena, (json_int_t)((double)p->moved / seconds)));
    else
        snprintf(text, sizeof(text), "%s, %s/s", readable(p->cli->arena, (json_int_t)p->moved),
                 readable(p->cli->arena, (json_int_t)((double)p->moved / seconds)));
    if (p->always && !isatty(STDERR_FILENO))
        fprintf(stderr, "%s\n", text);
    wait_show(text);
}

static void
on_sent(void *owner, size_t bytes)
{
    struct progress *p = owner;

    p->moved = bytes;
    show_progress(p);
}

/* Standard input may be a pipe, and the length is announced: it goes through a file that has no name. */
static int
spool(struct fault *f)
{
    const char *folder = getenv("TMPDIR");
    int fd = open(folder != NULL ? folder : "/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    char buffer[65536];
    ssize_t n;

    if (fd < 0)
        return fault_raise(f, FAULT_INTERNAL, "no temporary file: %s", strerror(errno));
    while ((n = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0) {
        if (write(fd, buffer, (size_t)n) != n) {
            fault_raise(f, FAULT_INTERNAL, "writing a temporary file: %s", strerror(errno));
            close(fd);
            return -1;
        }
    }
    if (lseek(fd, 0, SEEK_SET) != 0) {
        close(fd);
        return fault_raise(f, FAULT_INTERNAL, "a temporary file cannot be read");
    }
    return fd;
}

static int
open_data(const char *path, size_t *ret_size, struct fault *f)
{
    int fd = str_equal(path, "-") ? spool(f) : open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;

    if (fd < 0)
        return f->kind != FAULT_NONE
                   ? -1
                   : fault_raise(f, FAULT_INVALID, "%s: %s", path, strerror(errno));
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return fault_raise(f, FAULT_INVALID, "%s is no file", path);
    }
    *ret_size = (size_t)st.st_size;
    return fd;
}

static int
upload(struct cli *cli, const char *id, int fd, size_t size, struct fault *f)
{
    struct progress p = { .cli = cli,
                          .total = size,
                          .start_ms = clock_mono_ms(),
                          .always = args_has(&cli->args, "--progress") };
    struct rest r = { .service = SERVICE_IMAGE,
                      .method = HTTP_PUT,
                      .content_type = "application/octet-stream",
                      .body_file = fd,
                      .body_size = size,
                      .sent = on_sent,
                      .owner = &p };
    int result;

    r.path = arena_printf(cli->arena, "/images/%s/file", id);
    result = rest_call(cli, &r, f);
    wait_show(NULL);
    return result;
}

int
images_create(struct cli *cli, struct fault *f)
{
    const char *path = args_get(&cli->args, "--file"), *id;
    struct rest r = { .service = SERVICE_IMAGE, .method = HTTP_POST, .path = "/images" };
    json_t *body = json_own(cli->arena, json_object()), *image;
    int fd = -1, result;
    size_t size = 0;

    if (body_make(cli, body, f) < 0)
        return -1;
    if (path != NULL && (fd = open_data(path, &size, f)) < 0)
        return -1;
    r.body = body;
    result = rest_call(cli, &r, f);
    id = json_get_text(r.answer, "id");
    if (result < 0 || id == NULL || fd < 0) {
        if (fd >= 0)
            close(fd);
        return result < 0 ? -1 : images_print(cli, r.answer, f);
    }
    result = upload(cli, id, fd, size, f);
    close(fd);
    if (result < 0) {
        struct rest undo = { .service = SERVICE_IMAGE,
                             .method = HTTP_DELETE,
                             .path = kind_path(cli->arena, &kind_image, id) };
        struct fault ignored = { 0 };

        (void)rest_call(cli, &undo, &ignored); /* Without its data it is of no use. */
        return -1;
    }
    image = rest_get(cli, SERVICE_IMAGE, kind_path(cli->arena, &kind_image, id), NULL, f);
    return image != NULL ? images_print(cli, image, f) : -1;
}

static int
on_received(void *owner, const char *data, size_t size, struct fault *f)
{
    struct progress *p = owner;

    while (size > 0) {
        ssize_t n = write(p->fd, data, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fault_raise(f, FAULT_INTERNAL, "writing the image: %s", strerror(errno));
        data += n;
        size -= (size_t)n;
        p->moved += (size_t)n;
    }
    if (p->fd != STDOUT_FILENO)
        show_progress(p);
    return 0;
}

int
images_save(struct cli *cli, struct fault *f)
{
    const char *path = args_get(&cli->args, "--file");
    struct progress p = { .cli = cli, .start_ms = clock_mono_ms(), .fd = STDOUT_FILENO };
    struct rest r = {
        .service = SERVICE_IMAGE, .method = HTTP_GET, .sink = on_received, .owner = &p
    };
    json_t *image;
    int result;

    if (kind_find(cli, &kind_image, args_get(&cli->args, "<image>"), NULL, &image, f) < 0)
        return -1;
    if (path == NULL && isatty(STDOUT_FILENO))
        return fault_raise(f, FAULT_INVALID,
                           "Name a file (--file): the data is not for a terminal.");
    if (path != NULL && (p.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) < 0)
        return fault_raise(f, FAULT_INVALID, "%s: %s", path, strerror(errno));
    p.total = (size_t)json_get_int(image, "size");
    r.path = arena_printf(cli->arena, "/images/%s/file", json_get_text(image, "id"));
    result = rest_call(cli, &r, f);
    wait_show(NULL);
    if (path != NULL && close(p.fd) < 0 && result == 0)
        return fault_raise(f, FAULT_INTERNAL, "%s: %s", path, strerror(errno));
    if (result == 0 && r.status == 204)
        return fault_raise(f, FAULT_NOT_FOUND, "The image has no data.");
    return result;
}

/* --- changes */

static void
add_operation(json_t *patch, const char *operation, const char *member, json_t *value)
{
    json_t *one = json_pack("{ss so}", "op", operation, "path", json_sprintf("/%s", member));

    if (value != NULL)
        json_object_set(one, "value", value);
    json_array_append_new(patch, one);
}

static int
send_patch(struct cli *cli, const char *id, const json_t *patch, struct fault *f)
{
    struct rest r = { .service = SERVICE_IMAGE,
                      .method = HTTP_PATCH,
                      .path = kind_path(cli->arena, &kind_image, id),
                      .body = patch,
                      .content_type = "application/openstack-images-v2.1-json-patch" };

    return json_array_size(patch) > 0 ? rest_call(cli, &r, f) : 0;
}

static int
post(struct cli *cli, enum http_method method, const char *path, json_t *body, struct fault *f)
{
    struct rest r = { .service = SERVICE_IMAGE, .method = method, .path = path, .body = body };

    return rest_call(cli, &r, f);
}

static int
set_membership(struct cli *cli, const char *id, const char *project_id, struct fault *f)
{
    const char *status = args_has(&cli->args, "--accept")    ? "accepted"
                         : args_has(&cli->args, "--reject")  ? "rejected"
                         : args_has(&cli->args, "--pending") ? "pending"
                                                             : NULL;
    char *member = NULL;

    if (status == NULL)
        return 0;
    if (project_id == NULL && body_path(cli, "{@project}", &member, f) < 0)
        return -1;
    return post(cli, HTTP_PUT,
                arena_printf(cli->arena, "/images/%s/members/%s", id,
                             project_id != NULL ? project_id : member),
                json_own(cli->arena, json_pack("{ss}", "status", status)), f);
}

int
images_set(struct cli *cli, struct fault *f)
{
    json_t *image, *body = json_own(cli->arena, json_object()),
                   *patch = json_own(cli->arena, json_array()), *value, *tags;
    bool member = args_has(&cli->args, "--accept") || args_has(&cli->args, "--reject") ||
                  args_has(&cli->args, "--pending");
    const char *id, *key, *tag, *project_id;

    if (kind_find(cli, &kind_image, args_get(&cli->args, "<image>"), NULL, &image, f) < 0 ||
        body_make(cli, body, f) < 0 || access_option_id(cli, "--project", &project_id, f) < 0)
        return -1;
    id = json_get_text(image, "id");
    if (project_id != NULL && !member)
        json_object_set_new(body, "owner", json_string(project_id));
    if (args_has(&cli->args, "--tag")) {
        tags = json_array();
        json_array_extend(tags, json_object_get(image, "tags"));
        for (size_t i = 0; (tag = args_nth(&cli->args, "--tag", i)) != NULL; i++)
            json_array_append_new(tags, json_string(tag));
        json_object_set_new(body, "tags", tags);
    }
    json_object_foreach(body, key, value)
    {
        add_operation(patch, json_object_get(image, key) != NULL ? "replace" : "add", key, value);
    }
    if (set_membership(cli, id, project_id, f) < 0 || send_patch(cli, id, patch, f) < 0)
        return -1;
    if (args_has(&cli->args, "--deactivate") || args_has(&cli->args, "--activate"))
        return post(cli, HTTP_POST,
                    arena_printf(cli->arena, "/images/%s/actions/%s", id,
                                 args_has(&cli->args, "--deactivate") ? "deactivate"
                                                                      : "reactivate"),
                    NULL, f);
    return 0;
}

int
images_unset(struct cli *cli, struct fault *f)
{
    json_t *image, *patch = json_own(cli->arena, json_array());
    const char *id, *text;

    if (kind_find(cli, &kind_image, args_get(&cli->args, "<image>"), NULL, &image, f) < 0)
        return -1;
    id = json_get_text(image, "id");
    for (size_t i = 0; (text = args_nth(&cli->args, "--tag", i)) != NULL; i++) {
        if (post(cli, HTTP_DELETE,
                 arena_printf(cli->arena, "/images/%s/tags/%s", id, url_encode(cli->arena, text)),
                 NULL, f) < 0)
            return -1;
    }
    for (size_t i = 0; (text = args_nth(&cli->args, "--property", i)) != NULL; i++)
        add_operation(patch, "remove", text, NULL);
    return send_patch(cli, id, patch, f);
}

int
images_add_project(struct cli *cli, struct fault *f)
{
    struct rest r = { .service = SERVICE_IMAGE, .method = HTTP_POST };
    const char *image_id, *project_id;

    if (access_option_id(cli, "<image>", &image_id, f) < 0 ||
        access_option_id(cli, "<project>", &project_id, f) < 0)
        return -1;
    r.path = arena_printf(cli->arena, "/images/%s/members", image_id);
    r.body = json_own(cli->arena, json_pack("{ss}", "member", project_id));
    return rest_call(cli, &r, f) < 0 ? -1 : output_fields(cli, NULL, r.answer, f);
}
