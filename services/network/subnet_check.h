/* What a subnet may be: decisions that need no database. */
#pragma once

#include "service.h"

/* Are addresses of the subnet made from the port's MAC? */
bool subnet_is_auto(int ip_version, const char *ipv6_address_mode);

/* A new subnet whose cidr is known: checks all that it says, and fills gateway_ip and allocation_pools where it says nothing.
 * Everything is canonical afterwards. */
int subnet_check_new(struct subnet *row, struct arena *a, struct fault *f);

/* A change of 'old': what is given in 'row' is checked against what stays. */
int subnet_check_change(const struct subnet *old, struct subnet *row, struct arena *a,
                        struct fault *f);
