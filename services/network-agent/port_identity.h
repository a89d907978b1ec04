/* Anti-spoofing: rules that say whom a port's frames may claim to be from, as text. Pure; for
 * port_rules.c, which puts them into the port's chain. */
#pragma once

#include "base/str.h"
#include "wanted.h"

/* Drops what asks for metadata from any address but the port's own. */
void port_identity_print_metadata(struct arena *a, const struct wanted_port *p, struct str *out);
/* Accepts IPv4, ARP and DHCP that are the port's own. */
void port_identity_print_ipv4(struct arena *a, const struct wanted_port *p, struct str *out);
/* The same for IPv6 and neighbour discovery. */
void port_identity_print_ipv6(struct arena *a, const struct wanted_port *p, struct str *out);
