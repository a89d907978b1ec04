/* A server's ports: made or taken, bound to its host, remembered, and given back. */
#pragma once

#include "servers.h"

/* Reads the ports whose device is the server (and their floating IPs) and writes the server's network_info. 'owned': ids of the
 * ports that were made by us, beyond those already known to be. */
int server_network_refresh(struct remote *r, struct db *db, struct server *server, const json_t *owned, struct fault *f);

/* Saga steps of server-create. */
int step_network(struct saga_run *run, struct fault *f);
int step_network_undo(struct saga_run *run, struct fault *f);
int step_wired(struct saga_run *run, struct fault *f);

/* Deletes the ports that were made for the server, unbinds those that were brought. */
int server_network_release(struct saga_run *run, const struct server *server, struct fault *f);
