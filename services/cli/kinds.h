/* The resources that commands name. */
#pragma once

#include "command.h"

extern const struct kind kind_domain, kind_project, kind_user, kind_group, kind_role, kind_service,
    kind_endpoint, kind_region, kind_application_credential, kind_access_rule, kind_trust,
    kind_credential, kind_ec2, kind_endpoint_group, kind_policy, kind_registered_limit, kind_limit,
    kind_identity_provider, kind_federation_protocol, kind_mapping, kind_service_provider,
    kind_implied_role, kind_consumer, kind_authorization, kind_access_token, kind_token_key,
    kind_revocation, kind_limit_model;
extern const struct kind kind_image;
extern const struct kind kind_server, kind_flavor, kind_keypair, kind_hypervisor,
    kind_compute_service, kind_event;
extern const struct kind kind_network, kind_subnet, kind_port, kind_router, kind_floating_ip,
    kind_security_group, kind_security_group_rule, kind_agent, kind_subnet_pool;
extern const struct kind kind_volume, kind_snapshot, kind_volume_type;
extern const struct kind kind_provider;
