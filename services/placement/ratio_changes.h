/* Allocation ratios: placement owns them. Configuration elsewhere only seeds the ratio of an inventory that is new; whoever changes
 * one afterwards does so here, it applies to the next claim, and it is recorded (GET /OS-VIRGA/ratio-changes). */
#pragma once

#include "service.h"

/* Who is recorded: the caller, as queries/ratio_changes.sql takes it. Lives in the call's arena. */
json_t *ratio_actor(struct call *call);
