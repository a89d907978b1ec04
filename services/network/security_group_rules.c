/* Rules of security groups: what may be said together, in the words upstream refuses the rest with. */
#include "address.h"
#include "base/str.h"
#include "quotas.h"
#include "security_groups.h"
#include "touched.h"

static const struct {
    const char *name;
    int number;
} protocols[] = {
    { "ah", 51 },         { "dccp", 33 },      { "egp", 8 },         { "esp", 50 },
    { "gre", 47 },        { "hopopt", 0 },     { "icmp", 1 },        { "icmpv6", 58 },
    { "ipv6-icmp", 58 },  { "igmp", 2 },       { "ip", 0 },          { "ipip", 4 },
    { "ipv6-encap", 41 }, { "ipv6-frag", 44 }, { "ipv6-nonxt", 59 }, { "ipv6-opts", 60 },
    { "ipv6-route", 43 }, { "ospf", 89 },      { "pgm", 113 },       { "rsvp", 46 },
    { "sctp", 132 },      { "tcp", 6 },        { "udp", 17 },        { "udplite", 136 },
    { "vrrp", 112 },
};

/* The protocol's number, -1: any, -2: there is none of that name. */
static int
protocol_number(const char *text)
{
    int64_t n;

    if (text == NULL)
        return -1;
    if (str_to_int64(text, 0, 255, &n) == 0)
        return (int)n;
    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        if (str_equal_nocase(text, protocols[i].name))
            return protocols[i].number;
    }
    return -2;
}

static char *
lower(struct arena *a, const char *text)
{
    char *copy = arena_strdup(a, text);

    for (char *at = copy; *at != '\0'; at++) {
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
    }
    return copy;
}

static int
check_protocol(struct security_group_rule *row, struct arena *a, struct fault *f)
{
    if (row->protocol != NULL) {
        row->protocol = lower(a, row->protocol);
        if (str_equal(row->protocol, "any")) {
            row->protocol = NULL;
            field_mark_null(&row->set, SECURITY_GROUP_RULE_F_PROTOCOL);
        }
    }
    if (protocol_number(row->protocol) == -2)
        return fault_raise_code(f, FAULT_INVALID, "SecurityGroupRuleInvalidProtocol",
                                "Security group rule protocol %.32s not supported. Only names of "
                                "protocols and integer representations "
                                "[0 to 255] are supported.",
                                row->protocol);
    if (protocol_number(row->protocol) == 58 && str_equal(row->ethertype, "IPv4") &&
        !str_equal(row->protocol, "58"))
        return fault_raise_code(f, FAULT_INVALID, "SecurityGroupEthertypeConflictWithProtocol",
                                "Invalid ethertype %s for protocol %s.", row->ethertype,
                                row->protocol);
    return 0;
}

static int
check_icmp(const struct security_group_rule *row, bool has_type, bool has_code, struct fault *f)
{
    if (has_type && (row->port_range_min < 0 || row->port_range_min > 255))
        return fault_raise_code(
            f, FAULT_INVALID, "SecurityGroupInvalidIcmpValue",
            "Invalid value for ICMP type (port_range_min) %lld. It must be 0 to 255.",
            (long long)row->port_range_min);
    if (has_code && (row->port_range_max < 0 || row->port_range_max > 255))
        return fault_raise_code(
            f, FAULT_INVALID, "SecurityGroupInvalidIcmpValue",
            "Invalid value for ICMP code (port_range_max) %lld. It must be 0 to 255.",
            (long long)row->port_range_max);
    if (has_code && !has_type)
        return fault_raise_code(f, FAULT_INVALID, "SecurityGroupMissingIcmpType",
                                "ICMP code (port-range-max) %lld is provided but ICMP type "
                                "(port-range-min) is missing.",
                                (long long)row->port_range_max);
    return 0;
}

static int
check_ports(const struct security_group_rule *row, struct fault *f)
{
    bool has_min = field_has(&row->set, SECURITY_GROUP_RULE_F_PORT_RANGE_MIN);
    bool has_max = field_has(&row->set, SECURITY_GROUP_RULE_F_PORT_RANGE_MAX);
    const int64_t ports[] = { has_min ? row->port_range_min : 1,
                              has_max ? row->port_range_max : 1 };

    if (!has_min && !has_max)
        return 0;
    switch (protocol_number(row->protocol)) {
    case -1:
        return fault_raise_code(f, FAULT_INVALID, "SecurityGroupProtocolRequiredWithPorts",
                                "Must also specify protocol if port range is given.");
    case 1:
    case 58:
        return check_icmp(row, has_min, has_max, f);
    case 6:
    case 17:
    case 33:
    case 132:
    case 136:
        for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
            if (ports[i] < 1 || ports[i] > 65535)
                return fault_raise_code(f, FAULT_INVALID, "SecurityGroupInvalidPortValue",
                                        "Invalid value for port %lld", (long long)ports[i]);
        }
        if (has_min && has_max && row->port_range_min <= row->port_range_max)
            return 0;
        return fault_raise_code(f, FAULT_INVALID, "SecurityGroupInvalidPortRange",
                                "For TCP/UDP protocols, port_range_min must be <= port_range_max");
    default:
        return fault_raise_code(f, FAULT_INVALID, "SecurityGroupInvalidProtocolForPort",
                                "Invalid protocol %s for port range, only supported for TCP, UDP, "
                                "UDPLITE, SCTP and DCCP.",
                                row->protocol);
    }
}

static int
check_remote(struct security_group_rule *row, struct arena *a, struct fault *f)
{
    struct address cidr;

    if (row->remote_ip_prefix == NULL)
        return 0;
    if (row->remote_group_id != NULL)
        return fault_raise_code(f, FAULT_INVALID, "SecurityGroupRemoteGroupAndRemoteIpPrefix",
                                "Only remote_ip_prefix or remote_group_id may be provided.");
    if (address_parse_cidr(row->remote_ip_prefix, false, &cidr) < 0)
        return fault_raise_code(f, FAULT_INVALID, "InvalidCIDR",
                                "Invalid CIDR %.64s given as IP prefix.", row->remote_ip_prefix);
    if (cidr.version != (str_equal(row->ethertype, "IPv4") ? 4 : 6))
        return fault_raise_code(f, FAULT_INVALID, "SecurityGroupRuleParameterConflict",
                                "Conflicting value ethertype %s for CIDR %.64s", row->ethertype,
                                row->remote_ip_prefix);
    row->remote_ip_prefix = address_cidr_text(a, &cidr);
    return 0;
}

int
rule_check(struct security_group_rule *row, struct arena *a, struct fault *f)
{
    if (str_equal_nocase(row->ethertype, "IPv4"))
        row->ethertype = "IPv4";
    else if (str_equal_nocase(row->ethertype, "IPv6"))
        row->ethertype = "IPv6";
    else
        return fault_raise_code(f, FAULT_INVALID, "SecurityGroupRuleInvalidEtherType",
                                "Security group rule for ethertype '%.16s' not supported. Allowed "
                                "values are ['IPv4', 'IPv6'].",
                                row->ethertype);
    if (check_protocol(row, a, f) < 0 || check_ports(row, f) < 0)
        return -1;
    return check_remote(row, a, f);
}

static int
check_twin(struct db_tx *tx, const struct security_group_rule *row, struct fault *f)
{
    int32_t min = (int32_t)row->port_range_min, max = (int32_t)row->port_range_max;
    struct rule_twin_row twin;
    int found =
        rule_twin(tx->db, row->security_group_id, row->direction, row->ethertype, row->protocol,
                  field_has(&row->set, SECURITY_GROUP_RULE_F_PORT_RANGE_MIN) ? &min : NULL,
                  field_has(&row->set, SECURITY_GROUP_RULE_F_PORT_RANGE_MAX) ? &max : NULL,
                  row->remote_ip_prefix, row->remote_group_id, &twin, f);

    if (found <= 0)
        return found;
    return fault_raise_code(f, FAULT_CONFLICT, "SecurityGroupRuleExists",
                            "Security group rule already exists. Rule id is %s.", twin.id);
}

static int
prepare_create(struct call *call, struct db_tx *tx, struct security_group_rule *row,
               struct fault *f)
{
    const char *scope = call_scope(call, RESOURCE_PROJECT);
    struct security_group group = { 0 }, remote = { 0 };
    struct group_lock_row locked;

    if (rule_check(row, call->arena, f) < 0)
        return -1;
    if (resource_load(tx->db, &security_group_resource, row->security_group_id, scope, false,
                      &group, f) < 0)
        return -1;
    if (row->remote_group_id != NULL &&
        resource_load(tx->db, &security_group_resource, row->remote_group_id, scope, false, &remote,
                      f) < 0)
        return -1;
    row->project_id =
        group.project_id; /* Its owner sees all rules of a group, whoever made them. */
    if (quota_claim(network_of(call), tx, row->project_id, "security_group_rule", f) < 0)
        return -1;
    if (group_lock(tx->db, row->security_group_id, &locked, f) < 0 || check_twin(tx, row, f) < 0)
        return -1;
    touch_group(touched_of(call), row->security_group_id);
    return 0;
}

static int
check_delete(struct call *call, struct db_tx *tx, const struct security_group_rule *row,
             struct fault *f)
{
    (void)tx;
    (void)f;
    touch_group(touched_of(call), row->security_group_id);
    return 0;
}

static int
load(struct call *call, struct db *db, struct security_group_rule *const *rows, size_t count,
     struct fault *f)
{
    (void)db;
    (void)f;
    for (size_t i = 0; i < count; i++) {
        struct address cidr;

        if (rows[i]->remote_ip_prefix == NULL ||
            address_parse_cidr(rows[i]->remote_ip_prefix, false, &cidr) < 0)
            continue;
        cidr = address_first(&cidr);
        rows[i]->normalized_cidr = address_cidr_text(call->arena, &cidr);
        field_mark(&rows[i]->set, SECURITY_GROUP_RULE_F_NORMALIZED_CIDR);
    }
    return 0;
}

const struct security_group_rule_hooks security_group_rule_hooks = {
    .prepare_create = prepare_create,
    .check_delete = check_delete,
    .settle = touched_hook,
    .load = load,
};
