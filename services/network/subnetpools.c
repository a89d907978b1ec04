#include "subnetpools.h"

#include "address.h"
#include "base/str.h"
#include "quotas.h"
#include "touched.h"

#define LEAST_PREFIXLEN_4 8
#define LEAST_PREFIXLEN_6 64

/* Removes prefixes that lie in others, joins nothing: what clients sent stays recognisable. */
static int
check_prefixes(struct subnetpool *row, struct arena *a, int *ret_version, struct fault *f)
{
    struct texts *list = &row->prefixes;
    struct address *x = ARENA_ARRAY(a, struct address, list->count);
    size_t kept = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (address_parse_cidr(list->items[i], true, &x[i]) < 0)
            return fault_raise_field(
                f, "prefixes",
                "Invalid input for prefixes. Reason: '%.64s' is not a valid IP subnet.",
                list->items[i]);
        x[i] = address_first(&x[i]);
        if (x[i].version != x[0].version)
            return fault_raise_code(f, FAULT_INVALID, "PrefixVersionMismatch",
                                    "Cannot mix IPv4 and IPv6 prefixes in a subnet pool.");
    }
    for (size_t i = 0; i < list->count; i++) {
        bool inside = false;

        for (size_t j = 0; j < list->count; j++) {
            if (i != j && address_overlap(&x[i], &x[j]) &&
                (x[j].prefix < x[i].prefix || (x[j].prefix == x[i].prefix && j < i)))
                inside = true;
        }
        if (!inside)
            list->items[kept++] = address_cidr_text(a, &x[i]);
    }
    list->count = kept;
    *ret_version = x[0].version;
    return 0;
}

static int
check_lengths(const struct subnetpool *row, int64_t bits, struct fault *f)
{
    if (row->min_prefixlen > bits || row->max_prefixlen > bits)
        return fault_raise_code(f, FAULT_INVALID, "UnsupportedMaxSubnetPoolPrefix",
                                "Prefix lengths of this subnet pool end at %lld.", (long long)bits);
    if (row->min_prefixlen > row->max_prefixlen)
        return fault_raise_code(f, FAULT_INVALID, "IllegalSubnetPoolPrefixBounds",
                                "Illegal prefix bounds: min_prefixlen=%lld, max_prefixlen=%lld.",
                                (long long)row->min_prefixlen, (long long)row->max_prefixlen);
    if (row->default_prefixlen < row->min_prefixlen)
        return fault_raise_code(
            f, FAULT_INVALID, "IllegalSubnetPoolPrefixBounds",
            "Illegal prefix bounds: min_prefixlen=%lld, default_prefixlen=%lld.",
            (long long)row->min_prefixlen, (long long)row->default_prefixlen);
    if (row->default_prefixlen > row->max_prefixlen)
        return fault_raise_code(
            f, FAULT_INVALID, "IllegalSubnetPoolPrefixBounds",
            "Illegal prefix bounds: max_prefixlen=%lld, default_prefixlen=%lld.",
            (long long)row->max_prefixlen, (long long)row->default_prefixlen);
    return 0;
}

static int
check_default(struct db_tx *tx, bool wanted, int64_t version, const char *id, struct fault *f)
{
    struct subnetpool_other_default_row other;
    int found = wanted ? subnetpool_other_default(tx->db, (int32_t)version, id, &other, f) : 0;

    if (found <= 0)
        return found;
    return invalid_input(f, "A default subnetpool for this IP family has already been set. Only "
                            "one default may exist per IP family");
}

static int
prepare_create(struct call *call, struct db_tx *tx, struct subnetpool *row, struct fault *f)
{
    int64_t bits;
    int version;

    if (check_prefixes(row, call->arena, &version, f) < 0)
        return -1;
    bits = version == 4 ? 32 : 128;
    row->ip_version = version;
    field_mark(&row->set, SUBNETPOOL_F_IP_VERSION);
    if (!field_given(&row->set, SUBNETPOOL_F_MIN_PREFIXLEN))
        row->min_prefixlen = version == 4 ? LEAST_PREFIXLEN_4 : LEAST_PREFIXLEN_6;
    if (!field_given(&row->set, SUBNETPOOL_F_MAX_PREFIXLEN))
        row->max_prefixlen = bits;
    if (!field_given(&row->set, SUBNETPOOL_F_DEFAULT_PREFIXLEN))
        row->default_prefixlen = row->min_prefixlen;
    field_mark(&row->set, SUBNETPOOL_F_MIN_PREFIXLEN);
    field_mark(&row->set, SUBNETPOOL_F_MAX_PREFIXLEN);
    field_mark(&row->set, SUBNETPOOL_F_DEFAULT_PREFIXLEN);
    if (check_lengths(row, bits, f) < 0 || db_tx_lock(tx, "subnetpool:default", f) < 0 ||
        check_default(tx, row->is_default, version, row->id, f) < 0)
        return -1;
    return quota_claim(network_of(call), tx, row->project_id, "subnetpool", f);
}

/* What is taken must stay inside. */
static int
check_subnets_stay(struct db_tx *tx, const char *id, const struct texts *prefixes, struct fault *f)
{
    struct subnetpool_subnets_row *subnets;
    struct address prefix, cidr;
    size_t count;

    if (subnetpool_subnets(tx->db, id, &subnets, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        bool inside = false;

        for (size_t j = 0; j < prefixes->count && !inside; j++)
            inside = address_parse_cidr(prefixes->items[j], true, &prefix) == 0 &&
                     address_parse_cidr(subnets[i].cidr, true, &cidr) == 0 &&
                     prefix.prefix <= cidr.prefix && address_in(&prefix, &cidr);
        if (!inside)
            return fault_raise_code(
                f, FAULT_INVALID, "IllegalSubnetPoolPrefixUpdate",
                "Illegal update to prefixes: a subnet of the pool, %s, would lie outside of them.",
                subnets[i].cidr);
    }
    return 0;
}

static int
prepare_update(struct call *call, struct db_tx *tx, const struct subnetpool *old,
               struct subnetpool *row, struct fault *f)
{
    struct subnetpool after = *row;
    int version = (int)old->ip_version;

    if (field_given(&row->set, SUBNETPOOL_F_PREFIXES)) {
        if (check_prefixes(row, call->arena, &version, f) < 0)
            return -1;
        if (version != old->ip_version)
            return fault_raise_code(f, FAULT_INVALID, "PrefixVersionMismatch",
                                    "Cannot mix IPv4 and IPv6 prefixes in a subnet pool.");
        if (check_subnets_stay(tx, old->id, &row->prefixes, f) < 0)
            return -1;
    }
    if (!field_given(&row->set, SUBNETPOOL_F_MIN_PREFIXLEN))
        after.min_prefixlen = old->min_prefixlen;
    if (!field_given(&row->set, SUBNETPOOL_F_MAX_PREFIXLEN))
        after.max_prefixlen = old->max_prefixlen;
    if (!field_given(&row->set, SUBNETPOOL_F_DEFAULT_PREFIXLEN))
        after.default_prefixlen = old->default_prefixlen;
    if (check_lengths(&after, version == 4 ? 32 : 128, f) < 0 ||
        db_tx_lock(tx, "subnetpool:default", f) < 0)
        return -1;
    return check_default(tx, field_given(&row->set, SUBNETPOOL_F_IS_DEFAULT) && row->is_default,
                         version, old->id, f);
}

static int
plan_list(struct call *call, struct list_plan *plan, struct fault *f)
{
    (void)f;
    standard_filters(call, plan);
    return 0;
}

const struct subnetpool_hooks subnetpool_hooks = {
    .prepare_create = prepare_create,
    .prepare_update = prepare_update,
    .plan_list = plan_list,
};

/* --- Cutting */

static bool
is_free(const struct address *x, const struct subnetpool_subnets_row *taken, size_t count,
        struct address *ret_blocker)
{
    for (size_t i = 0; i < count; i++) {
        if (address_parse_cidr(taken[i].cidr, true, ret_blocker) == 0 &&
            address_overlap(ret_blocker, x))
            return false;
    }
    return true;
}

/* The first gap of that length: steps behind each subnet that is in the way. */
static bool
find_gap(const struct subnetpool *pool, unsigned prefixlen,
         const struct subnetpool_subnets_row *taken, size_t count, struct address *ret)
{
    for (size_t i = 0; i < pool->prefixes.count; i++) {
        struct address prefix, blocker, x;

        if (address_parse_cidr(pool->prefixes.items[i], true, &prefix) < 0 ||
            prefix.prefix > prefixlen)
            continue;
        x = prefix;
        x.prefix = prefixlen;
        while (address_in(&prefix, &x)) {
            struct address last, next;

            if (is_free(&x, taken, count, &blocker)) {
                *ret = x;
                return true;
            }
            last = blocker.prefix < prefixlen ? address_last(&blocker) : address_last(&x);
            next = address_add(&last, 1);
            if (address_compare(&next, &x) <= 0)
                break; /* Around the end of all addresses. */
            next.prefix = prefixlen;
            x = next;
        }
    }
    return false;
}

static int
check_asked(const struct subnetpool *pool, const struct address *x,
            const struct subnetpool_subnets_row *taken, size_t count, struct fault *f)
{
    struct address prefix, blocker;
    bool inside = false;

    for (size_t i = 0; i < pool->prefixes.count && !inside; i++)
        inside = address_parse_cidr(pool->prefixes.items[i], true, &prefix) == 0 &&
                 prefix.prefix <= x->prefix && address_in(&prefix, x);
    if (!inside || !is_free(x, taken, count, &blocker))
        return fault_raise_code(f, FAULT_UNAVAILABLE, "SubnetAllocationError",
                                "Failed to allocate subnet: Cannot allocate requested subnet from "
                                "the available set of prefixes.");
    return 0;
}

/* Addresses (IPv4) or /64s (IPv6) that the project has of the pool, in the units of default_quota. */
static double
units(const struct address *x)
{
    double n = 1;

    for (unsigned i = x->prefix; i < (x->version == 4 ? 32u : 64u); i++)
        n *= 2;
    return n;
}

static int
check_pool_quota(const struct subnetpool *pool, const struct subnet *row, const struct address *x,
                 const struct subnetpool_subnets_row *taken, size_t count, struct fault *f)
{
    struct address other;
    double used = units(x);

    if (!field_has(&pool->set, SUBNETPOOL_F_DEFAULT_QUOTA))
        return 0;
    for (size_t i = 0; i < count; i++) {
        if (str_equal(taken[i].project_id, row->project_id) &&
            address_parse_cidr(taken[i].cidr, true, &other) == 0)
            used += units(&other);
    }
    if (used <= (double)pool->default_quota)
        return 0;
    return fault_raise_code(f, FAULT_CONFLICT, "SubnetPoolQuotaExceeded",
                            "Per-project Subnet Pool prefix quota exceeded.");
}

int
subnetpool_cut(struct call *call, struct db_tx *tx, struct subnet *row, struct fault *f)
{
    const char *scope = call_scope(call, RESOURCE_PROJECT);
    struct subnetpool pool = { 0 };
    struct subnetpool_subnets_row *taken;
    struct subnetpool_default_row fallback;
    struct address x;
    size_t count;
    int64_t length;
    int found;

    if (row->subnetpool_id == NULL) {
        found = subnetpool_default(tx->db, (int32_t)row->ip_version, scope, &fallback, f);
        if (found < 0)
            return -1;
        if (found == 0)
            return fault_raise_code(f, FAULT_INVALID, "BadRequest",
                                    "Bad subnets request: No default subnetpool found for IPv%lld.",
                                    (long long)row->ip_version);
        row->subnetpool_id = fallback.id;
        field_mark(&row->set, SUBNET_F_SUBNETPOOL_ID);
    }
    if (resource_load(tx->db, &subnetpool_resource, row->subnetpool_id, scope, true, &pool, f) <
            0 ||
        subnetpool_subnets(tx->db, pool.id, &taken, &count, f) < 0)
        return -1;
    if (pool.ip_version != row->ip_version)
        return fault_raise_code(
            f, FAULT_INVALID, "BadRequest",
            "Bad subnets request: Cannot allocate IPv%lld subnet from IPv%lld subnet pool.",
            (long long)row->ip_version, (long long)pool.ip_version);
    if (row->cidr != NULL) {
        if (address_parse_cidr(row->cidr, true, &x) < 0)
            return fault_raise_field(
                f, "cidr", "Invalid input for cidr. Reason: '%.64s' is not a valid IP subnet.",
                row->cidr);
        length = x.prefix;
    } else {
        length = field_has(&row->set, SUBNET_F_PREFIXLEN) ? row->prefixlen : pool.default_prefixlen;
    }
    if (length < pool.min_prefixlen)
        return fault_raise_code(
            f, FAULT_INVALID, "MinPrefixSubnetAllocationError",
            "Unable to allocate subnet with prefix length %lld, minimum allowed prefix is %lld.",
            (long long)length, (long long)pool.min_prefixlen);
    if (length > pool.max_prefixlen)
        return fault_raise_code(
            f, FAULT_INVALID, "MaxPrefixSubnetAllocationError",
            "Unable to allocate subnet with prefix length %lld, maximum allowed prefix is %lld.",
            (long long)length, (long long)pool.max_prefixlen);
    if (row->cidr != NULL) {
        if (check_asked(&pool, &x, taken, count, f) < 0)
            return -1;
    } else if (!find_gap(&pool, (unsigned)length, taken, count, &x)) {
        return fault_raise_code(
            f, FAULT_UNAVAILABLE, "SubnetAllocationError",
            "Failed to allocate subnet: Insufficient prefix space to allocate subnet size /%lld.",
            (long long)length);
    }
    row->cidr = address_cidr_text(call->arena, &x);
    field_mark(&row->set, SUBNET_F_CIDR);
    return check_pool_quota(&pool, row, &x, taken, count, f);
}
