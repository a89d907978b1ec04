/* Layers of the file driver: qcow2 files made by qemu-img.
 *
 * A layer's header names its parent, so that the folder can be read with QEMU's tools alone; the
 * agent itself goes by its records and tells the storage daemon each file and format. */
#include <string.h>

#include "base/process.h"
#include "base/str.h"
#include "file.h"

#define QEMU_IMG_MEMORY                                                                            \
    ((int64_t)4 << 30) /* Address space: stacks and arenas of its threads, mostly unused. */

int
qemu_img(struct arena *a, const char *const *argv, int64_t deadline_s, int64_t file_bytes,
         struct fault *f)
{
    struct process_run run = {
        .argv = argv,
        .deadline_ms = (int)MIN(deadline_s * 1000, INT32_MAX),
        .limits = { .cpu_s = deadline_s,
                    .memory_bytes = QEMU_IMG_MEMORY,
                    .file_bytes = file_bytes },
    };

    return process_run(a, &run, f);
}

/* What 'size_gb' can come to as a file: data, tables, and some. */
static int64_t
file_limit(int64_t size_gb)
{
    return size_gb * GIB + size_gb * GIB / 16 + ((int64_t)64 << 20);
}

static int
create_file(struct file_backend *b, struct arena *a, const char *id, const char *parent,
            int64_t size_gb, struct fault *f)
{
    const char *path = store_layer_path(&b->store, a, id),
               *size = arena_printf(a, "%lldG", (long long)size_gb);
    const char *const alone[] = { "qemu-img", "create", "-q", "-f", "qcow2", path, size, NULL };
    /* -u: the parent is not opened; everything about it is said here. */
    const char *const over[] = {
        "qemu-img", "create", "-q",    "-f", "qcow2",
        "-u",       "-F",     "qcow2", "-b", arena_printf(a, "%s.qcow2", parent),
        path,       size,     NULL
    };
    int r;

    r = store_make_file(&b->store, "layers", arena_printf(a, "%s.qcow2", id), f);
    if (r < 0)
        return r;
    return qemu_img(a, parent[0] != '\0' ? over : alone, 30, file_limit(size_gb), f);
}

int
layer_make(struct file_backend *b, const char *owner, const char *parent, int64_t size_gb,
           char ret[LAYER_ID], struct fault *f)
{
    struct arena *a = arena_new();
    struct layer layer = { 0 };
    int r;

    layer_new_id(layer.id);
    snprintf(layer.parent, sizeof(layer.parent), "%s", parent);
    snprintf(layer.owner, sizeof(layer.owner), "%s", owner);
    r = create_file(b, a, layer.id, parent, size_gb, f);
    if (r == 0)
        r = store_put_layer(&b->store, &layer, f);
    if (r == 0)
        memcpy(ret, layer.id, LAYER_ID);
    arena_free(a);
    return r; /* A file without record is swept. */
}

static int
check_depth(const struct file_backend *b, const struct volume *v, struct fault *f)
{
    const struct layer *at = store_layer(&b->store, v->layer);
    unsigned depth = 0;

    for (; at != NULL; at = store_layer(&b->store, at->parent))
        depth++;
    if (depth < LAYERS_MAX)
        return 0;
    return fault_raise(
        f, FAULT_CONFLICT,
        "Volume %s has had %d snapshots and clones; copy it to a new volume to take more.", v->id,
        LAYERS_MAX - 1);
}

int
layer_freeze(struct file_backend *b, struct volume *v, char ret_frozen[LAYER_ID], struct fault *f)
{
    char before[LAYER_ID], fresh[LAYER_ID];
    int r;

    r = check_depth(b, v, f);
    if (r == 0)
        r = layer_make(b, v->id, v->layer, v->size_gb, fresh, f);
    if (r < 0)
        return r;
    memcpy(before, v->layer, LAYER_ID);
    memcpy(v->layer, fresh, LAYER_ID);
    r = store_save_volume(&b->store, v, f);
    if (r < 0) {
        memcpy(v->layer, before, LAYER_ID);
        return r;
    }
    memcpy(ret_frozen, before, LAYER_ID);
    return 0;
}

int
layer_resize(struct file_backend *b, const char *layer, int64_t size_gb, struct fault *f)
{
    struct arena *a = arena_new();
    const char *const argv[] = { "qemu-img",
                                 "resize",
                                 "-q",
                                 "-f",
                                 "qcow2",
                                 store_layer_path(&b->store, a, layer),
                                 arena_printf(a, "%lldG", (long long)size_gb),
                                 NULL };
    int r = qemu_img(a, argv, 30, file_limit(size_gb), f);

    arena_free(a);
    return r;
}
