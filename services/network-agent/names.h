/* Names that the agent gives to devices and namespaces: neutron's own, so that operators find what
 * they know.
 *
 * A device's name is a prefix and the first 11 characters of an id: 14 characters, one less than
 * the kernel allows. */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

enum name_kind {
    NAME_BRIDGE,  /* brq + network: tenant bridges */
    NAME_TAP,     /* tap + port: on the bridge, a guest's tap or the near end of a veth */
    NAME_DHCP,    /* ns- + port: the far end, in the DHCP namespace */
    NAME_ROUTER,  /* qr- + port: in the router's namespace */
    NAME_GATEWAY, /* qg- + port: in the router's namespace, outside */
};

char *name_device(struct arena *a, enum name_kind kind, const char *id);
char *name_vxlan(struct arena *a, uint32_t vni);                 /* vxlan-<vni> */
char *name_dhcp_netns(struct arena *a, const char *network_id);  /* qdhcp-<network> */
char *name_router_netns(struct arena *a, const char *router_id); /* qrouter-<router> */

/* May 'name' be a device's: 1 to 15 of letters, digits, '-', '_', '.', and neither "." nor ".."? */
bool name_check_device(const char *name);

/* Is this a name that only this agent gives: brq..., vxlan-<digits>, and for namespaces qdhcp-,
 * qrouter- with a UUID? */
bool name_is_our_bridge(const char *name);
bool name_is_our_vxlan(const char *name);
bool name_is_our_netns(const char *name);
/* "tap" and eleven characters of an id. */
bool name_is_our_tap(const char *name);
