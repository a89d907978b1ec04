/* POST /volumes: empty, from an image, from a snapshot, or a copy of another volume. */
#include "base/json.h"
#include "base/str.h"
#include "base/uuid.h"
#include "images.h"
#include "quotas.h"
#include "volumes.h"

struct source {
    const char *image_id, *snapshot_id, *volume_id; /* At most one. */
};

static const char *
text_or_null(const char *text)
{
    return str_empty(text) ? NULL : text;
}

static int
take_source(const struct volume_new *in, struct source *ret, struct fault *f)
{
    const char *image_id =
        text_or_null(in->imageRef) != NULL ? in->imageRef : text_or_null(in->image_id);

    *ret = (struct source){ .image_id = image_id,
                            .snapshot_id = text_or_null(in->snapshot_id),
                            .volume_id = text_or_null(in->source_volid) };
    if ((ret->image_id != NULL) + (ret->snapshot_id != NULL) + (ret->volume_id != NULL) > 1)
        return fault_raise(
            f, FAULT_INVALID,
            "Invalid input received: May specify only one of snapshot, imageRef or source volume");
    if (in->size == 0 && ret->snapshot_id == NULL && ret->volume_id == NULL)
        return fault_raise_field(
            f, "size",
            "Invalid input received: Invalid volume size provided for create request: None (size "
            "argument must be "
            "an integer (or string representation of an integer) and greater than zero).");
    return 0;
}

/* A type by name or id; else the one its source has; else the project's or the cloud's default. */
static int
take_type(struct call *call, struct db *db, const struct volume_new *in, const char *source_type,
          struct type_row *ret, struct fault *f)
{
    const char *project_id = call->auth.project_id;
    int found;

    if (!str_empty(in->volume_type))
        found = type_find(db, in->volume_type, call_is_admin(call) ? NULL : project_id, ret, f);
    else if (source_type != NULL)
        found = type_by_id(db, source_type, ret, f);
    else
        found = type_default(db, project_id, service_of(call)->config->default_type, ret, f);
    if (found == 0)
        return fault_raise(f, FAULT_NOT_FOUND, "Volume type with name %.255s could not be found.",
                           str_empty(in->volume_type) ? service_of(call)->config->default_type
                                                      : in->volume_type);
    return found < 0 ? -1 : 0;
}

static int
at_least(const struct volume_new *in, int64_t source_gb, const char *what, int64_t *ret,
         struct fault *f)
{
    if (in->size != 0 && in->size < source_gb)
        return fault_raise_field(f, "size",
                                 "Invalid input received: Volume size '%lldGB' cannot be smaller "
                                 "than the %s size %lldGB. They must be >= "
                                 "original %s size.",
                                 (long long)in->size, what, (long long)source_gb, what);
    *ret = in->size == 0 ? source_gb : in->size;
    return 0;
}

/* What the new volume inherits; the source stays locked, so that it cannot go before the volume is written down. */
static int
inherit(struct call *call, struct db_tx *tx, const struct volume_new *in,
        const struct source *source, struct volume *row, const char **ret_type,
        const char **ret_host, struct fault *f)
{
    const char *scope = call_scope(call, RESOURCE_PROJECT), *volume_id = source->volume_id;
    struct volume_lock_row locked;
    struct snapshot_lock_row locked_snapshot;
    struct snapshot snapshot = { 0 };
    struct volume from = { 0 };

    if (source->snapshot_id != NULL) {
        if (snapshot_lock(tx->db, source->snapshot_id, &locked_snapshot, f) < 0 ||
            resource_load(tx->db, &snapshot_resource, source->snapshot_id, scope, false, &snapshot,
                          f) < 0)
            return -1;
        if (snapshot.status != SNAPSHOT_STATUS_AVAILABLE)
            return fault_raise(
                f, FAULT_INVALID,
                "Invalid snapshot: Originating snapshot status must be one of 'available' values");
        if (at_least(in, snapshot.size_gb, "snapshot", &row->size_gb, f) < 0)
            return -1;
        volume_id = snapshot.volume_id;
        row->snapshot_id = snapshot.id;
        field_mark(&row->set, VOLUME_F_SNAPSHOT_ID);
    }
    if (source->volume_id != NULL && volume_lock(tx->db, volume_id, &locked, f) < 0)
        return -1;
    if (resource_load(tx->db, &volume_resource, volume_id, source->volume_id != NULL ? scope : NULL,
                      false, &from, f) < 0)
        return -1;
    if (source->volume_id != NULL) {
        if (volume_check_status(from.id, from.status, STATUS_BIT(AVAILABLE) | STATUS_BIT(IN_USE),
                                "be copied", f) < 0 ||
            at_least(in, from.size_gb, "source volume", &row->size_gb, f) < 0)
            return -1;
        row->source_volume_id = from.id;
        field_mark(&row->set, VOLUME_F_SOURCE_VOLUME_ID);
    }
    row->bootable = from.bootable;
    row->image_metadata = from.image_metadata;
    field_mark(&row->set, VOLUME_F_IMAGE_METADATA);
    *ret_type = from.type_id;
    *ret_host = from.host;
    return 0;
}

static const char *
first(const char *a, const char *b)
{
    return a != NULL ? a : b;
}

static void
fill(struct call *call, const struct volume_new *in, struct volume *row)
{
    row->id = uuid_make(call->arena);
    row->project_id = call->auth.project_id;
    row->user_id = call->auth.user_id;
    row->name = first(in->name, in->display_name);
    row->description = first(in->description, in->display_description);
    row->availability_zone = str_empty(in->availability_zone)
                                 ? service_of(call)->config->default_zone
                                 : in->availability_zone;
    row->metadata = in->metadata == NULL ? json_own(call->arena, json_object()) : in->metadata;
    for (unsigned i = 0; i < 7; i++) {
        static const unsigned given[] = { VOLUME_F_ID,          VOLUME_F_PROJECT_ID,
                                          VOLUME_F_USER_ID,     VOLUME_F_NAME,
                                          VOLUME_F_DESCRIPTION, VOLUME_F_AVAILABILITY_ZONE,
                                          VOLUME_F_METADATA };

        field_mark(&row->set, given[i]);
    }
    if (row->name == NULL)
        field_mark_null(&row->set, VOLUME_F_NAME);
    if (row->description == NULL)
        field_mark_null(&row->set, VOLUME_F_DESCRIPTION);
}

/* The wish of a zone is one that a backend is in. */
static int
check_zone(struct call *call, struct db *db, const char *zone, struct fault *f)
{
    struct backend_row *backends;
    size_t count;

    if (str_empty(zone) || str_equal(zone, service_of(call)->config->default_zone))
        return 0;
    if (backends_all(db, &backends, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (str_equal(backends[i].availability_zone, zone))
            return 0;
    }
    return fault_raise_field(f, "availability_zone", "Availability zone '%.255s' is invalid.",
                             zone);
}

static json_t *
saga_params(struct call *call, const struct volume *row, const struct type_row *type,
            const json_t *image, const char *host)
{
    return json_own(call->arena,
                    json_pack("{s:s*, s:s*, s:O*, s:s*, s:s*}", "backend_name",
                              json_get_text(type->extra_specs, "volume_backend_name"), "host", host,
                              "image", (json_t *)(uintptr_t)image, "snapshot_id", row->snapshot_id,
                              "source_volume_id", row->source_volume_id));
}

static bool
is_yes(const json_t *specs, const char *key)
{
    const char *text = json_get_text(specs, key);

    return text != NULL && (str_equal_nocase(text, "<is> true") || str_equal_nocase(text, "true"));
}

int
volumes_create(struct call *call, const struct volume_new *in, const struct scheduler_hints *hints,
               struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct volume row = { .size_gb = in->size };
    struct image_facts image = { 0 };
    const char *source_type = NULL, *host = NULL;
    struct quota_wish wish = { .volumes = 1 };
    struct type_row type;
    struct source source;

    (void)hints;
    if (call->auth.project_id == NULL)
        return fault_raise(f, FAULT_FORBIDDEN, "The token is not scoped to a project.");
    if (take_source(in, &source, f) < 0 || check_zone(call, call->db, in->availability_zone, f) < 0)
        return -1;
    if (source.image_id != NULL && image_for_volume(call, source.image_id, in->size, &image, f) < 0)
        return -1;
    if (db_tx_begin(&tx, call->db, f) < 0)
        return -1;
    if ((source.snapshot_id != NULL || source.volume_id != NULL) &&
        inherit(call, &tx, in, &source, &row, &source_type, &host, f) < 0)
        return -1;
    if (take_type(call, tx.db, in, source_type, &type, f) < 0)
        return -1;
    fill(call, in, &row);
    if (source.image_id != NULL) {
        row.bootable = true;
        row.image_metadata = image.metadata;
        field_mark(&row.set, VOLUME_F_IMAGE_METADATA);
    }
    row.type_id = type.id;
    row.multiattach =
        is_yes(type.extra_specs, "multiattach") || (in->multiattach && !call_at_least(call, 3, 50));
    field_mark(&row.set, VOLUME_F_SIZE_GB);
    field_mark(&row.set, VOLUME_F_BOOTABLE);
    field_mark(&row.set, VOLUME_F_TYPE_ID);
    field_mark(&row.set, VOLUME_F_MULTIATTACH);
    wish.gigabytes = wish.volume_gb = row.size_gb;
    wish.type_name = type.name;
    if (quota_claim(call, &tx, row.project_id, &wish, f) < 0 ||
        resource_insert(tx.db, &volume_resource, &row, f) < 0)
        return -1;
    call->object_id = row.id;
    if (start_saga(call, &tx, &volume_create_saga, row.id,
                   saga_params(call, &row, &type, image.source, host), false, f) < 0 ||
        db_tx_commit(&tx, f) < 0)
        return -1;
    row.status = VOLUME_STATUS_CREATING; /* As it is from the commit on. */
    return resource_reply(call, &volume_resource, &row, f);
}
