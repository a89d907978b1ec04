/* Block storage's commands that are more than a row of a table. */
#pragma once

#include "cli.h"

int volumes_after(struct cli *cli, json_t *volume,
                  struct fault *f); /* --size, --state, --bootable...: actions of their own */
int volumes_create_body(struct cli *cli, json_t *body, struct fault *f);
int volumes_set_body(struct cli *cli, json_t *body, struct fault *f);
int volumes_unset(struct cli *cli, struct fault *f);
int volumes_type_created(struct cli *cli, json_t *type, struct fault *f);
int volumes_type_unset(struct cli *cli, struct fault *f);
int volumes_snapshot_body(struct cli *cli, json_t *body, struct fault *f);
int volumes_attachments(struct cli *cli, json_t *rows, struct fault *f);
