/* What a guest is told about itself: the metadata service's tree, and the same tree as a config drive.
 *
 * One renderer for both: the network agent answers HTTP at 169.254.169.254 with metadata_get(), the compute agent
 * writes metadata_drive() to a disk. It follows OpenStack's metadata service (/openstack/...) and the EC2 one of 2009
 * (/latest/meta-data/...), in the layout of each dated version. It does no I/O and knows no service; everything
 * comes from the facts, a JSON object of which any member may be absent:
 *
 *   uuid, name, hostname, project_id, availability_zone, reservation_id    text
 *   number         integer: the instance's number; instance-id is "i-%08x" of it (absent: of the uuid's start)
 *   launch_index   integer
 *   flavor         text: name of the instance type
 *   image          { "id", "kernel_id", "ramdisk_id" }
 *   keys           [ { "name", "type": "ssh" | "x509", "data" } ]; the first is the EC2 key
 *   meta           { text: text }
 *   user_data      text: base64 of the bytes
 *   password       text: what the guest last posted there
 *   security_groups [ text ]
 *   files          [ { "path", "contents": base64 } ]
 *   vendor_data    object
 *   devices        array, passed on as it is
 *   dedicated_cpus [ integer ]
 *   block_devices  { "root": "/dev/vda", "ephemeral0": "/dev/vdb", "swap": "/dev/vdc", "ebs0": "/dev/vdd" }
 *   networks       [ { "port_id", "tap", "mac", "mtu", "type": "bridge", "network_id",
 *                      "subnets": [ { "version": 4 | 6, "cidr", "gateway", "dhcp": bool, "ipv6_address_mode",
 *                                     "dns": [ text ], "routes": [ { "destination", "nexthop" } ], "addresses": [ text ] } ],
 *                      "floating_ips": [ text ] } ]
 *
 * Thread-safe: facts are only read. */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "../base/arena.h"
#include "../base/fault.h"

/* The document at 'path' ("/openstack/latest/meta_data.json"), as the metadata service would answer a GET: '*ret' has
 * '*size' bytes (any bytes: user data is the guest owner's) and a terminator, in the arena; '*content_type' is static.
 * An unknown path, and any with "..", is FAULT_NOT_FOUND. */
int metadata_get(const json_t *facts, const char *path, struct arena *a, const char **content_type,
                 const char **ret, size_t *size, struct fault *f);

struct metadata_file {
    const char *path; /* Relative: "openstack/latest/meta_data.json". Never from outside. */
    const char *data;
    size_t size;
};

/* All files of the config drive, in the arena. */
int metadata_drive(const json_t *facts, struct arena *a, struct metadata_file **ret,
                   size_t *ret_count, struct fault *f);
