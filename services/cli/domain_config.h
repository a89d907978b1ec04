/* What a domain has set for itself: the options of its directory, above all. One is called "ldap.url", a group of them "ldap". */
#pragma once

#include "cli.h"

int domain_config_show(struct cli *cli, struct fault *f);  /* Without a <domain>: the defaults. */
int domain_config_write(struct cli *cli, struct fault *f); /* --file, --property, --prompt */
int domain_config_unset(struct cli *cli, struct fault *f);
