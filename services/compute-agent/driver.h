/* Hypervisor backends: one table of functions each, and the guests behind it.
 *
 * A driver answers when the hypervisor has done what was asked, or says what kept it from it. It is idempotent by the ids it
 * is given and keeps no truth of its own beside the hypervisor's and the guests' folders: after a restart it serves
 * what it finds. Functions may be called from several threads at once, but for one guest by one at a time (guest_lock.h);
 * none hangs: each backend call has a deadline. The structs are those of api-specs/rpc. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/fault.h"
#include "gen/compute_agent_rpc.h"

struct compute_agent_config;
struct image_cache;
struct guest_hold;

/* Called by the driver's own threads when a guest's state changes, whoever changed it. Must not block.
 * 'reason' is one of guest_event's in api-specs/rpc/compute.yaml; static text. */
struct driver_events {
    void (*guest_changed)(void *owner, const char *guest_id, enum guest_power_state state,
                          const char *reason);
    /* The hypervisor is reachable, for the first time or again: anything may have changed. */
    void (*resync)(void *owner);
    void *owner;
};

/* What a host is and has; text lives in the arena it was asked with. */
struct driver_inventory {
    const char *hypervisor_hostname, *hypervisor_type, *architecture, *cpu_vendor, *cpu_model;
    int64_t hypervisor_version;
    int64_t sockets, cores, threads;
    int64_t vcpus, memory_mb, disk_gb;
    int64_t memory_free_mb, disk_free_gb;
    const char **traits; /* Placement's names. */
    size_t traits_count;
};

/* Every driver's own struct starts with this one. */
struct hypervisor {
    const struct driver *driver;
};

struct driver_options {
    const struct compute_agent_config *config;
    const char *host;
    struct image_cache *images; /* Borrowed; NULL where the driver needs none. */
    struct driver_events events;
};

struct driver {
    const char *name;
    bool uses_images; /* Wants driver_options.images. */

    /* Does not wait for the backend to be there: calls fail with FAULT_UNAVAILABLE until it is. */
    int (*open)(struct hypervisor **ret, const struct driver_options *options, struct fault *f);
    void (*close)(struct hypervisor *h);

    /* 'hold' tells whether somebody wants the guest gone already (guest_lock.h); may be NULL. A guest that was
     * spawned before is left alone. After a failure nothing of the guest is left. */
    int (*spawn)(struct hypervisor *h, struct arena *a, const struct guest_description *guest,
                 const struct guest_hold *hold, enum guest_power_state *ret, struct fault *f);
    int (*destroy)(struct hypervisor *h, struct arena *a, const char *guest_id, struct fault *f);
    int (*start)(struct hypervisor *h, struct arena *a, const char *guest_id,
                 enum guest_power_state *ret, struct fault *f);
    int (*stop)(struct hypervisor *h, struct arena *a, const char *guest_id, int64_t timeout_s,
                bool *ret_clean, struct fault *f);
    int (*reboot)(struct hypervisor *h, struct arena *a, const struct guest_description *guest,
                  bool hard, int64_t timeout_s, bool *ret_clean, enum guest_power_state *ret,
                  struct fault *f);
    /* The last 'bytes' at most, raw; 'lines' -1: all of them. */
    int (*console)(struct hypervisor *h, struct arena *a, const char *guest_id, int64_t lines,
                   int64_t bytes, const char **ret, size_t *ret_size, struct fault *f);
    int (*attach_volume)(struct hypervisor *h, struct arena *a, const char *guest_id,
                         const struct guest_volume *volume, const char **ret_device,
                         struct fault *f);
    /* FAULT_CONFLICT: the guest did not let go of it, it is still connected. */
    int (*detach_volume)(struct hypervisor *h, struct arena *a, const char *guest_id,
                         const char *volume_id, int64_t timeout_s, struct fault *f);
    int (*attach_nic)(struct hypervisor *h, struct arena *a, const char *guest_id,
                      const struct guest_nic *nic, struct fault *f);
    int (*detach_nic)(struct hypervisor *h, struct arena *a, const char *guest_id, const char *mac,
                      int64_t timeout_s, struct fault *f);
    int (*list)(struct hypervisor *h, struct arena *a, struct guest_present **ret,
                size_t *ret_count, struct fault *f);
    int (*inventory)(struct hypervisor *h, struct arena *a, struct driver_inventory *ret,
                     struct fault *f);
    /* Housekeeping, now and then; may be NULL. */
    void (*tend)(struct hypervisor *h);
};

extern const struct driver driver_libvirt, driver_sim;

/* By name; NULL: there is none. */
const struct driver *driver_find(const char *name);
