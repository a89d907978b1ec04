/* What belongs to the whole process. */
#pragma once

#include "daemon/daemon.h"
#include "driver.h"

struct volume_agent_config {
    struct daemon_config common;
    const char *driver, *backend_name;
    int64_t report_interval_s, image_deadline_s;
    const char *folder, *nbd_address, *nbd_tls_dir;
    int64_t nbd_port;
    bool stop_exports;
    int64_t sim_capacity_gb, sim_delay_ms;
    const char **sim_failures;
};

/* rpc_request->owner of every method. */
struct volume_agent {
    const struct volume_agent_config *config;
    struct image_source *images;
    struct volume_backend *backend;
    struct reporter *reporter;
};
