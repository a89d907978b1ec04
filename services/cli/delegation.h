/* Commands for what a user leaves to programs and to other users, where they are more than a row of a table. */
#pragma once

#include "cli.h"

/* --role and --access-rules of an application credential. */
int delegation_app_cred_body(struct cli *cli, json_t *body, struct fault *f);
/* The kind's list, of the user that --user names, or one's own. */
int delegation_list(struct cli *cli, struct fault *f);
/* Who and where of a trust; who may not look others up names them by their ids. */
int delegation_trust_body(struct cli *cli, json_t *body, struct fault *f);
