/* What is done to devices by other ways than netlink: making taps, announcing addresses. */
#pragma once

#include <stddef.h>

#include "address.h"
#include "base/fault.h"

/* A persistent tap in the agent's namespace, down and on no bridge: it is there before the guest,
 * and the hypervisor opens it by name. */
int device_create_tap(const char *name, struct fault *f);

/* Tells the neighbours on a link of a namespace that the addresses are at its MAC: ARP
 * announcements (RFC 5227), IPv4 only. */
int device_announce(const char *netns, const char *device, const struct address *ips, size_t count,
                    struct fault *f);
