/* Calls to libvirt on backend threads, and what libvirt's errors mean to us. */
#include <libvirt/virterror.h>

#include "driver_libvirt.h"
#include "service.h"

void
libvirt_connection_unref(virConnectPtr *c)
{
    if (*c != NULL)
        virConnectClose(*c);
}

void
libvirt_domain_unref(virDomainPtr *d)
{
    if (*d != NULL)
        virDomainFree(*d);
}

int
libvirt_fault(struct fault *f, const char *doing)
{
    virErrorPtr e = virGetLastError();
    int code = e != NULL ? e->code : VIR_ERR_INTERNAL_ERROR;

    switch (code) {
    case VIR_ERR_NO_DOMAIN:
        fault_raise(f, FAULT_NOT_FOUND, "The instance could not be found on its host.");
        break;
    case VIR_ERR_OPERATION_INVALID:
        fault_raise(f, FAULT_CONFLICT,
                    "The hypervisor cannot do this in the instance's present state.");
        break;
    case VIR_ERR_OPERATION_TIMEOUT:
    case VIR_ERR_AGENT_UNRESPONSIVE:
        fault_raise(f, FAULT_TIMEOUT, "The hypervisor did not answer in time.");
        break;
    case VIR_ERR_NO_CONNECT:
    case VIR_ERR_INVALID_CONN:
    case VIR_ERR_RPC:
        fault_raise(f, FAULT_UNAVAILABLE, "The hypervisor of the host is not reachable.");
        break;
    default:
        return fault_raise_cause(f, "%s: libvirt error %d: %s", doing, code,
                                 virGetLastErrorMessage());
    }
    return fault_add_cause(f, "%s: libvirt error %d: %s", doing, code, virGetLastErrorMessage());
}

enum guest_power_state
libvirt_power_state(int domain_state, int reason)
{
    switch ((virDomainState)domain_state) {
    case VIR_DOMAIN_RUNNING:
    case VIR_DOMAIN_BLOCKED:
    case VIR_DOMAIN_SHUTDOWN: /* On its way, but still there. */
        return GUEST_POWER_STATE_RUNNING;
    case VIR_DOMAIN_PAUSED:
        return GUEST_POWER_STATE_PAUSED;
    case VIR_DOMAIN_SHUTOFF:
        return reason == VIR_DOMAIN_SHUTOFF_CRASHED ? GUEST_POWER_STATE_CRASHED
                                                    : GUEST_POWER_STATE_SHUTDOWN;
    case VIR_DOMAIN_CRASHED:
        return GUEST_POWER_STATE_CRASHED;
    case VIR_DOMAIN_PMSUSPENDED:
        return GUEST_POWER_STATE_SUSPENDED;
    case VIR_DOMAIN_NOSTATE:
        break;
    }
    return GUEST_POWER_STATE_NOSTATE;
}

int
libvirt_call(struct libvirt_hypervisor *l, int (*run)(struct backend_call *call),
             const char *guest_id, const char *text, int64_t number, struct arena *a,
             struct libvirt_result *ret, struct fault *f)
{
    _cleanup_(backend_call_freep) struct backend_call *call = backend_call_new(l->backend, run, l);
    int r;

    call->guest_id = arena_strdup(call->arena, guest_id);
    call->text = arena_strdup(call->arena, text);
    call->number = number;
    r = backend_call_run(call, l->config->call_deadline_s * 1000, f);
    if (r < 0)
        return r;
    if (ret != NULL)
        *ret = (struct libvirt_result){ arena_strdup(a, call->ret), call->ret_number };
    return 0;
}

int
libvirt_call_connection(struct backend_call *call, virConnectPtr *ret)
{
    const struct libvirt_hypervisor *l = call->owner;

    return libvirt_connection_take(l->connection, ret, &call->fault);
}

int
libvirt_call_domain(struct backend_call *call, virDomainPtr *ret)
{
    _cleanup_(libvirt_connection_unref) virConnectPtr connection = NULL;
    int r = libvirt_call_connection(call, &connection);

    if (r < 0)
        return r;
    *ret = virDomainLookupByUUIDString(connection,
                                       call->guest_id); /* It has a reference to the connection. */
    return *ret == NULL ? libvirt_fault(&call->fault, "looking up a guest") : 0;
}

static int
read_state(struct backend_call *call)
{
    _cleanup_(libvirt_domain_unref) virDomainPtr domain = NULL;
    int state, reason, r = libvirt_call_domain(call, &domain);

    if (r < 0)
        return r;
    if (virDomainGetState(domain, &state, &reason, 0) < 0)
        return libvirt_fault(&call->fault, "reading a guest's state");
    call->ret_number = libvirt_power_state(state, reason);
    return 0;
}

int
libvirt_state(struct libvirt_hypervisor *l, struct arena *a, const char *guest_id,
              enum guest_power_state *ret, struct fault *f)
{
    struct libvirt_result result;
    int r = libvirt_call(l, read_state, guest_id, NULL, 0, a, &result, f);

    if (r == 0)
        *ret = (enum guest_power_state)result.number;
    return r;
}

static int
read_xml(struct backend_call *call)
{
    _cleanup_(libvirt_domain_unref) virDomainPtr domain = NULL;
    int r = libvirt_call_domain(call, &domain);
    char *xml;

    if (r < 0)
        return r;
    xml = virDomainGetXMLDesc(domain, (unsigned)call->number);
    if (xml == NULL)
        return libvirt_fault(&call->fault, "reading a guest's definition");
    call->ret = arena_strdup(call->arena, xml);
    free(xml);
    return 0;
}

int
libvirt_xml(struct libvirt_hypervisor *l, struct arena *a, const char *guest_id, bool inactive,
            char **ret, struct fault *f)
{
    struct libvirt_result result;
    int r = libvirt_call(l, read_xml, guest_id, NULL, inactive ? VIR_DOMAIN_XML_INACTIVE : 0, a,
                         &result, f);

    if (r == 0)
        *ret = result.text;
    return r;
}
