/* The agent's RPC methods: what came over the bus is checked, then the driver does it. */
#include "base/str.h"
#include "base/uuid.h"
#include "driver.h"
#include "service.h"

#define SIZE_MAX_GB 1048576

const struct volume_driver *
volume_driver_find(const char *name)
{
    static const struct volume_driver *const drivers[] = { &volume_driver_file,
                                                           &volume_driver_sim };

    for (size_t n = 0; n < ARRAY_SIZE(drivers); n++) {
        if (str_equal(drivers[n]->name, name))
            return drivers[n];
    }
    return NULL;
}

static struct volume_backend *
backend_of(const struct rpc_request *request)
{
    return ((struct volume_agent *)request->owner)->backend;
}

/* Ids become names of files: nothing but a UUID in lower case gets further. */
static int
check_id(const char *field, const char *id, struct fault *f)
{
    if (id == NULL || !uuid_check(id) || strpbrk(id, "ABCDEF") != NULL)
        return fault_raise_field(f, field, "%s is not a UUID.", field);
    return 0;
}

static int
check_size(int64_t size_gb, struct fault *f)
{
    if (size_gb < 1 || size_gb > SIZE_MAX_GB)
        return fault_raise_field(f, "size_gb", "The size must be between 1 and %d GB.",
                                 SIZE_MAX_GB);
    return 0;
}

static int
check_new(const char *volume_id, int64_t size_gb, struct fault *f)
{
    int r = check_id("volume_id", volume_id, f);

    return r < 0 ? r : check_size(size_gb, f);
}

static int
check_image(const struct volume_image *image, struct fault *f)
{
    if (image == NULL || str_empty(image->url) || image->size < 1 || image->checksum == NULL ||
        strlen(image->checksum) != 128)
        return fault_raise_field(f, "image", "The image is not described.");
    return check_id("image.id", image->id, f);
}

int
volume_create(struct rpc_request *request, const struct volume_create_in *in, struct fault *f)
{
    struct volume_backend *b = backend_of(request);
    int r = check_new(in->volume_id, in->size_gb, f);

    return r < 0 ? r : b->driver->create(b, in, f);
}

int
volume_create_from_image(struct rpc_request *request, const struct volume_create_from_image_in *in,
                         struct volume_create_from_image_out *out, struct fault *f)
{
    struct volume_backend *b = backend_of(request);
    int r = check_new(in->volume_id, in->size_gb, f);

    if (r == 0)
        r = check_image(in->image, f);
    return r < 0 ? r : b->driver->create_from_image(b, request->arena, in, &out->virtual_bytes, f);
}

int
volume_create_from_snapshot(struct rpc_request *request,
                            const struct volume_create_from_snapshot_in *in, struct fault *f)
{
    struct volume_backend *b = backend_of(request);
    int r = check_new(in->volume_id, in->size_gb, f);

    if (r == 0)
        r = check_id("snapshot_id", in->snapshot_id, f);
    return r < 0 ? r : b->driver->create_from_snapshot(b, in, f);
}

int
volume_clone(struct rpc_request *request, const struct volume_clone_in *in, struct fault *f)
{
    struct volume_backend *b = backend_of(request);
    int r = check_new(in->volume_id, in->size_gb, f);

    if (r == 0)
        r = check_id("source_volume_id", in->source_volume_id, f);
    return r < 0 ? r : b->driver->clone(b, in, f);
}

int
volume_extend(struct rpc_request *request, const struct volume_extend_in *in, struct fault *f)
{
    struct volume_backend *b = backend_of(request);
    int r = check_new(in->volume_id, in->size_gb, f);

    return r < 0 ? r : b->driver->extend(b, in, f);
}

int
volume_delete(struct rpc_request *request, const struct volume_delete_in *in, struct fault *f)
{
    struct volume_backend *b = backend_of(request);
    int r = check_id("volume_id", in->volume_id, f);

    return r < 0 ? r : b->driver->delete (b, in, f);
}

int
volume_export(struct rpc_request *request, const struct volume_export_in *in,
              struct volume_export_out *out, struct fault *f)
{
    struct volume_backend *b = backend_of(request);
    int r = check_id("volume_id", in->volume_id, f);

    if (r == 0)
        r = check_id("attachment_id", in->attachment_id, f);
    if (r < 0)
        return r;
    out->connection_info = ARENA_NEW(request->arena, struct volume_connection);
    return b->driver->export(b, request->arena, in, out->connection_info, f);
}

int
volume_unexport(struct rpc_request *request, const struct volume_unexport_in *in, struct fault *f)
{
    struct volume_backend *b = backend_of(request);
    int r = check_id("volume_id", in->volume_id, f);

    if (r == 0)
        r = check_id("attachment_id", in->attachment_id, f);
    return r < 0 ? r : b->driver->unexport(b, in, f);
}

int
volume_list(struct rpc_request *request, struct volume_list_out *out, struct fault *f)
{
    struct volume_backend *b = backend_of(request);

    return b->driver->list(b, request->arena, out, f);
}

int
snapshot_create(struct rpc_request *request, const struct snapshot_create_in *in, struct fault *f)
{
    struct volume_backend *b = backend_of(request);
    int r = check_id("snapshot_id", in->snapshot_id, f);

    if (r == 0)
        r = check_id("volume_id", in->volume_id, f);
    return r < 0 ? r : b->driver->snapshot_create(b, in, f);
}

int
snapshot_delete(struct rpc_request *request, const struct snapshot_delete_in *in, struct fault *f)
{
    struct volume_backend *b = backend_of(request);
    int r = check_id("snapshot_id", in->snapshot_id, f);

    return r < 0 ? r : b->driver->snapshot_delete(b, in, f);
}
