/* Inside the libvirt driver: what its files share. */
#pragma once

#include <libvirt/libvirt.h>

#include "backend.h"
#include "domain_xml.h"
#include "driver.h"
#include "event_watch.h"
#include "libvirt_connection.h"

struct libvirt_hypervisor {
    struct hypervisor base;
    const struct compute_agent_config *config;
    char *host_name;
    char *instances; /* The guests' folders. */
    struct image_cache *images;
    struct driver_events events;
    struct domain_host host;
    struct backend *backend;
    struct event_board *board;
    struct libvirt_connection *connection;
};

static inline struct libvirt_hypervisor *
libvirt_of(struct hypervisor *h)
{
    return CONTAINER_OF(h, struct libvirt_hypervisor, base);
}

/* --- Calls. Each runs on a backend thread; 'a' gets copies of results. 'text', 'number' and results as in backend.h. */

struct libvirt_result {
    char *text;
    int64_t number;
};
int libvirt_call(struct libvirt_hypervisor *l, int (*run)(struct backend_call *call),
                 const char *guest_id, const char *text, int64_t number, struct arena *a,
                 struct libvirt_result *ret, struct fault *f);

/* In a call: the connection, or FAULT_UNAVAILABLE. The caller's reference. */
int libvirt_call_connection(struct backend_call *call, virConnectPtr *ret);
/* In a call: the domain of call->guest_id, or FAULT_NOT_FOUND. The caller's reference. */
int libvirt_call_domain(struct backend_call *call, virDomainPtr *ret);
void libvirt_connection_unref(virConnectPtr *c); /* For _cleanup_. */
void libvirt_domain_unref(virDomainPtr *d);

/* What libvirt's last error of this thread means. */
int libvirt_fault(struct fault *f, const char *doing);
/* 'reason' is what libvirt says beside the state. */
enum guest_power_state libvirt_power_state(int domain_state, int reason);

/* The guest's state now; *ret_reason (may be NULL) is libvirt's. */
int libvirt_state(struct libvirt_hypervisor *l, struct arena *a, const char *guest_id,
                  enum guest_power_state *ret, struct fault *f);
/* The domain XML: of the running guest, or (inactive) of its next start. */
int libvirt_xml(struct libvirt_hypervisor *l, struct arena *a, const char *guest_id, bool inactive,
                char **ret, struct fault *f);

/* --- The driver's functions by file. */

/* libvirt_power.c */
int libvirt_define_and_start(struct libvirt_hypervisor *l, struct arena *a, const char *guest_id,
                             const char *xml, struct fault *f);
int libvirt_undefine(struct libvirt_hypervisor *l, struct arena *a, const char *guest_id,
                     struct fault *f); /* And ends it. */
int libvirt_start(struct hypervisor *h, struct arena *a, const char *guest_id,
                  enum guest_power_state *ret, struct fault *f);
int libvirt_stop(struct hypervisor *h, struct arena *a, const char *guest_id, int64_t timeout_s,
                 bool *ret_clean, struct fault *f);
int libvirt_reboot(struct hypervisor *h, struct arena *a, const struct guest_description *guest,
                   bool hard, int64_t timeout_s, bool *ret_clean, enum guest_power_state *ret,
                   struct fault *f);

/* libvirt_devices.c */
int libvirt_attach_volume(struct hypervisor *h, struct arena *a, const char *guest_id,
                          const struct guest_volume *volume, const char **ret_device,
                          struct fault *f);
int libvirt_detach_volume(struct hypervisor *h, struct arena *a, const char *guest_id,
                          const char *volume_id, int64_t timeout_s, struct fault *f);
int libvirt_attach_nic(struct hypervisor *h, struct arena *a, const char *guest_id,
                       const struct guest_nic *nic, struct fault *f);
int libvirt_detach_nic(struct hypervisor *h, struct arena *a, const char *guest_id, const char *mac,
                       int64_t timeout_s, struct fault *f);

/* libvirt_inventory.c */
int libvirt_list(struct hypervisor *h, struct arena *a, struct guest_present **ret,
                 size_t *ret_count, struct fault *f);
int libvirt_inventory(struct hypervisor *h, struct arena *a, struct driver_inventory *ret,
                      struct fault *f);
