#include "server_volumes.h"

#include <poll.h>

#include "base/json.h"
#include "base/str.h"

static json_t *
connector(struct arena *a, const struct server *server)
{
    return json_own(a, json_pack("{s:s, s:s, s:s, s:s, s:b, s:s}", "host", server->host, "instance",
                                 server->id, "platform", "x86_64", "os_type", "linux", "multipath",
                                 0, "ip", ""));
}

int
volume_connect(struct remote *r, struct db *db, const struct server *server,
               const struct attachment_row *row, struct fault *f)
{
    json_t *attachment;

    if (row->connection != NULL)
        return 0;
    /* Block storage answers with the attachment that is there already when this pair was connected before. */
    if (remote_attach(r, server->project_id, row->volume_id, server->id,
                      connector(r->arena, server), &attachment, f) < 0)
        return -1;
    return attachment_connected(db, server->id, row->volume_id, json_get_text(attachment, "id"),
                                json_object_get(attachment, "connection_info"), f) < 0
               ? -1
               : 0;
}

int
volume_disconnect(struct remote *r, struct db *db, const struct server *server,
                  const struct attachment_row *row, struct fault *f)
{
    json_t *volume, *list, *x;
    size_t i;

    (void)db;
    if (row->attachment_id != NULL)
        return remote_detach(r, server->project_id, row->attachment_id, f);
    /* Made, perhaps, by a try whose answer was lost: block storage knows. */
    if (remote_volume(r, server->project_id, row->volume_id, &volume, f) < 0) {
        if (f->kind != FAULT_NOT_FOUND)
            return -1;
        fault_clear(f);
        return 0;
    }
    list = json_object_get(volume, "attachments");
    json_array_foreach(list, i, x)
    {
        if (str_equal(json_get_text(x, "server_id"), server->id) &&
            remote_detach(r, server->project_id, json_get_text(x, "attachment_id"), f) < 0)
            return -1;
    }
    return 0;
}

/* --- Volumes made for the server */

static int
wait_available(struct remote *r, struct saga_run *run, const char *project_id,
               const char *volume_id, struct fault *f)
{
    int wait_ms = 50;
    json_t *volume;

    for (;;) {
        const char *status;

        if (remote_volume(r, project_id, volume_id, &volume, f) < 0)
            return -1;
        status = json_get_text(volume, "status");
        if (str_equal(status, "available") || str_equal(status, "in-use") ||
            str_equal(status, "reserved") || str_equal(status, "attaching"))
            return 0;
        if (str_starts(status, "error"))
            return fault_raise(f, FAULT_CONFLICT,
                               "Build of instance %s aborted: Volume %s did not become available: "
                               "its status is %s.",
                               run->object_id, volume_id, status);
        if (saga_cancelled(run))
            return fault_raise(f, FAULT_CONFLICT, "The server was deleted while it was built.");
        poll(NULL, 0, wait_ms);
        wait_ms = MIN(wait_ms * 2, 500);
    }
}

/* Makes the volumes of block devices whose source is an image or nothing, once: their ids are noted before anything else. */
static int
make_volumes(struct remote *r, struct saga_run *run, const struct server *server, struct fault *f)
{
    json_t *wish, *made = json_object_get(run->state, "volumes"), *volume;
    size_t i;

    if (made == NULL) {
        made = json_array();
        json_object_set_new(run->state, "volumes", made);
    }
    json_array_foreach(json_object_get(run->params, "new_volumes"), i, wish)
    {
        json_t *body;
        const char *id = json_string_value(json_array_get(made, i));

        if (id == NULL) {
            body = json_own(run->arena, json_pack("{s:O, s:s, s:O*, s:O*}", "size",
                                                  json_object_get(wish, "size"), "name", "",
                                                  "imageRef", json_object_get(wish, "image_id"),
                                                  "volume_type", json_object_get(wish, "type")));
            if (remote_volume_create(r, server->project_id,
                                     arena_printf(run->arena, "%s.volume.%zu", run->id, i), body,
                                     &volume, f) < 0)
                return -1;
            id = json_get_text(volume, "id");
            json_array_append_new(made, json_string(id));
            if (attachment_add(run->db, server->id, id, json_get_text(wish, "device"),
                               json_get_int(wish, "boot_index"),
                               json_get_bool(wish, "delete_on_termination"),
                               json_get_text(wish, "tag"), f) < 0)
                return -1;
        }
        if (wait_available(r, run, server->project_id, id, f) < 0)
            return -1;
    }
    return 0;
}

/* --- Steps */

static int
each(struct saga_run *run,
     int (*fn)(struct remote *r, struct db *db, const struct server *server,
               const struct attachment_row *row, struct fault *f),
     struct fault *f)
{
    struct remote r = remote_for_run(run);
    struct attachment_row *rows;
    struct server server;
    size_t count;

    if (server_of_run(run, &server, f) < 0 ||
        attachments_of(run->db, server.id, &rows, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (fn(&r, run->db, &server, &rows[i], f) < 0)
            return -1;
    }
    return 0;
}

int
step_volumes(struct saga_run *run, struct fault *f)
{
    struct remote r = remote_for_run(run);
    struct server server;

    if (server_of_run(run, &server, f) < 0 || make_volumes(&r, run, &server, f) < 0)
        return -1;
    return each(run, volume_connect, f);
}

static int
disconnect_and_forget(struct remote *r, struct db *db, const struct server *server,
                      const struct attachment_row *row, struct fault *f)
{
    if (volume_disconnect(r, db, server, row, f) < 0)
        return -1;
    if (row->delete_on_termination &&
        remote_volume_delete(r, server->project_id, row->volume_id, f) < 0 &&
        f->kind != FAULT_INVALID)
        return -1;
    fault_clear(f);
    return attachment_remove(db, server->id, row->volume_id, f) < 0 ? -1 : 0;
}

/* Was it there before, as the request says? */
static bool
brought(const struct saga_run *run, const char *volume_id)
{
    json_t *item;
    size_t i;

    json_array_foreach(json_object_get(run->params, "attach"), i, item)
    {
        if (str_equal(json_get_text(item, "volume_id"), volume_id))
            return true;
    }
    return false;
}

/* Volumes that were made for the server go; those that were brought stay noted, unconnected, as before: what becomes of them is
 * said when the server is deleted. */
int
step_volumes_undo(struct saga_run *run, struct fault *f)
{
    struct remote r = remote_for_run(run);
    struct attachment_row *rows;
    struct server server;
    size_t count;

    if (server_of_run(run, &server, f) < 0 ||
        attachments_of(run->db, server.id, &rows, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (volume_disconnect(&r, run->db, &server, &rows[i], f) < 0)
            return -1;
        if (brought(run, rows[i].volume_id)) {
            if (attachment_disconnected(run->db, server.id, rows[i].volume_id, f) < 0)
                return -1;
            continue;
        }
        if (remote_volume_delete(&r, server.project_id, rows[i].volume_id, f) < 0 ||
            attachment_remove(run->db, server.id, rows[i].volume_id, f) < 0)
            return -1;
    }
    return 0;
}

static int
complete(struct remote *r, struct db *db, const struct server *server,
         const struct attachment_row *row, struct fault *f)
{
    (void)db;
    return row->attachment_id == NULL
               ? 0
               : remote_attach_complete(r, server->project_id, row->attachment_id, f);
}

int
step_volumes_complete(struct saga_run *run, struct fault *f)
{
    return each(run, complete, f);
}

int
server_volumes_release(struct saga_run *run, const struct server *server, struct fault *f)
{
    (void)server;
    return each(run, disconnect_and_forget, f);
}
