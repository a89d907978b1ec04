/* Volumes and network cards of guests that exist: connected and disconnected, now and in the definition.
 *
 * Each device has an alias of ours made of the volume's or port's id; by it the live and the stored definition say whether the
 * work is done, and libvirt's events say which device they mean. Disconnecting is a request that the guest obeys or not:
 * done is only what the hypervisor has let go of. */
#include <libvirt/virterror.h>

#include "base/clock.h"
#include "base/str.h"
#include "domain_read.h"
#include "driver_libvirt.h"

enum { ASK_AGAIN_MS = 15000 };

/* What is known of one guest before its devices change. */
struct guest_now {
    bool active;
    char *live; /* NULL unless active. */
    char *stored;
};

static int
is_active(struct backend_call *call)
{
    _cleanup_(libvirt_domain_unref) virDomainPtr domain = NULL;
    int r = libvirt_call_domain(call, &domain);

    if (r < 0)
        return r;
    call->ret_number = virDomainIsActive(domain);
    return call->ret_number < 0 ? libvirt_fault(&call->fault, "reading a guest's state") : 0;
}

static int
look(struct libvirt_hypervisor *l, struct arena *a, const char *guest_id, struct guest_now *ret,
     struct fault *f)
{
    struct libvirt_result active;
    int r = libvirt_call(l, is_active, guest_id, NULL, 0, a, &active, f);

    *ret = (struct guest_now){ .active = r == 0 && active.number == 1 };
    if (r == 0)
        r = libvirt_xml(l, a, guest_id, true, &ret->stored, f);
    if (r == 0 && ret->active)
        r = libvirt_xml(l, a, guest_id, false, &ret->live, f);
    return r;
}

static int
attach(struct backend_call *call)
{
    _cleanup_(libvirt_domain_unref) virDomainPtr domain = NULL;
    int r = libvirt_call_domain(call, &domain);

    if (r < 0)
        return r;
    if (virDomainAttachDeviceFlags(domain, call->text, (unsigned)call->number) < 0)
        return libvirt_fault(&call->fault, "connecting a device");
    return 0;
}

static int
attach_where_absent(struct libvirt_hypervisor *l, struct arena *a, const char *guest_id,
                    const struct guest_now *now, const char *alias, const char *xml,
                    struct fault *f)
{
    struct domain_device device;
    unsigned flags = 0;

    if (now->active && !domain_read_device(a, now->live, alias, &device))
        flags |= VIR_DOMAIN_AFFECT_LIVE;
    if (!domain_read_device(a, now->stored, alias, &device))
        flags |= VIR_DOMAIN_AFFECT_CONFIG;
    return flags == 0 ? 0 : libvirt_call(l, attach, guest_id, xml, flags, a, NULL, f);
}

int
libvirt_attach_volume(struct hypervisor *h, struct arena *a, const char *guest_id,
                      const struct guest_volume *volume, const char **ret_device, struct fault *f)
{
    struct libvirt_hypervisor *l = libvirt_of(h);
    const char *alias = domain_volume_alias(a, volume->volume_id);
    struct disk_targets *targets = ARENA_NEW(a, struct disk_targets);
    struct domain_device device;
    struct guest_now now;
    const char *target = NULL;
    int r = look(l, a, guest_id, &now, f);

    if (r < 0)
        return r;
    targets->prefix = disk_targets_prefix("virtio");
    domain_read_targets(a, now.stored, targets);
    if (now.active)
        domain_read_targets(a, now.live, targets);
    /* One that is connected half (live, or stored) keeps its name. */
    if ((now.active && domain_read_device(a, now.live, alias, &device)) ||
        domain_read_device(a, now.stored, alias, &device))
        target = device.target;
    else
        target = disk_targets_next(targets, a, volume->device);
    if (target == NULL)
        return fault_raise(f, FAULT_CONFLICT, "The instance has no room for another volume.");
    r = attach_where_absent(l, a, guest_id, &now, alias,
                            domain_xml_volume(a, volume, target, "virtio"), f);
    if (r < 0)
        return r;
    *ret_device = arena_printf(a, "/dev/%s", target);
    return 0;
}

int
libvirt_attach_nic(struct hypervisor *h, struct arena *a, const char *guest_id,
                   const struct guest_nic *nic, struct fault *f)
{
    struct libvirt_hypervisor *l = libvirt_of(h);
    struct guest_now now;
    int r = look(l, a, guest_id, &now, f);

    if (r < 0)
        return r;
    return attach_where_absent(l, a, guest_id, &now, domain_nic_alias(a, nic->port_id),
                               domain_xml_nic(a, nic, "virtio"), f);
}

/* A device that is not there any more is what was wanted. */
static int
detach(struct backend_call *call)
{
    _cleanup_(libvirt_domain_unref) virDomainPtr domain = NULL;
    int r = libvirt_call_domain(call, &domain);

    if (r < 0)
        return r;
    if (virDomainDetachDeviceFlags(domain, call->text, (unsigned)call->number) < 0 &&
        virGetLastErrorCode() != VIR_ERR_DEVICE_MISSING)
        return libvirt_fault(&call->fault, "disconnecting a device");
    return 0;
}

static int
refused(struct fault *f, const char *cause)
{
    fault_raise(f, FAULT_CONFLICT,
                "The instance did not release the device; it is still connected.");
    return fault_add_cause(f, "%s", cause);
}

/* Is the device gone from the running guest? 1: yes; a guest that went off meanwhile has let go of everything. */
static int
check_gone(struct libvirt_hypervisor *l, struct arena *a, const char *guest_id, const char *alias,
           struct fault *f)
{
    struct domain_device device;
    struct guest_now now;
    int r = look(l, a, guest_id, &now, f);

    if (r < 0)
        return r;
    return !now.active || !domain_read_device(a, now.live, alias, &device);
}

static int
detach_live(struct libvirt_hypervisor *l, struct arena *a, const char *guest_id,
            const struct domain_device *device, int64_t timeout_s, struct fault *f)
{
    _cleanup_(event_watch_done) struct event_watch watch = { 0 };
    int64_t deadline_ms = clock_mono_ms() + timeout_s * 1000;
    char cause[sizeof(f->cause)] = "the guest did not answer";

    event_watch_begin(l->board, &watch, guest_id, device->alias);
    for (;;) {
        enum event_kind seen;
        int64_t left_ms;
        int r = libvirt_call(l, detach, guest_id, device->xml, VIR_DOMAIN_AFFECT_LIVE, a, NULL, f);

        if (r < 0 && (f->kind == FAULT_UNAVAILABLE || f->kind == FAULT_NOT_FOUND))
            return r;
        /* Else it may be that an unplug is under way already; what counts is what becomes of it. */
        if (r < 0)
            snprintf(cause, sizeof(cause), "%s", f->cause);
        fault_clear(f);
        r = check_gone(l, a, guest_id, device->alias, f);
        if (r != 0)
            return MIN(r, 0);
        left_ms = deadline_ms - clock_mono_ms();
        if (left_ms <= 0)
            return refused(f, cause);
        seen = event_watch_wait(&watch, MIN(left_ms, ASK_AGAIN_MS));
        if (seen == EVENT_REMOVED)
            return 0;
        if (seen == EVENT_REFUSED)
            return refused(f, "the guest refused to unplug the device");
    }
}

static int
detach_both(struct libvirt_hypervisor *l, struct arena *a, const char *guest_id,
            const struct domain_device *live, const struct domain_device *stored, int64_t timeout_s,
            struct fault *f)
{
    int r = live->xml != NULL ? detach_live(l, a, guest_id, live, timeout_s, f) : 0;

    if (r < 0 || stored->xml == NULL)
        return r;
    return libvirt_call(l, detach, guest_id, stored->xml, VIR_DOMAIN_AFFECT_CONFIG, a, NULL, f);
}

int
libvirt_detach_volume(struct hypervisor *h, struct arena *a, const char *guest_id,
                      const char *volume_id, int64_t timeout_s, struct fault *f)
{
    struct libvirt_hypervisor *l = libvirt_of(h);
    const char *alias = domain_volume_alias(a, volume_id);
    struct domain_device live = { 0 }, stored = { 0 };
    struct guest_now now;
    int r = look(l, a, guest_id, &now, f);

    if (r < 0)
        return r;
    if (now.active)
        domain_read_device(a, now.live, alias, &live);
    domain_read_device(a, now.stored, alias, &stored);
    return detach_both(l, a, guest_id, &live, &stored, timeout_s, f);
}

int
libvirt_detach_nic(struct hypervisor *h, struct arena *a, const char *guest_id, const char *mac,
                   int64_t timeout_s, struct fault *f)
{
    struct libvirt_hypervisor *l = libvirt_of(h);
    struct domain_device live = { 0 }, stored = { 0 };
    struct guest_now now;
    int r = look(l, a, guest_id, &now, f);

    if (r < 0)
        return r;
    if (now.active)
        domain_read_nic(a, now.live, mac, &live);
    domain_read_nic(a, now.stored, mac, &stored);
    return detach_both(l, a, guest_id, &live, &stored, timeout_s, f);
}
