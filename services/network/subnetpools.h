/* Subnet pools: prefixes that subnets are cut from, without overlap. */
#pragma once

#include "service.h"

/* Gives the new subnet its cidr out of the pool that it names (or the default one), or checks that the one it asks for is free
 * there. Holds the pool until the transaction ends. */
int subnetpool_cut(struct call *call, struct db_tx *tx, struct subnet *row, struct fault *f);
