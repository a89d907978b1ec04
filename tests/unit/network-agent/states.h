/* Wanted states for tests, written as the service would send them. */
#pragma once

#include <string.h>

#include "../../../services/network-agent/wanted.h"
#include "../asserts.h"
#include "base/json.h"
#include "base/str.h"
#include "network_rpc.h"

#define NET "000000a1-0000-4000-8000-0000000000a1"
#define SUBNET "000000b1-0000-4000-8000-0000000000b1"
#define GROUP "000000c1-0000-4000-8000-0000000000c1"
#define OTHER "000000c2-0000-4000-8000-0000000000c2"
#define ROUTER "000000d1-0000-4000-8000-0000000000d1"
#define DHCP "000000e1-0000-4000-8000-0000000000e1"
#define INSIDE "000000e2-0000-4000-8000-0000000000e2"
#define OUTSIDE "000000e3-0000-4000-8000-0000000000e3"
#define EXTERNAL "000000a3-0000-4000-8000-0000000000a3"
#define PORT "0000000b-0000-4000-8000-00000000000b"
#define SERVER "0000900b-0000-4000-8000-00000000900b"
#define TAP "tap0000000b-00"

#define NETWORK_JSON                                                                               \
    "{'id': '" NET "', 'vni': 101, 'mtu': 1450, 'subnets': [{'id': '" SUBNET "', 'ip_version': 4," \
    " 'cidr': '10.5.0.0/24', 'gateway_ip': '10.5.0.1', 'enable_dhcp': true}]}"
#define PORT_JSON(more)                                                                            \
    "{'id': '" PORT "', 'network_id': '" NET                                                       \
    "', 'mac': 'fa:16:3e:00:00:0b', 'device_id': '" SERVER                                         \
    "', 'fixed_ips': [{'subnet_id': '" SUBNET "', 'ip': '10.5.0.11'}], "                           \
    "'security_group_ids': ['" GROUP "']" more "}"

/* 'text' is JSON with ' for ". */
static inline void
read_state(struct arena *a, const char *text, struct wanted *ret)
{
    static const struct bridge_mapping mappings[] = { { "external", "brex" } };
    char *json = arena_strdup(a, text);
    struct host_state_out *in = ARENA_NEW(a, struct host_state_out);
    struct fault f = { 0 };
    json_t *value;

    for (char *at = json; *at != '\0'; at++)
        if (*at == '\'')
            *at = '"';
    if (json_read(a, json, strlen(json), &value, &f) < 0 ||
        schema_parse(&host_state_out_schema, value, SCHEMA_TRUSTED, 0, "state", a, in, &f) < 0)
        fail_msg("%s: %s", f.field, f.message);
    wanted_read(a, in, mappings, 1, ret);
}

static inline bool
has_failure(const struct wanted *w, const char *kind, const char *id, const char *part)
{
    for (size_t i = 0; i < w->failures_count; i++)
        if (str_equal(w->failures[i].kind, kind) && str_equal(w->failures[i].id, id) &&
            strstr(w->failures[i].reason, part) != NULL)
            return true;
    return false;
}
