/* The network service's process-wide state, and what its files need of each other. */
#pragma once

#include "daemon/daemon.h"
#include "network_api.h"
#include "network_queries.h"

struct network_config {
    struct daemon_config common; /* First: see daemon.h. */
    int64_t physical_mtu;
    int64_t vni_first, vni_last;
    const char **physical_networks;
    int64_t agent_down_s, placement_interval_s;
    const char *availability_zone, *dns_domain;
    int64_t quota_network, quota_subnet, quota_subnetpool, quota_port, quota_router,
        quota_floatingip, quota_security_group, quota_security_group_rule, quota_rbac_policy;
};

struct network_service {
    struct daemon *daemon;
    const struct network_config *config;
    struct placement_loop *loop;
};

static inline struct network_service *
network_of(const struct call *c)
{
    return c->service;
}

/* Was the member given, and not as null? */
static inline bool
field_has(const struct field_set *set, unsigned index)
{
    return field_given(set, index) && !field_null(set, index);
}

/* Upstream's most common refusal: 400 with type InvalidInput. */
int invalid_input(struct fault *f, const char *format, ...) _printf_(2, 3);

/* What lists of all resources take beside their members: tags, tags-any, not-tags, not-tags-any, changed_since. */
void standard_filters(struct call *call, struct list_plan *plan);

/* "a, b" of texts, for messages. */
char *join_texts(struct arena *a, const struct texts *texts);
