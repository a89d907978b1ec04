/* A server as the agent is told of it: the description of guest_spawn and guest_reboot, and the facts for its metadata. */
#pragma once

#include "compute_agent_rpc.h"
#include "servers.h"

/* From the rows of the server and its attachments (those that are connected). */
int guest_describe(struct remote *r, struct db *db, const struct server *server,
                   struct guest_description *ret, struct fault *f);

/* One attachment, connected. */
int guest_describe_volume(struct arena *a, const struct attachment_row *row,
                          struct guest_volume *ret, struct fault *f);

struct guest_nic guest_describe_nic(const struct network_info *nic);

/* The facts of common/guest/metadata.h. 'with_user_data': the agent takes that on its own. */
json_t *guest_facts(struct arena *a, const struct compute_config *config,
                    const struct server *server);
