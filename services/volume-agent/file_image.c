/* Volumes from images: fetched into incoming/, digested and inspected on the way, converted into a
 * layer by qemu-img with both formats said and under limits, and only then made a volume.
 *
 * The lock is held at the beginning and at the end, not while data moves. The target is made
 * beforehand, as large as the volume; so even an image that lies to the inspector cannot become
 * larger. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/str.h"
#include "disk/inspect.h"
#include "file.h"
#include "image_source.h"
#include "service.h"
#include "store_record.h"

struct fetch {
    struct file_backend *b;
    const struct fill *fill;
    const struct volume_image *image;
    int fd;
    int64_t done;
    EVP_MD_CTX *digest;
    struct disk_inspector *inspector;
};

static bool
cancelled(struct file_backend *b, const struct fill *fill)
{
    bool answer;

    storage_daemon_lock(b->daemon);
    answer = fill->cancelled;
    storage_daemon_unlock(b->daemon);
    return answer;
}

static int
raise_cancelled(const struct volume_image *image, struct fault *f)
{
    return fault_raise(f, FAULT_CONFLICT, "The volume was deleted while image %s was copied to it.",
                       image->id);
}

static int
write_all(int fd, const char *data, size_t size, struct fault *f)
{
    while (size > 0) {
        ssize_t n = write(fd, data, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == ENOSPC || errno == EDQUOT))
            return fault_raise(f, FAULT_TOO_LARGE, "The storage backend is full.");
        if (n < 0)
            return fault_raise_cause(f, "incoming: %s", strerror(errno));
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

static int
take_bytes(void *owner, const char *data, size_t size, struct fault *f)
{
    struct fetch *t = owner;
    int r;

    if (cancelled(t->b, t->fill))
        return raise_cancelled(t->image, f);
    t->done += (int64_t)size;
    if (t->done > t->image->size)
        return fault_raise(f, FAULT_INVALID, "Image %s is larger than its record says.",
                           t->image->id);
    r = disk_inspector_feed(t->inspector, data, size, f);
    if (r < 0)
        return r;
    EVP_DigestUpdate(t->digest, data, size);
    return write_all(t->fd, data, size, f);
}

static int
check_digest(const struct fetch *t, struct arena *a, struct fault *f)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    if (t->done != t->image->size)
        return fault_raise(f, FAULT_INVALID, "Image %s is smaller than its record says.",
                           t->image->id);
    EVP_DigestFinal_ex(t->digest, bytes, &size);
    if (!str_equal(str_hex(a, bytes, size), t->image->checksum))
        return fault_raise(f, FAULT_INVALID,
                           "Image %s does not have the checksum that its record says.",
                           t->image->id);
    return 0;
}

/* Downloads to the descriptor, and says what the image is. */
static int
fetch_to(struct fetch *t, struct arena *a, struct disk_info *ret, struct fault *f)
{
    int r;

    r = t->b->images->download(t->b->images->owner, a, t->image, take_bytes, t, f);
    if (r == 0)
        r = check_digest(t, a, f);
    if (r == 0)
        r = disk_inspector_finish(t->inspector, ret, f);
    return r;
}

static int
fetch(struct file_backend *b, const struct fill *fill, struct arena *a,
      const struct volume_image *image, enum disk_format format, const char *name,
      struct disk_info *ret, struct fault *f)
{
    struct fetch t = { .b = b, .fill = fill, .image = image };
    char path[256];
    int r;

    snprintf(path, sizeof(path), "incoming/%s", name);
    t.fd = record_open(b->store.fd, path, O_CREAT | O_EXCL | O_WRONLY, 0600);
    if (t.fd < 0)
        return fault_raise_cause(f, "%s: %s", path, strerror(errno));
    t.digest = EVP_MD_CTX_new();
    EVP_DigestInit_ex(t.digest, EVP_sha512(), NULL);
    t.inspector = disk_inspector_new(format);
    r = fetch_to(&t, a, ret, f);
    disk_inspector_free(t.inspector);
    EVP_MD_CTX_free(t.digest);
    close(t.fd);
    return r;
}

static int
check_space(const struct file_backend *b, const struct volume_image *image, struct fault *f)
{
    struct statvfs vfs;

    if (fstatvfs(b->store.fd, &vfs) == 0 &&
        (uint64_t)image->size > (uint64_t)vfs.f_bavail * vfs.f_frsize)
        return fault_raise(f, FAULT_TOO_LARGE, "The storage backend has no room for image %s.",
                           image->id);
    return 0;
}

/* 'source' in the format 'driver' becomes the qcow2 file 'target' of the volume's size. */
static int
convert(struct file_backend *b, struct arena *a, const char *source, const char *driver,
        const char *target, int64_t size_gb, struct fault *f)
{
    const char *from = store_incoming_path(&b->store, a, source),
               *to = store_incoming_path(&b->store, a, target);
    const char *const make[] = {
        "qemu-img", "create", "-q", "-f", "qcow2", to, arena_printf(a, "%lldG", (long long)size_gb),
        NULL
    };
    /* -n: the target is there, and is as large as it may be. -t: flushed at the end. */
    const char *const copy[] = { "qemu-img", "convert",   "-q", "-n",   "--target-is-zero",
                                 "-t",       "writeback", "-f", driver, "-O",
                                 "qcow2",    from,        to,   NULL };
    int64_t limit = size_gb * GIB + size_gb * GIB / 16 + ((int64_t)64 << 20);
    int r;

    r = store_make_file(&b->store, "incoming", target, f);
    if (r == 0)
        r = qemu_img(a, make, 30, limit, f);
    if (r < 0)
        return r;
    r = qemu_img(a, copy, b->config->image_deadline_s, limit, f);
    if (r < 0 && f->kind == FAULT_INTERNAL) {
        char cause[sizeof(f->cause)];

        memcpy(cause, f->cause, sizeof(cause));
        fault_raise(f, FAULT_INVALID,
                    "The image cannot be converted: it is damaged or not what it claims to be.");
        fault_add_cause(f, "%s", cause);
    }
    return r;
}

/* Between the locks: leaves the finished file as incoming/'target'. */
static int
fill_file(struct file_backend *b, const struct fill *fill, struct arena *a,
          const struct volume_create_from_image_in *in, const char *source, const char *target,
          struct disk_info *ret, struct fault *f)
{
    enum disk_format format;
    int r;

    if (disk_format_parse(volume_image_disk_format_names[in->image->disk_format], &format) < 0)
        return fault_raise_field(f, "image.disk_format",
                                 "Images of this format cannot be copied to volumes.");
    r = check_space(b, in->image, f);
    if (r == 0)
        r = fetch(b, fill, a, in->image, format, source, ret, f);
    if (r < 0)
        return r;
    if (ret->virtual_bytes > (uint64_t)(in->size_gb * GIB))
        return fault_raise_field(
            f, "size_gb", "Size of specified image %lldGB is larger than volume size %lldGB.",
            (long long)((ret->virtual_bytes + (uint64_t)GIB - 1) / (uint64_t)GIB),
            (long long)in->size_gb);
    return convert(b, a, source, disk_format_driver(format), target, in->size_gb, f);
}

static int
publish(struct file_backend *b, const struct fill *fill,
        const struct volume_create_from_image_in *in, const char *target, struct fault *f)
{
    struct layer layer = { 0 };
    int r;

    if (fill->cancelled)
        return raise_cancelled(in->image, f);
    layer_new_id(layer.id);
    snprintf(layer.owner, sizeof(layer.owner), "%s", in->volume_id);
    r = store_adopt_incoming(&b->store, target, layer.id, f);
    if (r == 0)
        r = store_put_layer(&b->store, &layer, f);
    return r < 0 ? r : store_new_volume(&b->store, in->volume_id, layer.id, in->size_gb, f);
}

/* 1: begun, 'ret' is its mark; 0: the volume is there. */
static int
begin(struct file_backend *b, const char *volume_id, struct fill **ret, struct fault *f)
{
    if (store_volume(&b->store, volume_id) != NULL)
        return 0;
    if (map_has(b->fills, volume_id))
        return fault_raise(f, FAULT_UNAVAILABLE, "Volume %s is being filled from an image.",
                           volume_id);
    *ret = memory_calloc(1, sizeof(**ret));
    map_set(b->fills, volume_id, *ret);
    return 1;
}

int
file_volume_create_from_image(struct volume_backend *base, struct arena *a,
                              const struct volume_create_from_image_in *in,
                              int64_t *ret_virtual_bytes, struct fault *f)
{
    const char *source = arena_printf(a, "%s.image", in->volume_id),
               *target = arena_printf(a, "%s.qcow2", in->volume_id);
    struct file_backend *b = file_backend_of(base);
    struct disk_info info = { 0 };
    struct fill *fill = NULL;
    int r;

    storage_daemon_lock(b->daemon);
    r = begin(b, in->volume_id, &fill, f);
    storage_daemon_unlock(b->daemon);
    if (r <= 0)
        return r;

    r = fill_file(b, fill, a, in, source, target, &info, f);

    storage_daemon_lock(b->daemon);
    if (r == 0)
        r = publish(b, fill, in, target, f);
    store_remove_incoming(&b->store, source);
    store_remove_incoming(&b->store, target);
    map_remove(b->fills, in->volume_id);
    storage_daemon_unlock(b->daemon);
    if (r == 0)
        *ret_virtual_bytes = (int64_t)info.virtual_bytes;
    return r;
}
