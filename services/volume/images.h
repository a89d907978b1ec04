/* Images, as volumes are made of them. */
#pragma once

#include "service.h"

struct image_facts {
    json_t *
        source; /* What the agent needs: id, size, disk_format, checksum, url (VolumeImage of the agent's methods) */
    json_t *metadata; /* volume_image_metadata: texts */
};

/* Asks the image service as the caller's user: is there such an image, may he use it, and does it fit into 'size_gb'? */
int image_for_volume(struct call *call, const char *image_id, int64_t size_gb,
                     struct image_facts *ret, struct fault *f);

/* The checks alone, of an image as the image service shows it. Pure. */
int image_check(const json_t *image, int64_t size_gb, struct fault *f);
/* volume_image_metadata of it. */
json_t *image_metadata(const json_t *image, struct arena *a);
