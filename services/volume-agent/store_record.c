/* Records as JSON files, replaced as a whole. */
#include "store_record.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/json.h"
#include "base/jsonw.h"
#include "base/memory.h"
#include "base/str.h"

#define RECORD_MAX 1048576

int
record_open(int dir, const char *name, int flags, unsigned mode)
{
    struct open_how how = {
        .flags = (unsigned)(flags | O_CLOEXEC | O_NOFOLLOW),
        .mode = flags & O_CREAT ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };

    return (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));
}

static int
read_all(int fd, char *ret, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = read(fd, ret + done, size - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return -EIO;
        done += (size_t)n;
    }
    return 0;
}

/* The record 'name', in the arena. */
static int
read_record(int dir, const char *name, struct arena *a, json_t **ret, struct fault *f)
{
    int fd = record_open(dir, name, O_RDONLY, 0), r;
    struct stat st;
    char *text;

    if (fd < 0)
        return fault_raise_cause(f, "%s: %s", name, strerror(errno));
    if (fstat(fd, &st) < 0 || st.st_size > RECORD_MAX) {
        close(fd);
        return fault_raise_cause(f, "%s: not a record", name);
    }
    text = arena_alloc(a, (size_t)st.st_size + 1);
    r = read_all(fd, text, (size_t)st.st_size);
    close(fd);
    if (r < 0)
        return fault_raise_cause(f, "%s: %s", name, strerror(-r));
    r = json_read(a, text, (size_t)st.st_size, ret, f);
    return r < 0 ? fault_raise_cause(f, "%s: not JSON", name) : 0;
}

/* A member that must be there and fit. */
static bool
copy_text(const json_t *record, const char *key, char *ret, size_t size)
{
    const char *text = json_get_text(record, key);

    if (text == NULL || strlen(text) >= size)
        return false;
    memcpy(ret, text, strlen(text) + 1);
    return true;
}

static bool
copy_layer_id(const json_t *record, const char *key, char *ret, bool may_lack)
{
    if (!copy_text(record, key, ret, LAYER_ID))
        return false;
    return strspn(ret, "0123456789abcdef") == LAYER_ID - 1 || (may_lack && ret[0] == '\0');
}

static bool
copy_uuid(const json_t *record, const char *key, char *ret)
{
    return copy_text(record, key, ret, UUID_TEXT) && uuid_check(ret);
}

static int
damaged(const char *name, struct fault *f)
{
    return fault_raise_cause(f, "%s: not a record of this kind", name);
}

/* Is 'name' "folder/ID.json"? */
static bool
name_is(const char *name, const char *folder, const char *id)
{
    char want[128];

    snprintf(want, sizeof(want), "%s/%s.json", folder, id);
    return str_equal(name, want);
}

int
record_read_layer(int dir, const char *name, struct layer *ret, struct fault *f)
{
    struct arena *a = arena_new();
    json_t *record;
    int r = read_record(dir, name, a, &record, f);

    if (r == 0 && (!copy_layer_id(record, "id", ret->id, false) ||
                   !copy_layer_id(record, "parent", ret->parent, true) ||
                   !copy_uuid(record, "owner", ret->owner) || !name_is(name, "layers", ret->id)))
        r = damaged(name, f);
    arena_free(a);
    return r;
}

int
record_read_snapshot(int dir, const char *name, struct snapshot *ret, struct fault *f)
{
    struct arena *a = arena_new();
    json_t *record;
    int r = read_record(dir, name, a, &record, f);

    if (r == 0 &&
        (!copy_uuid(record, "id", ret->id) || !copy_uuid(record, "volume_id", ret->volume_id) ||
         !copy_layer_id(record, "layer", ret->layer, false) ||
         !name_is(name, "snapshots", ret->id)))
        r = damaged(name, f);
    if (r == 0)
        ret->size_gb = json_get_int(record, "size_gb");
    arena_free(a);
    return r;
}

static bool
read_exports(const json_t *list, struct volume *ret)
{
    const json_t *item;
    size_t n;

    json_array_foreach(list, n, item)
    {
        struct volume_export *e = memory_calloc(1, sizeof(*e));

        list_append(&ret->exports, &e->link);
        e->read_only = json_get_bool(item, "read_only");
        if (!copy_uuid(item, "attachment_id", e->attachment_id) ||
            !copy_text(item, "client", e->client, sizeof(e->client)))
            return false;
    }
    return true;
}

int
record_read_volume(int dir, const char *name, struct volume *ret, struct fault *f)
{
    struct arena *a = arena_new();
    json_t *record;
    int r = read_record(dir, name, a, &record, f);

    if (r == 0 &&
        (!copy_uuid(record, "id", ret->id) || !copy_layer_id(record, "layer", ret->layer, false) ||
         !name_is(name, "volumes", ret->id) ||
         !read_exports(json_object_get(record, "exports"), ret)))
        r = damaged(name, f);
    if (r == 0)
        ret->size_gb = json_get_int(record, "size_gb");
    arena_free(a);
    return r;
}

static int
write_synced(int dir, const char *name, const char *text, size_t size)
{
    int fd = record_open(dir, name, O_CREAT | O_WRONLY | O_TRUNC, 0600), r = 0;

    if (fd < 0)
        return -errno;
    while (r == 0 && size > 0) {
        ssize_t n = write(fd, text, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            r = -errno;
        } else {
            text += n;
            size -= (size_t)n;
        }
    }
    if (r == 0 && fsync(fd) < 0)
        r = -errno;
    close(fd);
    return r;
}

/* Makes a rename or removal in 'folder' last. */
static int
sync_folder(int dir, const char *folder)
{
    int fd = record_open(dir, folder, O_RDONLY | O_DIRECTORY, 0), r;

    if (fd < 0)
        return -errno;
    r = fsync(fd) < 0 ? -errno : 0;
    close(fd);
    return r;
}

static int
write_record(int dir, const char *folder, const char *id, const struct str *text, struct fault *f)
{
    char name[128], fresh[160];
    int r;

    snprintf(name, sizeof(name), "%s/%s.json", folder, id);
    snprintf(fresh, sizeof(fresh), "%s.new", name);
    r = write_synced(dir, fresh, text->data, text->size);
    if (r == 0 && renameat(dir, fresh, dir, name) < 0)
        r = -errno;
    if (r == 0)
        r = sync_folder(dir, folder);
    if (r == -ENOSPC || r == -EDQUOT)
        return fault_raise(f, FAULT_TOO_LARGE, "The storage backend is full.");
    return r < 0 ? fault_raise_cause(f, "%s: %s", name, strerror(-r)) : 0;
}

int
record_write_layer(int dir, const struct layer *layer, struct fault *f)
{
    _cleanup_(str_done) struct str text = { 0 };
    struct jsonw w;

    jsonw_init(&w, &text);
    jsonw_object(&w, NULL);
    jsonw_text(&w, "id", layer->id);
    jsonw_text(&w, "parent", layer->parent);
    jsonw_text(&w, "owner", layer->owner);
    jsonw_end(&w);
    return write_record(dir, "layers", layer->id, &text, f);
}

int
record_write_snapshot(int dir, const struct snapshot *snapshot, struct fault *f)
{
    _cleanup_(str_done) struct str text = { 0 };
    struct jsonw w;

    jsonw_init(&w, &text);
    jsonw_object(&w, NULL);
    jsonw_text(&w, "id", snapshot->id);
    jsonw_text(&w, "volume_id", snapshot->volume_id);
    jsonw_text(&w, "layer", snapshot->layer);
    jsonw_int(&w, "size_gb", snapshot->size_gb);
    jsonw_end(&w);
    return write_record(dir, "snapshots", snapshot->id, &text, f);
}

int
record_write_volume(int dir, const struct volume *v, struct fault *f)
{
    _cleanup_(str_done) struct str text = { 0 };
    struct volume_export *e;
    struct jsonw w;

    jsonw_init(&w, &text);
    jsonw_object(&w, NULL);
    jsonw_text(&w, "id", v->id);
    jsonw_text(&w, "layer", v->layer);
    jsonw_int(&w, "size_gb", v->size_gb);
    jsonw_array(&w, "exports");
    LIST_EACH (e, &v->exports, struct volume_export, link) {
        jsonw_object(&w, NULL);
        jsonw_text(&w, "attachment_id", e->attachment_id);
        jsonw_text(&w, "client", e->client);
        jsonw_bool(&w, "read_only", e->read_only);
        jsonw_end(&w);
    }
    jsonw_end(&w);
    jsonw_end(&w);
    return write_record(dir, "volumes", v->id, &text, f);
}

int
record_remove(int dir, const char *folder, const char *id, struct fault *f)
{
    char name[128];
    int r;

    snprintf(name, sizeof(name), "%s/%s.json", folder, id);
    if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
        return fault_raise_cause(f, "%s: %s", name, strerror(errno));
    r = sync_folder(dir, folder);
    return r < 0 ? fault_raise_cause(f, "%s: %s", name, strerror(-r)) : 0;
}
