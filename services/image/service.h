/* Virga-image's process-wide state, and what its files share. */
#pragma once

#include "daemon/daemon.h"
#include "image_api.h"
#include "image_queries.h"
#include "store.h"

struct image_config {
    struct daemon_config common; /* First: see daemon.h. */
    const char *store_folder;
    int64_t size_cap;
    int64_t property_quota;
    int64_t tag_quota;
    int64_t member_quota;
    int64_t reap_interval_s;
};

struct reaper;

struct image_service {
    struct daemon *daemon;
    const struct image_config *config;
    struct store *store;
    struct reaper *reaper;
};

static inline struct image_service *
image_service_of(const struct call *call)
{
    return call->service;
}
