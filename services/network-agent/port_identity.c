#include "port_identity.h"

#include <sys/socket.h>

#include "base/array.h"
#include "port_rules.h"

/* What ICMPv6 of neighbour discovery and multicast listening is: RFC 4861, 2710, 3810. */
#define ND_AND_MLD "{ 130, 131, 132, 133, 134, 135, 136, 137, 143 }"
/* What a guest never says: listener reports (the bridges flood), router advertisements,
 * redirects. */
#define NOT_FOR_GUESTS "{ 130, 131, 132, 134, 137, 143 }"

static void
add_pair(struct arena *a, struct wanted_pair **pairs, size_t *count, size_t *capacity,
         const struct mac *mac, const struct address *ip)
{
    struct wanted_pair new_ = { *mac, address_network(ip) };

    for (size_t i = 0; i < *count; i++) {
        struct wanted_pair *p = &(*pairs)[i];

        if (!mac_equal(&p->mac, mac))
            continue;
        if (address_within(ip, &p->ip))
            return;
        if (address_within(&p->ip, ip)) {
            /* The wider one takes its place, and whatever else lies in it goes. */
            *p = (*pairs)[--*count];
            i--;
        }
    }
    *ARRAY_PUSH(a, *pairs, *count, *capacity) = new_;
}

/* Its addresses and allowed pairs of one family, none within another: nft takes no overlapping
 * elements. */
static size_t
collect_pairs(struct arena *a, const struct wanted_port *p, int family, struct wanted_pair **ret)
{
    size_t count = 0, capacity = 0;

    *ret = NULL;
    for (size_t i = 0; i < p->ips_count; i++)
        if (p->ips[i].ip.family == family)
            add_pair(a, ret, &count, &capacity, &p->mac, &p->ips[i].ip);
    for (size_t i = 0; i < p->pairs_count; i++)
        if (p->pairs[i].ip.family == family)
            add_pair(a, ret, &count, &capacity, &p->pairs[i].mac, &p->pairs[i].ip);
    return count;
}

static void
print_pairs(struct arena *a, const struct wanted_pair *pairs, size_t count, bool twice,
            struct str *out)
{
    str_add(out, "{ ");
    for (size_t i = 0; i < count; i++) {
        const char *mac = mac_text(a, &pairs[i].mac);

        str_addf(out, "%s%s . ", i > 0 ? ", " : "", mac);
        if (twice)
            str_addf(out, "%s . ", mac);
        str_add(out, address_text(a, &pairs[i].ip));
    }
    str_add(out, " }");
}

static void
print_mac_number(const struct mac *m, struct str *out)
{
    str_add(out, "0x");
    for (size_t i = 0; i < sizeof(m->bytes); i++)
        str_addf(out, "%02x", m->bytes[i]);
}

/* Metadata knows a guest by its address alone, so nobody asks for it from an address that is not
 * the port's own: not from an allowed pair, and not where port security is off. */
void
port_identity_print_metadata(struct arena *a, const struct wanted_port *p, struct str *out)
{
    bool any = false;

    str_add(out, "ether type ip ip daddr " METADATA_ADDRESS);
    for (size_t i = 0; i < p->ips_count; i++) {
        if (p->ips[i].ip.family != AF_INET)
            continue;
        str_addf(out, "%s%s", any ? ", " : " ip saddr != { ", address_bare(a, &p->ips[i].ip));
        any = true;
    }
    str_add(out, any ? " } drop\n" : " drop\n");
}

void
port_identity_print_ipv4(struct arena *a, const struct wanted_port *p, struct str *out)
{
    struct wanted_pair *pairs;
    struct address zero = { .family = AF_INET, .prefix = 32 };
    size_t count, capacity;

    count = capacity = collect_pairs(a, p, AF_INET, &pairs);
    /* A client without a lease, from its own MAC and asking for that MAC's; answers are a server's
     * business. */
    str_addf(out,
             "ether type ip ether saddr %s ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 "
             "udp dport 67 "
             "@th,288,48 ",
             mac_text(a, &p->mac));
    print_mac_number(&p->mac, out);
    str_add(out, " accept\nether type ip udp dport 67 @th,288,48 != ");
    print_mac_number(&p->mac, out);
    str_add(out, " drop\nether type ip udp sport 67 drop\n");
    if (count > 0) {
        str_add(out, "ether type ip ether saddr . ip saddr ");
        print_pairs(a, pairs, count, false, out);
        str_add(out, " accept\n");
    }
    /* 0.0.0.0 as the sender: the probe of address conflict detection, RFC 5227. */
    add_pair(a, &pairs, &count, &capacity, &p->mac, &zero);
    str_add(out, "ether type arp arp htype 1 arp ptype ip arp hlen 6 arp plen 4 ether saddr . arp "
                 "saddr ether . arp saddr ip ");
    print_pairs(a, pairs, count, true, out);
    str_add(out, " accept\n");
}

/* The target of a neighbour solicitation or advertisement: as many leading bits as the prefix
 * has. */
static void
print_nd_target(const struct address *ip, struct str *out)
{
    unsigned bits = ip->prefix / 8 * 8;

    str_addf(out, "@th,64,%u 0x", bits);
    for (unsigned i = 0; i < bits / 8; i++)
        str_addf(out, "%02x", ip->bytes[i]);
}

void
port_identity_print_ipv6(struct arena *a, const struct wanted_port *p, struct str *out)
{
    struct address own = address_link_local(&p->mac);
    struct wanted_pair *pairs;
    size_t count, capacity;

    count = capacity = collect_pairs(a, p, AF_INET6, &pairs);
    add_pair(a, &pairs, &count, &capacity, &p->mac, &own);

    /* Extension headers and fragments hide nothing: what is neighbour discovery stands right behind
     * the IPv6 header. */
    str_add(out, "ether type ip6 ip6 nexthdr != 58 icmpv6 type " ND_AND_MLD " drop\n"
                 "ether type ip6 exthdr frag exists meta l4proto 58 drop\n"
                 "ether type ip6 icmpv6 type " NOT_FOR_GUESTS " drop\n"
                 "ether type ip6 udp sport 547 drop\n");
    for (size_t i = 0; i < count; i++) {
        const struct address *ip = &pairs[i].ip;
        const char *mac = mac_text(a, &pairs[i].mac);

        if (ip->prefix < 8) {
            str_addf(out, "ether type ip6 ether saddr %s icmpv6 type { 135, 136 } accept\n", mac);
            continue;
        }
        str_addf(out, "ether type ip6 ether saddr %s ip6 saddr :: icmpv6 type 135 ", mac);
        print_nd_target(ip, out);
        str_addf(out, " accept\nether type ip6 ether saddr . ip6 saddr ");
        print_pairs(a, pairs, count, false, out);
        str_add(out, " icmpv6 type 136 ");
        print_nd_target(ip, out);
        str_add(out, " accept\n");
    }
    str_add(out, "ether type ip6 icmpv6 type 136 drop\nether type ip6 ether saddr . ip6 saddr ");
    print_pairs(a, pairs, count, false, out);
    str_add(out, " accept\n");
}
