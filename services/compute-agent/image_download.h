/* Images from the image service over HTTP, with this agent's own credentials. */
#pragma once

#include "daemon/daemon.h"
#include "image_cache.h"

struct image_download;

int image_download_open(struct image_download **ret, const struct daemon_config *config,
                        struct fault *f);
void image_download_close(struct image_download *d);

/* For struct image_source; 'owner' is the struct image_download. Thread-safe. */
int image_download_run(void *owner, const struct guest_image *image,
                       int (*sink)(void *sink_owner, const char *data, size_t size,
                                   struct fault *f),
                       void *sink_owner, struct fault *f);
