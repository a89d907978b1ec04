/* What a port may say of itself: decisions that need no database. */
#pragma once

#include "service.h"

/* Checks what is given in 'row', a new port ('old' NULL) or a change of 'old' with its computed members; null becomes empty. */
int port_check(struct port *row, const struct port *old, struct arena *a, struct fault *f);

/* Address pairs without a MAC get the port's. */
void port_fill_pairs(struct port *row, const char *mac);

const char *mac_canonical(struct arena *a, const char *mac); /* Lower case, colons. */
