/* Bodies of routers and security group rules. */
#include "access.h"
#include "base/json.h"
#include "body.h"
#include "kinds.h"
#include "network.h"
#include "rest.h"

int
network_router_body(struct cli *cli, json_t *body, struct fault *f)
{
    json_t *gateway = json_object_get(body, "external_gateway_info"),
           *ips = json_own(cli->arena, json_array()), *ip;
    const char *text;

    for (size_t i = 0; (text = args_nth(&cli->args, "--fixed-ip", i)) != NULL; i++) {
        if (body_parts(cli->arena, text, "subnet=subnet_id,ip-address=ip_address", &ip, f) < 0)
            return -1;
        json_array_append(ips, ip);
    }
    if (json_object_get(gateway, "network_id") == NULL &&
        (gateway != NULL || json_array_size(ips) > 0))
        return fault_raise(
            f, FAULT_INVALID,
            "You must specify '--external-gateway' in order to specify SNAT or fixed-ip values");
    if (json_array_size(ips) == 0)
        return 0;
    if (network_fixed_ips(cli, ips, f) < 0)
        return -1;
    return json_object_set(gateway, "external_fixed_ips", ips);
}

int
network_router_change(struct cli *cli, json_t *body, struct fault *f)
{
    json_t *now;

    if (network_router_body(cli, body, f) < 0)
        return -1;
    if (json_object_get(body, "routes") == NULL && !args_has(&cli->args, "--no-route"))
        return 0;
    if (network_now_of(cli, "<router>", &now, f) < 0)
        return -1;
    return network_merge_list(cli, body, now, "routes", "--no-route");
}

int
network_router_unset(struct cli *cli, json_t *body, struct fault *f)
{
    json_t *now;

    if (network_now_of(cli, "<router>", &now, f) < 0)
        return -1;
    return network_remove_from_list(body, now, "routes", f);
}

int
network_router_routes(struct cli *cli, struct fault *f)
{
    struct rest r = { .service = SERVICE_NETWORK, .method = HTTP_PUT };
    json_t *body = json_own(cli->arena, json_object());
    const char *id;

    if (access_option_id(cli, "<router>", &id, f) < 0 || body_make(cli, body, f) < 0)
        return -1;
    if (json_object_size(body) == 0)
        return 0;
    r.path = arena_printf(cli->arena, "/routers/%s/%s_extraroutes", id,
                          cli->command->method == HTTP_PUT ? "add" : "remove");
    r.body = json_own(cli->arena, json_pack("{sO}", "router", body));
    return rest_call(cli, &r, f);
}

/* --- rules */

static int
set_ports(json_t *body, const char *range, struct fault *f)
{
    const char *colon = strchr(range, ':');
    char first[16];
    int64_t min, max;

    snprintf(first, sizeof(first), "%.*s", colon != NULL ? (int)(colon - range) : 15, range);
    if (str_to_int64(first, 0, 65535, &min) < 0 ||
        str_to_int64(colon != NULL ? colon + 1 : first, 0, 65535, &max) < 0)
        return fault_raise(f, FAULT_INVALID, "--dst-port: '%s' is no port and no range of ports",
                           range);
    json_object_set_new(body, "port_range_min", json_integer(min));
    json_object_set_new(body, "port_range_max", json_integer(max));
    return 0;
}

int
network_rule_body(struct cli *cli, json_t *body, struct fault *f)
{
    const char *protocol = args_get(&cli->args, "--protocol"),
               *range = args_get(&cli->args, "--dst-port"),
               *type = args_get(&cli->args, "--icmp-type"),
               *code = args_get(&cli->args, "--icmp-code"),
               *remote = json_get_text(body, "remote_ip_prefix");
    bool six = remote != NULL && strchr(remote, ':') != NULL, icmp;

    if (protocol == NULL)
        protocol = args_get(&cli->args, "--proto");
    icmp = protocol != NULL && (strstr(protocol, "icmp") != NULL || str_equal(protocol, "1") ||
                                str_equal(protocol, "58"));
    if (icmp && range != NULL)
        return fault_raise(f, FAULT_INVALID, "Argument --dst-port not allowed with ICMP protocol");
    if (!icmp && (type != NULL || code != NULL))
        return fault_raise(f, FAULT_INVALID,
                           "Argument --icmp-type and --icmp-code only allowed with ICMP protocol");
    if (protocol != NULL && !str_equal_nocase(protocol, "any"))
        json_object_set_new(body, "protocol", json_string(protocol));
    if (json_object_get(body, "direction") == NULL)
        json_object_set_new(body, "direction", json_string("ingress"));
    if (json_object_get(body, "ethertype") == NULL) {
        six = six ||
              (protocol != NULL && (str_equal(protocol, "icmpv6") || str_starts(protocol, "ipv6") ||
                                    str_equal(protocol, "58")));
        json_object_set_new(body, "ethertype", json_string(six ? "IPv6" : "IPv4"));
    }
    if (type != NULL)
        json_object_set_new(body, "port_range_min", json_integer(strtol(type, NULL, 10)));
    if (code != NULL)
        json_object_set_new(body, "port_range_max", json_integer(strtol(code, NULL, 10)));
    return range != NULL ? set_ports(body, range, f) : 0;
}
