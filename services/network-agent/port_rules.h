/* The rules that protect guests' ports, as text: anti-spoofing and security groups. Pure: state in,
 * rule sets out.
 *
 * Two tables. "inet virga" sees what is bridged through br_netfilter: it puts each bridge in a
 * conntrack zone of its own (tenants' addresses may overlap) and turns the connection's state into
 * a packet mark, because the bridge family cannot ask conntrack on every kernel. "bridge virga"
 * decides by the port's name and that mark:
 *
 *   prerouting -300  iifname vmap @spoof      who the frame says it is from: <tap>-s
 *   input            drop                     nothing on tenants' bridges talks to the host itself
 *   forward 0        iifname vmap @egress     <tap>-o: state, then the groups' chains e-<group>
 *   forward 10       oifname vmap @ingress    <tap>-i: state, then the groups' chains i-<group>
 *
 * An accept in one base chain goes on to the next. If br_netfilter is off, marks stay 0 and nothing
 * but ARP passes. Chains may name taps that do not exist yet: rules are there before a link is. */
#pragma once

#include "ruleset.h"
#include "wanted.h"

#define PORT_RULES_TABLE "virga"
#define METADATA_ADDRESS "169.254.169.254"

enum { MARK_ESTABLISHED = 1, MARK_NEW = 2, MARK_INVALID = 4 };

/* Conntrack zones of the networks on this host, by network id. Kept from one state to the next: a
 * network that changed its zone would lose its connections. */
struct zones;
struct zones *zones_new(void);
void zones_free(struct zones *z);
/* Gives each network in 'w' a zone, 1..65535, mostly the same after a restart too (it starts from
 * the id). */
void zones_assign(struct zones *z, const struct wanted *w);
unsigned zones_get(const struct zones *z, const char *network_id); /* 0: none */

/* "bridge virga". 'broken' tells of ports and groups the kernel refused the last time (may be
 * NULL): a port in it gets chains that drop all, a group an empty one, so that one bad rule stops
 * nothing else. */
void port_rules_filter(const struct wanted *w, const struct map *broken, struct ruleset *ret);
/* "inet virga" */
void port_rules_state(const struct wanted *w, const struct zones *z, struct ruleset *ret);

/* One rule's line without end: matches, and "accept". For port_rules_filter() and its tests. */
void port_rules_print(const struct wanted_rule *rule, struct str *out);
