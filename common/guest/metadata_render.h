/* Inside the metadata renderer: what its files share. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "../base/arena.h"

/* /openstack/<version>/network_data.json: links, networks and services. The arena's. */
json_t *metadata_network_data(const json_t *networks, struct arena *a);

/* The EC2 tree of 'version' ("latest" or a date): { "meta-data": {...} } with nested objects as folders. The arena's; NULL
 * for a version that never was. */
json_t *metadata_ec2_tree(const json_t *facts, const char *version, struct arena *a);

/* Dates of the EC2 interface, oldest first; NULL at the end. */
extern const char *const metadata_ec2_versions[];

/* A node of the EC2 tree as text: folders list their names, one a line. */
char *metadata_ec2_text(const json_t *node, struct arena *a);

/* The member, or 'fallback' when it is no text. */
const char *metadata_text(const json_t *object, const char *key, const char *fallback);

/* user_data as bytes; false: there is none. */
bool metadata_user_data(const json_t *facts, struct arena *a, const char **ret, size_t *ret_size);
