/* Commands for what a user leaves to programs and to other users, where they are more than a row of a table. */
#pragma once

#include "cli.h"

/* --role as "roles": as they were named, for a user may use his roles, but perhaps not list the cloud's. */
int delegation_roles_body(struct cli *cli, json_t *body, struct fault *f);
/* --role and --access-rules of an application credential. */
int delegation_app_cred_body(struct cli *cli, json_t *body, struct fault *f);
/* Who and where of a trust; who may not look others up names them by their ids. */
int delegation_trust_body(struct cli *cli, json_t *body, struct fault *f);
