/* Which policy an endpoint follows (OS-ENDPOINT-POLICY). An endpoint, a service, or a service in a region has at most one; the
 * policies are stored, not understood. */
#include "base/str.h"
#include "path_objects.h"

/* Of the path, whichever of the three kinds it is. */
struct parts {
    const char *policy, *endpoint, *service, *region;
};

static struct parts
parts_of(struct call *call)
{
    return (struct parts){ .policy = call_param(call, "policy_id"),
                           .endpoint = call_param_find(call, "endpoint_id"),
                           .service = call_param_find(call, "service_id"),
                           .region = call_param_find(call, "region_id") };
}

int
policy_association_create(struct call *call, struct fault *f)
{
    struct parts p = parts_of(call);
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };

    if (db_tx_begin(&tx, call->db, f) < 0 || path_objects_check(call, tx.db, true, f) < 0 ||
        policy_association_put(tx.db, p.policy, p.endpoint, p.service, p.region, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

int
policy_association_check(struct call *call, struct fault *f)
{
    struct parts p = parts_of(call);
    struct policy_association_find_row row;
    int found;

    if (path_objects_check(call, call->db, false, f) < 0)
        return -1;
    found = policy_association_find(call->db, p.policy, p.endpoint, p.service, p.region, &row, f);
    if (found == 0)
        return fault_raise(f, FAULT_NOT_FOUND, "Could not find policy association.");
    return found < 0 ? -1 : 0;
}

/* One that isn't there is gone already: no error, as upstream. */
int
policy_association_delete(struct call *call, struct fault *f)
{
    struct parts p = parts_of(call);

    if (path_objects_check(call, call->db, false, f) < 0)
        return -1;
    return policy_association_remove(call->db, p.policy, p.endpoint, p.service, p.region, f) < 0
               ? -1
               : 0;
}

int
policy_endpoints(struct call *call, struct fault *f)
{
    struct catalog_id_row *rows;
    size_t count;

    if (path_objects_check(call, call->db, false, f) < 0 ||
        endpoints_of_policy(call->db, call_param(call, "policy_id"), &rows, &count, f) < 0)
        return -1;
    return path_objects_reply(call, &endpoint_resource, rows, count, f);
}

int
endpoint_policy(struct call *call, struct fault *f)
{
    const char *id = call_param(call, "endpoint_id");
    struct policy_of_endpoint_row row;
    struct policy policy = { 0 };
    int found;

    if (path_objects_check(call, call->db, false, f) < 0)
        return -1;
    found = policy_of_endpoint(call->db, id, &row, f);
    if (found < 0)
        return -1;
    if (found == 0)
        return fault_raise(f, FAULT_NOT_FOUND, "No policy is associated with endpoint %.64s.", id);
    if (resource_load(call->db, &policy_resource, row.policy_id, NULL, false, &policy, f) < 0)
        return -1;
    return resource_reply(call, &policy_resource, &policy, f);
}
