/* Where routers and DHCP are: on hosts whose agent lives and has what they need; moved when it dies. */
#pragma once

#include "touched.h"

/* Puts the router on a live host that has its external physical network, if it isn't on one and has any port; takes it away
 * when it has none. Without such a host it stays where it is until one reports. */
int router_place(struct touched *t, struct db_tx *tx, const char *router_id, struct fault *f);

/* The thread that looks for what is not, or badly, placed: every placement_interval, and when it is woken. */
int placement_start(struct network_service *service, struct fault *f);
void placement_wake(struct network_service *service);
void placement_stop(struct network_service *service);
