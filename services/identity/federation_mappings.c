/* Mappings: checked before they are stored; who changes one ends the tokens that it gave. */
#include "federation.h"
#include "mapping_rules.h"

static int
revoke_users_of(struct call *call, struct db_tx *tx, const char *mapping_id, struct fault *f)
{
    struct protocols_with_mapping_row *rows;
    size_t count;

    if (protocols_with_mapping(tx->db, mapping_id, &rows, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (federation_revoke(call, tx, rows[i].idp_id, rows[i].id, f) < 0)
            return -1;
    }
    return 0;
}

static bool
is_version_2(const struct mapping *row)
{
    return row->schema_version == MAPPING_SCHEMA_VERSION_2_0;
}

static int
prepare_create(struct call *call, struct db_tx *tx, struct mapping *row, struct fault *f)
{
    (void)call;
    (void)tx;
    return mapping_check(row->rules, is_version_2(row), f);
}

static int
prepare_update(struct call *call, struct db_tx *tx, const struct mapping *old, struct mapping *row,
               struct fault *f)
{
    bool v2 = is_version_2(field_given(&row->set, MAPPING_F_SCHEMA_VERSION) ? row : old);

    if (!field_given(&row->set, MAPPING_F_RULES))
        return fault_raise_field(f, "rules", "'rules' is a required property");
    if (mapping_check(row->rules, v2, f) < 0)
        return -1;
    return revoke_users_of(call, tx, old->id, f);
}

static int
check_delete(struct call *call, struct db_tx *tx, const struct mapping *row, struct fault *f)
{
    return revoke_users_of(call, tx, row->id, f);
}

const struct mapping_hooks mapping_hooks = {
    .prepare_create = prepare_create,
    .prepare_update = prepare_update,
    .check_delete = check_delete,
};
