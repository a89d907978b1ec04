/* Claims: the rules by which resources are given out. Pure: nothing here looks at a database or waits.
 *
 * A claim says what one or several consumers are to have afterwards, in place of what they have now. It is refused when it
 * leaves an inventory with more used than there is room for, (total - reserved) * allocation_ratio, unless that inventory had at
 * least as much used before: who shrinks a host that is over its room, or writes again what stands, always succeeds. */
#pragma once

#include "base/fault.h"

#include <stdint.h>

/* One inventory that a claim concerns. */
struct claim_stock {
    int64_t provider_id;
    const char *provider_uuid;
    int class_id;
    const char *class_name;
    int64_t total, reserved, min_unit, max_unit, step_size;
    double allocation_ratio;
    int64_t used;   /* By everybody, before. */
    int64_t before; /* Of that, by the claim's consumers. */
    int64_t after;  /* By them when the claim is done: what claim_add() added up. */
};

/* How much may be used: capacity after ratio and reservation. */
double claim_room(const struct claim_stock *s);

/* Does one allocation of 'amount' keep to min_unit, max_unit and step_size? FAULT_CONFLICT. */
int claim_check_unit(const struct claim_stock *s, int64_t amount, struct fault *f);

/* Adds an allocation: both checks. FAULT_CONFLICT in upstream's words. */
int claim_add(struct claim_stock *s, int64_t amount, struct fault *f);

/* FAULT_CONFLICT: the provider has no such inventory. */
int claim_no_inventory(const char *class_name, const char *provider_uuid, struct fault *f);
