/* What dnsmasq is told about one network, as text. Pure: every address is printed from its parsed
 * form, every name was checked where it came in. */
#pragma once

#include "base/str.h"
#include "wanted.h"

/* "MAC,name,address": one line for each address of each port, here and elsewhere. */
void dhcp_text_hosts(const struct wanted *w, const struct wanted_network *n, struct str *out);
/* Options of subnets (router, name servers, MTU, routes) and of single ports. */
void dhcp_text_options(const struct wanted *w, const struct wanted_network *n, struct str *out);
/* The command line without the program, in the arena, NULL-terminated. 'dir' has the files hosts,
 * opts, leases. */
const char **dhcp_text_arguments(struct arena *a, const struct wanted *w,
                                 const struct wanted_network *n, const char *device,
                                 const char *dir, const char *user);

/* Its own address in a subnet, or NULL. */
const struct address *dhcp_text_address(const struct wanted_network *n,
                                        const struct wanted_subnet *s);
