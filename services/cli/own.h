#pragma once

#include "cli.h"

int own_debug(struct cli *cli, struct fault *f);
int own_help(struct cli *cli, struct fault *f);
int own_complete(struct cli *cli, struct fault *f);
