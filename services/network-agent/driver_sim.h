/* What tests ask the simulated driver. */
#pragma once

#include "driver.h"

/* The ids of the ports it has, with their network's: so tests see what an agent would have made.
 * Counts, and looks up. */
size_t driver_sim_ports(const struct driver_state *s);
bool driver_sim_has_port(const struct driver_state *s, const char *id);
int64_t driver_sim_generation(const struct driver_state *s);
/* From now on this port fails with that reason; NULL: it works again. */
void driver_sim_break(struct driver_state *s, const char *port_id, const char *reason);
