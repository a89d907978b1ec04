/* What may be handed on, and what is still alive: decisions without a database. */
#include "trusts.h"

#include "base/str.h"

#define FORBIDDEN "You are not authorized to perform the requested action: "

static bool
has_all(const struct texts *roles, const char *const *wanted, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool found = false;

        for (size_t j = 0; j < roles->count; j++)
            found = found || str_equal(roles->items[j], wanted[i]);
        if (!found)
            return false;
    }
    return true;
}

int
trust_check_redelegation(const struct trust_link_row *link, const struct trust_wish *wish,
                         int64_t max, struct fault *f)
{
    if (link->redelegation_count <= 0 || link->redelegation_count > max)
        return fault_raise(f, FAULT_FORBIDDEN,
                           FORBIDDEN "Remaining redelegation depth of %lld out of allowed range of "
                                     "[0..%lld]",
                           (long long)link->redelegation_count, (long long)max);
    if (wish->uses_limited)
        return fault_raise(
            f, FAULT_FORBIDDEN,
            FORBIDDEN "Field \"remaining_uses\" must not be set in order to redelegate a trust");
    if (!link->expires_at_null && (wish->expires_us == 0 || wish->expires_us > link->expires_at))
        return fault_raise(f, FAULT_FORBIDDEN,
                           FORBIDDEN
                           "Requested expiration time is more than redelegated trust can provide");
    /* The same role of the trustor in another project is not what he gave away. */
    if (!str_equal(link->project_id, wish->project_id))
        return fault_raise(f, FAULT_FORBIDDEN,
                           FORBIDDEN "The project is not that of the redelegated trust");
    if (!has_all(&link->roles, wish->roles, wish->roles_count))
        return fault_raise(f, FAULT_FORBIDDEN,
                           FORBIDDEN "Some of requested roles are not in redelegated trust");
    if (wish->impersonation && !link->impersonation)
        return fault_raise(f, FAULT_FORBIDDEN,
                           FORBIDDEN "Impersonation is not allowed because redelegated trust does "
                                     "not specify impersonation. Redelegated trust id: %s",
                           link->id);
    return 0;
}

int
trust_check_alive(const char *id, const struct trust_link_row *chain, size_t count, int64_t now_us,
                  struct fault *f)
{
    for (size_t i = 0; i < count; i++) {
        if ((!chain[i].expires_at_null && chain[i].expires_at <= now_us) ||
            (!chain[i].remaining_uses_null && chain[i].remaining_uses <= 0))
            count = 0;
    }
    if (count == 0)
        return fault_raise(f, FAULT_NOT_FOUND, "Could not find trust: %.64s.", id);
    for (size_t i = 1; i < count; i++) {
        if (!chain[i].trustee_enabled || chain[i].redelegation_count <= 0)
            return fault_raise(f, FAULT_FORBIDDEN,
                               FORBIDDEN "One of the trust agents is disabled or deleted");
    }
    return 0;
}
