/* What a server is made with (disks, networks), and what is added to and taken from it later. */
#include "access.h"
#include "base/array.h"
#include "base/json.h"
#include "body.h"
#include "kind.h"
#include "kinds.h"
#include "rest.h"
#include "servers.h"
#include "wait.h"

/* --- disks */

static int
boot_device(struct cli *cli, json_t *body, json_t *devices, struct fault *f)
{
    const char *volume, *snapshot, *size = args_get(&cli->args, "--boot-from-volume"),
                                   *image = json_get_text(body, "imageRef");

    if (access_option_id(cli, "--volume", &volume, f) < 0 ||
        access_option_id(cli, "--snapshot", &snapshot, f) < 0)
        return -1;
    if (volume != NULL || snapshot != NULL) {
        json_array_append_new(devices,
                              json_pack("{ss ss ss si}", "uuid", volume != NULL ? volume : snapshot,
                                        "source_type", volume != NULL ? "volume" : "snapshot",
                                        "destination_type", "volume", "boot_index", 0));
    } else if (size != NULL) {
        if (image == NULL)
            return fault_raise(
                f, FAULT_INVALID,
                "An image (--image) is required to support --boot-from-volume option");
        json_array_append_new(devices,
                              json_pack("{ss ss ss si sI}", "uuid", image, "source_type", "image",
                                        "destination_type", "volume", "boot_index", 0,
                                        "volume_size", (json_int_t)strtoll(size, NULL, 10)));
        json_object_del(body, "imageRef");
    } else if (image != NULL) {
        json_array_append_new(devices, json_pack("{ss ss ss si sb}", "uuid", image, "source_type",
                                                 "image", "destination_type", "local", "boot_index",
                                                 0, "delete_on_termination", 1));
    }
    return 0;
}

/* <dev>=<id>[:<type>[:<size>[:<delete>]]], type volume, snapshot or image. */
static int
add_mapping(struct cli *cli, const char *text, json_t *devices, struct fault *f)
{
    const char *equals = strchr(text, '='), *type = "volume", *id;
    const struct kind *kind = &kind_volume;
    size_t count;
    char **parts;
    json_t *device;

    if (equals == NULL)
        return fault_raise(f, FAULT_INVALID, "--block-device-mapping: '%s' is not dev=mapping",
                           text);
    parts = str_split(cli->arena, equals + 1, ':', &count);
    if (count == 0 || count > 4)
        return fault_raise(f, FAULT_INVALID,
                           "--block-device-mapping: '%s' has not one to four parts", equals + 1);
    if (count > 1 && !str_empty(parts[1]))
        type = parts[1];
    if (str_equal(type, "snapshot"))
        kind = &kind_snapshot;
    else if (str_equal(type, "image"))
        kind = &kind_image;
    else if (!str_equal(type, "volume"))
        return fault_raise(
            f, FAULT_INVALID,
            "--block-device-mapping: the type is volume, snapshot or image, not '%s'", type);
    if (kind_id(cli, kind, parts[0], NULL, &id, f) < 0)
        return -1;
    device =
        json_pack("{ss ss ss ss}", "uuid", id, "source_type", type, "destination_type", "volume",
                  "device_name", arena_strndup(cli->arena, text, (size_t)(equals - text)));
    if (count > 2 && !str_empty(parts[2]))
        json_object_set_new(device, "volume_size", json_string(parts[2]));
    if (count > 3 && !str_empty(parts[3]))
        json_object_set_new(device, "delete_on_termination",
                            json_boolean(str_equal_nocase(parts[3], "true")));
    return json_array_append_new(devices, device);
}

static int
add_device(struct cli *cli, const char *text, json_t *devices, struct fault *f)
{
    json_t *device, *value;
    const char *key;
    int64_t number;
    void *next;
    bool truth;

    if (body_parts(cli->arena, text, NULL, &device, f) < 0)
        return -1;
    json_object_foreach_safe(device, next, key, value)
    {
        const char *word = json_string_value(value);

        if ((str_equal(key, "boot_index") || str_equal(key, "volume_size")) &&
            str_to_int64(word, -1, INT32_MAX, &number) == 0)
            json_object_set_new(device, key, json_integer(number));
        else if (str_equal(key, "delete_on_termination") && str_to_bool(word, &truth) == 0)
            json_object_set_new(device, key, json_boolean(truth));
    }
    return json_array_append(devices, device);
}

int
servers_block_devices(struct cli *cli, json_t *body, struct fault *f)
{
    json_t *devices = json_own(cli->arena, json_array()), *parts;
    const char *text, *swap = args_get(&cli->args, "--swap");
    bool plain = args_has(&cli->args, "--image") && !args_has(&cli->args, "--boot-from-volume");

    if (boot_device(cli, body, devices, f) < 0)
        return -1;
    if (swap != NULL)
        json_array_append_new(devices, json_pack("{ss ss si ss sI sb}", "source_type", "blank",
                                                 "destination_type", "local", "boot_index", -1,
                                                 "guest_format", "swap", "volume_size",
                                                 (json_int_t)strtoll(swap, NULL, 10),
                                                 "delete_on_termination", 1));
    for (size_t i = 0; (text = args_nth(&cli->args, "--ephemeral", i)) != NULL; i++) {
        if (body_parts(cli->arena, text, "size=volume_size,format=guest_format", &parts, f) < 0)
            return -1;
        json_object_update_new(parts, json_pack("{ss ss si sb}", "source_type", "blank",
                                                "destination_type", "local", "boot_index", -1,
                                                "delete_on_termination", 1));
        json_array_append(devices, parts);
    }
    for (size_t i = 0; (text = args_nth(&cli->args, "--block-device-mapping", i)) != NULL; i++) {
        if (add_mapping(cli, text, devices, f) < 0)
            return -1;
    }
    for (size_t i = 0; (text = args_nth(&cli->args, "--block-device", i)) != NULL; i++) {
        if (add_device(cli, text, devices, f) < 0)
            return -1;
    }
    if (json_array_size(devices) == 0)
        return fault_raise(f, FAULT_INVALID,
                           "One of --image, --volume, --snapshot and --block-device is required.");
    /* An image alone needs no mapping, and says it the way every version knows. */
    if (!plain || json_array_size(devices) > 1)
        json_object_set(body, "block_device_mapping_v2", devices);
    return 0;
}

/* --- networks */

static int
add_nic(struct cli *cli, const char *text, json_t *nics, struct fault *f)
{
    json_t *parts, *nic = json_own(cli->arena, json_object());
    const char *network, *port, *id, *address;

    if (body_parts(cli->arena, text,
                   "net-id,net-name=net-id,port-id,port-name=port-id,v4-fixed-ip=fixed_ip,v6-fixed-"
                   "ip=fixed_ip,tag",
                   &parts, f) < 0)
        return -1;
    network = json_get_text(parts, "net-id");
    port = json_get_text(parts, "port-id");
    if ((network == NULL) == (port == NULL))
        return fault_raise(f, FAULT_INVALID,
                           "--nic: either 'network' or 'port' should be specified but not both");
    if (kind_id(cli, network != NULL ? &kind_network : &kind_port, network != NULL ? network : port,
                NULL, &id, f) < 0)
        return -1;
    json_object_set_new(nic, network != NULL ? "uuid" : "port", json_string(id));
    address = json_get_text(parts, "fixed_ip");
    if (address != NULL)
        json_object_set_new(nic, "fixed_ip", json_string(address));
    if (json_object_get(parts, "tag") != NULL)
        json_object_set(nic, "tag", json_object_get(parts, "tag"));
    return json_array_append(nics, nic);
}

/* In the order given: it is the order of the guest's devices. */
int
servers_networks(struct cli *cli, json_t *body, struct fault *f)
{
    json_t *nics = json_own(cli->arena, json_array());

    for (size_t i = 0; i < cli->args.count; i++) {
        const char *option = cli->args.items[i].option->name, *text = cli->args.items[i].text;

        if (!str_equal(option, "--nic") && !str_equal(option, "--network") &&
            !str_equal(option, "--port"))
            continue;
        if (str_equal(text, "auto") || str_equal(text, "none")) {
            json_object_set_new(body, "networks", json_string(text));
            continue;
        }
        if (!str_equal(option, "--nic"))
            text = arena_printf(cli->arena, "%s=%s",
                                str_equal(option, "--network") ? "net-id" : "port-id", text);
        if (add_nic(cli, text, nics, f) < 0)
            return -1;
    }
    if (json_array_size(nics) > 0 && json_object_get(body, "networks") != NULL)
        return fault_raise(f, FAULT_INVALID,
                           "Specifying a --nic of auto or none cannot be used with any other "
                           "--nic, --network or --port value.");
    if (json_object_get(body, "networks") == NULL)
        json_object_set_new(body, "networks",
                            json_array_size(nics) > 0 ? json_incref(nics) : json_string("auto"));
    return 0;
}

/* --- later */

static int
ports_of(struct cli *cli, const char *server_id, json_t **ret, struct fault *f)
{
    return kind_list(cli, SERVICE_NETWORK,
                     arena_printf(cli->arena, "/ports?device_id=%s", server_id), "ports", 0, ret,
                     f);
}

static int
set_floating_ip(struct cli *cli, const char *id, json_t *body, struct fault *f)
{
    struct rest r = { .service = SERVICE_NETWORK,
                      .method = HTTP_PUT,
                      .path = kind_path(cli->arena, &kind_floating_ip, id) };

    r.body = json_own(cli->arena, json_pack("{sO}", "floatingip", body));
    return rest_call(cli, &r, f);
}

/* The first port that takes it: one whose subnet has a router to the floating IP's network. */
int
servers_add_floating_ip(struct cli *cli, struct fault *f)
{
    const char *server_id, *ip_id, *fixed = args_get(&cli->args, "--fixed-ip-address");
    json_t *ports, *port, *ip;
    bool tried = false;
    size_t i, k;

    if (access_option_id(cli, "<ip-address>", &ip_id, f) < 0 ||
        access_option_id(cli, "<server>", &server_id, f) < 0 ||
        ports_of(cli, server_id, &ports, f) < 0)
        return -1;
    json_array_foreach(ports, i, port)
    {
        json_t *body =
            json_own(cli->arena, json_pack("{sO}", "port_id", json_object_get(port, "id")));
        bool has = fixed == NULL;

        json_array_foreach(json_object_get(port, "fixed_ips"), k, ip)
        {
            has = has || str_equal(json_get_text(ip, "ip_address"), fixed);
        }
        if (!has)
            continue;
        if (fixed != NULL)
            json_object_set_new(body, "fixed_ip_address", json_string(fixed));
        fault_clear(f);
        tried = true;
        if (set_floating_ip(cli, ip_id, body, f) == 0)
            return 0;
    }
    return tried ? -1
                 : fault_raise(f, FAULT_NOT_FOUND,
                               fixed != NULL ? "The server has no port with that address."
                                             : "The server has no ports.");
}

int
servers_remove_floating_ip(struct cli *cli, struct fault *f)
{
    const char *server_id, *ip_id;

    if (access_option_id(cli, "<ip-address>", &ip_id, f) < 0 ||
        access_option_id(cli, "<server>", &server_id, f) < 0)
        return -1;
    return set_floating_ip(cli, ip_id, json_own(cli->arena, json_pack("{sn}", "port_id")), f);
}

int
servers_add_volume(struct cli *cli, struct fault *f)
{
    static const struct column fields[] = {
        { .title = "ID", .path = "id" },
        { .title = "Server ID", .path = "serverId" },
        { .title = "Volume ID", .path = "volumeId" },
        { .title = "Device", .path = "device" },
        { .title = "Tag", .path = "tag" },
        { .title = "Delete On Termination", .path = "delete_on_termination" },
        { .path = NULL },
    };
    struct rest r = { .service = SERVICE_COMPUTE, .method = HTTP_POST };
    json_t *body = json_own(cli->arena, json_object()), *made;
    const char *id;

    if (access_option_id(cli, "<server>", &id, f) < 0 || body_make(cli, body, f) < 0)
        return -1;
    r.path = arena_printf(cli->arena, "/servers/%s/os-volume_attachments", id);
    r.body = json_own(cli->arena, json_pack("{sO}", "volumeAttachment", body));
    if (rest_call(cli, &r, f) < 0)
        return -1;
    if (args_has(&cli->args, "--wait") &&
        wait_for(cli, &kind_volume, json_get_text(body, "volumeId"), "in-use", NULL, f) < 0)
        return -1;
    made = json_object_get(r.answer, "volumeAttachment");
    return output_fields(cli, fields, made, f);
}

int
servers_remove_volume(struct cli *cli, struct fault *f)
{
    struct rest r = { .service = SERVICE_COMPUTE, .method = HTTP_DELETE };
    const char *server_id, *volume_id;

    if (access_option_id(cli, "<server>", &server_id, f) < 0 ||
        access_option_id(cli, "<volume>", &volume_id, f) < 0)
        return -1;
    r.path = arena_printf(cli->arena, "/servers/%s/os-volume_attachments/%s", server_id, volume_id);
    if (rest_call(cli, &r, f) < 0)
        return -1;
    return args_has(&cli->args, "--wait")
               ? wait_for(cli, &kind_volume, volume_id, "available", NULL, f)
               : 0;
}

int
servers_add_interface(struct cli *cli, json_t *body, struct fault *f _unused_)
{
    const char *address = args_get(&cli->args, "--fixed-ip-address");

    if (address == NULL)
        return 0;
    return json_object_set_new(json_object_get(body, "interfaceAttachment"), "fixed_ips",
                               json_pack("[{ss}]", "ip_address", address));
}

int
servers_remove_network(struct cli *cli, struct fault *f)
{
    const char *server_id, *network_id;
    json_t *ports, *port;
    size_t i;

    if (access_option_id(cli, "<server>", &server_id, f) < 0 ||
        access_option_id(cli, "<network>", &network_id, f) < 0 ||
        ports_of(cli, server_id, &ports, f) < 0)
        return -1;
    json_array_foreach(ports, i, port)
    {
        struct rest r = { .service = SERVICE_COMPUTE, .method = HTTP_DELETE };

        if (!str_equal(json_get_text(port, "network_id"), network_id))
            continue;
        r.path = arena_printf(cli->arena, "/servers/%s/os-interface/%s", server_id,
                              json_get_text(port, "id"));
        if (rest_call(cli, &r, f) < 0)
            return -1;
    }
    return 0;
}
