/* Discovery: GET /, GET /v2.0/ and the extensions, of which only what truly works is named. */
#include "base/str.h"
#include "service.h"

static void
write_links(struct call *call, struct jsonw *w, const char *path)
{
    jsonw_array(w, "links");
    jsonw_object(w, NULL);
    jsonw_text(w, "rel", "self");
    jsonw_text(w, "href", call_url(call, "%s", path));
    jsonw_end(w);
    jsonw_end(w);
}

int
versions_list(struct call *call, struct fault *f)
{
    struct jsonw *w = call_json(call);

    (void)f;
    jsonw_object(w, NULL);
    jsonw_array(w, "versions");
    jsonw_object(w, NULL);
    jsonw_text(w, "id", "v2.0");
    jsonw_text(w, "status", "CURRENT");
    write_links(call, w, "/v2.0/");
    jsonw_end(w);
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

int
versions_show(struct call *call, struct fault *f)
{
    static const char *const names[] = { "network", "subnet", "subnetpool", "port" };
    struct jsonw *w = call_json(call);

    (void)f;
    jsonw_object(w, NULL);
    jsonw_array(w, "resources");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        jsonw_object(w, NULL);
        jsonw_text(w, "name", names[i]);
        jsonw_text(w, "collection", arena_printf(call->arena, "%ss", names[i]));
        write_links(call, w, arena_printf(call->arena, "/v2.0/%ss", names[i]));
        jsonw_end(w);
    }
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

static const struct extension {
    const char *alias, *name, *description;
} extensions[] = {
    { "agent", "agent", "The agent management extension." },
    { "allowed-address-pairs", "Allowed Address Pairs", "Provides allowed address pairs" },
    { "availability_zone", "Availability Zone", "The availability zone extension." },
    { "binding", "Port Binding", "Expose port bindings of a virtual port to external application" },
    { "default-subnetpools", "Default Subnetpools",
      "Provides ability to mark and use a subnetpool as the default." },
    { "dns-integration", "DNS Integration", "Provides integration with DNS." },
    { "ext-gw-mode", "Neutron L3 Configurable external gateway mode",
      "Extension of the router abstraction for specifying whether SNAT should occur on the "
      "external gateway" },
    { "external-net", "Neutron external network",
      "Adds external network attribute to network resource." },
    { "extra_dhcp_opt", "Neutron Extra DHCP options", "Extra options configuration for DHCP." },
    { "extraroute", "Neutron Extra Route", "Extra routes configuration for L3 router" },
    { "extraroute-atomic", "Atomically add/remove extra routes",
      "Edit extra routes of a router on server side by atomically adding/removing extra routes" },
    { "fip-port-details", "Floating IP Port Details Extension",
      "Add port_details attribute to Floating IP resource" },
    { "ip-substring-filtering", "IP address substring filtering",
      "Provides IP address substring filtering when listing ports" },
    { "net-mtu", "Network MTU", "Provides MTU attribute for a network resource." },
    { "net-mtu-writable", "Network MTU (writable)",
      "Provides a writable MTU attribute for a network resource." },
    { "network-ip-availability", "Network IP Availability",
      "Provides IP availability data for each network and subnet." },
    { "network_availability_zone", "Network Availability Zone",
      "Availability zone support for network." },
    { "pagination", "Pagination support", "Extension that indicates that pagination is enabled." },
    { "port-mac-address-regenerate", "Neutron Port MAC address regenerate",
      "Network port MAC address regenerate" },
    { "port-security", "Port Security", "Provides port security" },
    { "port-security-groups-filtering", "Port filtering on security groups",
      "Provides security groups filtering when listing ports" },
    { "project-id", "project_id field enabled",
      "Extension that indicates that project_id field is enabled." },
    { "provider", "Provider Network", "Expose mapping of virtual networks to physical networks" },
    { "quota-check-limit", "Quota engine limit check",
      "Support for checking the resource usage before applying a new quota limit" },
    { "quota_details", "Quota details management support",
      "Expose functions for quotas usage statistics per project" },
    { "quotas", "Quota management support", "Expose functions for quotas management per project" },
    { "router", "Neutron L3 Router",
      "Router abstraction for basic L3 forwarding between L2 Neutron networks and access to "
      "external networks via a NAT gateway." },
    { "router_availability_zone", "Router Availability Zone",
      "Availability zone support for router." },
    { "security-group", "security-group", "The security groups extension." },
    { "security-groups-normalized-cidr", "Normalized CIDR field for security group rules",
      "Add new field with normalized remote_ip_prefix cidr in SG rule" },
    { "sorting", "Sorting support", "Extension that indicates that sorting is enabled." },
    { "standard-attr-description", "standard-attr-description",
      "Extension to add descriptions to standard attributes" },
    { "standard-attr-revisions", "Resource revision numbers",
      "This extension will display the revision number of neutron resources." },
    { "standard-attr-tag",
      "Tag support for resources with standard attribute: network, subnet, port, subnetpool, "
      "router, floatingip, security_group",
      "Enables to set tag on resources with standard attribute." },
    { "standard-attr-timestamp", "Resource timestamps",
      "Adds created_at and updated_at fields to all Neutron resources that have Neutron standard "
      "attributes." },
    { "subnet-service-types", "Subnet service types",
      "Provides ability to set the subnet service_types field" },
    { "subnet_allocation", "Subnet Allocation",
      "Enables allocation of subnets from a subnet pool" },
};

static void
write_extension(struct jsonw *w, const char *key, const struct extension *e)
{
    jsonw_object(w, key);
    jsonw_text(w, "alias", e->alias);
    jsonw_text(w, "name", e->name);
    jsonw_text(w, "description", e->description);
    jsonw_text(w, "updated", "2015-01-01T10:00:00-00:00");
    jsonw_array(w, "links");
    jsonw_end(w);
    jsonw_end(w);
}

int
extensions_list(struct call *call, struct fault *f)
{
    struct jsonw *w = call_json(call);

    (void)f;
    jsonw_object(w, NULL);
    jsonw_array(w, "extensions");
    for (size_t i = 0; i < ARRAY_SIZE(extensions); i++)
        write_extension(w, NULL, &extensions[i]);
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

int
extensions_show(struct call *call, struct fault *f)
{
    const char *alias = call_param(call, "alias");

    for (size_t i = 0; i < ARRAY_SIZE(extensions); i++) {
        struct jsonw *w;

        if (!str_equal(extensions[i].alias, alias))
            continue;
        w = call_json(call);
        jsonw_object(w, NULL);
        write_extension(w, "extension", &extensions[i]);
        jsonw_end(w);
        return 0;
    }
    return fault_raise_code(f, FAULT_NOT_FOUND, "ExtensionNotFound",
                            "Extension with alias %.100s does not exist", alias);
}
