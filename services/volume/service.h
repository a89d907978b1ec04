/* Block storage's process-wide state, and what its files need of each other. */
#pragma once

#include "daemon/daemon.h"
#include "daemon/service_client.h"
#include "volume_api.h"
#include "volume_queries.h"

struct volume_config {
    struct daemon_config common; /* First: see daemon.h. */
    const char *default_type;
    const char *default_zone;
    double thin_ratio;
    int64_t attach_wait_s;
    int64_t quota_volumes, quota_snapshots, quota_gigabytes, quota_per_volume_gb;
};

struct agent;

struct volume_service {
    struct daemon *daemon;
    const struct volume_config *config;
    struct service_client *services;
    const struct agent *agent; /* How agents are asked: agent.h. */
};

static inline struct volume_service *
service_of(const struct call *c)
{
    return c->service;
}
