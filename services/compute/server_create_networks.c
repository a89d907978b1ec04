/* A plan's networks: ports that are brought, networks that are named, or the only one there is. */
#include "server_create_plan.h"

#include "base/json.h"
#include "base/str.h"

/* --- Networks */

static int
check_port(struct remote *r, const char *port_id, struct fault *f)
{
    json_t *port;

    if (remote_port(r, port_id, &port, f) < 0) {
        if (f->kind != FAULT_NOT_FOUND)
            return -1;
        fault_clear(f);
        return fault_raise(f, FAULT_INVALID, "Port %s could not be found.", port_id);
    }
    if (!str_empty(json_get_text(port, "device_id")))
        return fault_raise(f, FAULT_CONFLICT, "Port %s is still in use.", port_id);
    if (json_array_size(json_object_get(port, "fixed_ips")) == 0)
        return fault_raise(f, FAULT_INVALID, "Port %s requires a FixedIP in order to be used.",
                           port_id);
    return 0;
}

static int
check_network(struct remote *r, const char *network_id, struct fault *f)
{
    json_t *network;

    if (remote_network(r, network_id, &network, f) < 0) {
        if (f->kind != FAULT_NOT_FOUND)
            return -1;
        fault_clear(f);
        return fault_raise(f, FAULT_INVALID, "Network %s could not be found.", network_id);
    }
    if (json_get_bool(network, "router:external") && !json_get_bool(network, "shared"))
        return fault_raise(f, FAULT_FORBIDDEN,
                           "It is not allowed to create an interface on external network %s",
                           network_id);
    return json_array_size(json_object_get(network, "subnets")) > 0
               ? 0
               : fault_raise(f, FAULT_INVALID,
                             "Network %s requires a subnet in order to boot instances on.",
                             network_id);
}

static int
named_networks(struct call *call, struct remote *r, const json_t *list, struct create_plan *p,
               struct fault *f)
{
    json_t *item, *other;
    size_t i, j;

    json_array_foreach(list, i, item)
    {
        struct server_network wish = { 0 };

        if (schema_parse(&server_network_schema, item, SCHEMA_CREATE, 0,
                         arena_printf(call->arena, "networks.%zu", i), call->arena, &wish, f) < 0)
            return -1;
        if (wish.port == NULL && wish.uuid == NULL)
            return fault_raise_field(
                f, "networks",
                "Invalid input for field/attribute networks. One of uuid and port is needed.");
        json_array_foreach(p->networks, j, other)
        {
            if (wish.port != NULL && str_equal(json_get_text(other, "port"), wish.port))
                return fault_raise_field(f, "networks", "Port %s stands twice in networks.",
                                         wish.port);
        }
        if ((wish.port != NULL ? check_port(r, wish.port, f) : check_network(r, wish.uuid, f)) < 0)
            return -1;
        json_array_append_new(p->networks, wish.port != NULL
                                               ? json_pack("{s:s}", "port", wish.port)
                                               : json_pack("{s:s, s:s*}", "network", wish.uuid,
                                                           "fixed_ip", wish.fixed_ip));
    }
    return 0;
}

/* None was named: the only one there is; without any the server has no network. */
static int
automatic_network(struct call *call, struct remote *r, bool must, struct create_plan *p,
                  struct fault *f)
{
    json_t *networks;

    if (remote_networks_of(r, call->auth.project_id, &networks, f) < 0)
        return -1;
    if (json_array_size(networks) > 1)
        return fault_raise(
            f, FAULT_CONFLICT,
            "Multiple possible networks found, use a Network ID to be more specific.");
    if (json_array_size(networks) == 0)
        return must ? fault_raise(f, FAULT_INVALID,
                                  "Unable to automatically allocate a network for project %s",
                                  call->auth.project_id)
                    : 0;
    json_array_append_new(p->networks,
                          json_pack("{s:O}", "network",
                                    json_object_get(json_array_get(networks, 0), "id")));
    return 0;
}

int
create_plan_networks(struct call *call, const struct server_create *in, struct create_plan *p,
                     struct fault *f)
{
    struct remote r = remote_for_call(call);
    const char *word = json_string_value(in->networks);
    struct texts names = { .items = ARENA_ARRAY(call->arena, const char *,
                                                in->security_groups_count + 1) };

    p->networks = json_own(call->arena, json_array());
    p->groups = json_own(call->arena, json_array());
    if (in->networks == NULL && call_at_least(call, 2, 37))
        return fault_raise_field(
            f, "networks",
            "Invalid input for field/attribute server. 'networks' is a required property");
    if (word != NULL &&
        !(call_at_least(call, 2, 37) && (str_equal(word, "auto") || str_equal(word, "none"))))
        return fault_raise_field(f, "networks",
                                 "Invalid input for field/attribute networks. Value: %.50s.", word);
    if (in->networks != NULL && word == NULL && !json_is_array(in->networks))
        return fault_raise_field(
            f, "networks",
            "Invalid input for field/attribute networks. It is not of type 'array'.");
    if (json_array_size(in->networks) > 0) {
        if (named_networks(call, &r, in->networks, p, f) < 0)
            return -1;
    } else if (!str_equal(word, "none") && automatic_network(call, &r, word != NULL, p, f) < 0) {
        return -1;
    }
    for (size_t i = 0; i < in->security_groups_count; i++) {
        if (!str_equal(in->security_groups[i].name, "default") &&
            in->security_groups[i].name != NULL)
            names.items[names.count++] = in->security_groups[i].name;
        else if (in->security_groups_count > 1)
            names.items[names.count++] = "default";
    }
    return names.count == 0 || json_array_size(p->networks) == 0
               ? 0
               : remote_security_groups(&r, call->auth.project_id, &names, &p->groups, f);
}
