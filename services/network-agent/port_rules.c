#include "port_rules.h"

#include <netinet/in.h>

#include "base/array.h"
#include "names.h"
#include "port_identity.h"

static const char *
family_word(int family)
{
    return family == AF_INET ? "ip" : "ip6";
}

static char *
chain_name(struct arena *a, const struct wanted_port *p, const char *suffix)
{
    return arena_printf(a, "%s-%s", p->tap, suffix);
}

static char *
group_name(struct arena *a, const struct wanted_group *g, const char *prefix)
{
    return arena_printf(a, "%s-%s", prefix, g->id);
}

static void
add_spoof_chain(struct arena *a, const struct wanted_port *p, bool broken, struct ruleset *ret)
{
    _cleanup_(str_done) struct str rules = { 0 };
    const char *name = chain_name(a, p, "s");

    str_add(&rules, "meta mark set 0\n");
    if (broken) {
        str_add(&rules, "drop\n");
    } else {
        port_identity_print_metadata(a, p, &rules);
        if (p->secured) {
            port_identity_print_ipv4(a, p, &rules);
            port_identity_print_ipv6(a, p, &rules);
            str_add(&rules,
                    "drop\n"); /* Other ether types with it: VLAN tags, STP, LLDP, MPLS... */
        }
    }
    ruleset_chain(ret, name, NULL, str_text(&rules));
    ruleset_element(ret, "spoof", arena_printf(a, "\"%s\"", p->tap),
                    arena_printf(a, "goto %s", name));
}

/* --- what a port may do ----------------------------------------------------------------------- */

static void
add_traffic_chain(struct arena *a, const struct wanted_port *p, bool ingress, bool broken,
                  struct ruleset *ret)
{
    _cleanup_(str_done) struct str rules = { 0 };
    const char *name = chain_name(a, p, ingress ? "i" : "o");

    if (!broken) {
        str_addf(&rules, "ether type arp accept\nmeta mark %d accept\nmeta mark %d drop\n",
                 MARK_ESTABLISHED, MARK_INVALID);
        str_add(&rules, ingress ? "ether type ip udp sport 67 udp dport 68 accept\n"
                                  "ether type ip6 udp sport 547 udp dport 546 accept\n"
                                  "ether type ip6 icmpv6 type { 130, 134, 135, 136 } accept\n"
                                : "ether type ip udp sport 68 udp dport 67 accept\n"
                                  "ether type ip6 udp sport 546 udp dport 547 accept\n"
                                  "ether type ip6 icmpv6 type { 133, 135, 136 } accept\n");
        for (size_t i = 0; i < p->groups_count; i++)
            str_addf(&rules, "jump %s\n", group_name(a, p->groups[i], ingress ? "i" : "e"));
    }
    str_add(&rules, "counter drop\n");
    ruleset_chain(ret, name, NULL, str_text(&rules));
    ruleset_element(ret, ingress ? "ingress" : "egress", arena_printf(a, "\"%s\"", p->tap),
                    arena_printf(a, "goto %s", name));
}

static void
print_protocol(const struct wanted_rule *rule, struct str *out)
{
    static const struct {
        unsigned number;
        const char *name;
    } with_ports[] = {
        { 6, "tcp" }, { 17, "udp" }, { 33, "dccp" }, { 132, "sctp" }, { 136, "udplite" }
    };

    if (rule->kind == WANTED_ANY)
        return;
    if (rule->min < 0) {
        str_addf(out, "meta l4proto %u ", rule->protocol);
        return;
    }
    if (rule->kind == WANTED_ICMP) {
        const char *word = rule->family == AF_INET ? "icmp" : "icmpv6";

        str_addf(out, "%s type %d ", word, rule->min);
        if (rule->max >= 0)
            str_addf(out, "%s code %d ", word, rule->max);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(with_ports); i++) {
        if (with_ports[i].number != rule->protocol)
            continue;
        if (rule->max < 0 || rule->max == rule->min)
            str_addf(out, "%s dport %d ", with_ports[i].name, rule->min);
        else
            str_addf(out, "%s dport %d-%d ", with_ports[i].name, rule->min, rule->max);
    }
}

void
port_rules_print(const struct wanted_rule *rule, struct str *out)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const char *word = family_word(rule->family), *side = rule->ingress ? "saddr" : "daddr";

    str_addf(out, "ether type %s ", word);
    if (rule->prefix.family != 0 && !address_is_any(&rule->prefix)) {
        struct address net = address_network(&rule->prefix);

        str_addf(out, "%s %s %s ", word, side, address_text(a, &net));
    }
    if (rule->remote != NULL)
        str_addf(out, "%s %s @%s ", word, side,
                 group_name(a, rule->remote, rule->family == AF_INET ? "g4" : "g6"));
    print_protocol(rule, out);
    str_add(out, "accept");
}

static void
add_group(struct arena *a, const struct wanted_group *g, bool broken, struct ruleset *ret)
{
    _cleanup_(str_done) struct str egress = { 0 }, ingress = { 0 };
    const char *set4 = group_name(a, g, "g4"), *set6 = group_name(a, g, "g6");

    ruleset_set(ret, set4, "type ipv4_addr; flags interval;");
    ruleset_set(ret, set6, "type ipv6_addr; flags interval;");
    for (size_t i = 0; i < g->members_count; i++)
        ruleset_element(ret, g->members[i].family == AF_INET ? set4 : set6,
                        address_text(a, &g->members[i]), NULL);
    for (size_t i = 0; !broken && i < g->rules_count; i++) {
        struct str *out = g->rules[i].ingress ? &ingress : &egress;

        port_rules_print(&g->rules[i], out);
        str_add(out, "\n");
    }
    ruleset_chain(ret, group_name(a, g, "e"), NULL, str_text(&egress));
    ruleset_chain(ret, group_name(a, g, "i"), NULL, str_text(&ingress));
}

/* --- the tables ------------------------------------------------------------------------------- */

/* Near ends of the veths of DHCP and routers, and the tunnels: what comes from there is for a guest
 * or a namespace, never for the host. A gateway's near end is not among them: it stands on the
 * operator's own bridge. */
static void
add_local_denials(struct arena *a, const struct wanted *w, struct ruleset *ret)
{
    for (size_t i = 0; i < w->networks_count; i++) {
        const struct wanted_network *n = &w->networks[i];

        if (n->vni != 0)
            ruleset_element(ret, "no_local", arena_printf(a, "\"%s\"", name_vxlan(a, n->vni)),
                            NULL);
        if (n->dhcp != NULL)
            ruleset_element(ret, "no_local",
                            arena_printf(a, "\"%s\"", name_device(a, NAME_TAP, n->dhcp->port_id)),
                            NULL);
    }
    for (size_t i = 0; i < w->routers_count; i++)
        for (size_t k = 0; k < w->routers[i].interfaces_count; k++)
            ruleset_element(ret, "no_local",
                            arena_printf(a, "\"%s\"",
                                         name_device(a, NAME_TAP,
                                                     w->routers[i].interfaces[k].port_id)),
                            NULL);
}

void
port_rules_filter(const struct wanted *w, const struct map *broken, struct ruleset *ret)
{
    struct arena *a = ret->arena;

    ruleset_map(ret, "spoof", "type ifname : verdict;");
    ruleset_map(ret, "egress", "type ifname : verdict;");
    ruleset_map(ret, "ingress", "type ifname : verdict;");
    ruleset_set(ret, "no_local", "type ifname;");
    ruleset_chain(ret, "prerouting", "type filter hook prerouting priority -300; policy accept;",
                  "iifname vmap @spoof\n");
    ruleset_chain(ret, "local", "type filter hook input priority 0; policy accept;",
                  "iifname @no_local drop\n");
    ruleset_chain(ret, "forward_out", "type filter hook forward priority 0; policy accept;",
                  "iifname vmap @egress\n");
    ruleset_chain(ret, "forward_in", "type filter hook forward priority 10; policy accept;",
                  "oifname vmap @ingress\n");

    for (size_t i = 0; i < w->groups_count; i++)
        add_group(a, &w->groups[i], broken != NULL && map_has(broken, w->groups[i].id), ret);
    for (size_t i = 0; i < w->ports_count; i++) {
        const struct wanted_port *p = &w->ports[i];
        bool is_broken = broken != NULL && map_has(broken, p->id);

        ruleset_element(ret, "no_local", arena_printf(a, "\"%s\"", p->tap), NULL);
        add_spoof_chain(a, p, is_broken, ret);
        if (p->secured || is_broken) {
            add_traffic_chain(a, p, false, is_broken, ret);
            add_traffic_chain(a, p, true, is_broken, ret);
        }
    }
    add_local_denials(a, w, ret);
}

/* The operator's own bridges are left alone until a guest stands on one of them. */
static bool
is_filtered(const struct wanted *w, const struct wanted_network *n)
{
    if (n->physical == NULL)
        return true;
    for (size_t i = 0; i < w->ports_count; i++)
        if (w->ports[i].network == n)
            return true;
    return false;
}

void
port_rules_state(const struct wanted *w, const struct zones *z, struct ruleset *ret)
{
    struct arena *a = ret->arena;

    ruleset_map(ret, "zones", "typeof iifname : ct zone;");
    ruleset_set(ret, "bridges", "type ifname;");
    ruleset_set(ret, "peers", "type ipv4_addr;");
    ruleset_set(ret, "peers6", "type ipv6_addr;");
    ruleset_chain(ret, "zone_in", "type filter hook prerouting priority raw; policy accept;",
                  "ct zone set iifname map @zones\n");
    ruleset_chain(ret, "zone_out", "type filter hook output priority raw; policy accept;",
                  "ct zone set oifname map @zones\n");
    ruleset_chain(ret, "classify", NULL,
                  arena_printf(a,
                               "ct state established,related meta mark set %d return\n"
                               "ct state invalid meta mark set %d return\n"
                               "meta mark set %d\n",
                               MARK_ESTABLISHED, MARK_INVALID, MARK_NEW));
    ruleset_chain(ret, "state", "type filter hook prerouting priority mangle; policy accept;",
                  "iifname @bridges jump classify\n");
    /* Only other hosts of this cloud put frames into its networks. */
    ruleset_chain(ret, "tunnels", "type filter hook input priority filter; policy accept;",
                  "meta nfproto ipv4 udp dport 4789 ip saddr != @peers drop\n"
                  "meta nfproto ipv6 udp dport 4789 ip6 saddr != @peers6 drop\n");

    for (size_t i = 0; i < w->networks_count; i++) {
        const struct wanted_network *n = &w->networks[i];
        const char *bridge = arena_printf(a, "\"%s\"", n->bridge);

        if (!is_filtered(w, n) || zones_get(z, n->id) == 0)
            continue;
        ruleset_element(ret, "bridges", bridge, NULL);
        ruleset_element(ret, "zones", bridge, arena_printf(a, "%u", zones_get(z, n->id)));
    }
    for (size_t i = 0; i < w->peers_count; i++)
        ruleset_element(ret, w->peers[i].family == AF_INET ? "peers" : "peers6",
                        address_bare(a, &w->peers[i]), NULL);
}
