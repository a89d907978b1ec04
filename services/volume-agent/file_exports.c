/* Exports of the file driver: the record says what shall be reachable, file_nodes.c sees to it. */
#include <string.h>

#include "base/memory.h"
#include "base/str.h"
#include "file.h"
#include "service.h"

static struct volume_export *
add_export(struct volume *v, const struct volume_export_in *in)
{
    struct volume_export *e = memory_calloc(1, sizeof(*e));

    snprintf(e->attachment_id, sizeof(e->attachment_id), "%s", in->attachment_id);
    snprintf(e->client, sizeof(e->client), "%s",
             in->client_address != NULL ? in->client_address : "");
    e->read_only = in->read_only;
    list_append(&v->exports, &e->link);
    return e;
}

static void
drop_export(struct volume_export *e)
{
    list_remove(&e->link);
    free(e);
}

static int
ensure_export(struct file_backend *b, const struct volume_export_in *in,
              const struct volume_export **ret, struct fault *f)
{
    struct volume *v = store_volume(&b->store, in->volume_id);
    struct volume_export *e;
    int r;

    if (v == NULL)
        return fault_raise(f, FAULT_NOT_FOUND, "Volume %s could not be found.", in->volume_id);
    e = volume_find_export(v, in->attachment_id);
    if (e == NULL) {
        e = add_export(v, in);
        r = store_save_volume(&b->store, v, f);
        if (r < 0) {
            drop_export(e);
            return r;
        }
    }
    *ret = e;
    return nodes_apply(b, v, f);
}

int
file_export(struct volume_backend *base, struct arena *a, const struct volume_export_in *in,
            struct volume_connection *ret, struct fault *f)
{
    struct file_backend *b = file_backend_of(base);
    const struct volume_export *e = NULL;
    int r;

    storage_daemon_lock(b->daemon);
    r = ensure_export(b, in, &e, f);
    if (r == 0) {
        ret->driver_volume_type = VOLUME_CONNECTION_DRIVER_VOLUME_TYPE_NBD;
        ret->host = b->config->nbd_address;
        ret->port = b->config->nbd_port;
        ret->export_name = arena_printf(a, "volume-%s.%s", in->volume_id, e->attachment_id);
        ret->tls = !str_empty(b->config->nbd_tls_dir);
        ret->read_only = e->read_only;
    }
    storage_daemon_unlock(b->daemon);
    return r;
}

/* The record goes first, so that no restart brings the export back; until the storage daemon has
 * ended it too, the call fails and is made again. */
static int
end_export(struct file_backend *b, const struct volume_unexport_in *in, struct fault *f)
{
    struct volume *v = store_volume(&b->store, in->volume_id);
    struct volume_export *e = v != NULL ? volume_find_export(v, in->attachment_id) : NULL;
    int r;

    if (v == NULL)
        return 0;
    if (e != NULL) {
        list_remove(&e->link);
        r = store_save_volume(&b->store, v, f);
        if (r < 0) {
            list_append(&v->exports, &e->link);
            return r;
        }
        free(e);
    }
    return nodes_apply(b, v, f);
}

int
file_unexport(struct volume_backend *base, const struct volume_unexport_in *in, struct fault *f)
{
    struct file_backend *b = file_backend_of(base);
    int r;

    storage_daemon_lock(b->daemon);
    r = end_export(b, in, f);
    storage_daemon_unlock(b->daemon);
    return r;
}
