/* Who may ask for metadata, and how often: the directory and the rate limits behind
 * metadata_server.c. Takes 'now', does no I/O, and is not thread-safe (its owner has a mutex). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "metadata_server.h"

struct metadata_clients;

struct metadata_clients *metadata_clients_new(unsigned requests_per_s, unsigned burst);
void metadata_clients_free(struct metadata_clients *c);
/* Replaces the directory. What was counted of ports that stay is kept. */
void metadata_clients_set(struct metadata_clients *c, const struct metadata_client *clients,
                          size_t count);
/* Whose address is that, in that namespace? NULL: nobody's. Valid until the next set. */
struct metadata_identity {
    const char *port_id, *instance_id;
};
const struct metadata_identity *metadata_clients_find(const struct metadata_clients *c,
                                                      const char *netns, const char *ip);
/* One more request of this port: may it pass? */
bool metadata_clients_take(struct metadata_clients *c, const char *port_id, int64_t now_ms);
/* Is the server one of the directory's? */
bool metadata_clients_has_instance(const struct metadata_clients *c, const char *instance_id);
