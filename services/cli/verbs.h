/* Does what the command's row says. */
#pragma once

#include "cli.h"

int verbs_run(struct cli *cli, struct fault *f);
