/* What a domain XML that libvirt gave says of the guest's devices. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "domain_devices.h"

struct domain_device {
    const char *xml; /* The element, for detaching. */
    const char *alias;
    const char *target; /* "vdb", "tap0a1b2c3d" */
};

/* The device with that alias; false: none. */
bool domain_read_device(struct arena *a, const char *xml, const char *alias,
                        struct domain_device *ret);
/* The network card with that address; its alias, or NULL where it has none, in the answer. */
bool domain_read_nic(struct arena *a, const char *xml, const char *mac, struct domain_device *ret);
/* Marks the disk names that are in use. */
void domain_read_targets(struct arena *a, const char *xml, struct disk_targets *targets);

struct domain_summary {
    const char **volumes, **macs; /* Volume ids (of our aliases), and addresses of network cards. */
    size_t volumes_count, macs_count;
};
void domain_read_summary(struct arena *a, const char *xml, struct domain_summary *ret);
