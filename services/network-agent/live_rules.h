/* A table in the kernel that follows a wanted rule set: what was applied last is kept, so that only
 * differences are sent; after a restart of the agent a table that carries the right seal is taken
 * over as it is. */
#pragma once

#include "base/fault.h"
#include "ruleset.h"

struct live_rules {
    struct arena *arena; /* Of 'applied'; NULL: nothing known. */
    struct ruleset applied;
    const char *seal;
};

void live_rules_done(struct live_rules *l);

/* Makes the table in 'netns' what 'wanted' says. 'a' is the arena of 'wanted', and on success both
 * belong to 'l'; on failure the caller keeps them and the kernel has what it had. Returns the
 * number of objects that changed. */
int live_rules_apply(struct live_rules *l, const char *netns, struct arena *a,
                     struct ruleset *wanted, struct fault *f);
