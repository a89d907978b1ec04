/* What libvirt is told of a guest: its domain XML, and the XML of devices that come later.
 *
 * Pure: from a description and what the host is to a text. Everything that came from outside is an attribute or text
 * node made by libxml2; every disk has its format; nothing a user gave is a path. */
#pragma once

#include "base/arena.h"
#include "base/fault.h"
#include "disks.h"
#include "gen/compute_agent_rpc.h"

/* What the host adds to a description. */
struct domain_host {
    const char *type;         /* "kvm" or "qemu" */
    const char *architecture; /* "x86_64" */
    const char *emulator;     /* NULL: libvirt's choice. */
    const char *cpu_model;    /* "host-model", "host-passthrough" or a name. */
    const char *disk_cache;   /* Of local disks. */
    const char *vnc_listen;   /* "": no graphics. */
    bool security_labels;
};

int domain_xml(struct arena *a, const struct guest_description *guest,
               const struct guest_disks *disks, const struct domain_host *host, char **ret,
               struct fault *f);

/* <disk> of a volume that becomes the guest's 'target' ("vdb"). */
char *domain_xml_volume(struct arena *a, const struct guest_volume *volume, const char *target,
                        const char *bus);
/* <interface> */
char *domain_xml_nic(struct arena *a, const struct guest_nic *nic, const char *model);

/* Names that libvirt keeps and its events carry. */
const char *domain_volume_alias(struct arena *a, const char *volume_id);
const char *domain_nic_alias(struct arena *a, const char *port_id);
