/* Commands that ask several services, and placement's. */
#pragma once

#include "cli.h"

int cloud_zones(struct cli *cli, struct fault *f);
int cloud_quota_show(struct cli *cli, struct fault *f);
int cloud_quota_set(struct cli *cli, struct fault *f);
int cloud_limits(struct cli *cli, struct fault *f);
int cloud_versions(struct cli *cli, struct fault *f);
int placement_inventories(struct cli *cli, struct fault *f);
int placement_candidates(struct cli *cli, struct fault *f);
int placement_explain(struct cli *cli, struct fault *f);
