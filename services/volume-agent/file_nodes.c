/* The storage daemon's side of the file driver: block nodes and NBD exports, made to agree with the
 * store.
 *
 * Names tell whose things are: the node of a volume's layer is "n-LAYER", an export
 * "v-VOLUME.ATTACHMENT". The layers below a volume's own are opened without names, inside their
 * child, each with its format; nothing is probed.
 *
 * The store is written first, then the daemon follows; so after a crash of either, in any moment,
 * applying the store again ends in the same place. A layer that was put on top of a live volume in
 * the store is stacked on it here; what a guest wrote in between lies in the layer below, and none
 * of it is lost. */
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "file.h"
#include "service.h"

#define DEADLINE_MS 10000
#define NAME_MAX_BYTES 128

/* What the daemon has, as it was when asked. */
struct live {
    struct qmp *q;
    struct arena *a;
    json_t *exports;
    struct map *nodes; /* Names; no values. */
};

static void
node_name(char ret[NAME_MAX_BYTES], const char *layer)
{
    snprintf(ret, NAME_MAX_BYTES, "n-%s", layer);
}

static int
live_read(struct live *l, struct qmp *q, struct fault *f)
{
    json_t *nodes, *item;
    size_t n;
    int r;

    *l = (struct live){ .q = q, .a = arena_new(), .nodes = map_new(NULL) };
    r = qmp_run(q, l->a, "query-block-exports", NULL, DEADLINE_MS, &l->exports, f);
    if (r < 0)
        return r;
    r = qmp_run(q, l->a, "query-named-block-nodes", json_pack("{s:b}", "flat", 1), DEADLINE_MS,
                &nodes, f);
    if (r < 0)
        return r;
    json_array_foreach(nodes, n, item)
    {
        const char *name = json_get_text(item, "node-name");
        if (name != NULL && str_starts(name, "n-"))
            map_set(l->nodes, name, l->nodes);
    }
    return 0;
}

static void
live_done(struct live *l)
{
    map_free(l->nodes);
    arena_free(l->a);
}

static bool
is_live(const struct live *l, const char *layer)
{
    char name[NAME_MAX_BYTES];

    node_name(name, layer);
    return map_has(l->nodes, name);
}

static json_t *
file_json(const struct file_backend *b, struct arena *a, const char *layer)
{
    return json_pack("{s:s, s:s, s:s}", "driver", "file", "filename",
                     store_layer_path(&b->store, a, layer), "discard", "unmap");
}

/* A layer and all below it, to be read only. */
static json_t *
chain_json(const struct file_backend *b, struct arena *a, const char *layer)
{
    const struct layer *l = store_layer(&b->store, layer);

    if (l == NULL)
        return json_null();
    return json_pack("{s:s, s:b, s:o, s:o}", "driver", "qcow2", "read-only", 1, "file",
                     file_json(b, a, layer), "backing", chain_json(b, a, l->parent));
}

static int
node_add(struct file_backend *b, struct live *l, const char *layer, json_t *backing,
         struct fault *f)
{
    char name[NAME_MAX_BYTES];
    int r;

    node_name(name, layer);
    r = qmp_run(l->q, l->a, "blockdev-add",
                json_pack("{s:s, s:s, s:s, s:o, s:o}", "driver", "qcow2", "node-name", name,
                          "discard", "unmap", "file", file_json(b, l->a, layer), "backing",
                          backing),
                DEADLINE_MS, NULL, f);
    if (r == 0)
        map_set(l->nodes, name, l->nodes);
    return r;
}

static int
node_remove(struct live *l, const char *name, struct fault *f)
{
    return qmp_run(l->q, l->a, "blockdev-del", json_pack("{s:s}", "node-name", name), DEADLINE_MS,
                   NULL, f);
}

/* Puts 'layer' on top of 'below', which is in use; exports move up with it. */
static int
node_stack(struct file_backend *b, struct live *l, const char *layer, const char *below,
           struct fault *f)
{
    char node[NAME_MAX_BYTES], overlay[NAME_MAX_BYTES];
    int r = 0;

    node_name(node, below);
    node_name(overlay, layer);
    if (is_live(l, layer)) /* Opened, and then a crash before it was stacked. */
        r = node_remove(l, overlay, f);
    if (r == 0)
        r = node_add(b, l, layer, json_null(), f);
    if (r < 0)
        return r;
    return qmp_run(l->q, l->a, "blockdev-snapshot",
                   json_pack("{s:s, s:s}", "node", node, "overlay", overlay), DEADLINE_MS, NULL, f);
}

/* Brings a volume whose exports are at the node 'root' up to 'layer', one layer after the other. */
static int
node_climb(struct file_backend *b, struct live *l, const struct volume *v, const char *layer,
           const char *root, struct fault *f)
{
    const struct layer *at = store_layer(&b->store, layer);
    char name[NAME_MAX_BYTES];
    int r;

    node_name(name, layer);
    if (str_equal(name, root))
        return 0;
    if (at == NULL || !str_equal(at->owner, v->id))
        return fault_raise_cause(f, "volume %s is open at %s, which is none of its layers", v->id,
                                 root);
    r = node_climb(b, l, v, at->parent, root, f);
    return r < 0 ? r : node_stack(b, l, layer, at->parent, f);
}

/* Closes the volume's own nodes, the topmost first. */
static int
node_close(struct file_backend *b, struct live *l, const struct volume *v, struct fault *f)
{
    const struct layer *at = store_layer(&b->store, v->layer);
    char name[NAME_MAX_BYTES];

    for (; at != NULL && str_equal(at->owner, v->id); at = store_layer(&b->store, at->parent)) {
        int r;

        if (!is_live(l, at->id))
            continue;
        node_name(name, at->id);
        r = node_remove(l, name, f);
        if (r < 0)
            return r;
        map_remove(l->nodes, name);
    }
    return 0;
}

static int
export_add(struct live *l, const struct volume *v, const struct volume_export *e, struct fault *f)
{
    char node[NAME_MAX_BYTES], id[NAME_MAX_BYTES], name[NAME_MAX_BYTES];

    node_name(node, v->layer);
    snprintf(id, sizeof(id), "v-%s.%s", v->id, e->attachment_id);
    snprintf(name, sizeof(name), "volume-%s.%s", v->id, e->attachment_id);
    return qmp_run(l->q, l->a, "block-export-add",
                   json_pack("{s:s, s:s, s:s, s:s, s:b}", "type", "nbd", "id", id, "node-name",
                             node, "name", name, "writable", !e->read_only),
                   DEADLINE_MS, NULL, f);
}

/* Cuts off who is connected, and waits until it is gone. */
static int
export_remove(struct live *l, const json_t *export, struct fault *f)
{
    const char *id = json_get_text(export, "id");
    int r;

    qmp_drop_events(l->q);
    if (!json_get_bool(export, "shutting-down")) {
        r = qmp_run(l->q, l->a, "block-export-del",
                    json_pack("{s:s, s:s}", "id", id, "mode", "hard"), DEADLINE_MS, NULL, f);
        if (r < 0)
            return r;
    }
    return qmp_wait_event(l->q, l->a, "BLOCK_EXPORT_DELETED", "id", id, DEADLINE_MS, NULL, f);
}

/* Of an export's id the part after "v-VOLUME."; NULL: it is not this volume's. */
static const char *
attachment_of(const json_t *export, const char *volume_id)
{
    const char *id = json_get_text(export, "id");

    if (id == NULL || !str_starts(id, "v-") || strncmp(id + 2, volume_id, strlen(volume_id)) != 0 ||
        id[2 + strlen(volume_id)] != '.')
        return NULL;
    return id + 3 + strlen(volume_id);
}

/* Ends the exports that the store does not have. */
static int
exports_trim(struct live *l, const struct volume *v, struct fault *f)
{
    const json_t *export;
    size_t n;

    json_array_foreach(l->exports, n, export)
    {
        const char *attachment = attachment_of(export, v->id);
        int r;

        if (attachment == NULL || volume_find_export(v, attachment) != NULL)
            continue;
        r = export_remove(l, export, f);
        if (r < 0)
            return r;
    }
    return 0;
}

/* The live export of an attachment; NULL: there is none. 'attachment_id' NULL: any that the store
 * has. */
static const json_t *
export_find(const struct live *l, const struct volume *v, const char *attachment_id)
{
    const json_t *export;
    size_t n;

    json_array_foreach(l->exports, n, export)
    {
        const char *attachment = attachment_of(export, v->id);

        if (attachment != NULL &&
            (attachment_id != NULL ? str_equal(attachment, attachment_id)
                                   : volume_find_export(v, attachment) != NULL))
            return export;
    }
    return NULL;
}

/* Nodes that no export uses may be remains of any moment: they are opened anew, never reused. */
static int
node_open(struct file_backend *b, struct live *l, const struct volume *v, struct fault *f)
{
    const json_t *export = export_find(l, v, NULL);
    int r;

    if (export != NULL)
        return node_climb(b, l, v, v->layer, json_get_text(export, "node-name"), f);
    r = node_close(b, l, v, f);
    if (r < 0)
        return r;
    return node_add(b, l, v->layer, chain_json(b, l->a, store_layer(&b->store, v->layer)->parent),
                    f);
}

static int
apply(struct file_backend *b, struct live *l, const struct volume *v, struct fault *f)
{
    struct volume_export *e;
    int r;

    r = exports_trim(l, v, f);
    if (r < 0)
        return r;
    if (list_empty(&v->exports))
        return node_close(b, l, v, f);
    r = node_open(b, l, v, f);
    if (r < 0)
        return r;
    LIST_EACH (e, &v->exports, struct volume_export, link) {
        if (export_find(l, v, e->attachment_id) != NULL)
            continue;
        r = export_add(l, v, e, f);
        if (r < 0)
            return r;
    }
    return 0;
}

int
nodes_apply(struct file_backend *b, const struct volume *v, struct fault *f)
{
    struct live l = { 0 };
    struct qmp *q;
    int r;

    r = storage_daemon_qmp(b->daemon, &q, f);
    if (r < 0)
        return r;
    r = live_read(&l, q, f);
    if (r == 0)
        r = apply(b, &l, v, f);
    if (r < 0)
        storage_daemon_failed(b->daemon, f);
    live_done(&l);
    return r;
}

/* What no volume of the store claims: left by a crash in the middle of a delete. */
static int
remove_strangers(struct file_backend *b, struct live *l, struct fault *f)
{
    struct map_at at = { 0 };
    const json_t *export;
    size_t n;

    json_array_foreach(l->exports, n, export)
    {
        const char *id = json_get_text(export, "id");
        char volume_id[UUID_TEXT];
        int r;

        if (id == NULL || !str_starts(id, "v-"))
            continue;
        snprintf(volume_id, sizeof(volume_id), "%.*s", UUID_TEXT - 1, id + 2);
        if (store_volume(&b->store, volume_id) != NULL)
            continue;
        r = export_remove(l, export, f);
        if (r < 0)
            return r;
    }
    while (map_next(l->nodes, &at)) {
        struct fault ignored = { 0 };

        if (store_layer(&b->store, at.key + 2) != NULL)
            continue;
        if (node_remove(l, at.key, &ignored) < 0)
            log_warn("nodes.stranger node=%s cause=%s", at.key, ignored.cause);
    }
    return 0;
}

int
nodes_restore(void *owner, struct qmp *q, struct fault *f)
{
    struct file_backend *b = owner;
    struct map_at at = { 0 };
    struct live l = { 0 };
    int r;

    r = live_read(&l, q, f);
    if (r == 0)
        r = remove_strangers(b, &l, f);
    while (r == 0 && map_next(b->store.volumes, &at)) {
        struct fault one = { 0 };

        if (apply(b, &l, at.value, &one) == 0)
            continue;
        /* One volume's trouble is not the others'. */
        log_error("nodes.restore volume=%s cause=%s", at.key, one.cause);
        if (fault_is_transient(&one)) {
            *f = one;
            r = -1;
        }
    }
    live_done(&l);
    return r;
}
