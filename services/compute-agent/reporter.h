/* What hosts tell the compute service: themselves at start and on change, that they live, and their guests' changes.
 *
 * A thread that sends; whoever has something to tell leaves it here and goes on. Nothing is lost that matters: of a guest's
 * changes the last is kept until it was sent, and after each reconnect everything is told anew. A host whose hypervisor
 * does not answer sends no heartbeat: it could not do anything for the cloud. */
#pragma once

#include "driver.h"
#include "rpc/rpc.h"

struct agent;
struct reporter;
struct reporting; /* One host's part. */

/* 'rpc' outlives it. */
struct reporter *reporter_new(struct rpc *rpc, int64_t interval_s);
/* Before reporter_start(). The agent outlives the reporter; its hypervisor may be set later, but before the start. */
struct reporting *reporter_add(struct reporter *r, struct agent *agent, const char *uuid);
int reporter_start(struct reporter *r, struct fault *f);
/* Ends the thread. Changes that come later (hypervisors are closed after it) are only kept; then free it. */
void reporter_stop(struct reporter *r);
void reporter_free(struct reporter *r);

/* For struct driver_events; 'owner' is the host's struct reporting. Block nobody. */
void reporting_guest_changed(void *owner, const char *guest_id, enum guest_power_state state,
                             const char *reason);
void reporting_resync(void *owner);
