/* A server's ports: made or taken, bound to its host, remembered, and given back. */
#pragma once

#include "servers.h"

/* Reads the ports whose device is the server (and their floating IPs) and writes the server's network_info. 'owned': ids of the
 * ports that were made by us, beyond those already known to be. */
int server_network_refresh(struct remote *r, struct db *db, struct server *server,
                           const json_t *owned, struct fault *f);

/* Binds a port that is there to the server and its host. FAULT_CONFLICT when another has it. */
int server_network_take(struct remote *r, const struct server *server, const char *port_id,
                        struct fault *f);

/* In the transaction that starts the saga which takes the port: is no other about to? FAULT_CONFLICT. Together with the look that
 * server_network_take() has at the port itself, one port never serves two. */
int server_network_reserve(struct db_tx *tx, const char *port_id, struct fault *f);

/* Saga steps of server-create. */
int step_network(struct saga_run *run, struct fault *f);
int step_network_undo(struct saga_run *run, struct fault *f);
int step_wired(struct saga_run *run, struct fault *f);

/* Deletes the ports that were made for the server, unbinds those that were brought. */
int server_network_release(struct saga_run *run, const struct server *server, struct fault *f);
