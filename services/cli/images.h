/* The image service's commands that are more than a row of a table. */
#pragma once

#include "cli.h"

int images_create(struct cli *cli, struct fault *f);
int images_show(struct cli *cli, struct fault *f);
int images_save(struct cli *cli, struct fault *f);
int images_set(struct cli *cli, struct fault *f);
int images_unset(struct cli *cli, struct fault *f);
int images_add_project(struct cli *cli, struct fault *f);

/* An image as openstack shows it: what is no member of every image goes below "properties". */
int images_print(struct cli *cli, json_t *image, struct fault *f);
