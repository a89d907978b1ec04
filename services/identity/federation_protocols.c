/* Protocols: how a provider's users come, and by which mapping. */
#include "base/str.h"
#include "federation.h"

static int
check_mapping(struct db *db, const char *id, struct fault *f)
{
    struct mapping mapping = { 0 };

    if (resource_load(db, &mapping_resource, id, NULL, false, &mapping, f) == 0)
        return 0;
    if (f->kind != FAULT_NOT_FOUND)
        return -1;
    fault_clear(f);
    return fault_raise_field(f, "mapping_id", "Invalid mapping id: %.64s", id);
}

static int
prepare_create(struct call *call, struct db_tx *tx, struct protocol *row, struct fault *f)
{
    struct identity_provider idp = { 0 };

    (void)call;
    if (resource_load(tx->db, &identity_provider_resource, row->idp_id, NULL, true, &idp, f) < 0)
        return -1;
    return check_mapping(tx->db, row->mapping_id, f);
}

static int
prepare_update(struct call *call, struct db_tx *tx, const struct protocol *old,
               struct protocol *row, struct fault *f)
{
    if (field_given(&row->set, PROTOCOL_F_MAPPING_ID) &&
        check_mapping(tx->db, row->mapping_id, f) < 0)
        return -1;
    return federation_revoke(call, tx, old->idp_id, old->id, f);
}

static int
check_delete(struct call *call, struct db_tx *tx, const struct protocol *row, struct fault *f)
{
    return federation_revoke(call, tx, row->idp_id, row->id, f);
}

const struct protocol_hooks protocol_hooks = {
    .prepare_create = prepare_create,
    .prepare_update = prepare_update,
    .check_delete = check_delete,
};
