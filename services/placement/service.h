/* Placement's process-wide state, and what its files need of each other. */
#pragma once

#include <stdatomic.h>

#include "daemon/daemon.h"
#include "placement_api.h"
#include "placement_queries.h"

struct mirror;

struct placement_config {
    struct daemon_config common; /* First: see daemon.h. */
    int64_t max_allocation_candidates;
};

struct placement {
    struct daemon *daemon;
    const struct placement_config *config;
    struct mirror *mirror;
    atomic_uint_fast64_t given_up; /* Searches for candidates, for /metrics. */
};

static inline struct placement *
placement_of(const struct call *c)
{
    return c->service;
}

/* Wire names of errors, as upstream's placement/errors.py has them. */
#define CODE_INVENTORY_INUSE "placement.inventory.inuse"
#define CODE_CONCURRENT_UPDATE "placement.concurrent_update"
#define CODE_DUPLICATE_NAME "placement.duplicate_name"
#define CODE_PROVIDER_IN_USE "placement.resource_provider.inuse"
#define CODE_PROVIDER_NOT_FOUND "placement.resource_provider.not_found"
#define CODE_PROVIDER_IS_PARENT "placement.resource_provider.cannot_delete_parent"
#define CODE_QUERY_DUPLICATE "placement.query.duplicate_key"
#define CODE_QUERY_BAD_VALUE "placement.query.bad_value"
#define CODE_QUERY_MISSING "placement.query.missing_value"
