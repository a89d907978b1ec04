/* network_data.json: the guest's links, addresses, routes and name servers, as OpenStack's schema of it has them.
 *
 * A subnet with DHCP is only named as such; the guest asks for the rest. */
#include <arpa/inet.h>
#include <stdint.h>

#include "../base/json.h"
#include "../base/str.h"
#include "metadata_render.h"

/* "10.0.0.0/24" as "10.0.0.0" and "255.255.255.0" (or the IPv6 likes of them). False: not a network. */
static bool
split_cidr(struct arena *a, const char *cidr, const char **ret_network, const char **ret_mask)
{
    const char *slash = cidr ? strchr(cidr, '/') : NULL;
    char *network;
    unsigned char address[16], mask[16] = { 0 };
    char text[INET6_ADDRSTRLEN];
    int family;
    int64_t bits;

    if (slash == NULL)
        return false;
    network = arena_strndup(a, cidr, (size_t)(slash - cidr));
    family = strchr(network, ':') ? AF_INET6 : AF_INET;
    if (inet_pton(family, network, address) != 1 ||
        str_to_int64(slash + 1, 0, family == AF_INET ? 32 : 128, &bits) < 0)
        return false;
    for (int64_t i = 0; i < bits; i++)
        mask[i / 8] = (unsigned char)(mask[i / 8] | 0x80U >> (i % 8));
    if (inet_ntop(family, mask, text, sizeof(text)) == NULL)
        return false;
    *ret_network = network;
    *ret_mask = arena_strdup(a, text);
    return true;
}

static void
add_route(json_t *routes, const char *network, const char *mask, const char *gateway)
{
    json_array_append_new(routes, json_pack("{s:s, s:s, s:s}", "network", network, "netmask", mask,
                                            "gateway", gateway));
}

static json_t *
routes_of(const json_t *subnet, bool v6, struct arena *a)
{
    json_t *routes = json_array();
    const char *gateway = json_get_text(subnet, "gateway");
    const char *network, *mask;
    const json_t *route;
    size_t i;

    if (!str_empty(gateway))
        add_route(routes, v6 ? "::" : "0.0.0.0", v6 ? "::" : "0.0.0.0", gateway);
    json_array_foreach(json_object_get(subnet, "routes"), i, route)
    {
        const char *nexthop = json_get_text(route, "nexthop");

        if (nexthop != NULL && split_cidr(a, json_get_text(route, "destination"), &network, &mask))
            add_route(routes, network, mask, nexthop);
    }
    return routes;
}

/* Name servers of a subnet; added to the document's own list too, once each. */
static json_t *
services_of(const json_t *subnet, json_t *all)
{
    json_t *services = json_array();
    const json_t *server;
    size_t i;

    json_array_foreach(json_object_get(subnet, "dns"), i, server)
    {
        const char *address = json_string_value(server);
        json_t *service;
        const json_t *known;
        bool seen = false;
        size_t k;

        if (address == NULL)
            continue;
        service = json_pack("{s:s, s:s}", "type", "dns", "address", address);
        json_array_append(services, service);
        json_array_foreach(all, k, known) seen = seen || json_equal(known, service) == 1;
        if (!seen)
            json_array_append(all, service);
        json_decref(service);
    }
    return services;
}

static json_t *
network_of(const json_t *port, const json_t *subnet, const char *link, size_t number,
           json_t *all_services, struct arena *a)
{
    bool v6 = json_get_int(subnet, "version") == 6;
    const char *mode = json_get_text(subnet, "ipv6_address_mode");
    const char *address =
        json_string_value(json_array_get(json_object_get(subnet, "addresses"), 0));
    const char *network = NULL, *mask = NULL;
    const char *kind = "";
    json_t *out = json_object();
    json_t *services = services_of(subnet, all_services);

    if (v6 && !str_empty(mode))
        kind = arena_printf(a, "_%s", mode);
    else if (json_get_bool(subnet, "dhcp"))
        kind = "_dhcp";
    json_object_set_new(out, "id", json_string(arena_printf(a, "network%zu", number)));
    json_object_set_new(out, "type", json_string(arena_printf(a, "ipv%d%s", v6 ? 6 : 4, kind)));
    json_object_set_new(out, "link", json_string(link));
    if (!str_equal(kind, "_dhcp") && address != NULL &&
        split_cidr(a, json_get_text(subnet, "cidr"), &network, &mask)) {
        json_object_set_new(out, "ip_address", json_string(address));
        json_object_set_new(out, "netmask", json_string(mask));
        json_object_set_new(out, "routes", routes_of(subnet, v6, a));
        json_object_set(out, "services", services);
    }
    json_object_set_new(out, "network_id", json_string(metadata_text(port, "network_id", "")));
    json_decref(services);
    return out;
}

json_t *
metadata_network_data(const json_t *networks, struct arena *a)
{
    json_t *out = json_own(a, json_object());
    json_t *links = json_array(), *nets = json_array(), *services = json_array();
    const json_t *port, *subnet;
    size_t i, k;

    json_object_set_new(out, "links", links);
    json_object_set_new(out, "networks", nets);
    json_object_set_new(out, "services", services);
    json_array_foreach(networks, i, port)
    {
        const char *id = metadata_text(port, "tap", arena_printf(a, "interface%zu", i));
        int64_t mtu = json_get_int(port, "mtu");

        json_array_append_new(links,
                              json_pack("{s:s, s:s, s:s, s:o, s:s}", "id", id, "vif_id",
                                        metadata_text(port, "port_id", ""), "type",
                                        metadata_text(port, "type", "bridge"), "mtu",
                                        mtu > 0 ? json_integer(mtu) : json_null(),
                                        "ethernet_mac_address", metadata_text(port, "mac", "")));
        json_array_foreach(json_object_get(port, "subnets"), k, subnet)
            json_array_append_new(nets,
                                  network_of(port, subnet, id, json_array_size(nets), services, a));
    }
    return out;
}
