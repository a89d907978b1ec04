#include "router_rules.h"

#include "base/array.h"
#include "names.h"
#include "port_rules.h"

/* Set on what came in from outside, so that the translation of its source can tell a floating IP's
 * visitor (whose address is kept) from a neighbour who took the way over the floating IP (who must
 * be answered the same way). */
#define MARK_FROM_OUTSIDE 2

const struct address *
router_gateway_address(const struct wanted_router *r)
{
    for (size_t i = 0; r->gateway != NULL && i < r->gateway->addresses_count; i++)
        if (r->gateway->addresses[i].family == AF_INET)
            return &r->gateway->addresses[i];
    return NULL;
}

static void
add_translation(const struct wanted_router *r, const char *outside, struct ruleset *ret)
{
    struct arena *a = ret->arena;
    const struct address *gateway = router_gateway_address(r);
    _cleanup_(str_done) struct str out = { 0 };

    ruleset_chain(ret, "translate_in", "type nat hook prerouting priority dstnat; policy accept;",
                  "dnat ip to ip daddr map @floating_in\n");
    ruleset_chain(ret, "translate_own", "type nat hook output priority -100; policy accept;",
                  "dnat ip to ip daddr map @floating_in\n");
    str_addf(&out, "meta mark %d ct status dnat return\n", MARK_FROM_OUTSIDE);
    str_addf(&out, "oifname \"%s\" snat ip to ip saddr map @floating_out\n", outside);
    str_add(&out, "ct status dnat snat ip to ip saddr map @floating_out\n");
    if (gateway != NULL) {
        const char *own = address_bare(a, gateway);

        str_addf(&out, "ct status dnat snat ip to %s\n", own);
        if (r->snat)
            str_addf(&out, "oifname \"%s\" meta nfproto ipv4 snat ip to %s\n", outside, own);
    }
    ruleset_chain(ret, "translate_out", "type nat hook postrouting priority srcnat; policy accept;",
                  str_text(&out));
}

/* The router answers ping, and guests' questions for metadata; it has nothing else to offer. */
static void
add_input(const struct wanted_router *r, struct ruleset *ret)
{
    struct arena *a = ret->arena;
    _cleanup_(str_done) struct str out = { 0 };

    str_add(&out, "iifname \"lo\" accept\nct state established,related accept\n");
    for (size_t i = 0; i < r->interfaces_count; i++)
        str_addf(&out, "iifname \"%s\" ip daddr " METADATA_ADDRESS " tcp dport 80 accept\n",
                 name_device(a, NAME_ROUTER, r->interfaces[i].port_id));
    str_add(&out, "ip daddr " METADATA_ADDRESS " drop\nmeta l4proto { 1, 58 } accept\n");
    ruleset_chain(ret, "input", "type filter hook input priority filter; policy drop;",
                  str_text(&out));
}

/* Outside reaches inside only by a floating IP, or as an answer, or where nothing is translated;
 * and what is inside leaves with no address but one of the router's own networks'. */
static void
add_forward(const struct wanted_router *r, const char *outside, struct ruleset *ret)
{
    struct arena *a = ret->arena;
    _cleanup_(str_done) struct str out = { 0 };
    struct address *inside = NULL;
    size_t inside_count = 0, capacity = 0;

    str_add(&out, "ct state invalid drop\n");
    for (size_t i = 0; i < r->interfaces_count; i++)
        for (size_t k = 0; k < r->interfaces[i].addresses_count; k++)
            address_set_add(a, &inside, &inside_count, &capacity, &r->interfaces[i].addresses[k]);
    for (size_t i = 0; i < r->routes_count; i++)
        if (!address_is_any(&r->routes[i].destination))
            address_set_add(a, &inside, &inside_count, &capacity, &r->routes[i].destination);
    for (size_t i = 0; i < inside_count; i++)
        ruleset_element(ret, inside[i].family == AF_INET ? "inside" : "inside6",
                        address_text(a, &inside[i]), NULL);
    if (outside != NULL) {
        str_addf(&out, "oifname \"%s\" ct state new ip saddr != @inside drop\n", outside);
        str_addf(&out, "oifname \"%s\" ct state new ip6 saddr != @inside6 drop\n", outside);
        if (r->snat)
            str_addf(&out,
                     "iifname \"%s\" ct status dnat accept\n"
                     "iifname \"%s\" meta nfproto ipv4 ct state new drop\n",
                     outside, outside);
    }
    ruleset_chain(ret, "forward", "type filter hook forward priority filter; policy accept;",
                  str_text(&out));
}

void
router_rules(const struct wanted_router *r, struct ruleset *ret)
{
    struct arena *a = ret->arena;
    const char *outside =
        r->gateway != NULL ? name_device(a, NAME_GATEWAY, r->gateway->port_id) : NULL;

    ruleset_map(ret, "floating_in", "type ipv4_addr : ipv4_addr;");
    ruleset_map(ret, "floating_out", "type ipv4_addr : ipv4_addr;");
    ruleset_set(ret, "inside", "type ipv4_addr; flags interval;");
    ruleset_set(ret, "inside6", "type ipv6_addr; flags interval;");
    for (size_t i = 0; i < r->floating_ips_count; i++) {
        const char *floating = address_bare(a, &r->floating_ips[i].floating);
        const char *fixed = address_bare(a, &r->floating_ips[i].fixed);

        ruleset_element(ret, "floating_in", floating, fixed);
        ruleset_element(ret, "floating_out", fixed, floating);
    }
    ruleset_chain(ret, "clamp", "type filter hook forward priority mangle; policy accept;",
                  "tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu\n");
    add_input(r, ret);
    add_forward(r, outside, ret);
    if (outside != NULL) {
        ruleset_chain(ret, "origin", "type filter hook prerouting priority mangle; policy accept;",
                      arena_printf(a, "iifname \"%s\" meta mark set %d\n", outside,
                                   MARK_FROM_OUTSIDE));
        add_translation(r, outside, ret);
    }
}
