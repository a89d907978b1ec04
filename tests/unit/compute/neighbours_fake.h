/* The functions of remote.h and of the bus, on struct neighbours. Included once, by the test that replaces them. */
#pragma once

#include "base/json.h"
#include "base/str.h"
#include "neighbours.h"
#include "rpc/rpc.h"

static struct neighbours *
of(struct remote *r)
{
    return (struct neighbours *)(void *)r->compute;
}

static void
set(char *to, const char *text)
{
    snprintf(to, 40, "%s", text == NULL ? "" : text);
}

void
neighbours_reset(struct neighbours *n)
{
    n->claimed[0] = '\0';
    memset(n->ports, 0, sizeof(n->ports));
    memset(n->volumes, 0, sizeof(n->volumes));
    n->ports_made = n->volumes_made = 0;
    n->guest = n->guest_has_volume = false;
    n->ports[0].there = true;
    set(n->ports[0].id, PORT_BROUGHT);
    set(n->ports[0].network, NETWORK_ID);
    n->volumes[0].there = true;
    set(n->volumes[0].id, VOLUME_BROUGHT);
}

char *
neighbours_text(struct arena *a, const struct neighbours *n)
{
    _cleanup_(str_done) struct str s = { 0 };

    str_addf(&s, "claim '%s'\nguest %d volume %d\n", n->claimed, n->guest, n->guest_has_volume);
    for (size_t i = 0; i < ARRAY_SIZE(n->ports); i++) {
        if (n->ports[i].there)
            str_addf(&s, "port %s device '%s' host '%s'\n", i == 0 ? "brought" : "made",
                     n->ports[i].device, n->ports[i].host);
    }
    for (size_t i = 0; i < ARRAY_SIZE(n->volumes); i++) {
        if (n->volumes[i].there)
            str_addf(&s, "volume %s attached %d complete %d\n", i == 0 ? "brought" : "made",
                     n->volumes[i].attached, n->volumes[i].complete);
    }
    return arena_strdup(a, str_text(&s));
}

/* --- remote.h */

struct remote
remote_for_call(_unused_ struct call *call)
{
    return (struct remote){ 0 };
}

struct remote
remote_for_run(struct saga_run *run)
{
    return (struct remote){ .compute = run->service,
                            .arena = run->arena,
                            .request_id = run->request_id };
}

struct remote
remote_for_service(struct compute *compute, struct arena *a)
{
    return (struct remote){ .compute = compute, .arena = a };
}

/* What server_network_refresh() asks on its own. */
int
remote_send(struct remote *r, _unused_ enum http_method method, _unused_ const char *service,
            const char *path, _unused_ const json_t *body, json_t **ret, _unused_ struct fault *f)
{
    if (strstr(path, "/networks") != NULL)
        *ret = json_own(r->arena, json_pack("{s:[{s:s, s:s, s:i}]}", "networks", "id", NETWORK_ID,
                                            "name", "net", "mtu", 1450));
    else
        *ret = json_own(r->arena, json_pack("{s:[], s:[]}", "floatingips", "security_groups"));
    return 0;
}

int
remote_image(_unused_ struct remote *r, _unused_ const char *image_id, _unused_ json_t **ret,
             struct fault *f)
{
    return fault_raise(f, FAULT_NOT_FOUND, "no image");
}

char *
remote_image_url(struct remote *r, const char *image_id, _unused_ struct fault *f)
{
    return arena_printf(r->arena, "http://image/%s", image_id);
}

int
remote_network(_unused_ struct remote *r, _unused_ const char *network_id, _unused_ json_t **ret,
               struct fault *f)
{
    return fault_raise(f, FAULT_NOT_FOUND, "no network");
}

int
remote_networks_of(_unused_ struct remote *r, _unused_ const char *project_id,
                   _unused_ json_t **ret, struct fault *f)
{
    return fault_raise(f, FAULT_NOT_FOUND, "no network");
}

int
remote_security_groups(_unused_ struct remote *r, _unused_ const char *project_id,
                       _unused_ const struct texts *names, _unused_ json_t **ret, struct fault *f)
{
    return fault_raise(f, FAULT_NOT_FOUND, "no group");
}

static struct fake_port *
port_of(struct remote *r, const char *id)
{
    struct neighbours *n = of(r);

    for (size_t i = 0; i < ARRAY_SIZE(n->ports); i++) {
        if (n->ports[i].there && str_equal(n->ports[i].id, id))
            return &n->ports[i];
    }
    return NULL;
}

static json_t *
port_json(const struct fake_port *p)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:[{s:s, s:s}], s:[]}", "id", p->id, "network_id",
                     p->network, "device_id", p->device, "mac_address", "fa:16:3e:00:00:01",
                     "status", p->host[0] != '\0' ? "ACTIVE" : "DOWN", "fixed_ips", "ip_address",
                     "10.0.0.5", "subnet_id", "s", "security_groups");
}

int
remote_port(struct remote *r, const char *port_id, json_t **ret, struct fault *f)
{
    struct fake_port *p = port_of(r, port_id);

    if (p == NULL)
        return fault_raise(f, FAULT_NOT_FOUND, "Port %s could not be found.", port_id);
    *ret = json_own(r->arena, port_json(p));
    return 0;
}

int
remote_ports_of(struct remote *r, const char *device_id, json_t **ret, _unused_ struct fault *f)
{
    struct neighbours *n = of(r);

    *ret = json_own(r->arena, json_array());
    for (size_t i = 0; i < ARRAY_SIZE(n->ports); i++) {
        if (n->ports[i].there && str_equal(n->ports[i].device, device_id))
            json_array_append_new(*ret, port_json(&n->ports[i]));
    }
    return 0;
}

int
remote_port_create(struct remote *r, const json_t *port, json_t **ret, struct fault *f)
{
    struct neighbours *n = of(r);

    for (size_t i = 1; i < ARRAY_SIZE(n->ports); i++) {
        struct fake_port *p = &n->ports[i];

        if (p->there)
            continue;
        p->there = true;
        snprintf(p->id, sizeof(p->id), "44444444-0000-4000-8000-%012d", ++n->ports_made);
        set(p->network, json_get_text(port, "network_id"));
        set(p->device, json_get_text(port, "device_id"));
        set(p->host, json_get_text(port, "binding:host_id"));
        *ret = json_own(r->arena, port_json(p));
        return 0;
    }
    return fault_raise(f, FAULT_CONFLICT, "there are too many ports");
}

int
remote_port_update(struct remote *r, const char *port_id, const json_t *changes,
                   _unused_ json_t **ret, struct fault *f)
{
    struct fake_port *p = port_of(r, port_id);

    if (p == NULL)
        return fault_raise(f, FAULT_NOT_FOUND, "Port %s could not be found.", port_id);
    set(p->device, json_get_text(changes, "device_id"));
    set(p->host, json_get_text(changes, "binding:host_id"));
    return 0;
}

int
remote_port_delete(struct remote *r, const char *port_id, _unused_ struct fault *f)
{
    struct fake_port *p = port_of(r, port_id);

    if (p != NULL)
        p->there = false;
    return 0;
}

int
remote_candidates(struct remote *r, _unused_ const char *query, json_t **ret,
                  _unused_ struct fault *f)
{
    *ret = json_own(r->arena, json_pack("{s:[{s:{s:{}}}]}", "allocation_requests", "allocations",
                                        PROVIDER_ID));
    return 0;
}

int
remote_claim(struct remote *r, _unused_ const char *consumer_id, const char *provider_id,
             _unused_ const json_t *resources, _unused_ const char *project_id,
             _unused_ const char *user_id, struct fault *f)
{
    if (of(r)->claimed[0] != '\0') /* consumer_generation null: only a consumer that is new. */
        return fault_raise(f, FAULT_CONFLICT, "the consumer has an allocation");
    set(of(r)->claimed, provider_id);
    return 0;
}

int
remote_release(struct remote *r, _unused_ const char *consumer_id, _unused_ struct fault *f)
{
    of(r)->claimed[0] = '\0';
    return 0;
}

const char *
remote_explain(_unused_ struct remote *r, _unused_ const char *resources)
{
    return "";
}

static struct fake_volume *
volume_of(struct remote *r, const char *id)
{
    struct neighbours *n = of(r);

    for (size_t i = 0; i < ARRAY_SIZE(n->volumes); i++) {
        if (n->volumes[i].there && str_equal(n->volumes[i].id, id))
            return &n->volumes[i];
    }
    return NULL;
}

static json_t *
volume_json(const struct fake_volume *v)
{
    json_t *json = json_pack("{s:s, s:s, s:[]}", "id", v->id, "status",
                             v->attached ? "in-use" : "available", "attachments");

    if (v->attached)
        json_array_append_new(json_object_get(json, "attachments"),
                              json_pack("{s:s, s:s}", "server_id", SERVER_ID, "attachment_id",
                                        v->id));
    return json;
}

int
remote_volume(struct remote *r, _unused_ const char *project_id, const char *volume_id,
              json_t **ret, struct fault *f)
{
    struct fake_volume *v = volume_of(r, volume_id);

    if (v == NULL)
        return fault_raise(f, FAULT_NOT_FOUND, "no volume");
    *ret = json_own(r->arena, volume_json(v));
    return 0;
}

int
remote_volume_create(struct remote *r, _unused_ const char *project_id, const char *key,
                     _unused_ const json_t *volume, json_t **ret, struct fault *f)
{
    struct neighbours *n = of(r);
    struct fake_volume *v = NULL;

    for (size_t i = 1; i < ARRAY_SIZE(n->volumes) && v == NULL; i++) {
        if (n->volumes[i].there && str_equal(n->volumes[i].key, key))
            v = &n->volumes[i];
    }
    for (size_t i = 1; i < ARRAY_SIZE(n->volumes) && v == NULL; i++) {
        if (n->volumes[i].there)
            continue;
        v = &n->volumes[i];
        *v = (struct fake_volume){ .there = true };
        snprintf(v->key, sizeof(v->key), "%s", key);
        snprintf(v->id, sizeof(v->id), "55555555-0000-4000-8000-%012d", ++n->volumes_made);
    }
    if (v == NULL)
        return fault_raise(f, FAULT_CONFLICT, "there are too many volumes");
    *ret = json_own(r->arena, volume_json(v));
    return 0;
}

int
remote_volume_delete(struct remote *r, _unused_ const char *project_id, const char *volume_id,
                     struct fault *f)
{
    struct fake_volume *v = volume_of(r, volume_id);

    if (v != NULL && v->attached)
        return fault_raise(f, FAULT_INVALID, "the volume is attached");
    if (v != NULL)
        v->there = false;
    return 0;
}

int
remote_attach(struct remote *r, _unused_ const char *project_id, const char *volume_id,
              _unused_ const char *server_id, _unused_ const json_t *connector, json_t **ret,
              struct fault *f)
{
    struct fake_volume *v = volume_of(r, volume_id);

    if (v == NULL)
        return fault_raise(f, FAULT_NOT_FOUND, "no volume");
    v->attached = true;
    *ret = json_own(r->arena, json_pack("{s:s, s:{s:s, s:i, s:s}}", "id", v->id, "connection_info",
                                        "host", "192.0.2.1", "port", 10809, "export", v->id));
    return 0;
}

int
remote_attach_complete(struct remote *r, _unused_ const char *project_id, const char *attachment_id,
                       struct fault *f)
{
    struct fake_volume *v = volume_of(r, attachment_id);

    if (v == NULL || !v->attached)
        return fault_raise(f, FAULT_NOT_FOUND, "no attachment");
    v->complete = true;
    return 0;
}

int
remote_detach(struct remote *r, _unused_ const char *project_id, const char *attachment_id,
              struct fault *f)
{
    struct fake_volume *v = volume_of(r, attachment_id);

    if (v != NULL && of(r)->guest_has_volume && str_equal(v->id, VOLUME_BROUGHT))
        return fault_raise(
            f, FAULT_INVALID,
            "the guest still uses it"); /* Nothing is let go before the hypervisor has let go of it. */
    if (v != NULL)
        v->attached = v->complete = false;
    return 0;
}

/* --- The bus: the agent of the one host */

/* The only struct rpc that there is; its address is all that callers have of it. */
static struct neighbours *agent;

char *
rpc_queue(struct arena *a, const char *name, const char *host)
{
    return arena_printf(a, "%s.%s", name, host);
}

int
rpc_call(_unused_ struct rpc *r, _unused_ const char *queue, const char *method,
         _unused_ const char *operation_id, const json_t *params, _unused_ int deadline_ms,
         struct arena *a, json_t **ret, struct fault *f)
{
    *ret = json_own(a, json_object());
    if (str_equal(method, "guest_spawn")) {
        agent->guest = true;
        agent->guest_has_volume =
            json_array_size(json_object_get(json_object_get(params, "guest"), "volumes")) > 0;
        json_object_set_new(*ret, "power_state", json_string("running"));
    } else if (str_equal(method, "guest_destroy")) {
        agent->guest = agent->guest_has_volume = false;
    } else if (!agent->guest) {
        return fault_raise(f, FAULT_NOT_FOUND, "there is no such guest");
    } else if (str_equal(method, "guest_attach_volume")) {
        agent->guest_has_volume = true;
        json_object_set_new(*ret, "device", json_string("/dev/vdb"));
    } else if (str_equal(method, "guest_detach_volume")) {
        agent->guest_has_volume = false;
    } else {
        return fault_raise(f, FAULT_INVALID, "no method %s", method);
    }
    return 0;
}
