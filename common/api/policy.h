/* Policy: oslo.policy's rule language, compiled once, evaluated without allocation.
 *
 *   "role:admin or (role:member and project_id:%(project_id)s)"     rule: role: not and or ( ) @ !
 *   left side: a credential (user_id, project_id, domain_id, system_scope, is_admin, role, token.*...) or a literal 'x'
 *   right side: a literal or %(target.member)s, looked up in the target
 * Role names compare without case. An unknown rule denies. */
#pragma once

#include <stdbool.h>

#include "../auth/context.h"
#include "../base/fault.h"

struct policy;

struct policy_default {
    const char *name, *rule;
};

/* 'file': policy.yaml with overrides (a map of name to rule), or NULL. A rule that does not parse, or rules that refer to each
 * other in a circle, are faults that name it. */
int policy_load(struct policy **ret, const struct policy_default *defaults, size_t count,
                const char *file, struct fault *f);
void policy_free(struct policy *p);

/* From now on no rule lets a token of a domain or of the system through: upstream's enforce_scope, where all rules are for projects. */
void policy_projects_only(struct policy *p);

/* What a rule may ask of the object: returns the text of a member ("project_id", "target.user.id"), or NULL. */
struct policy_target {
    const char *(*get)(const void *object, const char *name);
    const void *object;
};

bool policy_check(const struct policy *p, const char *rule, const struct auth_context *who,
                  const struct policy_target *target);
bool policy_has(const struct policy *p, const char *rule);
