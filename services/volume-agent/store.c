/* The file driver's folder: opening, finding, layers and what becomes of them. Records as JSON:
 * store_record.c. */
#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/str.h"
#include "store_record.h"

static const char *const folders[] = { "layers", "volumes", "snapshots", "incoming" };

static void
free_volume(void *value)
{
    struct volume *v = value;
    struct volume_export *e;

    LIST_EACH (e, &v->exports, struct volume_export, link)
        free(e);
    free(v);
}

struct volume *
store_volume(const struct store *s, const char *id)
{
    return map_get(s->volumes, id);
}

struct snapshot *
store_snapshot(const struct store *s, const char *id)
{
    return map_get(s->snapshots, id);
}

struct layer *
store_layer(const struct store *s, const char *id)
{
    return map_get(s->layers, id);
}

struct volume_export *
volume_find_export(const struct volume *v, const char *attachment_id)
{
    struct volume_export *e;

    LIST_EACH (e, &v->exports, struct volume_export, link) {
        if (str_equal_nocase(e->attachment_id, attachment_id))
            return e;
    }
    return NULL;
}

char *
store_layer_path(const struct store *s, struct arena *a, const char *layer)
{
    return arena_printf(a, "%s/layers/%s.qcow2", s->path, layer);
}

char *
store_incoming_path(const struct store *s, struct arena *a, const char *name)
{
    return arena_printf(a, "%s/incoming/%s", s->path, name);
}

void
layer_new_id(char ret[LAYER_ID])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[(LAYER_ID - 1) / 2];

    random_bytes(bytes, sizeof(bytes));
    for (size_t n = 0; n < sizeof(bytes); n++) {
        ret[2 * n] = digits[bytes[n] >> 4];
        ret[2 * n + 1] = digits[bytes[n] & 15];
    }
    ret[LAYER_ID - 1] = '\0';
}

static int
take_record(struct store *s, const char *folder, const char *name, struct fault *f)
{
    struct layer layer;
    struct snapshot snapshot;
    int r;

    if (str_equal(folder, "volumes")) {
        struct volume *v = memory_calloc(1, sizeof(*v));

        list_init(&v->exports);
        r = record_read_volume(s->fd, name, v, f);
        if (r < 0)
            free_volume(v);
        else
            map_set(s->volumes, v->id, v);
        return r;
    }
    if (str_equal(folder, "snapshots")) {
        r = record_read_snapshot(s->fd, name, &snapshot, f);
        if (r == 0)
            map_set(s->snapshots, snapshot.id,
                    memcpy(memory_alloc(sizeof(snapshot)), &snapshot, sizeof(snapshot)));
        return r;
    }
    r = record_read_layer(s->fd, name, &layer, f);
    if (r == 0)
        map_set(s->layers, layer.id, memcpy(memory_alloc(sizeof(layer)), &layer, sizeof(layer)));
    return r;
}

static int
open_folder(const struct store *s, const char *folder, DIR **ret, struct fault *f)
{
    int fd = record_open(s->fd, folder, O_RDONLY | O_DIRECTORY, 0);

    *ret = fd >= 0 ? fdopendir(fd) : NULL;
    if (*ret == NULL)
        return fault_raise_cause(f, "%s/%s: %s", s->path, folder, strerror(errno));
    return 0;
}

static int
read_folder(struct store *s, const char *folder, struct fault *f)
{
    struct dirent *entry;
    DIR *dir;
    int r;

    r = open_folder(s, folder, &dir, f);
    if (r < 0)
        return r;
    while (r == 0 && (entry = readdir(dir)) != NULL) {
        char name[PATH_MAX];

        snprintf(name, sizeof(name), "%s/%s", folder, entry->d_name);
        if (str_ends(name, ".new") || (str_equal(folder, "incoming") && entry->d_name[0] != '.'))
            unlinkat(s->fd, name, 0); /* Work that a crash ended. */
        else if (str_ends(name, ".json"))
            r = take_record(s, folder, name, f);
    }
    closedir(dir);
    return r;
}

/* A record whose layer or whose layer's parent is not there would read as zeros: better not to
 * start. */
static int
check_layers(const struct store *s, struct fault *f)
{
    struct map_at at = { 0 };

    while (map_next(s->layers, &at)) {
        const struct layer *l = at.value;
        if (l->parent[0] != '\0' && !map_has(s->layers, l->parent))
            return fault_raise_cause(f, "%s: layer %s lacks its parent %s", s->path, l->id,
                                     l->parent);
    }
    at = (struct map_at){ 0 };
    while (map_next(s->volumes, &at)) {
        if (!map_has(s->layers, ((const struct volume *)at.value)->layer))
            return fault_raise_cause(f, "%s: volume %s lacks its layer", s->path, at.key);
    }
    at = (struct map_at){ 0 };
    while (map_next(s->snapshots, &at)) {
        if (!map_has(s->layers, ((const struct snapshot *)at.value)->layer))
            return fault_raise_cause(f, "%s: snapshot %s lacks its layer", s->path, at.key);
    }
    return 0;
}

static int
make_folders(struct store *s, const char *path, struct fault *f)
{
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return fault_raise_cause(f, "%s: %s", path, strerror(errno));
    if (realpath(path, s->path) == NULL)
        return fault_raise_cause(f, "%s: %s", path, strerror(errno));
    if (strpbrk(s->path, ",\n") != NULL)
        return fault_raise_cause(f, "%s: a comma in the path",
                                 s->path); /* It ends an option of QEMU's. */
    s->fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->fd < 0)
        return fault_raise_cause(f, "%s: %s", s->path, strerror(errno));
    for (size_t n = 0; n < ARRAY_SIZE(folders); n++) {
        if (mkdirat(s->fd, folders[n], 0700) < 0 && errno != EEXIST)
            return fault_raise_cause(f, "%s/%s: %s", s->path, folders[n], strerror(errno));
    }
    return 0;
}

int
store_open(struct store *s, const char *path, struct fault *f)
{
    int r;

    *s = (struct store){ .fd = -1 };
    s->layers = map_new(free);
    s->volumes = map_new(free_volume);
    s->snapshots = map_new(free);
    r = make_folders(s, path, f);
    for (size_t n = 0; r == 0 && n < ARRAY_SIZE(folders); n++)
        r = read_folder(s, folders[n], f);
    if (r == 0)
        r = check_layers(s, f);
    if (r < 0) {
        store_close(s);
        return r;
    }
    store_sweep(s);
    return 0;
}

void
store_close(struct store *s)
{
    map_free(s->layers);
    map_free(s->volumes);
    map_free(s->snapshots);
    if (s->fd >= 0)
        close(s->fd);
    *s = (struct store){ .fd = -1 };
}

int
store_make_file(struct store *s, const char *folder, const char *name, struct fault *f)
{
    char path[PATH_MAX];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    fd = record_open(s->fd, path, O_CREAT | O_EXCL | O_WRONLY, 0600);
    if (fd < 0)
        return fault_raise_cause(f, "%s/%s: %s", s->path, path, strerror(errno));
    close(fd);
    return 0;
}

int
store_adopt_incoming(struct store *s, const char *name, const char *layer, struct fault *f)
{
    char from[PATH_MAX], to[PATH_MAX];

    snprintf(from, sizeof(from), "incoming/%s", name);
    snprintf(to, sizeof(to), "layers/%s.qcow2", layer);
    if (renameat(s->fd, from, s->fd, to) < 0)
        return fault_raise_cause(f, "%s/%s: %s", s->path, to, strerror(errno));
    return 0;
}

void
store_remove_incoming(struct store *s, const char *name)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "incoming/%s", name);
    unlinkat(s->fd, path, 0);
}

int
store_put_layer(struct store *s, const struct layer *layer, struct fault *f)
{
    int r = record_write_layer(s->fd, layer, f);

    if (r == 0)
        map_set(s->layers, layer->id, memcpy(memory_alloc(sizeof(*layer)), layer, sizeof(*layer)));
    return r;
}

int
store_put_snapshot(struct store *s, const struct snapshot *snapshot, struct fault *f)
{
    int r = record_write_snapshot(s->fd, snapshot, f);

    if (r == 0)
        map_set(s->snapshots, snapshot->id,
                memcpy(memory_alloc(sizeof(*snapshot)), snapshot, sizeof(*snapshot)));
    return r;
}

int
store_new_volume(struct store *s, const char *id, const char *layer, int64_t size_gb,
                 struct fault *f)
{
    struct volume *v = memory_calloc(1, sizeof(*v));
    int r;

    snprintf(v->id, sizeof(v->id), "%s", id);
    snprintf(v->layer, sizeof(v->layer), "%s", layer);
    v->size_gb = size_gb;
    list_init(&v->exports);
    r = record_write_volume(s->fd, v, f);
    if (r < 0)
        free_volume(v);
    else
        map_set(s->volumes, v->id, v);
    return r;
}

int
store_save_volume(struct store *s, const struct volume *v, struct fault *f)
{
    return record_write_volume(s->fd, v, f);
}

int
store_remove_volume(struct store *s, const char *id, struct fault *f)
{
    int r = record_remove(s->fd, "volumes", id, f);

    if (r == 0)
        map_remove(s->volumes, id);
    return r;
}

int
store_remove_snapshot(struct store *s, const char *id, struct fault *f)
{
    int r = record_remove(s->fd, "snapshots", id, f);

    if (r == 0)
        map_remove(s->snapshots, id);
    return r;
}

/* 'layer' and all it reads through. */
static void
mark(const struct store *s, struct map *used, const char *layer)
{
    const struct layer *l;

    while ((l = store_layer(s, layer)) != NULL && !map_has(used, l->id)) {
        map_set(used, l->id, (void *)l);
        layer = l->parent;
    }
}

/* Files in layers/ that no record knows: their making was not finished. */
static void
sweep_files(struct store *s)
{
    struct fault f = { 0 };
    struct dirent *entry;
    DIR *dir;

    if (open_folder(s, "layers", &dir, &f) < 0)
        return;
    while ((entry = readdir(dir)) != NULL) {
        char id[LAYER_ID];

        if (strlen(entry->d_name) != LAYER_ID - 1 + 6 || !str_ends(entry->d_name, ".qcow2"))
            continue;
        memcpy(id, entry->d_name, LAYER_ID - 1);
        id[LAYER_ID - 1] = '\0';
        if (!map_has(s->layers, id))
            unlinkat(dirfd(dir), entry->d_name, 0);
    }
    closedir(dir);
}

size_t
store_sweep(struct store *s)
{
    struct map *used = map_new(NULL);
    struct map_at at = { 0 };
    size_t removed = 0;

    while (map_next(s->volumes, &at))
        mark(s, used, ((const struct volume *)at.value)->layer);
    at = (struct map_at){ 0 };
    while (map_next(s->snapshots, &at))
        mark(s, used, ((const struct snapshot *)at.value)->layer);
    at = (struct map_at){ 0 };
    while (map_next(s->layers, &at)) {
        struct fault f = { 0 };

        /* Record first: a file without record is swept, a record without file is damage. */
        if (map_has(used, at.key))
            continue;
        if (record_remove(s->fd, "layers", at.key, &f) < 0) {
            log_warn("store.sweep layer=%s cause=%s", at.key, f.cause);
            continue;
        }
        map_remove(s->layers, at.key);
        removed++;
    }
    map_free(used);
    sweep_files(s);
    return removed;
}

int64_t
store_layer_bytes(const struct store *s, const char *layer)
{
    char path[PATH_MAX];
    struct stat st;

    snprintf(path, sizeof(path), "layers/%s.qcow2", layer);
    if (fstatat(s->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    return (int64_t)st.st_blocks * 512;
}
