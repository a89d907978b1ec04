/* Domains: what they mean beyond being stored. */
#include "revocations.h"

static int
after_update(struct call *call, struct db_tx *tx, const struct domain *old, struct domain *row,
             struct fault *f)
{
    return old->enabled && !row->enabled ? revoke_domain(call, tx, row->id, f) : 0;
}

static int
check_delete(struct call *call, struct db_tx *tx, const struct domain *row, struct fault *f)
{
    if (row->enabled)
        return fault_raise(f, FAULT_FORBIDDEN,
                           "Cannot delete a domain that is enabled, please disable it first.");
    if (grants_forget_domain(tx->db, row->id, f) < 0)
        return -1;
    return revoke_domain(call, tx, row->id, f);
}

const struct domain_hooks domain_hooks = {
    .after_update = after_update,
    .check_delete = check_delete,
};
