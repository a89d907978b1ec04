/* DHCP ports: each network with a subnet that has DHCP is served on one host, through a port with an address in each of them. */
#pragma once

#include "touched.h"

/* Makes the network's DHCP port what its subnets ask for: there or not, on a live host, with the right addresses. Without a live
 * agent there is none until one reports. */
int dhcp_ensure(struct touched *t, struct db_tx *tx, const char *network_id, struct fault *f);
