/* Forwarding and neighbour entries: see netlink.h. */
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/array.h"
#include "netlink_internal.h"

struct entry {
    struct mac mac;
    struct address to; /* A tunnel, or a neighbour's address. family 0: none */
    uint16_t state;
    uint8_t flags;
    bool of_bridge; /* Kept by the bridge, not by the device. */
};

struct entries {
    struct arena *a;
    int index;
    struct entry *items;
    size_t count, capacity;
};

static void
restart(void *arg)
{
    ((struct entries *)arg)->count = 0;
}

static int
each_entry(struct nlmsghdr *h, void *arg)
{
    struct entries *l = arg;
    const struct ndmsg *header = nlmsg_data(h);
    struct nlattr *attributes[NDA_MAX + 1];
    struct entry e = { 0 };

    if (h->nlmsg_type != RTM_NEWNEIGH || header->ndm_ifindex != l->index ||
        nlmsg_parse(h, sizeof(*header), attributes, NDA_MAX, NULL) < 0 ||
        attributes[NDA_LLADDR] == NULL ||
        nla_len(attributes[NDA_LLADDR]) != (int)sizeof(e.mac.bytes))
        return 0;
    memcpy(e.mac.bytes, nla_data(attributes[NDA_LLADDR]), sizeof(e.mac.bytes));
    if (attributes[NDA_DST] != NULL) {
        e.to.family = nla_len(attributes[NDA_DST]) == 4 ? AF_INET : AF_INET6;
        e.to.prefix = e.to.family == AF_INET ? 32 : 128;
        memcpy(e.to.bytes, nla_data(attributes[NDA_DST]), address_size(&e.to));
    }
    e.state = header->ndm_state;
    e.flags = header->ndm_flags;
    e.of_bridge = (header->ndm_flags & NTF_SELF) == 0;
    *ARRAY_PUSH(l->a, l->items, l->count, l->capacity) = e;
    return 0;
}

static int
read_entries(struct netlink *n, int family, struct entries *ret, struct fault *f)
{
    struct ndmsg header = { .ndm_family = (uint8_t)family };

    return netlink_dump(n, RTM_GETNEIGH, &header, sizeof(header), restart, each_entry, ret, f);
}

static int
change_entry(struct netlink *n, int type, int flags, int family, int index, const struct entry *e,
             struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct ndmsg header = { .ndm_family = (uint8_t)family,
                            .ndm_ifindex = index,
                            .ndm_state = e->state,
                            .ndm_flags = e->flags };
    struct nl_msg *m = netlink_message(type, NLM_F_REQUEST | flags, &header, sizeof(header));

    nla_put(m, NDA_LLADDR, sizeof(e->mac.bytes), e->mac.bytes);
    if (e->to.family != 0)
        nla_put(m, NDA_DST, (int)address_size(&e->to), e->to.bytes);
    return netlink_change(n, m, f, "%s entry %s", type == RTM_NEWNEIGH ? "add" : "delete",
                          mac_text(a, &e->mac));
}

static bool
is_flood(const struct mac *m)
{
    static const struct mac zero;

    return mac_equal(m, &zero);
}

static bool
has_entry(const struct entries *l, const struct entry *e)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->items[i].of_bridge == e->of_bridge && mac_equal(&l->items[i].mac, &e->mac) &&
            (e->of_bridge || address_equal(&l->items[i].to, &e->to)))
            return true;
    return false;
}

static bool
wants_mac(const struct netlink_forward *wanted, size_t count, const struct mac *m)
{
    for (size_t i = 0; i < count; i++)
        if (mac_equal(&wanted[i].mac, m))
            return true;
    return false;
}

static bool
wants_forward(const struct netlink_forward *wanted, size_t count, const struct entry *e)
{
    for (size_t i = 0; i < count; i++)
        if (mac_equal(&wanted[i].mac, &e->mac) && address_equal(&wanted[i].tunnel, &e->to))
            return true;
    return false;
}

/* One wanted forwarding: in the VXLAN device "this MAC is behind that tunnel", in the bridge "it is
 * behind the device". */
static int
add_forward(struct netlink *n, int vxlan, const struct entries *now,
            const struct netlink_forward *x, struct fault *f)
{
    struct entry in_device = {
        .mac = x->mac, .to = x->tunnel, .state = NUD_PERMANENT | NUD_NOARP, .flags = NTF_SELF
    };
    struct entry in_bridge = {
        .mac = x->mac, .state = NUD_REACHABLE | NUD_NOARP, .flags = NTF_MASTER, .of_bridge = true
    };
    int r = 0;

    if (!has_entry(now, &in_device))
        r = change_entry(n, RTM_NEWNEIGH,
                         NLM_F_CREATE | (is_flood(&x->mac) ? NLM_F_APPEND : NLM_F_REPLACE),
                         AF_BRIDGE, vxlan, &in_device, f);
    if (r >= 0 && !is_flood(&x->mac) && !has_entry(now, &in_bridge))
        r = change_entry(n, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, AF_BRIDGE, vxlan,
                         &in_bridge, f);
    return r;
}

int
netlink_set_forwards(struct netlink *n, int vxlan, const struct netlink_forward *wanted,
                     size_t count, struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct entries now = { .a = a, .index = vxlan };
    int r = read_entries(n, AF_BRIDGE, &now, f), result = 0;

    if (r < 0)
        return r;
    for (size_t i = 0; i < count; i++)
        if (add_forward(n, vxlan, &now, &wanted[i], f) < 0)
            result = -1;
    for (size_t i = 0; i < now.count; i++) {
        struct entry e = now.items[i];

        if (e.of_bridge) {
            /* The device's own address is the bridge's business: only what we made is static. */
            if ((e.state & NUD_NOARP) == 0 || wants_mac(wanted, count, &e.mac))
                continue;
            e.flags = NTF_MASTER;
            e.to.family = 0;
        } else {
            if (wants_forward(wanted, count, &e))
                continue;
            /* Replaced above, where the MAC has moved to another tunnel. */
            if (!is_flood(&e.mac) && wants_mac(wanted, count, &e.mac))
                continue;
            e.flags = NTF_SELF;
        }
        if (change_entry(n, RTM_DELNEIGH, 0, AF_BRIDGE, vxlan, &e, f) < 0)
            result = -1;
    }
    return result;
}

int
netlink_set_neighbours(struct netlink *n, int bridge, const struct netlink_neighbour *wanted,
                       size_t count, struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct entries now = { .a = a, .index = bridge };
    int r = read_entries(n, AF_INET, &now, f), result = 0;

    if (r < 0)
        return r;
    for (size_t i = 0; i < count; i++) {
        struct entry e = { .mac = wanted[i].mac, .to = wanted[i].ip, .state = NUD_PERMANENT };
        bool there = false;

        for (size_t k = 0; k < now.count; k++)
            there |= now.items[k].state == NUD_PERMANENT &&
                     address_equal(&now.items[k].to, &e.to) && mac_equal(&now.items[k].mac, &e.mac);
        if (!there &&
            change_entry(n, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, AF_INET, bridge, &e, f) < 0)
            result = -1;
    }
    for (size_t k = 0; k < now.count; k++) {
        bool keep = now.items[k].state != NUD_PERMANENT;

        for (size_t i = 0; i < count; i++)
            keep |= address_equal(&now.items[k].to, &wanted[i].ip);
        now.items[k].flags = 0;
        if (!keep && change_entry(n, RTM_DELNEIGH, 0, AF_INET, bridge, &now.items[k], f) < 0)
            result = -1;
    }
    return result;
}
