/* The connection to libvirt: made, kept and made again by a thread of its own; its events; and guests that wait for
 * their volumes' servers. */
#pragma once

#include <libvirt/libvirt.h>

#include "base/fault.h"

struct libvirt_connection;
struct libvirt_hypervisor;

/* Starts the threads; does not wait for libvirt. */
int libvirt_connection_open(struct libvirt_connection **ret, struct libvirt_hypervisor *owner,
                            const char *uri, struct fault *f);
void libvirt_connection_close(struct libvirt_connection *c);

/* A reference for the caller (virConnectClose), or FAULT_UNAVAILABLE. */
int libvirt_connection_take(struct libvirt_connection *c, virConnectPtr *ret, struct fault *f);
