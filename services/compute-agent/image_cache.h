/* Images on this host: each downloaded once, checked, and kept as long as a guest or chance needs it.
 *
 * A file of the cache is named by image and digest, is never changed, and is given out as a hard link in a guest's
 * own folder: so its link count says whether it is in use, a guest's base cannot be taken from under it, and
 * there is no list that could be wrong after a crash. The format was decided when the image was uploaded; the bytes are inspected
 * once more before anything opens them, and QEMU's tools are told the format, always. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/fault.h"
#include "gen/compute_agent_rpc.h"

struct image_cache;

/* Where images come from: writes the bytes of 'image' to sink() and nothing else. Called by one thread for an image. */
struct image_source {
    int (*download)(void *owner, const struct guest_image *image,
                    int (*sink)(void *sink_owner, const char *data, size_t size, struct fault *f),
                    void *sink_owner, struct fault *f);
    void *owner;
};

/* Makes 'folder' when it is not there and removes what an earlier process left half done. */
int image_cache_open(struct image_cache **ret, const char *folder,
                     const struct image_source *source, int64_t unused_max_bytes,
                     int64_t unused_max_s, struct fault *f);
void image_cache_close(struct image_cache *c);

struct image_base {
    const char *path;   /* The guest's link to it. */
    const char *driver; /* QEMU's name of its format: raw or qcow2. */
    int64_t virtual_bytes;
};

/* The image as 'link_path' (which must not exist), downloaded if need be; callers that want the same one wait for one
 * download. FAULT_INVALID: the image is not what its record says or is refused (nothing is kept); FAULT_UNAVAILABLE: it could
 * not be had now. 'max_virtual_bytes': larger ones are refused; 0: any. */
int image_cache_link(struct image_cache *c, struct arena *a, const struct guest_image *image,
                     int64_t max_virtual_bytes, const char *link_path, struct image_base *ret,
                     struct fault *f);

/* Removes images that no guest uses: those unused for too long, then the longest unused until the rest fits. */
void image_cache_tend(struct image_cache *c);
