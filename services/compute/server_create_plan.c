/* A plan's part out of our own tables, and the order of all parts. */
#include "server_create_plan.h"

#include "base/json.h"
#include "base/str.h"
#include "quotas.h"

/* --- Flavor, key */

static int
plan_flavor(struct call *call, const struct server_create *in, struct create_plan *p,
            struct fault *f)
{
    const char *id =
        strrchr(in->flavorRef, '/') == NULL ? in->flavorRef : strrchr(in->flavorRef, '/') + 1;
    struct flavor_for_project_row row;
    int found = flavor_for_project(call->db, id, call_is_admin(call) ? NULL : call->auth.project_id,
                                   &row, f);

    if (found < 0)
        return -1;
    if (found == 0 ||
        resource_load(call->db, &flavor_resource, id, NULL, false, &p->flavor, f) < 0) {
        fault_clear(f);
        return fault_raise_field(f, "flavorRef", "Flavor %.64s could not be found.", id);
    }
    return 0;
}

static int
plan_key(struct call *call, const struct server_create *in, struct create_plan *p, struct fault *f)
{
    struct keypair_row *row = ARENA_NEW(call->arena, struct keypair_row);
    int found;

    if (in->key_name == NULL)
        return 0;
    found = keypair_get(call->db, call->auth.user_id, in->key_name, row, f);
    if (found == 0)
        return fault_raise_field(f, "key_name", "Invalid key_name provided.");
    p->key = row;
    return found < 0 ? -1 : 0;
}

/* --- The rest */

static int
check_user_data(struct call *call, const struct server_create *in, struct fault *f)
{
    void *bytes;
    size_t size;

    if (in->user_data == NULL || str_base64_decode(call->arena, in->user_data, &bytes, &size) == 0)
        return 0;
    return fault_raise_field(f, "user_data",
                             "Invalid input for field/attribute user_data. It is not a 'base64'.");
}

static int
plan_place(struct call *call, const struct server_create *in, struct create_plan *p,
           struct fault *f)
{
    char *colon;
    struct host_row row;
    int found;

    if (!str_empty(in->availability_zone)) {
        p->zone = arena_strdup(call->arena, in->availability_zone);
        colon = strchr(p->zone, ':');
        if (colon != NULL) { /* zone:host, for operators */
            *colon = '\0';
            p->host = arena_strndup(call->arena, colon + 1, strcspn(colon + 1, ":"));
        }
    }
    if (in->host != NULL)
        p->host = in->host;
    if (p->host == NULL)
        return 0;
    if (call_enforce(call, "os_compute_api:servers:create:forced_host", NULL, NULL, f) < 0)
        return -1;
    found = host_by_name(call->db, p->host, &row, f);
    return found == 0
               ? fault_raise(f, FAULT_INVALID, "Compute host %.100s could not be found.", p->host)
           : found < 0 ? -1
                       : 0;
}

static int
plan_count(const struct server_create *in, struct create_plan *p, struct fault *f)
{
    json_t *item;
    size_t i;
    int64_t min = field_given(&in->set, SERVER_CREATE_F_MIN_COUNT) ? in->min_count : 1;

    p->count = field_given(&in->set, SERVER_CREATE_F_MAX_COUNT) ? in->max_count : min;
    if (min > p->count)
        return fault_raise_field(f, "min_count", "min_count must be <= max_count");
    if (p->count > 100)
        return fault_raise_field(f, "max_count", "At most 100 servers are made at once.");
    if (p->count > 1 && in->block_device_mapping_v2_count > 0 && json_array_size(p->attach) > 0)
        return fault_raise(
            f, FAULT_INVALID,
            "Block Device Mapping is Invalid: a volume cannot be attached to several servers.");
    json_array_foreach(p->networks, i, item)
    {
        if (p->count > 1 &&
            (json_get_text(item, "port") != NULL || json_get_text(item, "fixed_ip") != NULL))
            return fault_raise_field(f, "networks",
                                     "Unable to launch multiple instances with a single configured "
                                     "port or fixed IP. Launch them one by one.");
    }
    return 0;
}

static int
check_metadata(struct call *call, const struct server_create *in, struct fault *f)
{
    int64_t limit;

    if (json_object_size(in->metadata) == 0)
        return 0;
    if (quota_limit(call, call->db, call->auth.project_id, "metadata_items", &limit, f) < 0)
        return -1;
    return limit < 0 || json_object_size(in->metadata) <= (size_t)limit
               ? 0
               : fault_raise(f, FAULT_QUOTA, "Maximum number of metadata items exceeds %lld",
                             (long long)limit);
}

int
create_plan_make(struct call *call, const struct server_create *in, struct create_plan *ret,
                 struct fault *f)
{
    if (plan_place(call, in, ret, f) < 0 || plan_flavor(call, in, ret, f) < 0 ||
        plan_key(call, in, ret, f) < 0 || check_user_data(call, in, f) < 0 ||
        create_plan_devices(call, in, ret, f) < 0 || create_plan_image(call, in, ret, f) < 0 ||
        create_plan_networks(call, in, ret, f) < 0 || plan_count(in, ret, f) < 0 ||
        check_metadata(call, in, f) < 0)
        return -1;
    return 0;
}
