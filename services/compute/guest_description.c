#include "guest_description.h"

#include "base/json.h"
#include "base/str.h"

int
guest_describe_volume(struct arena *a, const struct attachment_row *row, struct guest_volume *ret,
                      struct fault *f)
{
    const json_t *c = row->connection;
    const json_t *data = json_object_get(c, "data") != NULL ? json_object_get(c, "data") : c;
    const char *export = json_get_text(data, "export_name") != NULL
                             ? json_get_text(data, "export_name")
                             : json_get_text(data, "export");

    if (export == NULL || json_get_text(data, "host") == NULL)
        return fault_raise_cause(f, "volume %s has a connection of a kind that is not known: %s",
                                 row->volume_id, json_text(a, c));
    *ret = (struct guest_volume){ .volume_id = row->volume_id,
                                  .attachment_id = row->attachment_id,
                                  .host = json_get_text(data, "host"),
                                  .port = json_get_int(data, "port"),
                                  .export = export,
                                  .device = row->device,
                                  .boot_index = row->boot_index,
                                  .read_only = json_get_bool(data, "read_only") };
    field_mark(&ret->set, GUEST_VOLUME_F_BOOT_INDEX);
    return 0;
}

struct guest_nic
guest_describe_nic(const struct network_info *nic)
{
    return (struct guest_nic){
        .port_id = nic->port_id, .mac = nic->mac, .tap = nic->tap, .mtu = nic->mtu
    };
}

static int
describe_image(struct remote *r, const json_t *facts, struct guest_image **ret, struct fault *f)
{
    struct guest_image *image;
    char *url;

    if (facts == NULL)
        return 0;
    image = ARENA_NEW(r->arena, struct guest_image);
    if (schema_parse(&guest_image_schema, facts, SCHEMA_TRUSTED, 0, "image", r->arena, image, f) <
        0)
        return -1;
    url = remote_image_url(r, image->image_id, f);
    if (url == NULL)
        return -1;
    image->url = url;
    *ret = image;
    return 0;
}

static json_t *
fact_networks(const struct server *server)
{
    json_t *list = json_array();

    for (size_t i = 0; i < server->network_info_count; i++) {
        const struct network_info *nic = &server->network_info[i];
        json_t *addresses = json_array(), *floating = json_array();

        for (size_t j = 0; j < nic->fixed_ips_count; j++) {
            json_array_append_new(addresses, json_string(nic->fixed_ips[j].address));
            for (size_t k = 0; k < nic->fixed_ips[j].floating.count; k++)
                json_array_append_new(floating, json_string(nic->fixed_ips[j].floating.items[k]));
        }
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:[{s:i, s:b, s:o}], s:o}",
                                        "port_id", nic->port_id, "tap", nic->tap, "mac", nic->mac,
                                        "mtu", nic->mtu, "type", "bridge", "network_id",
                                        nic->network_id, "subnets", "version", 4, "dhcp", 1,
                                        "addresses", addresses, "floating_ips", floating));
    }
    return list;
}

json_t *
guest_facts(struct arena *a, const struct compute_config *config, const struct server *server)
{
    const char *hostname = str_empty(config->dns_domain)
                               ? server->hostname
                               : arena_printf(a, "%s.%s", server->hostname, config->dns_domain);
    json_t *facts =
        json_own(a, json_pack("{s:s, s:s, s:s, s:s, s:s*, s:s*, s:I, s:I, s:s*, s:O, s:o}", "uuid",
                              server->id, "name", server->name, "hostname", hostname, "project_id",
                              server->project_id, "availability_zone", server->availability_zone,
                              "reservation_id", server->reservation_id, "number", server->number,
                              "launch_index", server->launch_index, "flavor",
                              json_get_text(server->flavor, "name"), "meta", server->metadata,
                              "networks", fact_networks(server)));
    json_t *groups = json_array();

    if (server->image_id != NULL)
        json_object_set_new(
            facts, "image",
            json_pack("{s:s, s:O*, s:O*}", "id", server->image_id, "kernel_id",
                      json_object_get(json_object_get(server->image_facts, "kernel"), "image_id"),
                      "ramdisk_id",
                      json_object_get(json_object_get(server->image_facts, "ramdisk"),
                                      "image_id")));
    if (server->key_data != NULL)
        json_object_set_new(facts, "keys",
                            json_pack("[{s:s, s:s, s:s}]", "name", server->key_name, "type", "ssh",
                                      "data", server->key_data));
    if (server->user_data != NULL)
        json_object_set_new(facts, "user_data", json_string(server->user_data));
    for (size_t i = 0; i < server->network_info_count; i++) {
        for (size_t j = 0; j < server->network_info[i].groups.count; j++)
            json_array_append_new(groups, json_string(server->network_info[i].groups.items[j]));
    }
    json_object_set_new(facts, "security_groups", groups);
    json_object_set_new(facts, "block_devices",
                        json_pack("{s:s}", "root",
                                  server->root_device_name == NULL ? "/dev/vda"
                                                                   : server->root_device_name));
    return facts;
}

int
guest_describe(struct remote *r, struct db *db, const struct server *server,
               struct guest_description *ret, struct fault *f)
{
    struct guest_description d = { .guest_id = server->id,
                                   .vcpus = server->vcpus,
                                   .memory_mb = server->memory_mb,
                                   .root_gb = json_get_int(server->flavor, "disk"),
                                   .ephemeral_gb = json_get_int(server->flavor, "ephemeral"),
                                   .swap_mb = json_get_int(server->flavor, "swap"),
                                   .config_drive = server->config_drive,
                                   .user_data = server->user_data };
    struct attachment_row *rows;
    size_t count;

    d.name = arena_printf(r->arena, "instance-%08llx", (unsigned long long)server->number);
    if (describe_image(r, json_object_get(server->image_facts, "image"), &d.image, f) < 0 ||
        describe_image(r, json_object_get(server->image_facts, "kernel"), &d.kernel, f) < 0 ||
        describe_image(r, json_object_get(server->image_facts, "ramdisk"), &d.ramdisk, f) < 0)
        return -1;
    if (attachments_of(db, server->id, &rows, &count, f) < 0)
        return -1;
    d.volumes = ARENA_ARRAY(r->arena, struct guest_volume, count + 1);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].connection == NULL)
            continue;
        if (guest_describe_volume(r->arena, &rows[i], &d.volumes[d.volumes_count], f) < 0)
            return -1;
        d.volumes_count++;
    }
    d.nics_count = server->network_info_count;
    d.nics = ARENA_ARRAY(r->arena, struct guest_nic, d.nics_count + 1);
    for (size_t i = 0; i < d.nics_count; i++)
        d.nics[i] = guest_describe_nic(&server->network_info[i]);
    d.metadata = guest_facts(r->arena, r->compute->config, server);
    d.settings = ARENA_NEW(r->arena, struct guest_settings);
    d.settings->rng = true;
    *ret = d;
    return 0;
}
