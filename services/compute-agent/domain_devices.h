/* The part of the domain XML that is disks and network cards. */
#pragma once

#include "domain_xml.h"
#include "xml.h"

int domain_devices_add_disks(struct arena *a, xmlNode *devices,
                             const struct guest_description *guest,
                             const struct guest_settings *settings, const struct guest_disks *disks,
                             const struct domain_host *host, struct fault *f);
void domain_devices_add_nic(struct arena *a, xmlNode *devices, const struct guest_nic *nic,
                            const char *model);
void domain_devices_add_volume(struct arena *a, xmlNode *devices, const struct guest_volume *volume,
                               const char *target, const char *bus, int64_t boot_order);

/* Names of disks: targets of one prefix ("vd"), given out in order; up to DISK_TARGETS_MAX. */
enum { DISK_TARGETS_MAX = 26 * 27 };
struct disk_targets {
    const char *prefix;
    bool taken[DISK_TARGETS_MAX];
};
/* "vd", "sd", "hd" */
const char *disk_targets_prefix(const char *bus);
void disk_targets_take(struct disk_targets *t,
                       const char *target); /* "vdb"; of another prefix: ignored. */
/* 'wanted' ("/dev/vdb", "vdb", of any prefix, or NULL) if it is free, else the first that is. NULL: all are taken. */
const char *disk_targets_next(struct disk_targets *t, struct arena *a, const char *wanted);
