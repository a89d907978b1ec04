#include "conntrack.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <string.h>

#include "base/array.h"
#include "netlink_internal.h"

/* --- would it be allowed? --------------------------------------------------------------------- */

static bool
rule_matches(const struct wanted_rule *rule, const struct connection *c)
{
    const struct address *peer = rule->ingress ? &c->source : &c->destination;

    if (rule->family != peer->family)
        return false;
    if (rule->prefix.family != 0 && !address_within(peer, &rule->prefix))
        return false;
    if (rule->remote != NULL) {
        bool member = false;

        for (size_t i = 0; i < rule->remote->members_count && !member; i++)
            member = address_within(peer, &rule->remote->members[i]);
        if (!member)
            return false;
    }
    if (rule->kind == WANTED_ANY)
        return true;
    if (rule->protocol != c->protocol)
        return false;
    if (rule->min < 0)
        return true;
    if (rule->kind == WANTED_ICMP)
        return rule->min == c->icmp_type && (rule->max < 0 || rule->max == c->icmp_code);
    return c->destination_port >= rule->min && c->destination_port <= rule->max;
}

/* DHCP is always allowed to those who ask. */
static bool
is_dhcp(const struct connection *c)
{
    return c->protocol == IPPROTO_UDP && (c->destination_port == 67 || c->destination_port == 68 ||
                                          c->destination_port == 546 || c->destination_port == 547);
}

bool
conntrack_allowed(const struct wanted_port *p, bool ingress, const struct connection *c)
{
    if (!p->secured || is_dhcp(c))
        return true;
    for (size_t i = 0; i < p->groups_count; i++)
        for (size_t k = 0; k < p->groups[i]->rules_count; k++) {
            const struct wanted_rule *rule = &p->groups[i]->rules[k];

            if (rule->ingress == ingress && rule_matches(rule, c))
                return true;
        }
    return false;
}

/* --- the kernel's table ----------------------------------------------------------------------- */

struct entry {
    struct connection c;
    unsigned zone;
    uint8_t family;
    void *tuple; /* As it came, to name the entry by. */
    int tuple_size;
    uint32_t id; /* As it came. */
};

struct entries {
    struct arena *a;
    struct entry *items;
    size_t count, capacity;
};

static void
restart(void *arg)
{
    ((struct entries *)arg)->count = 0;
}

static struct address
read_ip(struct nlattr **attributes, int v4, int v6)
{
    struct address x = { 0 };

    if (attributes[v4] != NULL && nla_len(attributes[v4]) == 4) {
        x = (struct address){ .family = AF_INET, .prefix = 32 };
        memcpy(x.bytes, nla_data(attributes[v4]), 4);
    } else if (attributes[v6] != NULL && nla_len(attributes[v6]) == 16) {
        x = (struct address){ .family = AF_INET6, .prefix = 128 };
        memcpy(x.bytes, nla_data(attributes[v6]), 16);
    }
    return x;
}

static int
read_byte(struct nlattr **proto, int v4, int v6)
{
    struct nlattr *attribute = proto[v4] != NULL ? proto[v4] : proto[v6];

    return attribute != NULL ? nla_get_u8(attribute) : -1;
}

static bool
read_tuple(struct nlattr *tuple, struct connection *ret)
{
    struct nlattr *parts[CTA_TUPLE_MAX + 1], *ip[CTA_IP_MAX + 1], *proto[CTA_PROTO_MAX + 1];

    if (nla_parse_nested(parts, CTA_TUPLE_MAX, tuple, NULL) < 0 || parts[CTA_TUPLE_IP] == NULL ||
        parts[CTA_TUPLE_PROTO] == NULL ||
        nla_parse_nested(ip, CTA_IP_MAX, parts[CTA_TUPLE_IP], NULL) < 0 ||
        nla_parse_nested(proto, CTA_PROTO_MAX, parts[CTA_TUPLE_PROTO], NULL) < 0 ||
        proto[CTA_PROTO_NUM] == NULL)
        return false;
    ret->source = read_ip(ip, CTA_IP_V4_SRC, CTA_IP_V6_SRC);
    ret->destination = read_ip(ip, CTA_IP_V4_DST, CTA_IP_V6_DST);
    ret->protocol = nla_get_u8(proto[CTA_PROTO_NUM]);
    ret->destination_port =
        proto[CTA_PROTO_DST_PORT] != NULL ? ntohs(nla_get_u16(proto[CTA_PROTO_DST_PORT])) : -1;
    ret->icmp_type = read_byte(proto, CTA_PROTO_ICMP_TYPE, CTA_PROTO_ICMPV6_TYPE);
    ret->icmp_code = read_byte(proto, CTA_PROTO_ICMP_CODE, CTA_PROTO_ICMPV6_CODE);
    return ret->source.family != 0 && ret->destination.family != 0;
}

static int
each_entry(struct nlmsghdr *h, void *arg)
{
    struct entries *l = arg;
    const struct nfgenmsg *header = nlmsg_data(h);
    struct nlattr *attributes[CTA_MAX + 1];
    struct entry e = { 0 };

    if (nlmsg_parse(h, sizeof(*header), attributes, CTA_MAX, NULL) < 0 ||
        attributes[CTA_TUPLE_ORIG] == NULL || attributes[CTA_ZONE] == NULL ||
        attributes[CTA_ID] == NULL)
        return 0; /* Zone 0 has no attribute: the host's own connections. */
    /* What a helper expected is judged by its master. */
    if (attributes[CTA_STATUS] != NULL &&
        (ntohl(nla_get_u32(attributes[CTA_STATUS])) & IPS_EXPECTED) != 0)
        return 0;
    if (!read_tuple(attributes[CTA_TUPLE_ORIG], &e.c))
        return 0;
    e.zone = ntohs(nla_get_u16(attributes[CTA_ZONE]));
    e.family = header->nfgen_family;
    e.id = nla_get_u32(attributes[CTA_ID]);
    e.tuple_size = nla_len(attributes[CTA_TUPLE_ORIG]);
    e.tuple = arena_memdup(l->a, nla_data(attributes[CTA_TUPLE_ORIG]), (size_t)e.tuple_size);
    *ARRAY_PUSH(l->a, l->items, l->count, l->capacity) = e;
    return 0;
}

static bool
has_ip(const struct wanted_port *p, const struct address *ip)
{
    for (size_t i = 0; i < p->ips_count; i++)
        if (address_equal(&p->ips[i].ip, ip))
            return true;
    for (size_t i = 0; i < p->pairs_count; i++)
        if (address_within(ip, &p->pairs[i].ip))
            return true;
    return false;
}

static bool
is_refused(const struct wanted *w, const struct zones *z, const struct entry *e)
{
    for (size_t i = 0; i < w->ports_count; i++) {
        const struct wanted_port *p = &w->ports[i];

        if (zones_get(z, p->network->id) != e->zone)
            continue;
        if ((has_ip(p, &e->c.destination) && !conntrack_allowed(p, true, &e->c)) ||
            (has_ip(p, &e->c.source) && !conntrack_allowed(p, false, &e->c)))
            return true;
    }
    return false;
}

static bool
is_gone(const struct conntrack_gone *gone, size_t count, const struct entry *e)
{
    for (size_t i = 0; i < count; i++)
        if (gone[i].zone == e->zone && (address_equal(&gone[i].ip, &e->c.source) ||
                                        address_equal(&gone[i].ip, &e->c.destination)))
            return true;
    return false;
}

static int
forget(struct netlink *n, const struct entry *e)
{
    struct nfgenmsg header = { .nfgen_family = e->family, .version = NFNETLINK_V0 };
    struct nl_msg *m = netlink_message((NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE,
                                       NLM_F_REQUEST, &header, sizeof(header));

    nla_put(m, CTA_TUPLE_ORIG | NLA_F_NESTED, e->tuple_size, e->tuple);
    nla_put_u16(m, CTA_ZONE, htons((uint16_t)e->zone));
    nla_put_u32(m, CTA_ID, e->id);
    return netlink_send(n, m);
}

static void
free_socket(struct nl_sock **s)
{
    nl_socket_free(*s);
}

int
conntrack_revise(const struct wanted *w, const struct zones *z, const struct conntrack_gone *gone,
                 size_t gone_count, struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(free_socket) struct nl_sock *socket = nl_socket_alloc();
    struct netlink n = { .socket = socket };
    struct nfgenmsg header = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0 };
    struct entries all = { .a = a };
    int r, count = 0;

    r = nl_connect(socket, NETLINK_NETFILTER);
    if (r < 0)
        return fault_raise_cause(f, "conntrack: %s", nl_geterror(r));
    nl_socket_set_buffer_size(socket, 4 * 1024 * 1024, 0);
    nl_socket_disable_seq_check(socket);
    r = netlink_dump(&n, (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_GET, &header, sizeof(header),
                     restart, each_entry, &all, f);
    if (r < 0)
        return r;
    for (size_t i = 0; i < all.count; i++)
        if (is_gone(gone, gone_count, &all.items[i]) || is_refused(w, z, &all.items[i]))
            count += forget(&n, &all.items[i]) >= 0; /* It may have ended by itself. */
    return count;
}
