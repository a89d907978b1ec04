/* Links: see netlink.h. */
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/random.h"
#include "netlink_internal.h"
#include "netns.h"

#define VXLAN_PORT 4789
#define VXLAN_TTL 64

/* --- reading ---------------------------------------------------------------------------------- */

static void
read_info(struct nlattr *info, struct link *ret)
{
    struct nlattr *parts[IFLA_INFO_MAX + 1], *vxlan[IFLA_VXLAN_MAX + 1];

    if (nla_parse_nested(parts, IFLA_INFO_MAX, info, NULL) < 0 || parts[IFLA_INFO_KIND] == NULL)
        return;
    snprintf(ret->kind, sizeof(ret->kind), "%s", nla_get_string(parts[IFLA_INFO_KIND]));
    if (strcmp(ret->kind, "vxlan") != 0 || parts[IFLA_INFO_DATA] == NULL ||
        nla_parse_nested(vxlan, IFLA_VXLAN_MAX, parts[IFLA_INFO_DATA], NULL) < 0)
        return;
    if (vxlan[IFLA_VXLAN_ID] != NULL)
        ret->vni = nla_get_u32(vxlan[IFLA_VXLAN_ID]);
    if (vxlan[IFLA_VXLAN_LOCAL] != NULL) {
        ret->local = (struct address){ .family = AF_INET, .prefix = 32 };
        memcpy(ret->local.bytes, nla_data(vxlan[IFLA_VXLAN_LOCAL]), 4);
    } else if (vxlan[IFLA_VXLAN_LOCAL6] != NULL) {
        ret->local = (struct address){ .family = AF_INET6, .prefix = 128 };
        memcpy(ret->local.bytes, nla_data(vxlan[IFLA_VXLAN_LOCAL6]), 16);
    }
}

static void
read_link(struct nlmsghdr *h, struct link *ret)
{
    const struct ifinfomsg *info = nlmsg_data(h);
    struct nlattr *attributes[IFLA_MAX + 1];

    *ret = (struct link){ .index = info->ifi_index, .flags = info->ifi_flags };
    if (nlmsg_parse(h, sizeof(*info), attributes, IFLA_MAX, NULL) < 0)
        return;
    if (attributes[IFLA_IFNAME] != NULL)
        snprintf(ret->name, sizeof(ret->name), "%s", nla_get_string(attributes[IFLA_IFNAME]));
    if (attributes[IFLA_MTU] != NULL)
        ret->mtu = nla_get_u32(attributes[IFLA_MTU]);
    if (attributes[IFLA_MASTER] != NULL)
        ret->master = (int)nla_get_u32(attributes[IFLA_MASTER]);
    if (attributes[IFLA_ADDRESS] != NULL && nla_len(attributes[IFLA_ADDRESS]) == 6)
        memcpy(ret->mac.bytes, nla_data(attributes[IFLA_ADDRESS]), 6);
    if (attributes[IFLA_LINKINFO] != NULL)
        read_info(attributes[IFLA_LINKINFO], ret);
}

struct links {
    struct arena *a;
    struct link *items;
    size_t count, capacity;
};

static void
restart_links(void *arg)
{
    ((struct links *)arg)->count = 0;
}

static int
each_link(struct nlmsghdr *h, void *arg)
{
    struct links *l = arg;

    if (h->nlmsg_type == RTM_NEWLINK)
        read_link(h, ARRAY_PUSH(l->a, l->items, l->count, l->capacity));
    return 0;
}

int
netlink_links(struct netlink *n, struct arena *a, struct link **ret, size_t *ret_count,
              struct fault *f)
{
    struct ifinfomsg header = { .ifi_family = AF_UNSPEC };
    struct links l = { .a = a };
    int r = netlink_dump(n, RTM_GETLINK, &header, sizeof(header), restart_links, each_link, &l, f);

    if (r < 0)
        return r;
    *ret = l.items;
    *ret_count = l.count;
    return 0;
}

struct lookup {
    struct link *ret;
    bool found;
};

static int
on_found(struct nl_msg *m, void *arg)
{
    struct lookup *l = arg;

    read_link(nlmsg_hdr(m), l->ret);
    l->found = true;
    return NL_OK;
}

int
netlink_find(struct netlink *n, const char *name, struct link *ret, struct fault *f)
{
    struct ifinfomsg header = { .ifi_family = AF_UNSPEC };
    struct nl_msg *m = netlink_message(RTM_GETLINK, NLM_F_REQUEST, &header, sizeof(header));
    struct lookup l = { .ret = ret };
    int r;

    nla_put_string(m, IFLA_IFNAME, name);
    nl_socket_modify_cb(n->socket, NL_CB_VALID, NL_CB_CUSTOM, on_found, &l);
    r = netlink_send(n, m);
    nl_socket_modify_cb(n->socket, NL_CB_VALID, NL_CB_DEFAULT, NULL, NULL);
    if (r >= 0 && l.found)
        r = nl_wait_for_ack(n->socket); /* So far only the answer was read. */
    if (r == -NLE_NODEV || r == -NLE_OBJ_NOTFOUND)
        return 0;
    return r < 0 ? fault_raise_cause(f, "link %s: %s", name, nl_geterror(r)) : l.found;
}

/* --- making ----------------------------------------------------------------------------------- */

static struct nl_msg *
begin_link(const char *name, unsigned mtu, const char *kind, struct nlattr **ret_info)
{
    struct ifinfomsg header = { .ifi_family = AF_UNSPEC };
    struct nl_msg *m = netlink_message(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL,
                                       &header, sizeof(header));

    nla_put_string(m, IFLA_IFNAME, name);
    nla_put_u32(m, IFLA_MTU, mtu);
    *ret_info = nla_nest_start(m, IFLA_LINKINFO);
    nla_put_string(m, IFLA_INFO_KIND, kind);
    return m;
}

int
netlink_add_bridge(struct netlink *n, const char *name, unsigned mtu, struct fault *f)
{
    struct nlattr *info, *data;
    struct nl_msg *m = begin_link(name, mtu, "bridge", &info);
    uint8_t mac[6];

    data = nla_nest_start(m, IFLA_INFO_DATA);
    nla_put_u32(m, IFLA_BR_STP_STATE, 0);
    nla_put_u32(m, IFLA_BR_FORWARD_DELAY, 0);
    nla_put_u8(m, IFLA_BR_MCAST_SNOOPING, 0);
    nla_nest_end(m, data);
    nla_nest_end(m, info);
    /* One of its own, or it would change with the ports that come and go. */
    random_bytes(mac, sizeof(mac));
    mac[0] = (uint8_t)((mac[0] & 0xfc) | 2);
    nla_put(m, IFLA_ADDRESS, sizeof(mac), mac);
    return netlink_change(n, m, f, "bridge %s", name);
}

int
netlink_add_vxlan(struct netlink *n, const char *name, uint32_t vni, const struct address *local,
                  unsigned mtu, struct fault *f)
{
    struct nlattr *info, *data;
    struct nl_msg *m = begin_link(name, mtu, "vxlan", &info);

    data = nla_nest_start(m, IFLA_INFO_DATA);
    nla_put_u32(m, IFLA_VXLAN_ID, vni);
    nla_put(m, local->family == AF_INET ? IFLA_VXLAN_LOCAL : IFLA_VXLAN_LOCAL6,
            (int)address_size(local), local->bytes);
    nla_put_u16(m, IFLA_VXLAN_PORT, htons(VXLAN_PORT));
    nla_put_u8(m, IFLA_VXLAN_LEARNING, 0);
    nla_put_u8(m, IFLA_VXLAN_TTL, VXLAN_TTL);
    nla_nest_end(m, data);
    nla_nest_end(m, info);
    return netlink_change(n, m, f, "vxlan %s", name);
}

int
netlink_add_veth(struct netlink *n, const char *name, const char *peer, const char *peer_netns,
                 const struct mac *peer_mac, unsigned mtu, struct fault *f)
{
    struct nlattr *info, *data, *far_end;
    struct ifinfomsg header = { .ifi_family = AF_UNSPEC };
    struct nl_msg *m;
    int fd = netns_open(peer_netns, f), r;

    if (fd < 0)
        return fd;
    m = begin_link(name, mtu, "veth", &info);
    data = nla_nest_start(m, IFLA_INFO_DATA);
    far_end = nla_nest_start(m, VETH_INFO_PEER);
    nlmsg_append(m, &header, sizeof(header), NLMSG_ALIGNTO);
    nla_put_string(m, IFLA_IFNAME, peer);
    nla_put_u32(m, IFLA_MTU, mtu);
    nla_put(m, IFLA_ADDRESS, sizeof(peer_mac->bytes), peer_mac->bytes);
    nla_put_u32(m, IFLA_NET_NS_FD, (uint32_t)fd);
    nla_nest_end(m, far_end);
    nla_nest_end(m, data);
    nla_nest_end(m, info);
    r = netlink_change(n, m, f, "veth %s to %s", name, peer_netns);
    close(fd);
    return r;
}

int
netlink_delete_link(struct netlink *n, int index, struct fault *f)
{
    struct ifinfomsg header = { .ifi_family = AF_UNSPEC, .ifi_index = index };

    return netlink_change(n, netlink_message(RTM_DELLINK, NLM_F_REQUEST, &header, sizeof(header)),
                          f, "delete link %d", index);
}

/* --- changing --------------------------------------------------------------------------------- */

static struct nl_msg *
begin_change(const struct link *link)
{
    struct ifinfomsg header = { .ifi_family = AF_UNSPEC, .ifi_index = link->index };

    return netlink_message(RTM_NEWLINK, NLM_F_REQUEST, &header, sizeof(header));
}

int
netlink_set_mtu(struct netlink *n, struct link *link, unsigned mtu, struct fault *f)
{
    struct nl_msg *m;

    if (link->mtu == mtu)
        return 0;
    m = begin_change(link);
    nla_put_u32(m, IFLA_MTU, mtu);
    link->mtu = mtu;
    return netlink_change(n, m, f, "mtu %u of %s", mtu, link->name);
}

int
netlink_set_mac(struct netlink *n, struct link *link, const struct mac *mac, struct fault *f)
{
    struct nl_msg *m;

    if (mac_equal(&link->mac, mac))
        return 0;
    m = begin_change(link);
    nla_put(m, IFLA_ADDRESS, sizeof(mac->bytes), mac->bytes);
    link->mac = *mac;
    return netlink_change(n, m, f, "address of %s", link->name);
}

int
netlink_set_master(struct netlink *n, struct link *link, int master, struct fault *f)
{
    struct nl_msg *m;

    if (link->master == master)
        return 0;
    m = begin_change(link);
    nla_put_u32(m, IFLA_MASTER, (uint32_t)master);
    link->master = master;
    return netlink_change(n, m, f, "master of %s", link->name);
}

int
netlink_set_up(struct netlink *n, struct link *link, bool up, struct fault *f)
{
    struct ifinfomsg header = { .ifi_family = AF_UNSPEC,
                                .ifi_index = link->index,
                                .ifi_flags = up ? IFF_UP : 0,
                                .ifi_change = IFF_UP };

    if (((link->flags & IFF_UP) != 0) == up)
        return 0;
    link->flags ^= IFF_UP;
    return netlink_change(n, netlink_message(RTM_NEWLINK, NLM_F_REQUEST, &header, sizeof(header)),
                          f, "%s %s", link->name, up ? "up" : "down");
}

int
netlink_set_tunnel_port(struct netlink *n, int index, struct fault *f)
{
    struct ifinfomsg header = { .ifi_family = AF_BRIDGE, .ifi_index = index };
    struct nl_msg *m = netlink_message(RTM_SETLINK, NLM_F_REQUEST, &header, sizeof(header));
    struct nlattr *port = nla_nest_start(m, IFLA_PROTINFO | NLA_F_NESTED);

    nla_put_u8(m, IFLA_BRPORT_LEARNING, 0);
    nla_put_u8(m, IFLA_BRPORT_NEIGH_SUPPRESS, 1);
    nla_nest_end(m, port);
    return netlink_change(n, m, f, "bridge port %d", index);
}
