/* The config drive: the metadata tree as an ISO 9660 image with the label config-2. */
#pragma once

#include "base/arena.h"
#include "base/fault.h"
#include "gen/compute_agent_rpc.h"

/* Writes the image to 'path', using the folder '<path>.tree' on the way (removed in the end). */
int config_drive_write(struct arena *a, const struct guest_description *guest, const char *path,
                       struct fault *f);

/* The facts the guest's metadata is made of: those given, its user data, and what the description knows itself. */
json_t *config_drive_facts(struct arena *a, const struct guest_description *guest);
