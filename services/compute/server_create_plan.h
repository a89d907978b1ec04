/* What a request for servers comes to, after everything that can be refused was refused: nothing is stored yet.
 *
 * In parts, as what is asked of whom: our own tables (server_create_plan.c), the image service and block storage
 * (server_create_disks.c), the network service (server_create_networks.c); all as the user himself, so that nothing is found that is not his. */
#pragma once

#include "servers.h"

struct create_plan {
    struct flavor flavor;
    const struct keypair_row *key;
    json_t *image_facts;
    const char *image_id;
    json_t *networks; /* [{port | network, fixed_ip}] */
    json_t *groups;   /* Ids */
    json_t *attach;   /* [{volume_id, boot_index, ...}]: volumes that are there */
    json_t *make;     /* [{image_id, size, boot_index, ...}]: volumes to make */
    bool root_is_volume;
    const char *zone, *host;
    int64_t count;
};

/* The whole plan; '*ret' is zeroed. */
int create_plan_make(struct call *call, const struct server_create *in, struct create_plan *ret,
                     struct fault *f);

/* Its parts in other files. Devices come before the image: they say whether the root is a volume. */
int create_plan_devices(struct call *call, const struct server_create *in, struct create_plan *p,
                        struct fault *f);
int create_plan_image(struct call *call, const struct server_create *in, struct create_plan *p,
                      struct fault *f);
int create_plan_networks(struct call *call, const struct server_create *in, struct create_plan *p,
                         struct fault *f);
