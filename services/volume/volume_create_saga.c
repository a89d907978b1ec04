/* volume.create: a backend is chosen, its agent makes the volume, then it is there for all to use. */
#include "agent.h"
#include "base/json.h"
#include "base/str.h"
#include "placing.h"
#include "volumes.h"

/* One at a time, so that two volumes don't both get the last room; held for the choice only. */
static int
place(struct saga_run *run, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct volume_service *s = run->service;
    struct backend_row *backends;
    const char *reasons;
    struct volume row;
    size_t count;
    int chosen;

    if (db_tx_begin(&tx, run->db, f) < 0 || db_tx_lock(&tx, "placing", f) < 0 ||
        volume_of_run(run, run->object_id, &row, f) < 0)
        return -1;
    if (row.host != NULL)
        return 0;
    if (backends_all(tx.db, &backends, &count, f) < 0)
        return -1;
    struct placing_wish wish = { .size_gb = row.size_gb,
                                 .zone = row.availability_zone,
                                 .thin_ratio = s->config->thin_ratio,
                                 .backend_name = json_get_text(run->params, "backend_name"),
                                 .host = json_get_text(run->params, "host"),
                                 .multiattach = row.multiattach };
    bool any_up = false;

    chosen = placing_choose(backends, count, &wish, run->arena, &reasons);
    for (size_t i = 0; i < count; i++)
        any_up = any_up || backends[i].up;
    if (chosen < 0 && !any_up) /* They may be about to report. */
        return fault_raise(f, FAULT_UNAVAILABLE, "No valid backend was found. No backend is up.");
    if (chosen < 0)
        return fault_raise(f, FAULT_CONFLICT, "No valid backend was found.%s", reasons);
    if (volume_place(tx.db, row.id, backends[chosen].host, backends[chosen].name, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

static int
place_undo(struct saga_run *run, struct fault *f)
{
    return volume_place(run->db, run->object_id, NULL, NULL, f) < 0 ? -1 : 0;
}

static int
fill_from_image(struct saga_run *run, const struct volume *row, const json_t *image,
                const char *operation, struct fault *f)
{
    struct volume_service *s = run->service;
    struct volume_create_from_image_out out = { 0 };
    struct volume_image source = { 0 };
    struct volume_create_from_image_in in = { .volume_id = row->id,
                                              .size_gb = row->size_gb,
                                              .image = &source };

    if (schema_parse(&volume_image_schema, image, SCHEMA_TRUSTED, 0, "image", run->arena, &source,
                     f) < 0)
        return -1;
    return s->agent->create_from_image(s->daemon->rpc, row->host, operation, run->arena, &in, &out,
                                       f);
}

static int
fill(struct saga_run *run, struct fault *f)
{
    struct volume_service *s = run->service;
    const char *operation = arena_printf(run->arena, "%s.fill.%d", run->id, run->attempt);
    const json_t *image = json_object_get(run->params, "image");
    const char *snapshot_id = json_get_text(run->params, "snapshot_id"),
               *source_id = json_get_text(run->params, "source_volume_id");
    struct volume row;

    if (volume_of_run(run, run->object_id, &row, f) < 0)
        return -1;
    if (image != NULL)
        return fill_from_image(run, &row, image, operation, f);
    if (snapshot_id != NULL) {
        struct volume_create_from_snapshot_in in = { .volume_id = row.id,
                                                     .size_gb = row.size_gb,
                                                     .snapshot_id = snapshot_id };

        return s->agent->create_from_snapshot(s->daemon->rpc, row.host, operation, run->arena, &in,
                                              f);
    }
    if (source_id != NULL) {
        struct volume_clone_in in = { .volume_id = row.id,
                                      .size_gb = row.size_gb,
                                      .source_volume_id = source_id };

        return s->agent->clone(s->daemon->rpc, row.host, operation, run->arena, &in, f);
    }
    struct volume_create_in in = { .volume_id = row.id, .size_gb = row.size_gb };

    return s->agent->create(s->daemon->rpc, row.host, operation, run->arena, &in, f);
}

static int
fill_undo(struct saga_run *run, struct fault *f)
{
    struct volume_service *s = run->service;
    struct volume_delete_in in = { .volume_id = run->object_id };
    struct volume row;

    if (volume_of_run(run, run->object_id, &row, f) < 0)
        return -1;
    if (row.host == NULL)
        return 0;
    return s->agent->remove(s->daemon->rpc, row.host,
                            arena_printf(run->arena, "%s.unfill.%d", run->id, run->attempt),
                            run->arena, &in, f);
}

static int
publish(struct saga_run *run, struct fault *f)
{
    return volume_ready(run->db, run->object_id, f) < 0 ? -1 : 0;
}

static int
failed(struct saga_run *run, struct fault *f)
{
    return volume_set_fault(run->db, run->object_id, "error", run->reason->message, f) < 0 ? -1 : 0;
}

static const struct saga_step steps[] = {
    { .name = "place", .act = place, .undo = place_undo, .deadline_ms = 30000 },
    { .name = "fill", .act = fill, .undo = fill_undo, .deadline_ms = 4000000 },
    { .name = "publish", .act = publish },
};
const struct saga volume_create_saga = { .name = "volume.create",
                                         .version = 1,
                                         .steps = steps,
                                         .steps_count = ARRAY_SIZE(steps),
                                         .failed = failed };
