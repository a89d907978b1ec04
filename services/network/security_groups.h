/* Security groups beyond being stored: each project's default one, and rules that make sense. */
#pragma once

#include "service.h"

/* The project's default group; made, with its four rules, when there is none. '*ret' is NULL for no project. */
int default_group(struct db_tx *tx, const char *project_id, const char **ret, struct fault *f);

/* Checks a rule as it was sent and brings it into its one form: names in lower case, "IPv4", a prefix with its length. */
int rule_check(struct security_group_rule *row, struct arena *a, struct fault *f);
