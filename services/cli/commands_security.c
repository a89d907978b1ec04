/* Security groups and their rules. */
#include "kinds.h"
#include "network.h"
#include "shapes.h"

#define GROUP ARG_ID("<group>", NULL, &kind_security_group, "Security group (name or ID)")
#define STATEFUL FLAG("--stateful", "stateful", "true", "Answers pass (the default)"), FLAG("--stateless", "stateful", "false", "They need rules of their own")

const struct command security_commands[] = {
    { .name = "security group create", .help = "Create a security group", .verb = VERB_CREATE, .kind = &kind_security_group, .after = network_set_tags,
      .options = OPTIONS(NET_NAME, NET_OWNER, NET_DESCRIPTION, NET_TAGS, STATEFUL) },
    { .name = "security group delete", .help = "Delete security groups", .verb = VERB_DELETE, .kind = &kind_security_group,
      .options = OPTIONS(ARG_ID("<group>", NULL, &kind_security_group, "Security group (name or ID)", .repeat = true)) },
    { .name = "security group list", .help = "List security groups", .verb = VERB_LIST, .kind = &kind_security_group,
      .options = OPTIONS(FLAG("--all-projects", NULL, "true", "Those of all projects (what an administrator sees anyway)"), NET_FILTER_PROJECT, NET_FILTER_TAGS),
      .columns = COLUMNS(COL("ID", "id"), COL("Name", "name"), COL("Description", "description"), COL("Project", "project_id"), COL("Tags", "tags")) },
    { .name = "security group set", .help = "Change a security group", .verb = VERB_SET, .kind = &kind_security_group, .after = network_set_tags,
      .options = OPTIONS(GROUP, NET_RENAME, NET_DESCRIPTION, NET_TAGS, STATEFUL) },
    { .name = "security group unset", .help = "Remove tags of a security group", .verb = VERB_SET, .kind = &kind_security_group, .after = network_remove_tags,
      .options = OPTIONS(GROUP, NET_UNSET_TAGS) },
    { .name = "security group show", .help = "Show a security group", .verb = VERB_SHOW, .kind = &kind_security_group, .options = OPTIONS(GROUP) },
    { .name = "security group rule create", .help = "Create a rule", .verb = VERB_CREATE, .kind = &kind_security_group_rule, .prepare = network_rule_body,
      .options = OPTIONS(ARG_ID("<group>", "security_group_id", &kind_security_group, "Security group (name or ID)"),
                         OPT("--remote-ip", "<cidr>", "remote_ip_prefix", "Only from (or to) these addresses"),
                         OPT_ID("--remote-group", "<group>", "remote_group_id", &kind_security_group, "Only from (or to) members of this group (name or ID)"),
                         OPT("--dst-port", "<port>[:<port>]", NULL, "Destination port or range"), OPT("--protocol", "<protocol>", NULL, "tcp, udp, icmp, any, a number, ..."),
                         OPT("--proto", "<protocol>", NULL, "The same"), NET_DESCRIPTION, OPT_INT("--icmp-type", "<type>", NULL, "ICMP type"),
                         OPT_INT("--icmp-code", "<code>", NULL, "ICMP code"), FLAG("--ingress", "direction", "\"ingress\"", "What comes in (the default)"),
                         FLAG("--egress", "direction", "\"egress\"", "What goes out"), OPT("--ethertype", "<type>", "ethertype", "IPv4 or IPv6", .choices = "IPv4,IPv6"), NET_OWNER) },
    { .name = "security group rule delete", .help = "Delete rules", .verb = VERB_DELETE, .kind = &kind_security_group_rule,
      .options = OPTIONS(ARG_ID("<rule>", NULL, &kind_security_group_rule, "Rule (ID)", .repeat = true)) },
    { .name = "security group rule list", .help = "List rules", .verb = VERB_LIST, .kind = &kind_security_group_rule,
      .options = OPTIONS(ARG_ID("<group>", "?security_group_id", &kind_security_group, "Only this group's (name or ID)", .optional = true),
                         FLAG("--all-projects", NULL, "true", "Those of all projects"), OPT("--protocol", "<protocol>", "?protocol", "Only of this protocol"),
                         OPT("--ethertype", "<type>", "?ethertype", "Only IPv4 or IPv6"), FLAG("--ingress", "?direction", "ingress", "Only what comes in"),
                         FLAG("--egress", "?direction", "egress", "Only what goes out"), NET_LONG),
      .columns = COLUMNS(COL("ID", "id"), COL("IP Protocol", "protocol"), COL("Ethertype", "ethertype"), COL("IP Range", "remote_ip_prefix"),
                         COL("Port Range", "port_range_min", .make = make_port_range), COL("Direction", "direction"), COL("Remote Security Group", "remote_group_id"),
                         COL("Remote Address Group", "remote_address_group_id"), COL("Security Group", "security_group_id")) },
    { .name = "security group rule show", .help = "Show a rule", .verb = VERB_SHOW, .kind = &kind_security_group_rule,
      .options = OPTIONS(ARG_ID("<rule>", NULL, &kind_security_group_rule, "Rule (ID)")) },
    { .name = NULL },
};
