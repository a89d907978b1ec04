#include "kinds.h"

#include "shapes.h"

/* clang-format off: a row is read as a row. */

#define HIDE(member)                                                                               \
    {                                                                                              \
        .path = member                                                                             \
    }
#define RENAME(member, shown, ...)                                                                 \
    {                                                                                              \
        .title = shown, .path = member, __VA_ARGS__                                                \
    }
#define FIELDS(...) ((const struct column[]){ __VA_ARGS__, { .path = NULL } })

/* --- identity */

#define ROLE_NAMES RENAME("roles", "roles", .make = make_role_names)

const struct kind kind_domain = { .title = "domain",
                                  .service = SERVICE_IDENTITY,
                                  .path = "/domains",
                                  .key = "domain",
                                  .plural = "domains",
                                  .name_query = "name" };
const struct kind kind_project = { .title = "project",
                                   .service = SERVICE_IDENTITY,
                                   .path = "/projects",
                                   .key = "project",
                                   .plural = "projects",
                                   .name_query = "name" };
const struct kind kind_user = { .title = "user",
                                .service = SERVICE_IDENTITY,
                                .path = "/users",
                                .key = "user",
                                .plural = "users",
                                .name_query = "name" };
const struct kind kind_group = { .title = "group",
                                 .service = SERVICE_IDENTITY,
                                 .path = "/groups",
                                 .key = "group",
                                 .plural = "groups",
                                 .name_query = "name" };
const struct kind kind_role = { .title = "role",
                                .service = SERVICE_IDENTITY,
                                .path = "/roles",
                                .key = "role",
                                .plural = "roles",
                                .name_query = "name" };
const struct kind kind_service = { .title = "service",
                                   .service = SERVICE_IDENTITY,
                                   .path = "/services",
                                   .key = "service",
                                   .plural = "services",
                                   .alias = "type" };
const struct kind kind_endpoint = { .title = "endpoint",
                                    .service = SERVICE_IDENTITY,
                                    .path = "/endpoints",
                                    .key = "endpoint",
                                    .plural = "endpoints",
                                    .by_id_only = true };
const struct kind kind_region = { .title = "region",
                                  .service = SERVICE_IDENTITY,
                                  .path = "/regions",
                                  .key = "region",
                                  .plural = "regions",
                                  .by_id_only = true,
                                  .fields = FIELDS(RENAME("id", "region"),
                                                   RENAME("parent_region_id", "parent_region")) };
const struct kind kind_application_credential = { .title = "application credential",
                                                  .service = SERVICE_IDENTITY,
                                                  .path = "/users/{@user}/application_credentials",
                                                  .key = "application_credential",
                                                  .plural = "application_credentials",
                                                  .name_query = "name",
                                                  .fields = FIELDS(HIDE("links"), ROLE_NAMES) };
const struct kind kind_credential = { .title = "credential",
                                      .service = SERVICE_IDENTITY,
                                      .path = "/credentials",
                                      .key = "credential",
                                      .plural = "credentials",
                                      .by_id_only = true,
                                      .fields = FIELDS(HIDE("links")) };
const struct kind kind_ec2 = { .title = "access key",
                               .service = SERVICE_IDENTITY,
                               .path = "/users/{@user}/credentials/OS-EC2",
                               .key = "credential",
                               .plural = "credentials",
                               .id = "access",
                               .by_id_only = true,
                               .fields = FIELDS(RENAME("links", "links"),
                                                RENAME("tenant_id", "project_id")) };
const struct kind kind_access_rule = { .title = "access rule",
                                       .service = SERVICE_IDENTITY,
                                       .path = "/users/{@user}/access_rules",
                                       .key = "access_rule",
                                       .plural = "access_rules",
                                       .by_id_only = true };
const struct kind kind_trust = { .title = "trust",
                                 .service = SERVICE_IDENTITY,
                                 .path = "/OS-TRUST/trusts",
                                 .key = "trust",
                                 .plural = "trusts",
                                 .by_id_only = true,
                                 .fields = FIELDS(HIDE("links"), HIDE("roles_links"), ROLE_NAMES) };

const struct kind kind_endpoint_group = { .title = "endpoint group",
                                          .service = SERVICE_IDENTITY,
                                          .path = "/OS-EP-FILTER/endpoint_groups",
                                          .key = "endpoint_group",
                                          .plural = "endpoint_groups",
                                          .name_query = "name" };
const struct kind kind_policy = { .title = "policy",
                                  .service = SERVICE_IDENTITY,
                                  .path = "/policies",
                                  .key = "policy",
                                  .plural = "policies",
                                  .by_id_only = true,
                                  .fields = FIELDS(RENAME("blob", "rules")) };
const struct kind kind_registered_limit = { .title = "registered limit",
                                            .service = SERVICE_IDENTITY,
                                            .path = "/registered_limits",
                                            .key = "registered_limit",
                                            .plural = "registered_limits",
                                            .by_id_only = true,
                                            .made_in_bulk = true };
const struct kind kind_limit = { .title = "limit",
                                 .service = SERVICE_IDENTITY,
                                 .path = "/limits",
                                 .key = "limit",
                                 .plural = "limits",
                                 .by_id_only = true,
                                 .made_in_bulk = true };
const struct kind kind_identity_provider = { .title = "identity provider",
                                             .service = SERVICE_IDENTITY,
                                             .path = "/OS-FEDERATION/identity_providers",
                                             .key = "identity_provider",
                                             .plural = "identity_providers",
                                             .by_id_only = true };
const struct kind kind_federation_protocol = {
    .title = "federation protocol",
    .service = SERVICE_IDENTITY,
    .path = "/OS-FEDERATION/identity_providers/{identity-provider}/protocols",
    .key = "protocol",
    .plural = "protocols",
    .by_id_only = true,
    .fields = FIELDS(RENAME("mapping_id", "mapping")),
};
const struct kind kind_mapping = { .title = "mapping",
                                   .service = SERVICE_IDENTITY,
                                   .path = "/OS-FEDERATION/mappings",
                                   .key = "mapping",
                                   .plural = "mappings",
                                   .by_id_only = true };
const struct kind kind_service_provider = { .title = "service provider",
                                            .service = SERVICE_IDENTITY,
                                            .path = "/OS-FEDERATION/service_providers",
                                            .key = "service_provider",
                                            .plural = "service_providers",
                                            .by_id_only = true };

const struct kind kind_implied_role = { .title = "implied role",
                                        .service = SERVICE_IDENTITY,
                                        .path = "/role_inferences",
                                        .key = "role_inference",
                                        .plural = "role_inferences" };
const struct kind kind_token_key = { .title = "key of tokens",
                                     .service = SERVICE_IDENTITY,
                                     .path = "/OS-VIRGA/keys",
                                     .plural = "keys" };
const struct kind kind_revocation = { .title = "revocation",
                                      .service = SERVICE_IDENTITY,
                                      .path = "/OS-REVOKE/events",
                                      .plural = "events" };
const struct kind kind_limit_model = {
    .title = "limit model", .service = SERVICE_IDENTITY, .path = "/limits/model", .key = "model"
};
const struct kind kind_consumer = { .title = "consumer",
                                    .service = SERVICE_IDENTITY,
                                    .path = "/OS-OAUTH1/consumers",
                                    .key = "consumer",
                                    .plural = "consumers",
                                    .by_id_only = true };
const struct kind kind_authorization = { .title = "request token",
                                         .service = SERVICE_IDENTITY,
                                         .path = "/OS-OAUTH1/authorize",
                                         .key = "token" };
const struct kind kind_access_token = {
    .title = "access token",
    .service = SERVICE_IDENTITY,
    .path = "/users/{@user}/OS-OAUTH1/access_tokens",
    .key = "access_token",
    .plural = "access_tokens",
    .by_id_only = true,
};

/* --- image */

const struct kind kind_image = { .title = "image",
                                 .service = SERVICE_IMAGE,
                                 .path = "/images",
                                 .plural = "images",
                                 .name_query = "name" };

/* --- compute */

const struct kind kind_server = {
    .title = "server",
    .service = SERVICE_COMPUTE,
    .path = "/servers",
    .list_path = "/servers/detail",
    .key = "server",
    .plural = "servers",
    .name_query = "name",
    .pattern = true,
    .fields = FIELDS(
        RENAME("metadata", "properties"), RENAME("tenant_id", "project_id"),
        RENAME("addresses", "addresses", .make = make_addresses, .format = shape_dict_of_lists),
        RENAME("OS-EXT-STS:power_state", "OS-EXT-STS:power_state", .format = shape_power_state),
        RENAME("os-extended-volumes:volumes_attached", "volumes_attached"),
        RENAME("image", "image", .make = make_image)),
};
const struct kind kind_flavor = {
    .title = "flavor",
    .service = SERVICE_COMPUTE,
    .path = "/flavors",
    .list_path = "/flavors/detail",
    .key = "flavor",
    .plural = "flavors",
    .find_query = "is_public=None",
    .fields = FIELDS(RENAME("extra_specs", "properties")),
};
const struct kind kind_keypair = {
    .title = "keypair",
    .service = SERVICE_COMPUTE,
    .path = "/os-keypairs",
    .key = "keypair",
    .plural = "keypairs",
    .id = "name",
    .by_id_only = true,
    .fields = FIELDS(HIDE("public_key"), HIDE("private_key"), HIDE("deleted"), HIDE("deleted_at"),
                     HIDE("updated_at")),
};
const struct kind kind_hypervisor = {
    .title = "hypervisor",
    .service = SERVICE_COMPUTE,
    .path = "/os-hypervisors",
    .list_path = "/os-hypervisors/detail",
    .key = "hypervisor",
    .plural = "hypervisors",
    .name = "hypervisor_hostname",
    .fields = FIELDS(RENAME("service", "service_host", .make = NULL)),
};
const struct kind kind_compute_service = { .title = "compute service",
                                           .service = SERVICE_COMPUTE,
                                           .path = "/os-services",
                                           .key = "service",
                                           .plural = "services",
                                           .by_id_only = true };
const struct kind kind_event = { .title = "event",
                                 .service = SERVICE_COMPUTE,
                                 .path = "/servers/{server}/os-instance-actions",
                                 .key = "instanceAction",
                                 .plural = "instanceActions",
                                 .by_id_only = true };

/* --- network */

const struct kind kind_network = {
    .title = "network",
    .service = SERVICE_NETWORK,
    .path = "/networks",
    .key = "network",
    .plural = "networks",
    .name_query = "name",
    .update_put = true,
    .fields = FIELDS(RENAME("admin_state_up", "admin_state_up", .format = shape_up_down),
                     RENAME("router:external", "router:external", .format = shape_router_type)),
};
const struct kind kind_subnet = { .title = "subnet",
                                  .service = SERVICE_NETWORK,
                                  .path = "/subnets",
                                  .key = "subnet",
                                  .plural = "subnets",
                                  .name_query = "name",
                                  .update_put = true };
const struct kind kind_subnet_pool = { .title = "subnet pool",
                                       .service = SERVICE_NETWORK,
                                       .path = "/subnetpools",
                                       .key = "subnetpool",
                                       .plural = "subnetpools",
                                       .name_query = "name",
                                       .update_put = true };
const struct kind kind_port = {
    .title = "port",
    .service = SERVICE_NETWORK,
    .path = "/ports",
    .key = "port",
    .plural = "ports",
    .name_query = "name",
    .update_put = true,
    .fields = FIELDS(RENAME("admin_state_up", "admin_state_up", .format = shape_up_down),
                     RENAME("security_groups", "security_group_ids"),
                     RENAME("binding:host_id", "binding_host_id"),
                     RENAME("binding:profile", "binding_profile"),
                     RENAME("binding:vif_details", "binding_vif_details"),
                     RENAME("binding:vif_type", "binding_vif_type"),
                     RENAME("binding:vnic_type", "binding_vnic_type")),
};
const struct kind kind_router = {
    .title = "router",
    .service = SERVICE_NETWORK,
    .path = "/routers",
    .key = "router",
    .plural = "routers",
    .name_query = "name",
    .update_put = true,
    .fields = FIELDS(RENAME("admin_state_up", "admin_state_up", .format = shape_up_down)),
};
const struct kind kind_floating_ip = {
    .title = "floating IP",
    .service = SERVICE_NETWORK,
    .path = "/floatingips",
    .key = "floatingip",
    .plural = "floatingips",
    .name = "floating_ip_address",
    .name_query = "floating_ip_address",
    .update_put = true,
};
const struct kind kind_security_group = {
    .title = "security group",
    .service = SERVICE_NETWORK,
    .path = "/security-groups",
    .key = "security_group",
    .plural = "security_groups",
    .name_query = "name",
    .update_put = true,
    .fields = FIELDS(RENAME("security_group_rules", "rules")),
};
const struct kind kind_security_group_rule = {
    .title = "security group rule",
    .service = SERVICE_NETWORK,
    .path = "/security-group-rules",
    .key = "security_group_rule",
    .plural = "security_group_rules",
    .by_id_only = true,
    .fields = FIELDS(RENAME("ethertype", "ether_type")),
};
const struct kind kind_agent = {
    .title = "network agent",
    .service = SERVICE_NETWORK,
    .path = "/agents",
    .key = "agent",
    .plural = "agents",
    .by_id_only = true,
    .update_put = true,
    .fields = FIELDS(RENAME("admin_state_up", "admin_state_up", .format = shape_up_down),
                     RENAME("alive", "alive", .format = shape_smile)),
};

/* --- volume */

const struct kind kind_volume = {
    .title = "volume",
    .service = SERVICE_VOLUME,
    .path = "/volumes",
    .list_path = "/volumes/detail",
    .key = "volume",
    .plural = "volumes",
    .name_query = "name",
    .update_put = true,
    .fields = FIELDS(RENAME("metadata", "properties"), RENAME("volume_type", "type")),
};
const struct kind kind_snapshot = {
    .title = "snapshot",
    .service = SERVICE_VOLUME,
    .path = "/snapshots",
    .list_path = "/snapshots/detail",
    .key = "snapshot",
    .plural = "snapshots",
    .name_query = "name",
    .update_put = true,
    .fields = FIELDS(RENAME("metadata", "properties")),
};
const struct kind kind_volume_type = {
    .title = "volume type",
    .service = SERVICE_VOLUME,
    .path = "/types",
    .key = "volume_type",
    .plural = "volume_types",
    .find_query = "is_public=None",
    .update_put = true,
    .fields = FIELDS(RENAME("extra_specs", "properties"), HIDE("os-volume-type-access:is_public"),
                     HIDE("qos_specs_id")),
};

/* --- placement */

const struct kind kind_provider = { .title = "resource provider",
                                    .service = SERVICE_PLACEMENT,
                                    .path = "/resource_providers",
                                    .plural = "resource_providers",
                                    .id = "uuid",
                                    .name_query = "name" };
