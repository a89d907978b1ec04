#include "port_check.h"

#include <ctype.h>

#include "address.h"
#include "base/array.h"
#include "base/json.h"
#include "base/str.h"

const char *
mac_canonical(struct arena *a, const char *mac)
{
    char *copy = arena_strdup(a, mac);

    for (char *at = copy; *at != '\0'; at++)
        *at = *at == '-' ? ':' : (char)tolower((unsigned char)*at);
    return copy;
}

/* Absent text and lists are empty, as upstream has it. */
static void
empty_for_null(struct port *row, struct arena *a)
{
    static const unsigned lists[] = { PORT_F_SECURITY_GROUPS, PORT_F_ALLOWED_ADDRESS_PAIRS,
                                      PORT_F_EXTRA_DHCP_OPTS };

    if (field_null(&row->set, PORT_F_DEVICE_ID)) {
        row->device_id = "";
        field_mark(&row->set, PORT_F_DEVICE_ID);
    }
    if (field_null(&row->set, PORT_F_DEVICE_OWNER)) {
        row->device_owner = "";
        field_mark(&row->set, PORT_F_DEVICE_OWNER);
    }
    if (field_null(&row->set, PORT_F_BINDING_PROFILE)) {
        row->binding_profile = json_own(a, json_object());
        field_mark(&row->set, PORT_F_BINDING_PROFILE);
    }
    for (size_t i = 1; i < ARRAY_SIZE(lists); i++) {
        if (field_null(&row->set, lists[i]))
            field_mark(&row->set, lists[i]);
    }
}

static int
check_pairs(struct port *row, struct arena *a, struct fault *f)
{
    for (size_t i = 0; i < row->allowed_address_pairs_count; i++) {
        struct address_pair *x = &row->allowed_address_pairs[i];
        struct address ip;

        if (address_parse_cidr(x->ip_address, false, &ip) < 0)
            return fault_raise_field(
                f, "allowed_address_pairs",
                "Invalid input for allowed_address_pairs. Reason: '%.64s' is not a valid IP "
                "address or subnet.",
                x->ip_address);
        x->ip_address =
            strchr(x->ip_address, '/') == NULL ? address_text(a, &ip) : address_cidr_text(a, &ip);
        if (x->mac_address != NULL)
            x->mac_address = mac_canonical(a, x->mac_address);
        for (size_t j = 0; j < i; j++) {
            const struct address_pair *y = &row->allowed_address_pairs[j];

            if (str_equal(x->ip_address, y->ip_address) &&
                str_equal(x->mac_address, y->mac_address))
                return fault_raise_code(
                    f, FAULT_INVALID, "DuplicateAddressPairInRequest",
                    "Request contains duplicate address pair: mac_address %s ip_address %s.",
                    x->mac_address == NULL ? "None" : x->mac_address, x->ip_address);
        }
    }
    return 0;
}

/* They end in a text file of the DHCP server's: names of letters, digits and dashes or numbers, values that are one printable line. */
static int
check_option(const struct dhcp_option *x, struct fault *f)
{
    const char *at;

    for (at = x->opt_name; isalnum((unsigned char)*at) || *at == '-' || *at == ':'; at++)
        ;
    if (*at != '\0')
        return fault_raise_field(
            f, "extra_dhcp_opts",
            "Invalid input for extra_dhcp_opts. Reason: '%.64s' is not a valid option name.",
            x->opt_name);
    if (x->opt_value == NULL)
        return 0;
    for (at = x->opt_value; *at >= ' ' && *at != 0x7f && *at != '"' && *at != '\\'; at++)
        ;
    if (*at != '\0' || x->opt_value[0] == '\0')
        return fault_raise_field(f, "extra_dhcp_opts",
                                 "Invalid input for extra_dhcp_opts. Reason: the value of '%.64s' "
                                 "is not a valid option value.",
                                 x->opt_name);
    if (field_given(&x->set, DHCP_OPTION_F_IP_VERSION) && x->ip_version != 4 && x->ip_version != 6)
        return fault_raise_field(
            f, "extra_dhcp_opts",
            "Invalid input for extra_dhcp_opts. Reason: ip_version is 4 or 6.");
    return 0;
}

static int64_t
version_of(const struct dhcp_option *x)
{
    return field_given(&x->set, DHCP_OPTION_F_IP_VERSION) ? x->ip_version : 4;
}

/* A change names options one by one: a null value takes one away, the others stay. */
static int
merge_options(struct port *row, const struct port *old, struct arena *a, struct fault *f)
{
    struct dhcp_option *all = NULL;
    size_t count = 0, capacity = 0;

    if (!field_given(&row->set, PORT_F_EXTRA_DHCP_OPTS))
        return 0;
    for (size_t i = 0; i < row->extra_dhcp_opts_count; i++) {
        struct dhcp_option *x = &row->extra_dhcp_opts[i];

        if (check_option(x, f) < 0)
            return -1;
        x->ip_version = version_of(x);
        field_mark(&x->set, DHCP_OPTION_F_IP_VERSION);
        for (size_t j = 0; j < i; j++) {
            if (str_equal(x->opt_name, row->extra_dhcp_opts[j].opt_name) &&
                x->ip_version == row->extra_dhcp_opts[j].ip_version)
                return fault_raise_field(
                    f, "extra_dhcp_opts",
                    "Invalid input for extra_dhcp_opts. Reason: Duplicate option '%s'.",
                    x->opt_name);
        }
        if (x->opt_value != NULL)
            *ARRAY_PUSH(a, all, count, capacity) = *x;
    }
    for (size_t i = 0; old != NULL && i < old->extra_dhcp_opts_count; i++) {
        const struct dhcp_option *y = &old->extra_dhcp_opts[i];
        bool named = false;

        for (size_t j = 0; j < row->extra_dhcp_opts_count; j++)
            named = named || (str_equal(y->opt_name, row->extra_dhcp_opts[j].opt_name) &&
                              version_of(y) == row->extra_dhcp_opts[j].ip_version);
        if (!named)
            *ARRAY_PUSH(a, all, count, capacity) = *y;
    }
    row->extra_dhcp_opts = all == NULL ? ARENA_NEW(a, struct dhcp_option) : all;
    row->extra_dhcp_opts_count = count;
    return 0;
}

static int
check_dns_name(const struct port *row, struct fault *f)
{
    const char *name = row->dns_name;
    size_t size = str_empty(name) ? 0 : strlen(name);
    struct fault inner = { 0 };

    if (size == 0)
        return 0;
    if (schema_check_format(FORMAT_HOSTNAME,
                            name[size - 1] == '.' ? strndupa(name, size - 1) : name, "dns_name",
                            &inner) < 0)
        return fault_raise_field(
            f, "dns_name", "Invalid input for dns_name. Reason: '%.255s' not a valid PQDN or FQDN.",
            name);
    return 0;
}

/* Groups and address pairs are part of what port security does; without it there can be none. */
static int
check_security(const struct port *row, const struct port *old, struct fault *f)
{
    bool secure = field_given(&row->set, PORT_F_PORT_SECURITY_ENABLED) ? row->port_security_enabled
                  : old != NULL                                        ? old->port_security_enabled
                                                                       : true;
    bool given = field_given(&row->set, PORT_F_ALLOWED_ADDRESS_PAIRS);
    size_t pairs = given         ? row->allowed_address_pairs_count
                   : old != NULL ? old->allowed_address_pairs_count
                                 : 0;

    if (secure)
        return 0;
    if (pairs > 0)
        return fault_raise_code(
            f, FAULT_CONFLICT, "AddressPairAndPortSecurityRequired",
            "Port Security must be enabled in order to have allowed address pairs on a port.");
    if (old == NULL && row->security_groups.count > 0)
        return fault_raise_code(f, FAULT_INVALID, "PortSecurityAndIPRequiredForSecurityGroups",
                                "Port security must be enabled and port must have an IP address in "
                                "order to use security groups.");
    return 0;
}

int
port_check(struct port *row, const struct port *old, struct arena *a, struct fault *f)
{
    empty_for_null(row, a);
    if (old != NULL && field_null(&row->set, PORT_F_SECURITY_GROUPS))
        field_mark(&row->set, PORT_F_SECURITY_GROUPS);
    if (check_pairs(row, a, f) < 0 || merge_options(row, old, a, f) < 0)
        return -1;
    if (check_dns_name(row, f) < 0)
        return -1;
    return check_security(row, old, f);
}

void
port_fill_pairs(struct port *row, const char *mac)
{
    for (size_t i = 0; i < row->allowed_address_pairs_count; i++) {
        struct address_pair *x = &row->allowed_address_pairs[i];

        if (x->mac_address == NULL)
            x->mac_address = mac;
        field_mark(&x->set, ADDRESS_PAIR_F_MAC_ADDRESS);
    }
}
