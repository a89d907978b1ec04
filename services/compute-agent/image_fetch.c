/* The stream from the image service goes through three hands at once: the disk, the digest that the image's record
 * promises, and the inspector, which refuses what must never be opened (backing files, data files, wrong formats). Only a file
 * that all three accept gets its name. qemu-img sees it after that, with its format said and its resources limited. */
#include "image_fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/process.h"
#include "base/str.h"
#include "disk/inspect.h"

enum { CONVERT_MS = 900000, CONVERT_CPU_S = 900 };
#define CONVERT_MEMORY ((int64_t)1 << 31)

struct fetch {
    int fd;
    int64_t written, size;
    EVP_MD_CTX *digest;
    struct disk_inspector *inspector;
};

static void
fetch_done(struct fetch *t)
{
    if (t->fd >= 0)
        close(t->fd);
    EVP_MD_CTX_free(t->digest);
    disk_inspector_free(t->inspector);
}

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static int
write_all(int fd, const char *data, size_t size, struct fault *f)
{
    while (size > 0) {
        ssize_t n = write(fd, data, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            fault_raise(f, FAULT_UNAVAILABLE, "The host has no room for the image.");
            return fault_add_cause(f, "write to the image cache: %s", strerror(errno));
        }
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

    if ((int64_t)size > t->size - t->written)
        return fault_raise(f, FAULT_INVALID, "The image is larger than its record says.");
    r = disk_inspector_feed(t->inspector, data, size, f);
    if (r < 0)
        return r;
    EVP_DigestUpdate(t->digest, data, size);
    t->written += (int64_t)size;
    return write_all(t->fd, data, size, f);
}

static const char *
digest_text(struct arena *a, EVP_MD_CTX *digest)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size;

    EVP_DigestFinal_ex(digest, bytes, &size);
    return str_hex(a, bytes, size);
}

/* Downloads to 'path' and judges it. */
static int
download(const struct image_source *source, struct arena *a, const struct guest_image *image,
         enum disk_format format, const char *path, struct disk_info *ret, struct fault *f)
{
    _cleanup_(fetch_done) struct fetch t = {
        .fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600),
        .size = image->size,
        .digest = EVP_MD_CTX_new(),
        .inspector = disk_inspector_new(format),
    };
    int r;

    if (t.fd < 0)
        return fault_raise_cause(f, "open %s: %s", path, strerror(errno));
    EVP_DigestInit_ex(t.digest,
                      image->hash_algo == GUEST_IMAGE_HASH_ALGO_SHA512 ? EVP_sha512()
                                                                       : EVP_sha256(),
                      NULL);
    r = source->download(source->owner, image, take_bytes, &t, f);
    if (r < 0)
        return r;
    if (t.written != image->size) {
        fault_raise(f, FAULT_UNAVAILABLE, "The image could not be read completely.");
        return fault_add_cause(f, "image %s: %lld of %lld bytes", image->image_id,
                               (long long)t.written, (long long)image->size);
    }
    if (!str_equal(digest_text(a, t.digest), image->hash_value))
        return fault_raise(f, FAULT_INVALID, "The image's content does not match its checksum.");
    return disk_inspector_finish(t.inspector, ret, f);
}

static int
convert(struct arena *a, const char *driver, const char *from, const char *to,
        int64_t virtual_bytes, struct fault *f)
{
    const char *argv[] = { "qemu-img", "convert", "-f", driver, "-O", "qcow2", from, to, NULL };
    struct process_run run = {
        .argv = argv,
        .deadline_ms = CONVERT_MS,
        .limits = { CONVERT_CPU_S, CONVERT_MEMORY, virtual_bytes + ((int64_t)1 << 30), 0 },
    };
    int r = process_run(a, &run, f);

    if (r < 0 && f->kind == FAULT_INTERNAL) {
        char cause[sizeof(f->cause)];

        memcpy(cause, f->cause, sizeof(cause));
        fault_clear(f);
        fault_raise(f, FAULT_INVALID, "The image could not be converted.");
        return fault_add_cause(f, "%s", cause);
    }
    return r;
}

static int
file_digest(const char *path, char ret[65])
{
    _cleanup_(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    EVP_MD_CTX *digest;
    unsigned char buffer[65536], bytes[EVP_MAX_MD_SIZE];
    ssize_t n;

    if (fd < 0)
        return -errno;
    digest = EVP_MD_CTX_new();
    EVP_DigestInit_ex(digest, EVP_sha256(), NULL);
    while ((n = read(fd, buffer, sizeof(buffer))) > 0 || (n < 0 && errno == EINTR)) {
        if (n > 0)
            EVP_DigestUpdate(digest, buffer, (size_t)n);
    }
    EVP_DigestFinal_ex(digest, bytes, NULL);
    EVP_MD_CTX_free(digest);
    for (int i = 0; i < 32; i++)
        snprintf(ret + (size_t)i * 2, 3, "%02x", bytes[i]);
    return n < 0 ? -EIO : 0;
}

static int
file_facts(const char *path, int64_t *ret_size, int64_t *ret_modified_ns)
{
    struct stat st;

    if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return -ENOENT;
    *ret_size = st.st_size;
    *ret_modified_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    return 0;
}

static int
fill_record(const char *path, struct image_record *record, struct fault *f)
{
    if (file_facts(path, &record->size, &record->modified_ns) < 0 ||
        file_digest(path, record->sha256) < 0)
        return fault_raise_cause(f, "%s cannot be read back", path);
    return 0;
}

int
image_fetch(const struct image_source *source, struct arena *a, const struct guest_image *image,
            const char *path, struct image_record *ret, struct fault *f)
{
    const char *incoming = arena_printf(a, "%s.in", path);
    struct disk_info info = { 0 };
    enum disk_format format;
    bool keep;
    int r;

    if (disk_format_parse(guest_image_disk_format_names[image->disk_format], &format) < 0)
        return fault_raise(f, FAULT_INVALID, "Images of this disk format cannot be booted.");
    r = download(source, a, image, format, incoming, &info, f);
    keep = format == DISK_RAW || format == DISK_ISO || format == DISK_QCOW2;
    *ret =
        (struct image_record){ .driver = format == DISK_RAW || format == DISK_ISO ? "raw" : "qcow2",
                               .virtual_bytes = (int64_t)info.virtual_bytes };
    if (r == 0 && keep && rename(incoming, path) < 0)
        r = fault_raise_cause(f, "rename %s: %s", incoming, strerror(errno));
    if (r == 0 && !keep)
        r = convert(a, disk_format_driver(format), incoming, path, ret->virtual_bytes, f);
    if (r == 0)
        r = fill_record(path, ret, f);
    unlink(incoming);
    if (r < 0)
        unlink(path);
    return r;
}

bool
image_record_verify(const char *path, struct image_record *record)
{
    int64_t size, modified_ns;
    char sha256[65];

    if (file_facts(path, &size, &modified_ns) < 0 || size != record->size)
        return false;
    if (modified_ns == record->modified_ns)
        return true;
    if (file_digest(path, sha256) < 0 || !str_equal(sha256, record->sha256))
        return false;
    record->modified_ns = modified_ns;
    return true;
}

int
image_record_read(struct arena *a, const char *path, struct image_record *ret)
{
    json_t *json = json_load_file(path, 0, NULL);
    const char *driver = json_get_text(json, "driver"), *sha256 = json_get_text(json, "sha256");

    if (json == NULL)
        return -ENOENT;
    json_own(a, json);
    if (driver == NULL || sha256 == NULL || strlen(sha256) != 64 ||
        (!str_equal(driver, "raw") && !str_equal(driver, "qcow2")))
        return -EINVAL;
    *ret = (struct image_record){
        .driver = driver,
        .virtual_bytes = json_get_int(json, "virtual_bytes"),
        .size = json_get_int(json, "size"),
        .modified_ns = json_get_int(json, "modified_ns"),
    };
    memcpy(ret->sha256, sha256, 65);
    return 0;
}

int
image_record_write(struct arena *a, const char *path, const struct image_record *record,
                   struct fault *f)
{
    const char *temporary = arena_printf(a, "%s.new", path);
    json_auto_t *json =
        json_pack("{s:s, s:I, s:s, s:I, s:I}", "driver", record->driver, "virtual_bytes",
                  (json_int_t)record->virtual_bytes, "sha256", record->sha256, "size",
                  (json_int_t)record->size, "modified_ns", (json_int_t)record->modified_ns);

    if (json_dump_file(json, temporary, JSON_COMPACT) < 0 || rename(temporary, path) < 0) {
        unlink(temporary);
        return fault_raise_cause(f, "%s: %s", path, strerror(errno));
    }
    return 0;
}
