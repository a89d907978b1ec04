/* Compute's process-wide state, and what its files need of each other. */
#pragma once

#include "compute_api.h"
#include "compute_queries.h"
#include "daemon/daemon.h"
#include "daemon/service_client.h"

struct compute_config {
    struct daemon_config common; /* First: see daemon.h. */
    double cpu_ratio, memory_ratio, disk_ratio;
    const char *dns_domain;
    const char *default_zone;
    int64_t port_deadline_s;
    int64_t quota_instances, quota_cores, quota_ram_mb, quota_key_pairs, quota_metadata;
};

struct compute {
    struct daemon *daemon;
    const struct compute_config *config;
    struct service_client *services;
};

static inline struct compute *
compute_of(const struct call *c)
{
    return c->service;
}
