/* What a port shows that no column of its own holds: one query for each kind, however many ports. */
#include "base/json.h"
#include "base/str.h"
#include "ports.h"

struct loader {
    struct arena *arena;
    struct network_service *service;
    struct port *const *rows;
    size_t count;
};

/* Rows come ordered by port; 'at' runs along. Finds the range of one port. */
#define RANGE(rows_, count_, id_, first_, size_)                                                   \
    do {                                                                                           \
        (first_) = 0;                                                                              \
        while ((first_) < (count_) && !str_equal((rows_)[first_].port_id, (id_)))                  \
            (first_)++;                                                                            \
        (size_) = 0;                                                                               \
        while ((first_) + (size_) < (count_) &&                                                    \
               str_equal((rows_)[(first_) + (size_)].port_id, (id_)))                              \
            (size_)++;                                                                             \
    } while (0)

static void
fill_ips(const struct loader *l, const struct port_ips_row *ips, size_t ips_count)
{
    for (size_t i = 0; i < l->count; i++) {
        struct port *row = l->rows[i];
        size_t first, size;

        RANGE(ips, ips_count, row->id, first, size);
        row->fixed_ips = ARENA_ARRAY(l->arena, struct fixed_ip, size + 1);
        row->fixed_ips_count = size;
        for (size_t j = 0; j < size; j++) {
            row->fixed_ips[j].subnet_id = ips[first + j].subnet_id;
            row->fixed_ips[j].ip_address = ips[first + j].ip;
        }
        field_mark(&row->set, PORT_F_FIXED_IPS);
    }
}

static void
fill_groups(const struct loader *l, const struct port_groups_row *groups, size_t groups_count)
{
    for (size_t i = 0; i < l->count; i++) {
        struct port *row = l->rows[i];
        size_t first, size;

        RANGE(groups, groups_count, row->id, first, size);
        row->security_groups.items = ARENA_ARRAY(l->arena, const char *, size + 1);
        row->security_groups.count = size;
        for (size_t j = 0; j < size; j++)
            row->security_groups.items[j] = groups[first + j].security_group_id;
        field_mark(&row->set, PORT_F_SECURITY_GROUPS);
    }
}

static void
fill_details(const struct loader *l)
{
    for (size_t i = 0; i < l->count; i++) {
        struct port *row = l->rows[i];

        row->binding_vif_details = json_own(l->arena, json_object());
        if (str_equal(row->binding_vif_type, "tap"))
            json_object_update_new(row->binding_vif_details,
                                   json_pack("{s:b, s:s}", "port_filter", 1, "connectivity", "l2"));
        if (row->failure != NULL)
            json_object_set_new(row->binding_vif_details, "failure", json_string(row->failure));
        field_mark(&row->set, PORT_F_BINDING_VIF_DETAILS);
    }
}

/* "host-10-0-0-5" where nobody gave a name. */
static const char *
host_name(const struct loader *l, const struct port *row, const char *ip)
{
    char *name;

    if (!str_empty(row->dns_name))
        return row->dns_name;
    name = arena_printf(l->arena, "host-%s", ip);
    for (char *at = name; *at != '\0'; at++) {
        if (*at == '.' || *at == ':')
            *at = '-';
    }
    return name;
}

static void
fill_dns(const struct loader *l, const struct dns_domains_row *domains, size_t domains_count)
{
    for (size_t i = 0; i < l->count; i++) {
        struct port *row = l->rows[i];
        const char *domain = l->service->config->dns_domain;

        for (size_t j = 0; j < domains_count; j++) {
            if (str_equal(domains[j].id, row->network_id) && !str_empty(domains[j].dns_domain))
                domain = domains[j].dns_domain;
        }
        row->dns_assignment = json_own(l->arena, json_array());
        for (size_t j = 0; j < row->fixed_ips_count; j++) {
            const char *ip = row->fixed_ips[j].ip_address;
            const char *host = host_name(l, row, ip);

            json_array_append_new(row->dns_assignment,
                                  json_pack("{s:s, s:s, s:s}", "ip_address", ip, "hostname", host,
                                            "fqdn",
                                            arena_printf(l->arena, "%s.%s%s", host, domain,
                                                         str_ends(domain, ".") ? "" : ".")));
        }
        field_mark(&row->set, PORT_F_DNS_ASSIGNMENT);
    }
}

int
ports_load(struct arena *a, struct network_service *service, struct db *db,
           struct port *const *rows, size_t count, struct fault *f)
{
    const struct loader l = { .arena = a, .service = service, .rows = rows, .count = count };
    struct texts ids = { .items = ARENA_ARRAY(a, const char *, count), .count = count };
    struct texts networks = { .items = ARENA_ARRAY(a, const char *, count), .count = count };
    struct port_ips_row *ips;
    struct port_groups_row *groups;
    struct dns_domains_row *domains;
    size_t ips_count, groups_count, domains_count;

    for (size_t i = 0; i < count; i++) {
        ids.items[i] = rows[i]->id;
        networks.items[i] = rows[i]->network_id;
    }
    if (port_ips(db, &ids, &ips, &ips_count, f) < 0 ||
        port_groups(db, &ids, &groups, &groups_count, f) < 0)
        return -1;
    fill_ips(&l, ips, ips_count);
    fill_groups(&l, groups, groups_count);
    fill_details(&l);
    if (service == NULL)
        return 0;
    if (dns_domains(db, &networks, &domains, &domains_count, f) < 0)
        return -1;
    fill_dns(&l, domains, domains_count);
    return 0;
}
