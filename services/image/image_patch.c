/* PATCH of an image. */
#include "base/json.h"
#include "base/str.h"
#include "images.h"
#include "patch.h"

static bool
is_member(const char *name)
{
    for (size_t i = 0; i < image_schema.count; i++) {
        if (str_equal(name, image_schema.fields[i].name))
            return (image_schema.fields[i].flags & F_SPREAD) == 0;
    }
    return false;
}

static int
read_changes(struct call *call, struct patch_change **ret, size_t *ret_count,
             enum patch_media *ret_media, struct fault *f)
{
    const struct http_request *request = call->request;
    json_t *body;

    if (patch_media_find(http_header(request, "Content-Type"), ret_media, f) < 0) {
        call_header(call, "Accept-Patch",
                    "application/openstack-images-v2.1-json-patch, "
                    "application/openstack-images-v2.0-json-patch");
        return -1;
    }
    if (json_read(call->arena, request->body == NULL ? "" : request->body, request->body_size,
                  &body, f) < 0 ||
        patch_parse(call->arena, body, *ret_media, ret, ret_count, f) < 0)
        return -1;
    for (size_t i = 0; i < *ret_count; i++) {
        if (image_check_writable((*ret)[i].name, true, f) < 0)
            return -1;
    }
    return 0;
}

/* Parses what the changes make of the members and of the properties. Both go through the schema, so a property is
 * checked as in a new image. */
static int
make_row(struct call *call, const struct image *old, const struct patch_change *changes,
         size_t count, enum patch_media media, struct image *ret, struct fault *f)
{
    json_t *members = json_own(call->arena, json_object());
    json_t *properties = json_own(call->arena, json_copy(old->properties));
    const char *name;
    json_t *value;

    if (patch_apply(changes, count, media, is_member, members, properties, f) < 0)
        return -1;
    json_object_foreach(properties, name, value) json_object_set(members, name, value);
    if (schema_parse(&image_schema, members, SCHEMA_UPDATE, 0, "", call->arena, ret, f) < 0)
        return -1;
    ret->properties = properties;
    field_mark(&ret->set, IMAGE_F_PROPERTIES);
    return 0;
}

/* The formats say what the bytes are, and cannot change under them. */
static int
check_formats(const struct image *old, const struct image *row, struct fault *f)
{
    static const struct {
        unsigned index;
        const char *name;
    } fixed[] = { { IMAGE_F_DISK_FORMAT, "disk_format" },
                  { IMAGE_F_CONTAINER_FORMAT, "container_format" } };

    for (size_t i = 0; i < ARRAY_SIZE(fixed) && old->status != IMAGE_STATUS_QUEUED; i++) {
        if (field_given(&row->set, fixed[i].index))
            return fault_raise(f, FAULT_FORBIDDEN,
                               "Attribute %s can be only replaced for a queued image.",
                               fixed[i].name);
    }
    return 0;
}

int
image_patch(struct call *call, struct fault *f)
{
    struct image *old = ARENA_NEW(call->arena, struct image);
    struct image *row = ARENA_NEW(call->arena, struct image);
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct patch_change *changes;
    enum patch_media media;
    size_t count;

    if (read_changes(call, &changes, &count, &media, f) < 0 || db_tx_begin(&tx, call->db, f) < 0 ||
        image_get(call, "modify_image", true, old, f) < 0 ||
        make_row(call, old, changes, count, media, row, f) < 0 || check_formats(old, row, f) < 0 ||
        image_check_change(call, old, row, f) < 0 ||
        resource_change(tx.db, &image_resource, old->id, row, f) < 0 || db_tx_commit(&tx, f) < 0)
        return -1;
    return resource_reply(call, &image_resource, row, f);
}
