#include "claim.h"

double
claim_room(const struct claim_stock *s)
{
    return (double)(s->total - s->reserved) * s->allocation_ratio;
}

int
claim_check_unit(const struct claim_stock *s, int64_t amount, struct fault *f)
{
    if (amount >= s->min_unit && amount <= s->max_unit && amount % s->step_size == 0)
        return 0;
    return fault_raise(f, FAULT_CONFLICT,
                       "Unable to allocate inventory: Unable to create allocation for '%s' on "
                       "resource provider '%s'. The requested amount "
                       "would violate inventory constraints.",
                       s->class_name, s->provider_uuid);
}

int
claim_add(struct claim_stock *s, int64_t amount, struct fault *f)
{
    if (claim_check_unit(s, amount, f) < 0)
        return -1;
    s->after += amount; /* max_unit bounds it: no overflow. */
    if (s->after <= s->before || (double)(s->used - s->before + s->after) <= claim_room(s))
        return 0;
    return fault_raise(f, FAULT_CONFLICT,
                       "Unable to allocate inventory: Unable to create allocation for '%s' on "
                       "resource provider '%s'. The requested amount "
                       "would exceed the capacity.",
                       s->class_name, s->provider_uuid);
}

int
claim_no_inventory(const char *class_name, const char *provider_uuid, struct fault *f)
{
    return fault_raise(
        f, FAULT_CONFLICT,
        "Unable to allocate inventory: Inventory for '%s' on resource provider '%s' invalid.",
        class_name, provider_uuid);
}
