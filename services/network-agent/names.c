#include "names.h"

#include <string.h>

#include "base/str.h"
#include "base/uuid.h"

#define ID_PART 11

char *
name_device(struct arena *a, enum name_kind kind, const char *id)
{
    static const char *const prefixes[] = {
        [NAME_BRIDGE] = "brq", [NAME_TAP] = "tap",     [NAME_DHCP] = "ns-",
        [NAME_ROUTER] = "qr-", [NAME_GATEWAY] = "qg-",
    };

    return arena_printf(a, "%s%.*s", prefixes[kind], ID_PART, id);
}

char *
name_vxlan(struct arena *a, uint32_t vni)
{
    return arena_printf(a, "vxlan-%u", vni);
}

char *
name_dhcp_netns(struct arena *a, const char *network_id)
{
    return arena_printf(a, "qdhcp-%s", network_id);
}

char *
name_router_netns(struct arena *a, const char *router_id)
{
    return arena_printf(a, "qrouter-%s", router_id);
}

bool
name_check_device(const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t size = strlen(name);

    return size > 0 && size < IF_NAMESIZE && strspn(name, allowed) == size &&
           strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* 'prefix', then the first eleven characters of a UUID: "01234567-89". */
static bool
has_id_part(const char *name, const char *prefix)
{
    static const char hex[] = "0123456789abcdef";
    const char *id = name + strlen(prefix);

    return str_starts(name, prefix) && strlen(id) == ID_PART && strspn(id, hex) == 8 &&
           id[8] == '-' && strspn(id + 9, hex) == 2;
}

bool
name_is_our_bridge(const char *name)
{
    return has_id_part(name, "brq");
}

bool
name_is_our_tap(const char *name)
{
    return has_id_part(name, "tap");
}

bool
name_is_our_vxlan(const char *name)
{
    int64_t vni;

    return str_starts(name, "vxlan-") &&
           str_to_int64(name + strlen("vxlan-"), 1, 0xffffff, &vni) == 0;
}

bool
name_is_our_netns(const char *name)
{
    return (str_starts(name, "qdhcp-") && uuid_check(name + strlen("qdhcp-"))) ||
           (str_starts(name, "qrouter-") && uuid_check(name + strlen("qrouter-")));
}
