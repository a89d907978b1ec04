/* policy.yaml: one map of rule names to rules, as oslo.policy reads it. */
#pragma once

#include "../base/fault.h"

typedef int policy_file_fn(void *object, const char *name, const char *rule, struct fault *f);

/* Calls 'each' for every rule of the file, in order; a negative result ends the reading and is returned.
 * Anything but a flat map of text, and a name that comes twice, is a fault that names the line. */
int policy_file_read(const char *path, policy_file_fn *each, void *object, struct fault *f);
