/* A plan's disks: the image, and the volumes that are there or are to be made. */
#include "server_create_plan.h"

#include "base/json.h"
#include "base/str.h"
#include "base/uuid.h"

/* --- Image: what the agent must know of its bytes, and of its kernel and ramdisk */

static int
image_fact(struct call *call, const json_t *image, json_t **ret, struct fault *f)
{
    const char *id = json_get_text(image, "id");

    if (!str_equal(json_get_text(image, "status"), "active"))
        return fault_raise_field(f, "imageRef", "Image %.64s is not active.", id);
    *ret = json_own(call->arena, json_pack("{s:s, s:I, s:O, s:s, s:O}", "image_id", id, "size",
                                           json_get_int(image, "size"), "disk_format",
                                           json_object_get(image, "disk_format"), "hash_algo",
                                           json_get_text(image, "os_hash_algo") == NULL
                                               ? "sha512"
                                               : json_get_text(image, "os_hash_algo"),
                                           "hash_value", json_object_get(image, "os_hash_value")));
    return *ret == NULL ? fault_raise_cause(f, "image %s has no hash or format", id) : 0;
}

static int
fetch_image(struct call *call, const char *id, json_t **ret, struct fault *f)
{
    struct remote r = remote_for_call(call);

    if (remote_image(&r, id, ret, f) == 0)
        return 0;
    if (f->kind != FAULT_NOT_FOUND)
        return -1;
    fault_clear(f);
    return fault_raise_field(f, "imageRef", "Can not find requested image");
}

static int
part_image(struct call *call, const json_t *image, const char *property, const char *name,
           json_t *facts, struct fault *f)
{
    const char *id = json_get_text(image, property);
    json_t *part, *fact;

    if (str_empty(id))
        return 0;
    if (fetch_image(call, id, &part, f) < 0 || image_fact(call, part, &fact, f) < 0)
        return -1;
    json_object_set(facts, name, fact);
    return 0;
}

static int
check_fits(const json_t *image, const struct create_plan *p, bool root_is_local, struct fault *f)
{
    int64_t virtual_size = json_get_int(image, "virtual_size");

    if (json_get_int(image, "min_ram") > p->flavor.ram)
        return fault_raise(f, FAULT_INVALID, "Flavor's memory is too small for requested image.");
    if (!root_is_local || p->flavor.disk == 0)
        return 0;
    if (json_get_int(image, "min_disk") > p->flavor.disk)
        return fault_raise(f, FAULT_INVALID,
                           "Flavor's disk is smaller than the minimum size specified in image "
                           "metadata. Flavor disk is %lld GiB, minimum size is %lld GiB.",
                           (long long)p->flavor.disk, (long long)json_get_int(image, "min_disk"));
    if (virtual_size > p->flavor.disk << 30)
        return fault_raise(f, FAULT_INVALID,
                           "Flavor's disk is too small for requested image. Flavor disk is %lld "
                           "bytes, image is %lld bytes.",
                           (long long)p->flavor.disk << 30, (long long)virtual_size);
    return 0;
}

int
create_plan_image(struct call *call, const struct server_create *in, struct create_plan *p,
                  struct fault *f)
{
    const char *id = in->imageRef;
    json_t *image, *fact;

    p->image_facts = json_own(call->arena, json_object());
    if (str_empty(id))
        return p->root_is_volume
                   ? 0
                   : fault_raise_field(
                         f, "imageRef",
                         "Block Device Mapping is Invalid: Boot sequence for the instance and "
                         "image/block device mapping combination is not valid.");
    id = strrchr(id, '/') == NULL ? id : strrchr(id, '/') + 1;
    if (!uuid_check_loose(id))
        return fault_raise_field(f, "imageRef", "Invalid imageRef provided.");
    if (fetch_image(call, id, &image, f) < 0 || image_fact(call, image, &fact, f) < 0 ||
        check_fits(image, p, !p->root_is_volume, f) < 0)
        return -1;
    p->image_id = json_get_text(image, "id");
    if (p->root_is_volume)
        return 0;
    json_object_set(p->image_facts, "image", fact);
    return part_image(call, image, "kernel_id", "kernel", p->image_facts, f) < 0
               ? -1
               : part_image(call, image, "ramdisk_id", "ramdisk", p->image_facts, f);
}

/* --- Block devices */

static json_t *
device_json(struct call *call, const struct block_device *d)
{
    json_t *item =
        json_own(call->arena, json_pack("{s:I, s:b}", "boot_index",
                                        field_given(&d->set, BLOCK_DEVICE_F_BOOT_INDEX) &&
                                                !field_null(&d->set, BLOCK_DEVICE_F_BOOT_INDEX)
                                            ? d->boot_index
                                            : (int64_t)-1,
                                        "delete_on_termination", (int)d->delete_on_termination));

    if (d->device_name != NULL)
        json_object_set_new(item, "device", json_string(d->device_name));
    if (d->tag != NULL)
        json_object_set_new(item, "tag", json_string(d->tag));
    if (d->volume_type != NULL)
        json_object_set_new(item, "type", json_string(d->volume_type));
    return item;
}

static int
plan_existing(struct call *call, const struct block_device *d, struct create_plan *p,
              struct fault *f)
{
    struct remote r = remote_for_call(call);
    json_t *volume, *item = device_json(call, d), *other;
    const char *status;
    size_t i;

    json_array_foreach(p->attach, i, other)
    {
        if (str_equal(json_get_text(other, "volume_id"), d->uuid))
            return fault_raise(f, FAULT_INVALID,
                               "Block Device Mapping is Invalid: volume %.64s stands twice.",
                               d->uuid);
    }
    if (str_empty(d->uuid) || remote_volume(&r, call->auth.project_id, d->uuid, &volume, f) < 0) {
        if (f->kind != FAULT_NONE && f->kind != FAULT_NOT_FOUND && f->kind != FAULT_INVALID)
            return -1;
        fault_clear(f);
        return fault_raise(f, FAULT_INVALID,
                           "Block Device Mapping is Invalid: failed to get volume %.64s.",
                           d->uuid == NULL ? "" : d->uuid);
    }
    status = json_get_text(volume, "status");
    if (!str_equal(status, "available") &&
        !(str_equal(status, "in-use") && json_get_bool(volume, "multiattach")))
        return fault_raise(f, FAULT_INVALID,
                           "Block Device Mapping is Invalid: Invalid volume: volume '%.64s' status "
                           "must be 'available'. Currently in '%s'",
                           d->uuid, status);
    json_object_set_new(item, "volume_id", json_string(d->uuid));
    json_array_append(p->attach, item);
    return 0;
}

static int
plan_new_volume(struct call *call, const struct block_device *d, struct create_plan *p,
                struct fault *f)
{
    json_t *image, *item = device_json(call, d);

    if (d->volume_size < 1)
        return fault_raise(
            f, FAULT_INVALID,
            "Block Device Mapping is Invalid: a volume that is made from %s needs volume_size.",
            block_device_source_type_names[d->source_type]);
    json_object_set_new(item, "size", json_integer(d->volume_size));
    if (d->source_type == BLOCK_DEVICE_SOURCE_TYPE_IMAGE) {
        if (str_empty(d->uuid) || fetch_image(call, d->uuid, &image, f) < 0) {
            fault_clear(f);
            return fault_raise(f, FAULT_INVALID,
                               "Block Device Mapping is Invalid: failed to get image %.64s.",
                               d->uuid == NULL ? "" : d->uuid);
        }
        json_object_set_new(item, "image_id", json_string(d->uuid));
        if (p->image_id == NULL && d->boot_index == 0)
            p->image_id = NULL; /* Upstream shows no image for a server that boots from a volume. */
    }
    json_array_append(p->make, item);
    return 0;
}

int
create_plan_devices(struct call *call, const struct server_create *in, struct create_plan *p,
                    struct fault *f)
{
    p->attach = json_own(call->arena, json_array());
    p->make = json_own(call->arena, json_array());
    for (size_t i = 0; i < in->block_device_mapping_v2_count; i++) {
        const struct block_device *d = &in->block_device_mapping_v2[i];
        bool root = field_given(&d->set, BLOCK_DEVICE_F_BOOT_INDEX) &&
                    !field_null(&d->set, BLOCK_DEVICE_F_BOOT_INDEX) && d->boot_index == 0;
        bool local = field_given(&d->set, BLOCK_DEVICE_F_DESTINATION_TYPE) &&
                     d->destination_type == BLOCK_DEVICE_DESTINATION_TYPE_LOCAL;
        int r;

        switch (d->source_type) {
        case BLOCK_DEVICE_SOURCE_TYPE_IMAGE:
            if (local || !field_given(&d->set, BLOCK_DEVICE_F_DESTINATION_TYPE))
                continue; /* The image itself, as imageRef says too. */
            r = plan_new_volume(call, d, p, f);
            break;
        case BLOCK_DEVICE_SOURCE_TYPE_BLANK:
            if (local)
                continue; /* Ephemeral and swap disks: the flavor's. */
            r = plan_new_volume(call, d, p, f);
            break;
        case BLOCK_DEVICE_SOURCE_TYPE_VOLUME:
            r = plan_existing(call, d, p, f);
            break;
        default:
            return fault_raise(
                f, FAULT_INVALID,
                "Block Device Mapping is Invalid: source_type snapshot is not available.");
        }
        if (r < 0)
            return r;
        p->root_is_volume = p->root_is_volume || root;
    }
    return 0;
}
