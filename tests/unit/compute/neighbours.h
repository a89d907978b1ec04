/* The other services and the agent as compute's sagas meet them, in memory that parent and children share: what remote.c would
 * ask over REST and rpc/client.c over the bus. One server, one host. */
#pragma once

#include "services/compute/servers.h"

#define SERVER_ID "11111111-0000-4000-8000-000000000001"
#define PROJECT_ID "p"
#define NETWORK_ID "22222222-0000-4000-8000-000000000001"
#define PROVIDER_ID "33333333-0000-4000-8000-000000000001"
#define PORT_BROUGHT "44444444-0000-4000-8000-000000000000"
#define VOLUME_BROUGHT "55555555-0000-4000-8000-000000000000"

struct fake_port {
    bool there;
    char id[40], network[40], device[40], host[40];
};
struct fake_volume {
    bool there, attached, complete;
    char id[40], key[80];
};
struct neighbours {
    struct compute compute; /* First: what the sagas see as run->service. */
    struct compute_config config;
    struct daemon daemon;
    char claimed[40]; /* Provider that has the server's allocation; "": none */
    struct fake_port ports[8];
    struct fake_volume volumes[8];
    int ports_made, volumes_made;
    bool guest, guest_has_volume;
};

/* Empty, but for the port and the volume that are brought. */
void neighbours_reset(struct neighbours *n);
/* All that they hold, without ids. */
char *neighbours_text(struct arena *a, const struct neighbours *n);
