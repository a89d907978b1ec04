/* The RPC methods of api-specs/rpc/compute-agent.yaml: checked, one at a time for a guest, then the driver.
 *
 * The bus hands out parameters of the right types and no more ('given'). Here they become names of folders and parts of
 * definitions, so they are parsed once more with every check that the specification has, whoever sent them. */
#include "base/uuid.h"
#include "console_log.h"
#include "gen/compute_agent_rpc.h"
#include "guest_lock.h"
#include "service.h"

static struct agent *
agent_of(const struct rpc_request *request)
{
    return request->owner;
}

static int
check(const struct rpc_request *request, const struct schema *schema, void *ret, struct fault *f)
{
    return schema_parse(schema, request->params, SCHEMA_CREATE, 0, "params", request->arena, ret,
                        f);
}

/* 'ending': whoever works on the guest now is told that it is not wanted any more. */
static int
claim(const struct rpc_request *request, const char *guest_id, bool ending, struct guest_hold *ret,
      struct fault *f)
{
    struct guest_locks *locks = agent_of(request)->locks;

    /* The format allows for an id without dashes; a folder has one name. */
    if (!uuid_check(guest_id))
        return fault_raise_field(f, "guest_id", "is not a UUID with dashes");
    if (ending)
        return guest_lock_claim_for_end(locks, guest_id, request->deadline_mono_ms, ret, f);
    return guest_lock_claim(locks, guest_id, request->deadline_mono_ms, ret, f);
}

int
guest_spawn(struct rpc_request *request, const struct guest_spawn_in *given,
            struct guest_spawn_out *out, struct fault *f)
{
    struct hypervisor *h = agent_of(request)->hypervisor;
    struct guest_spawn_in in = { 0 };
    _cleanup_(guest_lock_release) struct guest_hold hold = { 0 };
    int r = check(request, &guest_spawn_in_schema, &in, f);

    (void)given;
    if (r == 0)
        r = claim(request, in.guest->guest_id, false, &hold, f);
    if (r < 0)
        return r;
    field_mark(&out->set, GUEST_SPAWN_OUT_F_STATE);
    return h->driver->spawn(h, request->arena, in.guest, &hold, &out->state, f);
}

int
guest_destroy(struct rpc_request *request, const struct guest_destroy_in *given, struct fault *f)
{
    struct hypervisor *h = agent_of(request)->hypervisor;
    struct guest_destroy_in in = { 0 };
    _cleanup_(guest_lock_release) struct guest_hold hold = { 0 };
    int r = check(request, &guest_destroy_in_schema, &in, f);

    (void)given;
    if (r == 0)
        r = claim(request, in.guest_id, true, &hold, f);
    if (r < 0)
        return r;
    return h->driver->destroy(h, request->arena, in.guest_id, f);
}

int
guest_start(struct rpc_request *request, const struct guest_start_in *given,
            struct guest_start_out *out, struct fault *f)
{
    struct hypervisor *h = agent_of(request)->hypervisor;
    struct guest_start_in in = { 0 };
    _cleanup_(guest_lock_release) struct guest_hold hold = { 0 };
    int r = check(request, &guest_start_in_schema, &in, f);

    (void)given;
    if (r == 0)
        r = claim(request, in.guest_id, false, &hold, f);
    if (r < 0)
        return r;
    field_mark(&out->set, GUEST_START_OUT_F_STATE);
    return h->driver->start(h, request->arena, in.guest_id, &out->state, f);
}

int
guest_stop(struct rpc_request *request, const struct guest_stop_in *given,
           struct guest_stop_out *out, struct fault *f)
{
    struct hypervisor *h = agent_of(request)->hypervisor;
    struct guest_stop_in in = { 0 };
    _cleanup_(guest_lock_release) struct guest_hold hold = { 0 };
    int r = check(request, &guest_stop_in_schema, &in, f);

    (void)given;
    if (r == 0)
        r = claim(request, in.guest_id, false, &hold, f);
    if (r < 0)
        return r;
    field_mark(&out->set, GUEST_STOP_OUT_F_CLEAN);
    return h->driver->stop(h, request->arena, in.guest_id, in.timeout_s, &out->clean, f);
}

int
guest_reboot(struct rpc_request *request, const struct guest_reboot_in *given,
             struct guest_reboot_out *out, struct fault *f)
{
    struct hypervisor *h = agent_of(request)->hypervisor;
    struct guest_reboot_in in = { 0 };
    _cleanup_(guest_lock_release) struct guest_hold hold = { 0 };
    int r = check(request, &guest_reboot_in_schema, &in, f);

    (void)given;
    if (r == 0)
        r = claim(request, in.guest->guest_id, false, &hold, f);
    if (r < 0)
        return r;
    field_mark(&out->set, GUEST_REBOOT_OUT_F_STATE);
    field_mark(&out->set, GUEST_REBOOT_OUT_F_CLEAN);
    return h->driver->reboot(h, request->arena, in.guest, in.hard, in.timeout_s, &out->clean,
                             &out->state, f);
}

/* Reads only, and files only: waits for nobody. */
int
guest_console(struct rpc_request *request, const struct guest_console_in *given,
              struct guest_console_out *out, struct fault *f)
{
    struct hypervisor *h = agent_of(request)->hypervisor;
    struct guest_console_in in = { 0 };
    const char *data;
    size_t size;
    int r = check(request, &guest_console_in_schema, &in, f);

    (void)given;
    if (r == 0 && !uuid_check(in.guest_id))
        r = fault_raise_field(f, "guest_id", "is not a UUID with dashes");
    if (r == 0)
        r = h->driver->console(h, request->arena, in.guest_id, in.lines, in.bytes, &data, &size, f);
    if (r < 0)
        return r;
    field_mark(&out->set, GUEST_CONSOLE_OUT_F_OUTPUT);
    out->output = console_log_text(request->arena, data, size);
    return 0;
}

int
guest_attach_volume(struct rpc_request *request, const struct guest_attach_volume_in *given,
                    struct guest_attach_volume_out *out, struct fault *f)
{
    struct hypervisor *h = agent_of(request)->hypervisor;
    struct guest_attach_volume_in in = { 0 };
    _cleanup_(guest_lock_release) struct guest_hold hold = { 0 };
    int r = check(request, &guest_attach_volume_in_schema, &in, f);

    (void)given;
    if (r == 0)
        r = claim(request, in.guest_id, false, &hold, f);
    if (r < 0)
        return r;
    field_mark(&out->set, GUEST_ATTACH_VOLUME_OUT_F_DEVICE);
    return h->driver->attach_volume(h, request->arena, in.guest_id, in.volume, &out->device, f);
}

int
guest_detach_volume(struct rpc_request *request, const struct guest_detach_volume_in *given,
                    struct fault *f)
{
    struct hypervisor *h = agent_of(request)->hypervisor;
    struct guest_detach_volume_in in = { 0 };
    _cleanup_(guest_lock_release) struct guest_hold hold = { 0 };
    int r = check(request, &guest_detach_volume_in_schema, &in, f);

    (void)given;
    if (r == 0)
        r = claim(request, in.guest_id, false, &hold, f);
    if (r < 0)
        return r;
    return h->driver->detach_volume(h, request->arena, in.guest_id, in.volume_id, in.timeout_s, f);
}

int
guest_attach_nic(struct rpc_request *request, const struct guest_attach_nic_in *given,
                 struct fault *f)
{
    struct hypervisor *h = agent_of(request)->hypervisor;
    struct guest_attach_nic_in in = { 0 };
    _cleanup_(guest_lock_release) struct guest_hold hold = { 0 };
    int r = check(request, &guest_attach_nic_in_schema, &in, f);

    (void)given;
    if (r == 0)
        r = claim(request, in.guest_id, false, &hold, f);
    if (r < 0)
        return r;
    return h->driver->attach_nic(h, request->arena, in.guest_id, in.nic, f);
}

int
guest_detach_nic(struct rpc_request *request, const struct guest_detach_nic_in *given,
                 struct fault *f)
{
    struct hypervisor *h = agent_of(request)->hypervisor;
    struct guest_detach_nic_in in = { 0 };
    _cleanup_(guest_lock_release) struct guest_hold hold = { 0 };
    int r = check(request, &guest_detach_nic_in_schema, &in, f);

    (void)given;
    if (r == 0)
        r = claim(request, in.guest_id, false, &hold, f);
    if (r < 0)
        return r;
    return h->driver->detach_nic(h, request->arena, in.guest_id, in.mac, in.timeout_s, f);
}

int
guest_list(struct rpc_request *request, struct guest_list_out *out, struct fault *f)
{
    struct hypervisor *h = agent_of(request)->hypervisor;

    field_mark(&out->set, GUEST_LIST_OUT_F_GUESTS);
    return h->driver->list(h, request->arena, &out->guests, &out->guests_count, f);
}
