/* Security groups and their rules, from the wire to struct wanted: see wanted.h. */
#include <sys/socket.h>

#include "base/array.h"
#include "base/str.h"
#include "base/uuid.h"
#include "wanted_reader.h"

static int
protocol_number(const char *text, int family)
{
    static const struct {
        const char *name;
        int number;
    } names[] = {
        { "tcp", 6 },         { "udp", 17 },       { "icmp", 1 },        { "icmpv6", 58 },
        { "ipv6-icmp", 58 },  { "ah", 51 },        { "dccp", 33 },       { "egp", 8 },
        { "esp", 50 },        { "gre", 47 },       { "igmp", 2 },        { "ipip", 4 },
        { "ipv6-encap", 41 }, { "ipv6-frag", 44 }, { "ipv6-nonxt", 59 }, { "ipv6-opts", 60 },
        { "ipv6-route", 43 }, { "ospf", 89 },      { "pgm", 113 },       { "rsvp", 46 },
        { "sctp", 132 },      { "udplite", 136 },  { "vrrp", 112 },
    };
    int64_t number;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (str_equal_nocase(text, names[i].name)) {
            /* "icmp" in a rule for IPv6 means ICMPv6, as in the API. */
            return names[i].number == 1 && family == AF_INET6 ? 58 : names[i].number;
        }
    if (str_to_int64(text, 0, 255, &number) < 0)
        return -1;
    return number == 1 && family == AF_INET6 ? 58 : (int)number;
}

static enum wanted_protocol_kind
protocol_kind(int number)
{
    switch (number) {
    case 6:
    case 17:
    case 33:
    case 132:
    case 136:
        return WANTED_PORTS;
    case 1:
    case 58:
        return WANTED_ICMP;
    default:
        return WANTED_OTHER;
    }
}

static bool
read_rule(struct wanted_reader *r, const char *group_id, const struct host_security_rule *in,
          struct wanted_rule *ret)
{
    bool has_min = wanted_given(&in->set, HOST_SECURITY_RULE_F_PORT_MIN);
    bool has_max = wanted_given(&in->set, HOST_SECURITY_RULE_F_PORT_MAX);

    *ret = (struct wanted_rule){ .id = arena_strdup(r->a, in->id), .min = -1, .max = -1 };
    ret->ingress = str_equal(in->direction, "ingress");
    if (!ret->ingress && !str_equal(in->direction, "egress"))
        return wanted_refuse(r, "security_group", group_id, "rule's direction", in->direction);
    ret->family = str_equal_nocase(in->ethertype, "IPv6") ? AF_INET6 : AF_INET;
    if (ret->family == AF_INET && !str_equal_nocase(in->ethertype, "IPv4"))
        return wanted_refuse(r, "security_group", group_id, "rule's ethertype", in->ethertype);

    if (!str_empty(in->protocol) && !str_equal_nocase(in->protocol, "any")) {
        int number = protocol_number(in->protocol, ret->family);
        int64_t limit;

        if (number < 0)
            return wanted_refuse(r, "security_group", group_id, "rule's protocol", in->protocol);
        ret->protocol = (unsigned)number;
        ret->kind = protocol_kind(number);
        limit = ret->kind == WANTED_ICMP ? 255 : 65535;
        if ((has_min && (in->port_min < 0 || in->port_min > limit)) ||
            (has_max && (in->port_max < 0 || in->port_max > limit)))
            return wanted_refuse(r, "security_group", group_id, "rule's port range", in->id);
        ret->min = has_min ? (int)in->port_min : -1;
        ret->max = has_max ? (int)in->port_max : -1;
    }
    if (ret->kind == WANTED_PORTS && (ret->min < 0) != (ret->max < 0)) {
        /* Half a range is open at the other end, never a rule for all ports. */
        ret->max = ret->max < 0 ? ret->min : ret->max;
        ret->min = ret->min < 0 ? 0 : ret->min;
    }
    if (ret->kind == WANTED_PORTS && ret->min > ret->max)
        return wanted_refuse(r, "security_group", group_id, "rule's port range is empty", in->id);
    if ((ret->kind == WANTED_ANY || ret->kind == WANTED_OTHER) && (has_min || has_max))
        return wanted_refuse(r, "security_group", group_id,
                             "rule has ports and a protocol without them", in->id);
    if (ret->kind == WANTED_ICMP && ret->min < 0 && ret->max >= 0)
        return wanted_refuse(r, "security_group", group_id, "rule has an ICMP code without a type",
                             in->id);

    if (!str_empty(in->remote_ip_prefix)) {
        if (address_parse(in->remote_ip_prefix, &ret->prefix) < 0 ||
            ret->prefix.family != ret->family)
            return wanted_refuse(r, "security_group", group_id, "rule's remote_ip_prefix",
                                 in->remote_ip_prefix);
    }
    if (!str_empty(in->remote_group_id)) {
        ret->remote = map_get(r->groups, in->remote_group_id);
        /* Unknown: it has no members here, so the rule lets nobody in. */
        if (ret->remote == NULL)
            return wanted_refuse(r, "security_group", group_id, "rule's remote group is missing",
                                 in->remote_group_id);
    }
    return true;
}

static void
read_group(struct wanted_reader *r, const struct host_security_group *in, struct wanted_group *ret)
{
    size_t capacity = 0;

    ret->rules = ARENA_ARRAY(r->a, struct wanted_rule, in->rules_count);
    for (size_t i = 0; i < in->rules_count; i++)
        if (read_rule(r, in->id, &in->rules[i], &ret->rules[ret->rules_count]))
            ret->rules_count++;
    for (size_t i = 0; i < in->members.count; i++) {
        struct address x;

        if (address_parse(in->members.items[i], &x) < 0)
            wanted_refuse(r, "security_group", in->id, "not an address", in->members.items[i]);
        else
            address_set_add(r->a, &ret->members, &ret->members_count, &capacity, &x);
    }
}

void
wanted_read_groups(struct wanted_reader *r, const struct host_state_out *in)
{
    struct wanted *w = r->w;

    w->groups = ARENA_ARRAY(r->a, struct wanted_group, in->security_groups_count);
    for (size_t i = 0; i < in->security_groups_count; i++) {
        const char *id = in->security_groups[i].id;

        if (!uuid_check(id) || map_has(r->groups, id)) {
            wanted_refuse(r, "security_group", id, "not an id, or twice", id);
            continue;
        }
        w->groups[w->groups_count].id = arena_strdup(r->a, id);
        map_set(r->groups, id, &w->groups[w->groups_count++]);
    }
    for (size_t i = 0; i < in->security_groups_count; i++) {
        struct wanted_group *g = map_get(r->groups, in->security_groups[i].id);

        if (g != NULL && g->rules == NULL)
            read_group(r, &in->security_groups[i], g);
    }
}
