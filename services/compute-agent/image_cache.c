#include "image_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/str.h"
#include "base/uuid.h"
#include "image_fetch.h"

struct image_cache {
    char *folder;
    struct image_source source;
    int64_t unused_max_bytes, unused_max_s;
    pthread_mutex_t mutex;
    pthread_cond_t released;
    struct map *busy; /* Names that somebody downloads, links or removes. */
};

static char *
in_folder(const struct image_cache *c, struct arena *a, const char *name, const char *suffix)
{
    return arena_printf(a, "%s/%s%s", c->folder, name, suffix);
}

/* What a crash can leave: incoming files, new records, files without a record. */
static void
clean_folder(const struct image_cache *c)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    DIR *folder = opendir(c->folder);
    const struct dirent *entry;

    if (folder == NULL)
        return;
    while ((entry = readdir(folder)) != NULL) {
        const char *name = entry->d_name;
        bool stray = str_ends(name, ".in") || str_ends(name, ".new");

        if (str_ends(name, ".base")) {
            const char *stem = arena_strndup(a, name, strlen(name) - 5);

            stray = access(in_folder(c, a, stem, ".json"), F_OK) < 0;
        }
        if (stray)
            unlink(in_folder(c, a, name, ""));
    }
    closedir(folder);
}

int
image_cache_open(struct image_cache **ret, const char *folder, const struct image_source *source,
                 int64_t unused_max_bytes, int64_t unused_max_s, struct fault *f)
{
    struct image_cache *c;

    /* Others may pass (QEMU runs as another user), not list. */
    if (mkdir(folder, 0711) < 0 && errno != EEXIST)
        return fault_raise_cause(f, "mkdir %s: %s", folder, strerror(errno));
    c = memory_calloc(1, sizeof(*c));
    c->folder = memory_strdup(folder);
    c->source = *source;
    c->unused_max_bytes = unused_max_bytes;
    c->unused_max_s = unused_max_s;
    pthread_mutex_init(&c->mutex, NULL);
    pthread_cond_init(&c->released, NULL);
    c->busy = map_new(NULL);
    clean_folder(c);
    *ret = c;
    return 0;
}

void
image_cache_close(struct image_cache *c)
{
    if (c == NULL)
        return;
    map_free(c->busy);
    pthread_cond_destroy(&c->released);
    pthread_mutex_destroy(&c->mutex);
    free(c->folder);
    free(c);
}

static bool
claim(struct image_cache *c, const char *name, bool wait)
{
    bool ours;

    pthread_mutex_lock(&c->mutex);
    while (wait && map_has(c->busy, name))
        pthread_cond_wait(&c->released, &c->mutex);
    ours = !map_has(c->busy, name);
    if (ours)
        map_set(c->busy, name, c);
    pthread_mutex_unlock(&c->mutex);
    return ours;
}

static void
release(struct image_cache *c, const char *name)
{
    pthread_mutex_lock(&c->mutex);
    map_remove(c->busy, name);
    pthread_cond_broadcast(&c->released);
    pthread_mutex_unlock(&c->mutex);
}

static int
check_room(const struct image_cache *c, int64_t bytes, struct fault *f)
{
    struct statvfs fs;

    if (statvfs(c->folder, &fs) == 0 && (int64_t)(fs.f_bavail * fs.f_frsize) < bytes) {
        fault_raise(f, FAULT_UNAVAILABLE, "The host has no room for the image.");
        return fault_add_cause(f, "%s: %lld bytes wanted", c->folder, (long long)bytes);
    }
    return 0;
}

/* The file of the cache with a record that describes it; the name is claimed. */
static int
ensure(struct image_cache *c, struct arena *a, const struct guest_image *image, const char *name,
       struct image_record *ret, struct fault *f)
{
    const char *file = in_folder(c, a, name, ".base"), *record = in_folder(c, a, name, ".json");
    int r;

    if (access(file, F_OK) == 0 && image_record_read(a, record, ret) == 0) {
        int64_t modified_ns = ret->modified_ns;

        if (image_record_verify(file, ret))
            return ret->modified_ns == modified_ns ? 0 : image_record_write(a, record, ret, f);
        log_warn("image_cache.changed image=%s: dropped, downloading anew", image->image_id);
    }
    unlink(file);
    unlink(record);
    image_cache_tend(c);
    r = check_room(c, image->size, f);
    if (r < 0)
        return r;
    r = image_fetch(&c->source, a, image, file, ret, f);
    if (r < 0)
        return r;
    return image_record_write(a, record, ret, f);
}

static int
check_and_link(struct image_cache *c, struct arena *a, const struct image_record *record,
               const char *name, int64_t max_virtual_bytes, const char *link_path, struct fault *f)
{
    if (max_virtual_bytes > 0 && record->virtual_bytes > max_virtual_bytes)
        return fault_raise(f, FAULT_INVALID,
                           "Flavor's disk is too small for requested image. Flavor disk is %lld "
                           "bytes, image is %lld bytes.",
                           (long long)max_virtual_bytes, (long long)record->virtual_bytes);
    if (link(in_folder(c, a, name, ".base"), link_path) < 0)
        return fault_raise_cause(f, "link %s: %s", link_path, strerror(errno));
    utimensat(AT_FDCWD, in_folder(c, a, name, ".json"), NULL, 0); /* When it was used last. */
    return 0;
}

int
image_cache_link(struct image_cache *c, struct arena *a, const struct guest_image *image,
                 int64_t max_virtual_bytes, const char *link_path, struct image_base *ret,
                 struct fault *f)
{
    struct image_record record;
    const char *name;
    int r;

    /* The id and digest become a file's name: nothing but their own letters may be in them. */
    if (!uuid_check(image->image_id) ||
        strspn(image->hash_value, "0123456789abcdef") != strlen(image->hash_value) ||
        strlen(image->hash_value) < 64)
        return fault_raise(f, FAULT_INVALID, "The image's id or checksum is malformed.");
    name = arena_printf(a, "%s-%.32s-%s", image->image_id, image->hash_value,
                        guest_image_disk_format_names[image->disk_format]);
    claim(c, name, true);
    r = ensure(c, a, image, name, &record, f);
    if (r == 0)
        r = check_and_link(c, a, &record, name, max_virtual_bytes, link_path, f);
    release(c, name);
    if (r < 0)
        return r;
    *ret = (struct image_base){ link_path, record.driver, record.virtual_bytes };
    return 0;
}

struct unused {
    const char *name;
    int64_t bytes, used_s;
};

static int
compare_use(const void *a, const void *b)
{
    const struct unused *x = a, *y = b;

    return x->used_s < y->used_s ? -1 : x->used_s > y->used_s;
}

static void
remove_image(struct image_cache *c, struct arena *a, const struct unused *image)
{
    struct stat st;

    if (!claim(c, image->name, false))
        return;
    /* Looked at again: a guest may have taken it since the folder was read. */
    if (stat(in_folder(c, a, image->name, ".base"), &st) == 0 && st.st_nlink == 1) {
        unlink(in_folder(c, a, image->name, ".base"));
        unlink(in_folder(c, a, image->name, ".json"));
        log_info("image_cache.removed name=%s bytes=%lld", image->name, (long long)image->bytes);
    }
    release(c, image->name);
}

/* All that no guest uses; one in use counts as used now. */
static size_t
list_unused(const struct image_cache *c, struct arena *a, struct unused **ret)
{
    DIR *folder = opendir(c->folder);
    const struct dirent *entry;
    struct unused *list = NULL;
    size_t count = 0, capacity = 0;

    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        const char *name;
        struct stat file, record;

        if (!str_ends(entry->d_name, ".base"))
            continue;
        name = arena_strndup(a, entry->d_name, strlen(entry->d_name) - 5);
        if (stat(in_folder(c, a, name, ".base"), &file) < 0 ||
            stat(in_folder(c, a, name, ".json"), &record) < 0)
            continue;
        if (file.st_nlink > 1) {
            utimensat(AT_FDCWD, in_folder(c, a, name, ".json"), NULL, 0);
            continue;
        }
        *ARRAY_PUSH(a, list, count, capacity) =
            (struct unused){ name, (int64_t)file.st_blocks * 512, record.st_mtim.tv_sec };
    }
    if (folder != NULL)
        closedir(folder);
    *ret = list;
    return count;
}

void
image_cache_tend(struct image_cache *c)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    int64_t now_s = clock_now_us() / 1000000, total = 0;
    struct unused *list;
    size_t count = list_unused(c, a, &list);

    if (count == 0)
        return;
    qsort(list, count, sizeof(*list), compare_use);
    for (size_t i = 0; i < count; i++)
        total += list[i].bytes;
    for (size_t i = 0; i < count; i++) {
        if (total <= c->unused_max_bytes && now_s - list[i].used_s <= c->unused_max_s)
            break;
        total -= list[i].bytes;
        remove_image(c, a, &list[i]);
    }
}
