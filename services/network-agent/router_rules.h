/* The rules of a router's namespace, as text: source NAT, floating IPs, MSS clamping, what may
 * reach the router itself. Pure. */
#pragma once

#include "ruleset.h"
#include "wanted.h"

/* "inet virga" of the router's namespace. A floating IP is one element in each of two maps, so that
 * one of thousands comes or goes without the others noticing. */
void router_rules(const struct wanted_router *r, struct ruleset *ret);

/* The IPv4 address that source NAT uses, or NULL. */
const struct address *router_gateway_address(const struct wanted_router *r);
