/* Unified limits: defaults that services register for their resources, and what projects and domains have instead.
 *
 * Identity stores and serves them; what a limit limits is the business of the service that asks for it. */
#pragma once

#include "service.h"

/* Is the configured model one that there is? Asked once, at the start. */
int limits_check_model(const struct identity_config *config, struct fault *f);

/* How many projects may be below each other: as configured, or fewer where the model says so. */
int64_t limits_max_tree_depth(const struct identity_config *config);
