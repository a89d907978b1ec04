/* The EC2 side of the metadata tree, as Amazon's interface was in 2009 and as OpenStack keeps it.
 *
 * A dated version has what was there at its time; "latest" is the newest date. Nested objects are folders; a
 * "_name" inside one replaces its line in the listing ("0=mykey" for public-keys/0). */
#include <stdint.h>

#include "../base/json.h"
#include "../base/str.h"
#include "metadata_render.h"

const char *const metadata_ec2_versions[] = { "1.0",        "2007-01-19", "2007-03-01",
                                              "2007-08-29", "2007-10-10", "2007-12-15",
                                              "2008-02-01", "2008-09-01", "2009-04-04",
                                              NULL };

static bool
known_version(const char *version)
{
    for (size_t i = 0; metadata_ec2_versions[i] != NULL; i++) {
        if (str_equal(version, metadata_ec2_versions[i]))
            return true;
    }
    return false;
}

/* "ami-1a2b3c4d": EC2's ids are numbers, ours are UUIDs; the start of one is as good a name as any other. */
static json_t *
short_id(struct arena *a, const char *prefix, const char *uuid)
{
    return json_string(arena_printf(a, "%s-%.8s", prefix, str_empty(uuid) ? "00000000" : uuid));
}

static json_t *
instance_id(const json_t *facts, struct arena *a)
{
    const json_t *number = json_object_get(facts, "number");

    if (json_is_integer(number))
        return json_string(
            arena_printf(a, "i-%08llx", (unsigned long long)json_integer_value(number)));
    return short_id(a, "i", json_get_text(facts, "uuid"));
}

static bool
is_ipv4(const char *address)
{
    return address != NULL && strchr(address, ':') == NULL;
}

/* The first IPv4 address of the guest, fixed or floating; "" without one. */
static const char *
first_ipv4(const json_t *facts, bool floating)
{
    const json_t *port, *subnet, *address;
    size_t i, k, n;

    json_array_foreach(json_object_get(facts, "networks"), i, port)
    {
        if (floating) {
            json_array_foreach(json_object_get(port, "floating_ips"), k, address)
            {
                if (is_ipv4(json_string_value(address)))
                    return json_string_value(address);
            }
            continue;
        }
        json_array_foreach(json_object_get(port, "subnets"), k, subnet)
        {
            json_array_foreach(json_object_get(subnet, "addresses"), n, address)
            {
                if (is_ipv4(json_string_value(address)))
                    return json_string_value(address);
            }
        }
    }
    return "";
}

static json_t *
block_devices(const json_t *facts, struct arena *a)
{
    const json_t *given = json_object_get(facts, "block_devices");
    const char *root = metadata_text(given, "root", "/dev/vda");
    const char *name;
    const json_t *device;
    json_t *out = json_object();

    json_object_set_new(out, "ami", json_string(str_starts(root, "/dev/") ? root + 5 : root));
    json_object_set_new(out, "root", json_string(root));
    json_object_foreach((json_t *)(uintptr_t)given, name, device)
    {
        if (!str_equal(name, "root") && json_is_string(device))
            json_object_set(out, arena_strdup(a, name), (json_t *)(uintptr_t)device);
    }
    return out;
}

static void
add_public_keys(json_t *out, const json_t *facts, struct arena *a)
{
    const json_t *key = json_array_get(json_object_get(facts, "keys"), 0);

    if (key == NULL)
        return;
    json_object_set_new(out, "public-keys",
                        json_pack("{s:{s:s, s:s}}", "0", "_name",
                                  arena_printf(a, "0=%s", metadata_text(key, "name", "")),
                                  "openssh-key", metadata_text(key, "data", "")));
}

json_t *
metadata_ec2_tree(const json_t *facts, const char *version, struct arena *a)
{
    const char *hostname = metadata_text(facts, "hostname", "");
    const json_t *image = json_object_get(facts, "image");
    const json_t *groups = json_object_get(facts, "security_groups");
    json_t *out;

    if (str_equal(version, "latest"))
        version = metadata_ec2_versions[ARRAY_SIZE(metadata_ec2_versions) - 2];
    if (!known_version(version))
        return NULL;
    out = json_own(a, json_object());
    json_object_set_new(out, "ami-id", short_id(a, "ami", json_get_text(image, "id")));
    json_object_set_new(out, "ami-launch-index", json_integer(json_get_int(facts, "launch_index")));
    json_object_set_new(out, "ami-manifest-path",
                        json_string("(unknown)")); /* As EC2 says where there is none. */
    json_object_set_new(out, "instance-id", instance_id(facts, a));
    json_object_set_new(out, "hostname", json_string(hostname));
    json_object_set_new(out, "local-ipv4", json_string(first_ipv4(facts, false)));
    json_object_set_new(out, "reservation-id",
                        json_string(metadata_text(facts, "reservation_id", "")));
    json_object_set_new(out, "security-groups",
                        json_is_array(groups) ? json_copy((json_t *)(uintptr_t)groups)
                                              : json_array());
    add_public_keys(out, facts, a);
    if (strcmp(version, "2007-01-19") >= 0) {
        json_object_set_new(out, "local-hostname", json_string(hostname));
        json_object_set_new(out, "public-hostname", json_string(hostname));
        json_object_set_new(out, "public-ipv4", json_string(first_ipv4(facts, true)));
    }
    if (strcmp(version, "2007-08-29") >= 0)
        json_object_set_new(out, "instance-type", json_string(metadata_text(facts, "flavor", "")));
    if (strcmp(version, "2007-12-15") >= 0) {
        json_object_set_new(out, "block-device-mapping", block_devices(facts, a));
        if (json_get_text(image, "kernel_id") != NULL)
            json_object_set_new(out, "kernel-id",
                                short_id(a, "aki", json_get_text(image, "kernel_id")));
        if (json_get_text(image, "ramdisk_id") != NULL)
            json_object_set_new(out, "ramdisk-id",
                                short_id(a, "ari", json_get_text(image, "ramdisk_id")));
    }
    if (strcmp(version, "2008-02-01") >= 0)
        json_object_set_new(out, "placement",
                            json_pack("{s:s}", "availability-zone",
                                      metadata_text(facts, "availability_zone", "")));
    if (strcmp(version, "2008-09-01") >= 0)
        json_object_set_new(out, "instance-action", json_string("none"));
    return out;
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names sorted, folders with a slash, no line end after the last. */
static char *
list_folder(const json_t *folder, struct arena *a)
{
    const char **names = ARENA_ARRAY(a, const char *, json_object_size(folder) + 1);
    _cleanup_(str_done) struct str out = { 0 };
    const char *name;
    const json_t *member;
    size_t count = 0;

    json_object_foreach((json_t *)(uintptr_t)folder, name, member)
    {
        if (!str_equal(name, "_name"))
            names[count++] = name;
    }
    qsort(names, count, sizeof(*names), compare_names);
    for (size_t i = 0; i < count; i++) {
        member = json_object_get(folder, names[i]);
        if (i > 0)
            str_add_char(&out, '\n');
        if (json_get_text(member, "_name") != NULL)
            str_add(&out, json_get_text(member, "_name"));
        else
            str_addf(&out, "%s%s", names[i], json_is_object(member) ? "/" : "");
    }
    return arena_strdup(a, str_text(&out));
}

char *
metadata_ec2_text(const json_t *node, struct arena *a)
{
    _cleanup_(str_done) struct str out = { 0 };
    const json_t *item;
    size_t i;

    switch (json_typeof(node)) {
    case JSON_OBJECT:
        return list_folder(node, a);
    case JSON_ARRAY:
        json_array_foreach(node, i, item)
        {
            if (i > 0)
                str_add_char(&out, '\n');
            if (json_is_string(item))
                str_add(&out, json_string_value(item));
        }
        return arena_strdup(a, str_text(&out));
    case JSON_STRING:
        return arena_strdup(a, json_string_value(node));
    case JSON_INTEGER:
    case JSON_REAL:
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_NULL:
        break;
    }
    return arena_printf(a, "%lld", (long long)json_integer_value(node));
}
