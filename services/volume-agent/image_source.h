/* Where images come from. */
#pragma once

#include "volume_agent_rpc.h"

/* Writes the bytes of 'image' to sink() and nothing else; any thread. */
struct image_source {
    int (*download)(void *owner, struct arena *a, const struct volume_image *image,
                    int (*sink)(void *sink_owner, const char *data, size_t size, struct fault *f),
                    void *sink_owner, struct fault *f);
    void *owner;
};

struct daemon;

/* The image service, as this daemon's own user. Only it gets our token: an URL elsewhere is read
 * without one. */
struct image_source *image_source_open(struct daemon *d, int64_t deadline_s, struct fault *f);
void image_source_close(struct image_source *s);
