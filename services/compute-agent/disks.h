/* A guest's folder: its local disks, config drive and console log.
 *
 *     <folder>/<guest id>/root  base  ephemeral  swap  config  kernel  ramdisk  console  spawned
 *
 * 'base' is a link into the image cache, 'root' a qcow2 overlay on it. 'spawned' is made last: a guest without it was
 * never finished, and what is there is wreckage. No disk of a guest is ever mounted here, and none is opened without its format. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/fault.h"
#include "gen/compute_agent_rpc.h"
#include "image_cache.h"

/* Paths in the arena; NULL where the guest has no such thing. */
struct guest_disks {
    const char *folder, *console;
    const char *root; /* qcow2 */
    const char *base, *base_driver;
    const char *ephemeral, *swap; /* raw */
    const char *config;           /* ISO 9660 */
    const char *kernel, *ramdisk;
};

/* Makes all of it in a new folder below 'folder'; on failure nothing is left. */
int guest_disks_make(const char *folder, struct image_cache *images, struct arena *a,
                     const struct guest_description *guest, struct guest_disks *ret,
                     struct fault *f);

/* What is there already, for writing the definition anew. FAULT_NOT_FOUND: there is no such guest here. */
int guest_disks_find(const char *folder, struct arena *a, const struct guest_description *guest,
                     struct guest_disks *ret, struct fault *f);

/* Of an id that was checked with uuid_check(). */
const char *guest_disks_folder(const char *folder, struct arena *a, const char *guest_id);
bool guest_disks_spawned(const char *folder, struct arena *a, const char *guest_id);
int guest_disks_set_spawned(const char *folder, struct arena *a, const char *guest_id,
                            struct fault *f);
/* Removes the folder and all in it; one that is not there is success. */
int guest_disks_remove(const char *folder, struct arena *a, const char *guest_id, struct fault *f);
