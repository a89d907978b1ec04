/* Metadata for guests: http://169.254.169.254 inside DHCP and router namespaces.
 *
 * Who asks is known by the namespace a connection came into and the address it came from, which the
 * port's rules keep a guest from forging; nothing a request says of itself (X-Instance-ID,
 * X-Forwarded-For, Host) is looked at. One thread serves all namespaces; a second one fetches a
 * server's facts where they are not in the cache, while the connection waits aside. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/fault.h"

struct metadata_server;

struct metadata_source {
    /* The facts about a server: a JSON object in 'a'. Called in the fetching thread; may block.
     * FAULT_NOT_FOUND: no such server. */
    int (*fetch)(void *owner, const char *instance_id, struct arena *a, json_t **ret,
                 struct fault *f);
    void *owner;
    int64_t cache_ms;               /* How long facts are good. */
    unsigned requests_per_s, burst; /* Of one port. */
};

int metadata_server_open(struct metadata_server **ret, const struct metadata_source *source,
                         struct fault *f);
void metadata_server_close(struct metadata_server *m); /* NULL does nothing. */

/* Listens on the address inside the namespace, from now on; again: nothing happens. The address
 * must be there. */
int metadata_server_listen(struct metadata_server *m, const char *netns, struct fault *f);
void metadata_server_unlisten(struct metadata_server *m, const char *netns);

/* Who has which address in which namespace: the whole directory, replaced at once. */
struct metadata_client {
    const char *netns;
    const char *ip; /* As address_bare() writes it. */
    const char *port_id;
    const char *instance_id;
};
void metadata_server_set_clients(struct metadata_server *m, const struct metadata_client *clients,
                                 size_t count);

struct metadata_stats {
    uint64_t requests, unknown, limited, failed, fetches;
};
void metadata_server_stats(struct metadata_server *m, struct metadata_stats *ret);
