#include "dhcp_text.h"

#include "base/array.h"
#include "port_rules.h"

#define LEASE_S 86400

const struct address *
dhcp_text_address(const struct wanted_network *n, const struct wanted_subnet *s)
{
    for (size_t i = 0; n->dhcp != NULL && i < n->dhcp->ips_count; i++)
        if (str_equal(n->dhcp->ips[i].subnet_id, s->id))
            return &n->dhcp->ips[i].ip;
    return NULL;
}

static void
add_host(struct arena *a, const struct wanted_network *n, const struct wanted_port *p,
         struct str *out)
{
    for (size_t i = 0; i < p->ips_count; i++) {
        const struct wanted_subnet *s = wanted_find_subnet(n, p->ips[i].subnet_id);

        if (s == NULL || !s->dhcp)
            continue;
        str_addf(out, "%s,", mac_text(a, &p->mac));
        str_addf(out, p->ips[i].ip.family == AF_INET ? "%s,%s\n" : "%s,[%s]\n", p->hostname,
                 address_bare(a, &p->ips[i].ip));
    }
}

void
dhcp_text_hosts(const struct wanted *w, const struct wanted_network *n, struct str *out)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();

    for (size_t i = 0; i < w->ports_count; i++)
        if (w->ports[i].network == n)
            add_host(a, n, &w->ports[i], out);
    for (size_t i = 0; i < w->remote_ports_count; i++)
        if (w->remote_ports[i].network == n)
            add_host(a, n, &w->remote_ports[i], out);
}

/* RFC 3442: a client that takes option 121 ignores option 3, so the default route is in it too. 249
 * is its name of old. */
static void
add_routes(struct arena *a, const struct wanted_subnet *s, const struct address *server,
           struct str *out)
{
    static const char *const options[] = { "option:classless-static-route", "249" };

    for (size_t k = 0; k < ARRAY_SIZE(options); k++) {
        str_addf(out, "tag:subnet-%s,%s", s->id, options[k]);
        if (server != NULL)
            str_addf(out, "," METADATA_ADDRESS "/32,%s", address_bare(a, server));
        for (size_t i = 0; i < s->routes_count; i++)
            if (!address_is_any(&s->routes[i].destination) &&
                s->routes[i].destination.family == AF_INET)
                str_addf(out, ",%s,%s", address_with_prefix(a, &s->routes[i].destination),
                         address_bare(a, &s->routes[i].nexthop));
        if (s->gateway.family != 0)
            str_addf(out, ",0.0.0.0/0,%s", address_bare(a, &s->gateway));
        str_add(out, "\n");
    }
}

static void
add_subnet4(struct arena *a, const struct wanted_network *n, const struct wanted_subnet *s,
            struct str *out)
{
    const struct address *server = dhcp_text_address(n, s);

    /* Without a value it is not sent: otherwise dnsmasq would name itself as the router. */
    str_addf(out, "tag:subnet-%s,option:router%s%s\n", s->id, s->gateway.family != 0 ? "," : "",
             s->gateway.family != 0 ? address_bare(a, &s->gateway) : "");
    str_addf(out, "tag:subnet-%s,option:mtu,%u\n", s->id, n->mtu);
    if (s->nameservers_count > 0 || server != NULL)
        str_addf(out, "tag:subnet-%s,option:dns-server", s->id);
    for (size_t i = 0; i < s->nameservers_count; i++)
        if (s->nameservers[i].family == AF_INET)
            str_addf(out, ",%s", address_bare(a, &s->nameservers[i]));
    if (s->nameservers_count == 0 && server != NULL)
        str_addf(out, ",%s", address_bare(a, server));
    if (s->nameservers_count > 0 || server != NULL)
        str_add(out, "\n");
    if (server != NULL || s->routes_count > 0)
        add_routes(a, s, server, out);
}

static void
add_subnet6(struct arena *a, const struct wanted_subnet *s, struct str *out)
{
    if (s->nameservers_count == 0)
        return;
    str_addf(out, "tag:subnet-%s,option6:dns-server", s->id);
    for (size_t i = 0; i < s->nameservers_count; i++)
        if (s->nameservers[i].family == AF_INET6)
            str_addf(out, ",[%s]", address_bare(a, &s->nameservers[i]));
    str_add(out, "\n");
}

static void
add_port_options(const struct wanted_port *p, struct str *out)
{
    for (size_t i = 0; i < p->options_count; i++) {
        const struct wanted_dhcp_option *o = &p->options[i];
        bool number = o->name[0] >= '0' && o->name[0] <= '9';
        const char *prefix = o->family == AF_INET6 ? "option6:" : number ? "" : "option:";

        str_addf(out, "tag:port-%s,%s%s,%s\n", p->id, prefix, o->name, o->value);
    }
}

void
dhcp_text_options(const struct wanted *w, const struct wanted_network *n, struct str *out)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();

    for (size_t i = 0; i < n->subnets_count; i++) {
        if (!n->subnets[i].dhcp)
            continue;
        if (n->subnets[i].cidr.family == AF_INET)
            add_subnet4(a, n, &n->subnets[i], out);
        else
            add_subnet6(a, &n->subnets[i], out);
    }
    for (size_t i = 0; i < w->ports_count; i++)
        if (w->ports[i].network == n)
            add_port_options(&w->ports[i], out);
    for (size_t i = 0; i < w->remote_ports_count; i++)
        if (w->remote_ports[i].network == n)
            add_port_options(&w->remote_ports[i], out);
}

/* The tag by which a port's own options are chosen. It would be natural in the hosts file, but
 * dnsmasq (2.90) crashes when it reads a file with tags again after a lease. So it is an argument,
 * and changing it is a restart. */
static const char **
add_tags(struct arena *a, const struct wanted_network *n, const struct wanted_port *ports,
         size_t ports_count, const char **argv, size_t *count, size_t *capacity)
{
    for (size_t i = 0; i < ports_count; i++)
        if (ports[i].network == n && ports[i].options_count > 0)
            *ARRAY_PUSH(a, argv, *count, *capacity) =
                arena_printf(a, "--dhcp-mac=set:port-%s,%s", ports[i].id,
                             mac_text(a, &ports[i].mac));
    return argv;
}

const char **
dhcp_text_arguments(struct arena *a, const struct wanted *w, const struct wanted_network *n,
                    const char *device, const char *dir, const char *user)
{
    const char *fixed[] = {
        /* A lease is for the MAC alone: a client that makes up identifiers gets nothing more. */
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--no-hosts",
        "--no-resolv",
        "--except-interface=lo",
        "--bind-interfaces",
        "--dhcp-authoritative",
        "--dhcp-ignore-clid",
        "--quiet-dhcp",
        "--quiet-dhcp6",
        "--log-facility=-",
        "--pid-file=",
        "--no-ping",
        "--dhcp-lease-max=16777216",
    };
    const char **argv = NULL;
    size_t count = 0, capacity = 0;

    for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
        *ARRAY_PUSH(a, argv, count, capacity) = fixed[i];
    *ARRAY_PUSH(a, argv, count, capacity) = arena_printf(a, "--interface=%s", device);
    *ARRAY_PUSH(a, argv, count, capacity) = arena_printf(a, "--user=%s", user);
    *ARRAY_PUSH(a, argv, count, capacity) = arena_printf(a, "--domain=%s", n->domain);
    *ARRAY_PUSH(a, argv, count, capacity) = arena_printf(a, "--local=/%s/", n->domain);
    *ARRAY_PUSH(a, argv, count, capacity) = arena_printf(a, "--dhcp-hostsfile=%s/hosts", dir);
    *ARRAY_PUSH(a, argv, count, capacity) = arena_printf(a, "--dhcp-optsfile=%s/opts", dir);
    *ARRAY_PUSH(a, argv, count, capacity) = arena_printf(a, "--dhcp-leasefile=%s/leases", dir);
    for (size_t i = 0; i < n->subnets_count; i++) {
        const struct wanted_subnet *s = &n->subnets[i];
        const char *net = address_bare(a, &s->cidr);

        if (!s->dhcp || dhcp_text_address(n, s) == NULL)
            continue;
        if (s->cidr.family == AF_INET)
            *ARRAY_PUSH(a, argv, count, capacity) =
                arena_printf(a, "--dhcp-range=set:subnet-%s,%s,static,%s,%ds", s->id, net,
                             address_netmask(a, &s->cidr), LEASE_S);
        else if (s->ra == WANTED_RA_STATEFUL)
            *ARRAY_PUSH(a, argv, count, capacity) =
                arena_printf(a, "--dhcp-range=set:subnet-%s,%s,static,%u,%ds", s->id, net,
                             s->cidr.prefix, LEASE_S);
    }
    argv = add_tags(a, n, w->ports, w->ports_count, argv, &count, &capacity);
    argv = add_tags(a, n, w->remote_ports, w->remote_ports_count, argv, &count, &capacity);
    *ARRAY_PUSH(a, argv, count, capacity) = NULL;
    return argv;
}
