/* The heartbeat: tells the block storage service what this host's backend is and holds, at start,
 * after each reconnect, and every report_interval. */
#pragma once

#include "driver.h"
#include "service.h"

struct reporter;

/* Starts the thread. 'host' as the service knows this host. All outlive the reporter. */
int reporter_open(struct reporter **ret, const struct volume_agent_config *config, const char *host,
                  struct volume_backend *backend, struct rpc *rpc, struct fault *f);
void reporter_close(struct reporter *r);

/* Reports now: something has changed, or the bus is back. Any thread. */
void reporter_wake(struct reporter *r);
