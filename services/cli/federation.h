/* Identity providers, mappings and their like: what their commands do beyond what their rows say. */
#pragma once

#include "cli.h"

/* --remote-id-file: its lines are the remote ids. */
int federation_remote_ids(struct cli *cli, json_t *body, struct fault *f);
/* --rules: the file's JSON is the rules. */
int federation_rules(struct cli *cli, json_t *body, struct fault *f);
/* A protocol is shown with the provider that it was asked of. */
int federation_protocol_shown(struct cli *cli, json_t *object, struct fault *f);
