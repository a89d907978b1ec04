/* Compute's commands that are more than a row of a table: flavors, key pairs, hypervisors, services. */
#pragma once

#include "cli.h"

int compute_flavor_body(struct cli *cli, json_t *body, struct fault *f);
int compute_flavor_created(struct cli *cli, json_t *flavor,
                           struct fault *f); /* --property, --project */
int compute_flavor_set(struct cli *cli, struct fault *f);
int compute_flavor_unset(struct cli *cli, struct fault *f);
int compute_flavor_rows(struct cli *cli, json_t *rows, struct fault *f);
int compute_keypair_create(struct cli *cli, struct fault *f);
int compute_keypair_show(struct cli *cli, struct fault *f);
int compute_keypair_rows(struct cli *cli, json_t *rows,
                         struct fault *f); /* The envelope around each. */
int compute_hypervisor_show(struct cli *cli, json_t *hypervisor, struct fault *f);
int compute_service_set(struct cli *cli, struct fault *f);
