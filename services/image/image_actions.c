/* What is done to an image as a whole: deactivate and reactivate, tags, and the import of staged bytes. */
#include "base/json.h"
#include "base/str.h"
#include "images.h"

/* From one state to the other; an image that is there already stays so. */
static int
change_status(struct call *call, const char *rule, enum image_status from, enum image_status to,
              struct fault *f)
{
    struct image *image = ARENA_NEW(call->arena, struct image);
    int r;

    if (image_get(call, rule, false, image, f) < 0)
        return -1;
    if (image->status == to)
        return 0;
    r = image_set_status(call->db, image->id, image_status_names[from], image_status_names[to], f);
    if (r < 0)
        return r;
    if (r == 0)
        return fault_raise(f, FAULT_INVALID,
                           "Image status transition from %s to %s is not allowed.",
                           image_status_names[image->status], image_status_names[to]);
    return 0;
}

int
image_deactivate(struct call *call, struct fault *f)
{
    return change_status(call, "deactivate", IMAGE_STATUS_ACTIVE, IMAGE_STATUS_DEACTIVATED, f);
}

int
image_reactivate(struct call *call, struct fault *f)
{
    return change_status(call, "reactivate", IMAGE_STATUS_DEACTIVATED, IMAGE_STATUS_ACTIVE, f);
}

/* --- Tags */

static bool
has_tag(const struct image *image, const char *tag)
{
    for (size_t i = 0; i < image->tags.count; i++) {
        if (str_equal(image->tags.items[i], tag))
            return true;
    }
    return false;
}

/* The image's tags but for 'tag'. */
static json_t *
other_tags(struct call *call, const struct image *image, const char *tag)
{
    json_t *tags = json_own(call->arena, json_array());

    for (size_t i = 0; i < image->tags.count; i++) {
        if (!str_equal(image->tags.items[i], tag))
            json_array_append_new(tags, json_string(image->tags.items[i]));
    }
    return tags;
}

int
image_tag_add(struct call *call, struct fault *f)
{
    int64_t quota = image_service_of(call)->config->tag_quota;
    struct image *image = ARENA_NEW(call->arena, struct image);
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    const char *tag = call_param(call, "tag");
    json_t *tags;

    if (str_utf8_length(tag) > 255)
        return fault_raise_field(f, "tag", "Tags may be at most 255 characters long.");
    if (db_tx_begin(&tx, call->db, f) < 0 || image_get(call, "modify_image", true, image, f) < 0)
        return -1;
    if (has_tag(image, tag))
        return 0;
    tags = other_tags(call, image, tag);
    json_array_append_new(tags, json_string(tag));
    if (quota >= 0 && (int64_t)json_array_size(tags) > quota)
        return fault_raise(f, FAULT_QUOTA,
                           "The limit has been exceeded on the number of allowed image tags. "
                           "Attempted: %zu, Maximum: %lld",
                           json_array_size(tags), (long long)quota);
    if (image_set_tags(tx.db, image->id, tags, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

int
image_tag_remove(struct call *call, struct fault *f)
{
    struct image *image = ARENA_NEW(call->arena, struct image);
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    const char *tag = call_param(call, "tag");

    if (db_tx_begin(&tx, call->db, f) < 0 || image_get(call, "modify_image", true, image, f) < 0)
        return -1;
    if (!has_tag(image, tag))
        return fault_raise(f, FAULT_NOT_FOUND, "Could not find tag %.255s of image %s.", tag,
                           image->id);
    if (image_set_tags(tx.db, image->id, other_tags(call, image, tag), f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

/* --- Import. What was staged has been inspected and summed up when it came, so there is nothing left to do but to
 * take it. */

int
image_import(struct call *call, const struct import_request *in, struct fault *f)
{
    struct image *image = ARENA_NEW(call->arena, struct image);
    int r;

    if (!str_equal(in->method->name, "glance-direct"))
        return fault_raise_field(f, "method", "Unknown import method name '%.100s'.",
                                 in->method->name);
    if (image_get(call, "import_image", false, image, f) < 0)
        return -1;
    if (image->status != IMAGE_STATUS_UPLOADING)
        return fault_raise(f, FAULT_CONFLICT,
                           "Image needs to be staged before 'glance-direct' method can be used");
    r = image_import_staged(call->db, image->id, f);
    if (r < 0)
        return r;
    if (r == 0)
        return fault_raise(f, FAULT_CONFLICT, "The image's bytes are still being staged.");
    return 0;
}

int
info_import(struct call *call, struct fault *f)
{
    struct jsonw *w = call_json(call);

    (void)f;
    jsonw_object(w, NULL);
    jsonw_object(w, "import-methods");
    jsonw_text(w, "description", "Import methods available.");
    jsonw_text(w, "type", "array");
    jsonw_array(w, "value");
    jsonw_text(w, NULL, "glance-direct");
    jsonw_end(w);
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

/* Of limits that identity keeps; none are registered for images. */
int
info_usage(struct call *call, struct fault *f)
{
    struct jsonw *w = call_json(call);

    (void)f;
    jsonw_object(w, NULL);
    jsonw_object(w, "usage");
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}
