/* Bodies of subnets and ports, where an option is more than a member; tags. */
#include "network.h"

#include "access.h"
#include "base/json.h"
#include "body.h"
#include "kind.h"
#include "kinds.h"
#include "rest.h"

static int
put_tags(struct cli *cli, json_t *object, json_t *tags, struct fault *f)
{
    struct rest r = { .service = SERVICE_NETWORK, .method = HTTP_PUT };

    r.path = arena_printf(cli->arena, "%s/tags",
                          kind_path(cli->arena, cli->command->kind, json_get_text(object, "id")));
    r.body = json_own(cli->arena, json_pack("{sO}", "tags", tags));
    if (rest_call(cli, &r, f) < 0)
        return -1;
    json_object_set(object, "tags", tags);
    return 0;
}

/* What the object has now. 'object' may be but its id. */
static int
current(struct cli *cli, const char *id, json_t **ret, struct fault *f)
{
    return kind_find(cli, cli->command->kind, id, NULL, ret, f);
}

/* 'set' adds to the tags that are there, unless --no-tag empties them first: as openstack has it. */
int
network_set_tags(struct cli *cli, json_t *object, struct fault *f)
{
    bool empty = args_has(&cli->args, "--no-tag"), creates = cli->command->verb == VERB_CREATE;
    json_t *tags, *now;
    const char *tag;

    if (!args_has(&cli->args, "--tag") && (!empty || creates))
        return 0;
    tags = json_own(cli->arena, json_array());
    if (!empty && !creates) {
        if (current(cli, json_get_text(object, "id"), &now, f) < 0)
            return -1;
        json_array_extend(tags, json_object_get(now, "tags"));
    }
    for (size_t i = 0; (tag = args_nth(&cli->args, "--tag", i)) != NULL; i++)
        json_array_append_new(tags, json_string(tag));
    return put_tags(cli, object, tags, f);
}

int
network_remove_tags(struct cli *cli, json_t *object, struct fault *f)
{
    json_t *tags = json_own(cli->arena, json_array()), *now, *one;
    const char *tag;
    size_t i;

    if (args_has(&cli->args, "--all-tag"))
        return put_tags(cli, object, tags, f);
    if (!args_has(&cli->args, "--tag"))
        return 0;
    if (current(cli, json_get_text(object, "id"), &now, f) < 0)
        return -1;
    json_array_foreach(json_object_get(now, "tags"), i, one)
    {
        bool removed = false;

        for (size_t k = 0; (tag = args_nth(&cli->args, "--tag", k)) != NULL; k++)
            removed = removed || str_equal(tag, json_string_value(one));
        if (!removed)
            json_array_append(tags, one);
    }
    return put_tags(cli, object, tags, f);
}

/* In lists, 'set' adds to what is there; the option 'forget' starts anew. */
int
network_merge_list(struct cli *cli, json_t *body, const json_t *now, const char *member,
                   const char *forget)
{
    json_t *given = json_object_get(body, member), *all;

    if (args_has(&cli->args, forget)) {
        if (given == NULL)
            json_object_set_new(body, member, json_array());
        return 0;
    }
    if (given == NULL)
        return 0;
    all = json_array();
    json_array_extend(all, given);
    json_array_extend(all, json_object_get(now, member));
    return json_object_set_new(body, member, all);
}

/* Does 'have' hold all that 'wanted' says? */
static bool
covers(const json_t *have, const json_t *wanted)
{
    const json_t *value;
    const char *key;

    if (!json_is_object(wanted))
        return json_equal(have, wanted);
    json_object_foreach((json_t *)(uintptr_t)wanted, key, value)
    {
        if (!json_equal(json_object_get(have, key), value))
            return false;
    }
    return true;
}

/* In lists, 'unset' takes out what is named, which has to be there. */
int
network_remove_from_list(json_t *body, const json_t *now, const char *member, struct fault *f)
{
    json_t *given = json_object_get(body, member), *left, *one, *wanted;
    size_t i, k, removed = 0;

    if (given == NULL)
        return 0;
    left = json_array();
    json_array_foreach(json_object_get(now, member), i, one)
    {
        bool gone = false;

        json_array_foreach(given, k, wanted)
        {
            gone = gone || covers(one, wanted);
        }
        removed += gone;
        if (!gone)
            json_array_append(left, one);
    }
    removed = removed >= json_array_size(given);
    json_object_set_new(body, member, left);
    return removed ? 0 : fault_raise(f, FAULT_NOT_FOUND, "%s: it has none such.", member);
}

int
network_now_of(struct cli *cli, const char *positional, json_t **ret, struct fault *f)
{
    return kind_find(cli, cli->command->kind, args_get(&cli->args, positional), NULL, ret, f);
}

/* --- subnets */

static void
set_gateway(struct cli *cli, json_t *body)
{
    const char *gateway = args_get(&cli->args, "--gateway");

    if (gateway == NULL || str_equal_nocase(gateway, "auto"))
        return;
    json_object_set_new(body, "gateway_ip",
                        str_equal_nocase(gateway, "none") ? json_null() : json_string(gateway));
}

int
network_subnet_body(struct cli *cli, json_t *body, struct fault *f _unused_)
{
    const char *cidr = json_get_text(body, "cidr");

    set_gateway(cli, body);
    if (json_object_get(body, "ip_version") == NULL)
        json_object_set_new(body, "ip_version",
                            json_integer(cidr != NULL && strchr(cidr, ':') != NULL ? 6 : 4));
    return 0;
}

int
network_subnet_change(struct cli *cli, json_t *body, struct fault *f)
{
    json_t *now;

    set_gateway(cli, body);
    if (network_now_of(cli, "<subnet>", &now, f) < 0)
        return -1;
    network_merge_list(cli, body, now, "dns_nameservers", "--no-dns-nameservers");
    network_merge_list(cli, body, now, "host_routes", "--no-host-route");
    network_merge_list(cli, body, now, "allocation_pools", "--no-allocation-pool");
    network_merge_list(cli, body, now, "service_types", "--no-service-type");
    return 0;
}

int
network_subnet_unset(struct cli *cli, json_t *body, struct fault *f)
{
    json_t *now;

    if (network_now_of(cli, "<subnet>", &now, f) < 0)
        return -1;
    if (network_remove_from_list(body, now, "dns_nameservers", f) < 0 ||
        network_remove_from_list(body, now, "host_routes", f) < 0 ||
        network_remove_from_list(body, now, "allocation_pools", f) < 0)
        return -1;
    return network_remove_from_list(body, now, "service_types", f);
}

/* --- ports */

int
network_fixed_ips(struct cli *cli, json_t *list, struct fault *f)
{
    json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        const char *subnet = json_get_text(one, "subnet_id"), *id;

        if (subnet == NULL)
            continue;
        if (kind_id(cli, &kind_subnet, subnet, NULL, &id, f) < 0)
            return -1;
        json_object_set_new(one, "subnet_id", json_string(id));
    }
    return 0;
}

int
network_port_body(struct cli *cli, json_t *body, struct fault *f)
{
    if (args_has(&cli->args, "--no-fixed-ip"))
        json_object_set_new(body, "fixed_ips", json_array());
    if (args_has(&cli->args, "--no-security-group"))
        json_object_set_new(body, "security_groups", json_array());
    return network_fixed_ips(cli, json_object_get(body, "fixed_ips"), f);
}

int
network_port_change(struct cli *cli, json_t *body, struct fault *f)
{
    json_t *now;

    if (network_now_of(cli, "<port>", &now, f) < 0 ||
        network_fixed_ips(cli, json_object_get(body, "fixed_ips"), f) < 0)
        return -1;
    network_merge_list(cli, body, now, "fixed_ips", "--no-fixed-ip");
    network_merge_list(cli, body, now, "security_groups", "--no-security-group");
    network_merge_list(cli, body, now, "allowed_address_pairs", "--no-allowed-address");
    if (args_has(&cli->args, "--no-binding-profile") &&
        json_object_get(body, "binding:profile") == NULL)
        json_object_set_new(body, "binding:profile", json_object());
    return 0;
}

int
network_port_unset(struct cli *cli, json_t *body, struct fault *f)
{
    json_t *now;

    if (network_now_of(cli, "<port>", &now, f) < 0 ||
        network_fixed_ips(cli, json_object_get(body, "fixed_ips"), f) < 0)
        return -1;
    if (network_remove_from_list(body, now, "fixed_ips", f) < 0 ||
        network_remove_from_list(body, now, "security_groups", f) < 0)
        return -1;
    return network_remove_from_list(body, now, "allowed_address_pairs", f);
}

/* --fixed-ip filters here: its parts may name a subnet. */
int
network_port_rows(struct cli *cli, json_t *rows, struct fault *f)
{
    const char *text = args_get(&cli->args, "--fixed-ip");
    json_t *wanted, *list, *one, *ip;
    size_t i, k;

    if (text == NULL)
        return 0;
    if (body_parts(cli->arena, text, "subnet=subnet_id,ip-address=ip_address", &wanted, f) < 0)
        return -1;
    list = json_own(cli->arena, json_pack("[O]", wanted));
    if (network_fixed_ips(cli, list, f) < 0)
        return -1;
    for (i = json_array_size(rows); i-- > 0;) {
        bool found = false;

        one = json_array_get(rows, i);
        json_array_foreach(json_object_get(one, "fixed_ips"), k, ip)
        {
            found = found || covers(ip, wanted);
        }
        if (!found)
            json_array_remove(rows, i);
    }
    return 0;
}
