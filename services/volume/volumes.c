/* Volumes as a resource: what lists and shows compute, filters of their own, and what begins every other operation. */
#include "volumes.h"

#include "base/json.h"
#include "base/str.h"

/* --- Loading */

int
volume_load(struct call *call, struct db *db, const char *id, struct volume *ret, struct fault *f)
{
    if (resource_load(db, &volume_resource, id, call_scope(call, RESOURCE_PROJECT), false, ret, f) <
        0)
        return -1;
    return call_enforce(call, call->operation->policy, &volume_resource, ret, f);
}

int
volume_load_locked(struct call *call, struct db_tx *tx, const char *id, struct volume *ret,
                   struct fault *f)
{
    struct volume_lock_row row;

    /* First the lock, then the look: what the status is derived from may have changed while we waited. */
    if (volume_lock(tx->db, id, &row, f) < 0)
        return -1;
    return volume_load(call, tx->db, id, ret, f);
}

int
volume_of_run(struct saga_run *run, const char *id, struct volume *ret, struct fault *f)
{
    *ret = (struct volume){ 0 };
    return resource_load(run->db, &volume_resource, id, NULL, false, ret, f);
}

int
volume_check_status(const char *id, enum volume_status status, unsigned allowed, const char *what,
                    struct fault *f)
{
    char words[256] = "";
    size_t size = 0;

    if ((allowed & (1u << status)) != 0)
        return 0;
    for (unsigned i = 0; volume_status_names[i] != NULL && size < sizeof(words) - 32; i++) {
        if ((allowed & (1u << i)) != 0)
            size += (size_t)snprintf(words + size, sizeof(words) - size, "%s%s",
                                     size == 0 ? "" : ", ", volume_status_names[i]);
    }
    return fault_raise(
        f, FAULT_INVALID,
        "Invalid volume: Volume %.64s status must be %s%s%s, but current status is: %s.", id, words,
        what == NULL ? "" : " to ", what == NULL ? "" : what, volume_status_names[status]);
}

/* --- Computed members */

static json_t *
attachments_view(struct call *call, const char *volume_id, const struct attachment_row *rows,
                 size_t count)
{
    json_t *list = json_own(call->arena, json_array());

    for (size_t i = 0; i < count; i++) {
        const struct attachment_row *a = &rows[i];

        if (!str_equal(a->volume_id, volume_id) || a->instance == NULL)
            continue;
        json_array_append_new(
            list,
            json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s?, s:s?}", "id", volume_id, "attachment_id",
                      a->id, "volume_id", volume_id, "server_id", a->instance, "host_name",
                      call_sees_all(call) ? a->host : NULL, "device", a->device, "attached_at",
                      a->attached_at_null
                          ? NULL
                          : clock_format(call->arena, a->attached_at, CLOCK_MICRO)));
    }
    return list;
}

static int
load(struct call *call, struct db *db, struct volume *const *rows, size_t count, struct fault *f)
{
    struct texts ids = { .items = ARENA_ARRAY(call->arena, const char *, count), .count = count };
    struct attachment_row *attachments;
    size_t attachments_count;

    for (size_t i = 0; i < count; i++)
        ids.items[i] = rows[i]->id;
    if (attachments_of(db, &ids, &attachments, &attachments_count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct volume *row = rows[i];

        row->attachments = attachments_view(call, row->id, attachments, attachments_count);
        field_mark(&row->set, VOLUME_F_ATTACHMENTS);
        row->consumes_quota = true;
        field_mark(&row->set, VOLUME_F_CONSUMES_QUOTA);
        field_mark(&row->set, VOLUME_F_ENCRYPTED);
        field_mark(&row->set, VOLUME_F_SHARED_TARGETS);
        if (json_object_size(row->image_metadata) > 0) {
            row->image_view = row->image_metadata;
            field_mark(&row->set, VOLUME_F_IMAGE_VIEW);
        }
        if (!field_null(&row->set, VOLUME_F_READ_ONLY)) {
            row->metadata = json_own(call->arena, json_copy(row->metadata));
            json_object_set_new(row->metadata, "readonly",
                                json_string(row->read_only ? "True" : "False"));
        }
    }
    return 0;
}

/* --- Lists */

/* Clients send the text of a Python dictionary: {'key': 'value'}; JSON but for the quotes. */
static int
filter_map(struct call *call, struct list_plan *plan, const char *name, const char *sql,
           struct fault *f)
{
    const char *text = call_query(call, name), *value;
    char *copy;
    json_t *map;

    if (text == NULL)
        return 0;
    copy = arena_strdup(call->arena, text);
    for (char *at = copy; *at != '\0'; at++) {
        if (*at == '\'')
            *at = '"';
    }
    if (json_read(call->arena, copy, strlen(copy), &map, f) < 0 || !json_is_object(map)) {
        fault_clear(f);
        return fault_raise_field(f, name, "Invalid value '%.100s' for %s filter.", text, name);
    }
    value = json_text(call->arena, map);
    list_plan_where_sql(plan, sql, &value, 1);
    return 0;
}

static int
plan_list(struct call *call, struct list_plan *plan, struct fault *f)
{
    const char *bootable = call_query(call, "bootable");
    bool yes;

    if (bootable != NULL) {
        if (str_to_bool(bootable, &yes) < 0)
            return fault_raise_field(f, "bootable", "Invalid value '%.100s' for 'bootable' filter.",
                                     bootable);
        list_plan_where(plan, "bootable", OP_EQ, yes ? "true" : "false");
    }
    if (filter_map(call, plan, "metadata", "metadata @> %1::jsonb", f) < 0)
        return -1;
    return filter_map(call, plan, "glance_metadata", "image_metadata @> %1::jsonb", f);
}

int
volumes_summary(struct call *call, struct fault *f)
{
    const char *project_id =
        call_sees_all(call) && call_query_bool(call, "all_tenants") ? NULL : call->auth.project_id;
    struct volumes_summed_row sum;
    struct jsonw *w;

    if (volumes_summed(call->db, project_id, &sum, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_object(w, "volume-summary");
    jsonw_int(w, "total_size", sum.size_gb);
    jsonw_int(w, "total_count", sum.count);
    if (call_at_least(call, 3, 36)) {
        jsonw_object(w, "metadata");
        jsonw_end(w);
    }
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

/* --- Update and delete */

static int
prepare_update(struct call *call, struct db_tx *tx, const struct volume *old, struct volume *row,
               struct fault *f)
{
    (void)tx;
    (void)old;
    if (call_at_least(call, 3, 53) && json_object_size(json_object_get(call->body, "volume")) == 0)
        return fault_raise_field(f, "volume",
                                 "Invalid input for field/attribute volume. Value: {}. {} does not "
                                 "have enough properties");
    if (field_given(&row->set, VOLUME_F_DISPLAY_NAME)) {
        row->name = row->display_name;
        field_mark(&row->set, VOLUME_F_NAME);
    }
    if (field_given(&row->set, VOLUME_F_DISPLAY_DESCRIPTION)) {
        row->description = row->display_description;
        field_mark(&row->set, VOLUME_F_DESCRIPTION);
    }
    return 0;
}

static int
in_the_way(struct fault *f)
{
    return fault_raise(f, FAULT_INVALID,
                       "Invalid volume: Volume status must be available or error or "
                       "error_restoring or error_extending or "
                       "error_managing and must not be migrating, attached, belong to a group, "
                       "have snapshots, awaiting a "
                       "transfer, or be disassociated from snapshots after volume transfer.");
}

int
volume_start_delete(struct call *call, struct db_tx *tx, const struct volume *volume, bool cascade,
                    bool force, struct fault *f)
{
    const unsigned allowed = STATUS_BIT(AVAILABLE) | STATUS_BIT(ERROR) |
                             STATUS_BIT(ERROR_DELETING) | STATUS_BIT(ERROR_RESTORING) |
                             STATUS_BIT(ERROR_EXTENDING) | STATUS_BIT(ERROR_MANAGING);
    struct saga_start_options options = { .request_id = call->request_id,
                                          .project_id = call->auth.project_id,
                                          .user_id = call->auth.user_id,
                                          .queue_behind = force,
                                          .cancel_other = force };
    struct volume_dependents_row dependents;
    struct snapshots_of_row *snapshots;
    size_t count;

    if (force && volume->status == VOLUME_STATUS_DELETING)
        return 0; /* It is on its way. */
    if ((!force && (allowed & (1u << volume->status)) == 0))
        return in_the_way(f);
    if (volume_dependents(tx->db, volume->id, &dependents, f) < 0 ||
        snapshots_of(tx->db, volume->id, &snapshots, &count, f) < 0)
        return -1;
    if (dependents.attachments > 0 || dependents.copies > 0 ||
        (dependents.snapshots > 0 && !cascade))
        return in_the_way(f);
    for (size_t i = 0; i < count; i++) {
        if (!str_equal(snapshots[i].status, "available") &&
            !str_starts(snapshots[i].status, "error"))
            return fault_raise(f, FAULT_INVALID,
                               "Invalid volume: Volume %s has snapshot %s in status %s.",
                               volume->id, snapshots[i].id, snapshots[i].status);
    }
    options.params = json_own(call->arena, json_pack("{s:b}", "cascade", cascade));
    return saga_start(service_of(call)->daemon->sagas, tx, &volume_delete_saga, volume->id,
                      &options, f);
}

/* Deleted by a saga, so the engine leaves the row alone. */
static int
check_delete(struct call *call, struct db_tx *tx, const struct volume *row, struct fault *f)
{
    bool force = call_at_least(call, 3, 23) && call_query_bool(call, "force");
    struct volume now = { 0 };

    if (force && call_enforce(call, "volume:force_delete", &volume_resource, row, f) < 0)
        return -1;
    if (resource_load(tx->db, &volume_resource, row->id, NULL, false, &now, f) < 0)
        return -1;
    return volume_start_delete(call, tx, &now, call_query_bool(call, "cascade"), force, f) < 0 ? -1
                                                                                               : 1;
}

const struct volume_hooks volume_hooks = { .load = load,
                                           .plan_list = plan_list,
                                           .prepare_update = prepare_update,
                                           .check_delete = check_delete };
