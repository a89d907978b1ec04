/* POST /servers: everything that can be refused is refused here, before anything is stored; then one transaction writes the servers,
 * their sagas and the note of the action, and the answer is 202. */
#include "base/json.h"
#include "base/str.h"
#include "base/uuid.h"
#include "quotas.h"
#include "server_network.h"

/* What the request comes to, after all checks. */
struct plan {
    struct flavor flavor;
    const struct keypair_row *key;
    json_t *image_facts;
    const char *image_id;
    json_t *networks; /* [{port | network, fixed_ip}] */
    json_t *groups;   /* Ids */
    json_t *attach;   /* [{volume_id, boot_index, ...}]: volumes that are there */
    json_t *make;     /* [{image_id, size, boot_index, ...}]: volumes to make */
    bool root_is_volume;
    const char *zone, *host;
    int64_t count;
};

/* --- Flavor, key */

static int
plan_flavor(struct call *call, const struct server_create *in, struct plan *p, struct fault *f)
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
plan_key(struct call *call, const struct server_create *in, struct plan *p, struct fault *f)
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
check_fits(const json_t *image, const struct plan *p, bool root_is_local, struct fault *f)
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

static int
plan_image(struct call *call, const struct server_create *in, struct plan *p, struct fault *f)
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
plan_existing(struct call *call, const struct block_device *d, struct plan *p, struct fault *f)
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
plan_new_volume(struct call *call, const struct block_device *d, struct plan *p, struct fault *f)
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

static int
plan_devices(struct call *call, const struct server_create *in, struct plan *p, struct fault *f)
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

/* --- Networks */

static int
check_port(struct remote *r, const char *port_id, struct fault *f)
{
    json_t *port;

    if (remote_port(r, port_id, &port, f) < 0) {
        if (f->kind != FAULT_NOT_FOUND)
            return -1;
        fault_clear(f);
        return fault_raise(f, FAULT_INVALID, "Port %s could not be found.", port_id);
    }
    if (!str_empty(json_get_text(port, "device_id")))
        return fault_raise(f, FAULT_CONFLICT, "Port %s is still in use.", port_id);
    if (json_array_size(json_object_get(port, "fixed_ips")) == 0)
        return fault_raise(f, FAULT_INVALID, "Port %s requires a FixedIP in order to be used.",
                           port_id);
    return 0;
}

static int
check_network(struct remote *r, const char *network_id, struct fault *f)
{
    json_t *network;

    if (remote_network(r, network_id, &network, f) < 0) {
        if (f->kind != FAULT_NOT_FOUND)
            return -1;
        fault_clear(f);
        return fault_raise(f, FAULT_INVALID, "Network %s could not be found.", network_id);
    }
    if (json_get_bool(network, "router:external") && !json_get_bool(network, "shared"))
        return fault_raise(f, FAULT_FORBIDDEN,
                           "It is not allowed to create an interface on external network %s",
                           network_id);
    return json_array_size(json_object_get(network, "subnets")) > 0
               ? 0
               : fault_raise(f, FAULT_INVALID,
                             "Network %s requires a subnet in order to boot instances on.",
                             network_id);
}

static int
named_networks(struct call *call, struct remote *r, const json_t *list, struct plan *p,
               struct fault *f)
{
    json_t *item, *other;
    size_t i, j;

    json_array_foreach(list, i, item)
    {
        struct server_network wish = { 0 };

        if (schema_parse(&server_network_schema, item, SCHEMA_CREATE, 0,
                         arena_printf(call->arena, "networks.%zu", i), call->arena, &wish, f) < 0)
            return -1;
        if (wish.port == NULL && wish.uuid == NULL)
            return fault_raise_field(
                f, "networks",
                "Invalid input for field/attribute networks. One of uuid and port is needed.");
        json_array_foreach(p->networks, j, other)
        {
            if (wish.port != NULL && str_equal(json_get_text(other, "port"), wish.port))
                return fault_raise_field(f, "networks", "Port %s stands twice in networks.",
                                         wish.port);
        }
        if ((wish.port != NULL ? check_port(r, wish.port, f) : check_network(r, wish.uuid, f)) < 0)
            return -1;
        json_array_append_new(p->networks, wish.port != NULL
                                               ? json_pack("{s:s}", "port", wish.port)
                                               : json_pack("{s:s, s:s*}", "network", wish.uuid,
                                                           "fixed_ip", wish.fixed_ip));
    }
    return 0;
}

/* None was named: the only one there is; without any the server has no network. */
static int
automatic_network(struct call *call, struct remote *r, bool must, struct plan *p, struct fault *f)
{
    json_t *networks;

    if (remote_networks_of(r, call->auth.project_id, &networks, f) < 0)
        return -1;
    if (json_array_size(networks) > 1)
        return fault_raise(
            f, FAULT_CONFLICT,
            "Multiple possible networks found, use a Network ID to be more specific.");
    if (json_array_size(networks) == 0)
        return must ? fault_raise(f, FAULT_INVALID,
                                  "Unable to automatically allocate a network for project %s",
                                  call->auth.project_id)
                    : 0;
    json_array_append_new(p->networks,
                          json_pack("{s:O}", "network",
                                    json_object_get(json_array_get(networks, 0), "id")));
    return 0;
}

static int
plan_networks(struct call *call, const struct server_create *in, struct plan *p, struct fault *f)
{
    struct remote r = remote_for_call(call);
    const char *word = json_string_value(in->networks);
    struct texts names = { .items = ARENA_ARRAY(call->arena, const char *,
                                                in->security_groups_count + 1) };

    p->networks = json_own(call->arena, json_array());
    p->groups = json_own(call->arena, json_array());
    if (in->networks == NULL && call_at_least(call, 2, 37))
        return fault_raise_field(
            f, "networks",
            "Invalid input for field/attribute server. 'networks' is a required property");
    if (word != NULL &&
        !(call_at_least(call, 2, 37) && (str_equal(word, "auto") || str_equal(word, "none"))))
        return fault_raise_field(f, "networks",
                                 "Invalid input for field/attribute networks. Value: %.50s.", word);
    if (in->networks != NULL && word == NULL && !json_is_array(in->networks))
        return fault_raise_field(
            f, "networks",
            "Invalid input for field/attribute networks. It is not of type 'array'.");
    if (json_array_size(in->networks) > 0) {
        if (named_networks(call, &r, in->networks, p, f) < 0)
            return -1;
    } else if (!str_equal(word, "none") && automatic_network(call, &r, word != NULL, p, f) < 0) {
        return -1;
    }
    for (size_t i = 0; i < in->security_groups_count; i++) {
        if (!str_equal(in->security_groups[i].name, "default") &&
            in->security_groups[i].name != NULL)
            names.items[names.count++] = in->security_groups[i].name;
        else if (in->security_groups_count > 1)
            names.items[names.count++] = "default";
    }
    return names.count == 0 || json_array_size(p->networks) == 0
               ? 0
               : remote_security_groups(&r, call->auth.project_id, &names, &p->groups, f);
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
plan_place(struct call *call, const struct server_create *in, struct plan *p, struct fault *f)
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
plan_count(const struct server_create *in, struct plan *p, struct fault *f)
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

/* --- Rows */

/* Letters, digits and dashes of the name: "My Server!" is my-server. */
static const char *
hostname_of(struct arena *a, const char *name)
{
    char *text = ARENA_ARRAY(a, char, 64);
    size_t size = 0;

    for (; *name != '\0' && size < 63; name++) {
        char c = *name;

        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            text[size++] = c;
        else if ((c == '-' || c == ' ' || c == '_' || c == '.') && size > 0)
            text[size++] = '-';
    }
    while (size > 0 && text[size - 1] == '-')
        text[--size] = '\0';
    return size == 0 ? NULL : text;
}

static json_t *
flavor_json(struct call *call, const struct flavor *x)
{
    return json_own(call->arena, json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:O}", "id", x->id,
                                           "name", x->name, "vcpus", x->vcpus, "ram", x->ram,
                                           "disk", x->disk, "ephemeral", x->ephemeral, "swap",
                                           x->swap, "extra_specs", x->extra_specs));
}

static struct server
row_of(struct call *call, const struct server_create *in, const struct plan *p,
       const char *reservation_id, int64_t index)
{
    struct server s = { .id = uuid_make(call->arena),
                        .project_id = call->auth.project_id,
                        .user_id = call->auth.user_id,
                        .vm_state = SERVER_VM_STATE_BUILDING,
                        .vcpus = p->flavor.vcpus,
                        .memory_mb = p->flavor.ram,
                        .image_id = p->image_id,
                        .image_facts = p->image_facts,
                        .user_data = in->user_data,
                        .config_drive = in->config_drive,
                        .access_ip_v4 = in->accessIPv4 == NULL ? "" : in->accessIPv4,
                        .access_ip_v6 = in->accessIPv6 == NULL
                                            ? ""
                                            : server_address_text(call->arena, in->accessIPv6),
                        .reservation_id = reservation_id,
                        .launch_index = index,
                        .root_device_name = "/dev/vda",
                        .description = in->description,
                        .availability_zone = p->zone,
                        .pinned_availability_zone = p->zone };
    static const unsigned always[] = { SERVER_F_ID,           SERVER_F_PROJECT_ID,
                                       SERVER_F_USER_ID,      SERVER_F_NAME,
                                       SERVER_F_HOSTNAME,     SERVER_F_VM_STATE,
                                       SERVER_F_VCPUS,        SERVER_F_MEMORY_MB,
                                       SERVER_F_DISK_GB,      SERVER_F_IMAGE_FACTS,
                                       SERVER_F_CONFIG_DRIVE, SERVER_F_ACCESS_IP_V4,
                                       SERVER_F_ACCESS_IP_V6, SERVER_F_RESERVATION_ID,
                                       SERVER_F_LAUNCH_INDEX, SERVER_F_ROOT_DEVICE_NAME,
                                       SERVER_F_FLAVOR,       SERVER_F_METADATA,
                                       SERVER_F_TAGS,         SERVER_F_DISK_CONFIG };

    s.name = p->count > 1 ? arena_printf(call->arena, "%s-%lld", in->name, (long long)index + 1)
                          : in->name;
    s.hostname = in->hostname != NULL ? in->hostname : hostname_of(call->arena, s.name);
    if (s.hostname == NULL)
        s.hostname = arena_printf(call->arena, "server-%s", s.id);
    s.disk_gb = (p->root_is_volume ? 0 : p->flavor.disk) + p->flavor.ephemeral +
                (p->flavor.swap + 1023) / 1024;
    s.flavor = flavor_json(call, &p->flavor);
    s.metadata = in->metadata == NULL ? json_own(call->arena, json_object()) : in->metadata;
    s.tags = in->tags;
    s.disk_config = field_given(&in->set, SERVER_CREATE_F_DISK_CONFIG)
                        ? (enum server_disk_config)in->disk_config
                        : SERVER_DISK_CONFIG_MANUAL;
    for (size_t i = 0; i < ARRAY_SIZE(always); i++)
        field_mark(&s.set, always[i]);
    if (p->key != NULL) {
        s.key_name = p->key->name;
        s.key_data = p->key->public_key;
        field_mark(&s.set, SERVER_F_KEY_NAME);
        field_mark(&s.set, SERVER_F_KEY_DATA);
    }
    if (s.image_id != NULL)
        field_mark(&s.set, SERVER_F_IMAGE_ID);
    if (s.user_data != NULL)
        field_mark(&s.set, SERVER_F_USER_DATA);
    if (s.description != NULL)
        field_mark(&s.set, SERVER_F_DESCRIPTION);
    if (s.availability_zone != NULL) {
        field_mark(&s.set, SERVER_F_AVAILABILITY_ZONE);
        field_mark(&s.set, SERVER_F_PINNED_AVAILABILITY_ZONE);
    }
    return s;
}

static int
store(struct call *call, struct db_tx *tx, struct server *s, const struct plan *p, struct fault *f)
{
    json_t *params = json_own(call->arena, json_pack("{s:O, s:O, s:O, s:O}", "networks",
                                                     p->networks, "security_groups", p->groups,
                                                     "attach", p->attach, "new_volumes", p->make));
    json_t *item;
    size_t i;

    if (p->host != NULL)
        json_object_set_new(params, "host", json_string(p->host));
    if (resource_insert(tx->db, &server_resource, s, f) < 0)
        return -1;
    json_array_foreach(p->attach, i, item)
    {
        if (attachment_add(tx->db, s->id, json_get_text(item, "volume_id"),
                           json_get_text(item, "device"), json_get_int(item, "boot_index"),
                           json_get_bool(item, "delete_on_termination"), json_get_text(item, "tag"),
                           f) < 0)
            return -1;
    }
    json_array_foreach(p->networks, i, item)
    {
        if (json_get_text(item, "port") != NULL &&
            server_network_reserve(tx, json_get_text(item, "port"), f) < 0)
            return -1;
    }
    return server_start_task(call, tx, s, &server_create_saga, "create",
                             "compute__do_build_and_run_instance", params, NULL, f);
}

/* --- Answer */

static const char *
new_password(struct arena *a)
{
    char text[UUID_TEXT];

    uuid_new(text);
    return arena_strndup(a, text + 24, 12);
}

static int
reply(struct call *call, const struct server_create *in, const struct server *first,
      const char *reservation_id)
{
    struct jsonw *w = call_json(call);

    jsonw_object(w, NULL);
    if (in->return_reservation_id) {
        jsonw_text(w, "reservation_id", reservation_id);
        jsonw_end(w);
        return 0;
    }
    call_header(call, "Location", call_url(call, "/v2.1/servers/%s", first->id));
    jsonw_object(w, "server");
    jsonw_text(w, "id", first->id);
    dialect_object_links(call->dialect, w, call->base_url,
                         arena_printf(call->arena, "/v2.1/servers/%s", first->id));
    jsonw_text(w, "OS-DCF:diskConfig", server_disk_config_names[first->disk_config]);
    jsonw_text(w, "adminPass", in->adminPass != NULL ? in->adminPass : new_password(call->arena));
    jsonw_array(w, "security_groups");
    for (size_t i = 0; i < MAX(in->security_groups_count, (size_t)1); i++) {
        jsonw_object(w, NULL);
        jsonw_text(w, "name",
                   i < in->security_groups_count ? in->security_groups[i].name : "default");
        jsonw_end(w);
    }
    jsonw_end(w);
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

int
server_create(struct call *call, const struct server_create *in,
              const struct server_siblings *siblings, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    const char *reservation_id = arena_printf(call->arena, "r-%.8s", uuid_make_hex(call->arena));
    struct quota_wish wish;
    struct plan p = { 0 };
    struct server first = { 0 };

    (void)siblings; /* Hints that no filter of ours reads are accepted, as upstream does. */
    if (call->auth.project_id == NULL)
        return fault_raise(f, FAULT_FORBIDDEN, "The token is not scoped to a project.");
    if (plan_place(call, in, &p, f) < 0 || plan_flavor(call, in, &p, f) < 0 ||
        plan_key(call, in, &p, f) < 0 || check_user_data(call, in, f) < 0 ||
        plan_devices(call, in, &p, f) < 0 || plan_image(call, in, &p, f) < 0 ||
        plan_networks(call, in, &p, f) < 0 || plan_count(in, &p, f) < 0 ||
        check_metadata(call, in, f) < 0)
        return -1;
    wish = (struct quota_wish){ p.count, p.count * p.flavor.vcpus, p.count * p.flavor.ram };
    if (db_tx_begin(&tx, call->db, f) < 0 ||
        quota_claim(call, &tx, call->auth.project_id, &wish, f) < 0)
        return -1;
    for (int64_t i = 0; i < p.count; i++) {
        struct server s = row_of(call, in, &p, reservation_id, i);

        if (store(call, &tx, &s, &p, f) < 0)
            return -1;
        if (i == 0)
            first = s;
    }
    call->object_id = first.id;
    if (db_tx_commit(&tx, f) < 0)
        return -1;
    return reply(call, in, &first, reservation_id);
}
