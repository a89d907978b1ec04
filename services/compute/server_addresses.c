/* /servers/{id}/ips and its security groups. */
#include "base/json.h"
#include "base/str.h"
#include "server_network.h"

int
server_ips(struct call *call, struct fault *f)
{
    const char *label = call_param_find(call, "network_label");
    struct server server;
    struct server *row = &server;
    struct jsonw *w;
    json_t *list = NULL;

    if (server_load(call, call->db, false, &server, f) < 0 ||
        resource_load_computed(call, &server_resource, (void *const *)&row, 1, f) < 0)
        return -1;
    if (label != NULL) {
        list = json_object_get(server.addresses, label);
        if (list == NULL)
            return fault_raise(f, FAULT_NOT_FOUND, "Instance is not a member of network %.100s",
                               label);
    }
    w = call_json(call);
    jsonw_object(w, NULL);
    if (label == NULL)
        jsonw_json(w, "addresses", server.addresses);
    else
        jsonw_json(w, label, list);
    jsonw_end(w);
    return 0;
}

int
server_groups(struct call *call, struct fault *f)
{
    struct remote r = remote_for_service(compute_of(call), call->arena);
    json_t *answer, *ports, *port, *group, *seen;
    struct server server;
    struct jsonw *w;
    size_t i, j;

    if (server_load(call, call->db, false, &server, f) < 0 ||
        remote_ports_of(&r, server.id, &ports, f) < 0 ||
        remote_send(&r, HTTP_GET, "network",
                    arena_printf(call->arena, "/v2.0/security-groups?project_id=%s",
                                 server.project_id),
                    NULL, &answer, f) < 0)
        return -1;
    seen = json_own(call->arena, json_object());
    json_array_foreach(ports, i, port)
    {
        json_array_foreach(json_object_get(port, "security_groups"), j, group)
            json_object_set_new(seen, json_string_value(group), json_true());
    }
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_array(w, "security_groups");
    json_array_foreach(json_object_get(answer, "security_groups"), i, group)
    {
        if (json_object_get(seen, json_get_text(group, "id")) == NULL)
            continue;
        jsonw_object(w, NULL);
        jsonw_text(w, "id", json_get_text(group, "id"));
        jsonw_text(w, "name", json_get_text(group, "name"));
        jsonw_text(w, "description", json_get_text(group, "description"));
        jsonw_text(w, "tenant_id", json_get_text(group, "project_id"));
        jsonw_array(w, "rules");
        jsonw_end(w);
        jsonw_end(w);
    }
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

/* The groups of a port with one more, or one less; the same list: nothing changes. */
static json_t *
changed_groups(struct arena *a, const json_t *port, const char *id, bool add)
{
    json_t *list = json_own(a, json_array()), *group;
    size_t i;

    json_array_foreach(json_object_get(port, "security_groups"), i, group)
    {
        if (!str_equal(json_string_value(group), id))
            json_array_append(list, group);
    }
    if (add)
        json_array_append_new(list, json_string(id));
    return list;
}

static int
change_group(struct call *call, const char *name, bool add, struct fault *f)
{
    struct remote user = remote_for_call(call);
    struct remote r = remote_for_service(compute_of(call), call->arena);
    struct texts names = { .items = &name, .count = 1 };
    json_t *ids, *ports, *port;
    struct server server;
    size_t i;

    if (server_load(call, call->db, false, &server, f) < 0)
        return -1;
    if (remote_security_groups(&user, server.project_id, &names, &ids, f) < 0) {
        if (f->kind == FAULT_INVALID)
            f->kind = FAULT_NOT_FOUND;
        return -1;
    }
    if (remote_ports_of(&r, server.id, &ports, f) < 0)
        return -1;
    json_array_foreach(ports, i, port)
    {
        json_t *body =
            json_own(call->arena,
                     json_pack("{s:O}", "security_groups",
                               changed_groups(call->arena, port,
                                              json_string_value(json_array_get(ids, 0)), add)));

        if (remote_port_update(&r, json_get_text(port, "id"), body, NULL, f) < 0)
            return -1;
    }
    return server_network_refresh(&r, call->db, &server, NULL, f);
}

int
server_add_group(struct call *call, const struct server_group_name *in, struct fault *f)
{
    return change_group(call, in->name, true, f);
}

int
server_remove_group(struct call *call, const struct server_group_name *in, struct fault *f)
{
    return change_group(call, in->name, false, f);
}
