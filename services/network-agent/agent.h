/* The agent's process-wide state: configuration, driver, metadata, and the thread that keeps them
 * converging. */
#pragma once

#include "daemon/daemon.h"
#include "driver.h"
#include "reconcile.h"

struct network_agent_config {
    struct daemon_config common;
    const char *driver;
    const char *tunnel_ip;
    const char **bridge_mappings;
    const char *external_bridge, *external_interface;
    int64_t poll_interval_s, resync_interval_s, report_interval_s;
    const char *dhcp_user;
    bool metadata;
    int64_t metadata_cache_s, metadata_rate, metadata_burst;
};

struct agent;

/* Reads the configuration and opens the driver; nothing is changed on the host yet. */
int agent_open(struct agent **ret, struct daemon *d, struct fault *f);
/* Starts the thread: from here on the host follows the wanted state. */
int agent_run(struct agent *agent, struct fault *f);
/* Ends it; everything that was made stays. NULL does nothing. */
void agent_close(struct agent *agent);
/* There is a new generation. Thread-safe. */
void agent_ring(struct agent *agent);
/* Lines of /metrics. */
void agent_metrics(struct agent *agent, struct str *out);
