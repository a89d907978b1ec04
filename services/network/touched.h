/* Whom a change concerns: hosts whose agents must fetch their state anew, servers whose addresses changed.
 *
 * Code that changes something notes it here as it goes; touched_settle(), last in the transaction, counts up the generation of
 * each host once and writes the messages into the outbox. It comes last because the hosts' rows are what all changes lock in
 * common. Requests keep their notes in call->scratch: touched_of(call), and touched_hook() as the resource's 'settle'. */
#pragma once

#include "service.h"

struct touched {
    struct arena *arena;
    struct network_service *service;
    struct texts networks, groups, routers, hosts;
    struct touched_server {
        const char *server_id, *port_id;
    } * servers;
    size_t servers_count, servers_capacity;
};

struct touched *touched_of(struct call *call);

void touch_network(struct touched *t, const char *id); /* All hosts with a port on it. */
void touch_group(struct touched *t,
                 const char *id); /* Those with a port in it, or in a group whose rules name it. */
void touch_router(struct touched *t, const char *id);
void touch_host(struct touched *t, const char *name); /* NULL and "" do nothing. */
/* A port changed in what compute shows of its server. Ports that are no server's are left out. */
void touch_server(struct touched *t, const char *device_owner, const char *device_id,
                  const char *port_id);

/* Finds the hosts of what was noted so far: before rows go that tell them. */
int touched_resolve(struct touched *t, struct db_tx *tx, struct fault *f);
int touched_settle(struct touched *t, struct db_tx *tx, struct fault *f);
int touched_hook(struct call *call, struct db_tx *tx, struct fault *f);
