#include "images.h"

#include "base/json.h"
#include "base/str.h"
#include "base/uuid.h"

static const int64_t gib = INT64_C(1) << 30;

int
image_check(const json_t *image, int64_t size_gb, struct fault *f)
{
    const char *id = json_get_text(image, "id"), *format = json_get_text(image, "disk_format");
    int64_t size = json_get_int(image, "size"), virtual_size = json_get_int(image, "virtual_size"),
            min_disk = json_get_int(image, "min_disk");

    if (!str_equal(json_get_text(image, "status"), "active"))
        return fault_raise(f, FAULT_INVALID, "Invalid input received: Image %s is not active.", id);
    if (min_disk > size_gb)
        return fault_raise(f, FAULT_INVALID,
                           "Invalid input received: Volume size %lldGB cannot be smaller than the "
                           "image minDisk size %lldGB.",
                           (long long)size_gb, (long long)min_disk);
    if (MAX(size, virtual_size) > size_gb * gib)
        return fault_raise(f, FAULT_INVALID,
                           "Invalid input received: Size of specified image %lldGB is larger than "
                           "volume size %lldGB.",
                           (MAX((long long)size, (long long)virtual_size) - 1) / gib + 1,
                           (long long)size_gb);
    if (size < 1 || format == NULL || !str_equal(json_get_text(image, "os_hash_algo"), "sha512"))
        return fault_raise(
            f, FAULT_INVALID,
            "Invalid input received: Image %s has no data, disk format or SHA-512 hash.", id);
    return 0;
}

/* Everything that is a property of the image itself, as text; not who has it, where it is or what it is called in links. */
json_t *
image_metadata(const json_t *image, struct arena *a)
{
    static const char *const left_out[] = {
        "id",        "name",         "owner",         "status",     "visibility",
        "protected", "tags",         "created_at",    "updated_at", "self",
        "file",      "schema",       "locations",     "direct_url", "virtual_size",
        "os_hidden", "os_hash_algo", "os_hash_value", "stores",     "owner_specified.openstack.md5"
    };
    json_t *all =
        json_own(a, json_pack("{s:s, s:s}", "image_id", json_get_text(image, "id"), "image_name",
                              json_get_text(image, "name") == NULL ? ""
                                                                   : json_get_text(image, "name")));
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)image, key, value)
    {
        bool skip = false;

        for (size_t i = 0; i < ARRAY_SIZE(left_out); i++)
            skip = skip || str_equal(key, left_out[i]);
        if (skip)
            continue;
        if (json_is_string(value))
            json_object_set(all, key, value);
        else if (json_is_integer(value))
            json_object_set_new(all, key,
                                json_string(
                                    arena_printf(a, "%lld", (long long)json_integer_value(value))));
    }
    return all;
}

int
image_for_volume(struct call *call, const char *image_id, int64_t size_gb, struct image_facts *ret,
                 struct fault *f)
{
    struct volume_service *s = service_of(call);
    struct service_call x = { .service_type = "image",
                              .method = HTTP_GET,
                              .path = arena_printf(call->arena, "/v2/images/%s", image_id),
                              .request_id = call->request_id,
                              .token = http_header(call->request, "X-Auth-Token") };
    char *endpoint;

    if (!uuid_check(image_id))
        return fault_raise_field(f, "imageRef",
                                 "Invalid image identifier or unable to access requested image.");
    if (service_call_run(s->services, call->client, call->arena, &x, f) < 0) {
        if (f->kind != FAULT_NOT_FOUND)
            return -1;
        fault_clear(f);
        return fault_raise(f, FAULT_NOT_FOUND, "Image %s could not be found.", image_id);
    }
    if (image_check(x.answer, size_gb, f) < 0 ||
        service_endpoint(s->services, call->client, call->arena, "image", &endpoint, f) < 0)
        return -1;
    ret->metadata = image_metadata(x.answer, call->arena);
    ret->source =
        json_own(call->arena,
                 json_pack("{s:s, s:I, s:s, s:s, s:s}", "id", image_id, "size",
                           json_get_int(x.answer, "size"), "disk_format",
                           json_get_text(x.answer, "disk_format"), "checksum",
                           json_get_text(x.answer, "os_hash_value"), "url",
                           arena_printf(call->arena, "%s/v2/images/%s/file", endpoint, image_id)));
    return 0;
}
