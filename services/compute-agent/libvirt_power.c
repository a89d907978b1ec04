/* Guests on and off. */
#include <libvirt/virterror.h>

#include "base/clock.h"
#include "base/log.h"
#include "driver_libvirt.h"

enum { ASK_AGAIN_MS = 10000 };

static int
end_domain(virDomainPtr domain, struct fault *f)
{
    if (virDomainIsActive(domain) == 1 &&
        virDomainDestroyFlags(domain, VIR_DOMAIN_DESTROY_DEFAULT) < 0 &&
        virGetLastErrorCode() != VIR_ERR_OPERATION_INVALID) /* It ended by itself meanwhile. */
        return libvirt_fault(f, "switching a guest off");
    return 0;
}

static int
undefine_domain(virDomainPtr domain, struct fault *f)
{
    unsigned flags = VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA |
                     VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA | VIR_DOMAIN_UNDEFINE_NVRAM;
    int r = end_domain(domain, f);

    if (r < 0)
        return r;
    if (virDomainIsPersistent(domain) != 1)
        return 0;
    if (virDomainUndefineFlags(domain, flags) < 0 && virGetLastErrorCode() != VIR_ERR_NO_DOMAIN)
        return libvirt_fault(f, "removing a guest's definition");
    return 0;
}

static int
undefine(struct backend_call *call)
{
    _cleanup_(libvirt_domain_unref) virDomainPtr domain = NULL;
    int r = libvirt_call_domain(call, &domain);

    if (r < 0 && call->fault.kind == FAULT_NOT_FOUND)
        return 0;
    return r < 0 ? r : undefine_domain(domain, &call->fault);
}

int
libvirt_undefine(struct libvirt_hypervisor *l, struct arena *a, const char *guest_id,
                 struct fault *f)
{
    return libvirt_call(l, undefine, guest_id, NULL, 0, a, NULL, f);
}

/* An old definition of the same guest is replaced; a start that fails leaves none. */
static int
define_and_start(struct backend_call *call)
{
    _cleanup_(libvirt_connection_unref) virConnectPtr connection = NULL;
    _cleanup_(libvirt_domain_unref) virDomainPtr domain = NULL;
    int r = libvirt_call_connection(call, &connection);

    if (r < 0)
        return r;
    domain = virDomainDefineXMLFlags(connection, call->text, VIR_DOMAIN_DEFINE_VALIDATE);
    if (domain == NULL)
        return libvirt_fault(&call->fault, "defining a guest");
    if (virDomainIsActive(domain) == 1)
        return 0;
    if (virDomainCreate(domain) < 0)
        return libvirt_fault(&call->fault, "starting a guest");
    return 0;
}

int
libvirt_define_and_start(struct libvirt_hypervisor *l, struct arena *a, const char *guest_id,
                         const char *xml, struct fault *f)
{
    return libvirt_call(l, define_and_start, guest_id, xml, 0, a, NULL, f);
}

static int
start(struct backend_call *call)
{
    _cleanup_(libvirt_domain_unref) virDomainPtr domain = NULL;
    int state, r = libvirt_call_domain(call, &domain);

    if (r < 0)
        return r;
    if (virDomainGetState(domain, &state, NULL, 0) < 0)
        return libvirt_fault(&call->fault, "reading a guest's state");
    if (state == VIR_DOMAIN_PAUSED)
        r = virDomainResume(domain);
    else if (virDomainIsActive(domain) != 1)
        r = virDomainCreate(domain);
    return r < 0 ? libvirt_fault(&call->fault, "starting a guest") : 0;
}

int
libvirt_start(struct hypervisor *h, struct arena *a, const char *guest_id,
              enum guest_power_state *ret, struct fault *f)
{
    int r = libvirt_call(libvirt_of(h), start, guest_id, NULL, 0, a, NULL, f);

    return r < 0 ? r : libvirt_state(libvirt_of(h), a, guest_id, ret, f);
}

static int
ask_to_shut_down(struct backend_call *call)
{
    _cleanup_(libvirt_domain_unref) virDomainPtr domain = NULL;
    int r = libvirt_call_domain(call, &domain);

    if (r < 0)
        return r;
    if (virDomainShutdownFlags(domain, VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN) < 0)
        return libvirt_fault(&call->fault, "asking a guest to power off");
    return 0;
}

static int
switch_off(struct backend_call *call)
{
    _cleanup_(libvirt_domain_unref) virDomainPtr domain = NULL;
    int r = libvirt_call_domain(call, &domain);

    return r < 0 ? r : end_domain(domain, &call->fault);
}

static bool
is_off(enum guest_power_state state)
{
    return state == GUEST_POWER_STATE_SHUTDOWN || state == GUEST_POWER_STATE_CRASHED;
}

/* Presses the power button until the guest is off or the time is up: a guest that is still booting does not hear the first.
 * 0 when it is off; 1 when it is not. */
static int
power_button(struct libvirt_hypervisor *l, struct arena *a, const char *guest_id, int64_t timeout_s,
             struct fault *f)
{
    _cleanup_(event_watch_done) struct event_watch watch = { 0 };
    int64_t deadline_ms = clock_mono_ms() + timeout_s * 1000;
    enum guest_power_state state;

    event_watch_begin(l->board, &watch, guest_id, NULL);
    for (;;) {
        int64_t left_ms;
        int r = libvirt_state(l, a, guest_id, &state, f);

        if (r < 0)
            return r;
        if (is_off(state))
            return 0;
        left_ms = deadline_ms - clock_mono_ms();
        if (left_ms <= 0 || state != GUEST_POWER_STATE_RUNNING)
            return 1;
        r = libvirt_call(l, ask_to_shut_down, guest_id, NULL, 0, a, NULL, f);
        if (r < 0 && f->kind != FAULT_CONFLICT) /* Conflict: it went off just now. */
            return r;
        fault_clear(f);
        event_watch_wait(&watch, MIN(left_ms, ASK_AGAIN_MS));
    }
}

int
libvirt_stop(struct hypervisor *h, struct arena *a, const char *guest_id, int64_t timeout_s,
             bool *ret_clean, struct fault *f)
{
    struct libvirt_hypervisor *l = libvirt_of(h);
    int r = power_button(l, a, guest_id, timeout_s, f);

    if (r < 0)
        return r;
    *ret_clean = r == 0;
    return r == 0 ? 0 : libvirt_call(l, switch_off, guest_id, NULL, 0, a, NULL, f);
}

/* The definition may be the thing that is wrong, or gone: it is made from the description, on the disks that are there. */
static int
reboot_hard(struct libvirt_hypervisor *l, struct arena *a, const struct guest_description *guest,
            struct fault *f)
{
    struct guest_disks disks;
    char *xml;
    int r = guest_disks_find(l->instances, a, guest, &disks, f);

    if (r == 0)
        r = domain_xml(a, guest, &disks, &l->host, &xml, f);
    if (r == 0)
        r = libvirt_call(l, switch_off, guest->guest_id, NULL, 0, a, NULL, f);
    if (r < 0 && f->kind == FAULT_NOT_FOUND &&
        guest_disks_spawned(l->instances, a, guest->guest_id)) {
        log_warn("guest.redefined guest=%s: its definition was gone", guest->guest_id);
        fault_clear(f);
        r = 0;
    }
    return r < 0 ? r : libvirt_define_and_start(l, a, guest->guest_id, xml, f);
}

int
libvirt_reboot(struct hypervisor *h, struct arena *a, const struct guest_description *guest,
               bool hard, int64_t timeout_s, bool *ret_clean, enum guest_power_state *ret,
               struct fault *f)
{
    struct libvirt_hypervisor *l = libvirt_of(h);
    int r = 1;

    if (!hard) {
        r = power_button(l, a, guest->guest_id, timeout_s, f);
        if (r < 0)
            return r;
    }
    *ret_clean = r == 0;
    if (*ret_clean)
        return libvirt_start(h, a, guest->guest_id, ret, f);
    r = reboot_hard(l, a, guest, f);
    return r < 0 ? r : libvirt_state(l, a, guest->guest_id, ret, f);
}
