#include "security_groups.h"

#include "address.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "base/uuid.h"
#include "quotas.h"
#include "touched.h"

int
default_group(struct db_tx *tx, const char *project_id, const char **ret, struct fault *f)
{
    struct default_group_find_row row;
    char id[UUID_TEXT];
    int found;

    *ret = NULL;
    if (str_empty(project_id))
        return 0;
    found = default_group_find(tx->db, project_id, &row, f);
    if (found == 0) {
        uuid_new(id);
        found = default_group_add(tx->db, id, project_id, f);
        if (found == 1 && group_first_rules(tx->db, id, project_id, true, f) < 0)
            return -1;
        if (found >= 0) /* Not added: somebody else has just done it. */
            found = default_group_find(tx->db, project_id, &row, f);
    }
    if (found < 0)
        return -1;
    if (found == 0)
        return fault_raise_cause(f, "the default security group of project %s vanished",
                                 project_id);
    *ret = row.id;
    return 0;
}

static int
prepare_create(struct call *call, struct db_tx *tx, struct security_group *row, struct fault *f)
{
    const char *id;

    if (default_group(tx, row->project_id, &id, f) < 0)
        return -1;
    if (str_equal(row->name, "default"))
        return fault_raise_code(f, FAULT_CONFLICT, "SecurityGroupDefaultAlreadyExists",
                                "Default security group already exists.");
    return quota_claim(network_of(call), tx, row->project_id, "security_group", f);
}

static int
after_create(struct call *call, struct db_tx *tx, struct security_group *row, struct fault *f)
{
    (void)call;
    return group_first_rules(tx->db, row->id, row->project_id, false, f) < 0 ? -1 : 0;
}

static int
prepare_update(struct call *call, struct db_tx *tx, const struct security_group *old,
               struct security_group *row, struct fault *f)
{
    struct group_user_row user;
    int used;

    if (field_given(&row->set, SECURITY_GROUP_F_NAME) && !str_equal(old->name, row->name)) {
        if (str_equal(old->name, "default"))
            return fault_raise_code(f, FAULT_CONFLICT, "SecurityGroupCannotUpdateDefault",
                                    "Updating default security group not allowed.");
        if (str_equal(row->name, "default"))
            return fault_raise_code(f, FAULT_CONFLICT, "SecurityGroupDefaultAlreadyExists",
                                    "Default security group already exists.");
    }
    if (field_given(&row->set, SECURITY_GROUP_F_STATEFUL) && row->stateful != old->stateful) {
        used = group_user(tx->db, old->id, &user, f);
        if (used < 0)
            return -1;
        if (used == 1)
            return fault_raise_code(f, FAULT_CONFLICT, "SecurityGroupInUse",
                                    "Security Group %s in use.", old->id);
    }
    (void)call;
    return 0;
}

static int
check_delete(struct call *call, struct db_tx *tx, const struct security_group *row, struct fault *f)
{
    struct group_user_row user;
    int used = group_user(tx->db, row->id, &user, f);

    if (used < 0)
        return -1;
    if (used == 1)
        return fault_raise_code(f, FAULT_CONFLICT, "SecurityGroupInUse",
                                "Security Group %s in use.", row->id);
    if (str_equal(row->name, "default") && !call_is_admin(call))
        return fault_raise_code(f, FAULT_CONFLICT, "SecurityGroupCannotRemoveDefault",
                                "Insufficient rights for removing default security group.");
    touch_group(touched_of(call), row->id); /* Rules of others that name it go with it. */
    return touched_resolve(touched_of(call), tx, f);
}

static json_t *
rule_json(struct call *call, const struct group_rules_row *x)
{
    const char *created = clock_format(call->arena, x->created_at, CLOCK_Z);
    const char *updated = clock_format(call->arena, x->updated_at, CLOCK_Z);
    json_t *rule =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:s?, s:s?, s:n, s:s, s:I, s:s, s:s}", "id",
                  x->id, "project_id", x->project_id, "tenant_id", x->project_id,
                  "security_group_id", x->security_group_id, "direction", x->direction, "ethertype",
                  x->ethertype, "protocol", x->protocol, "remote_ip_prefix", x->remote_ip_prefix,
                  "remote_group_id", x->remote_group_id, "remote_address_group_id", "description",
                  x->description, "revision_number", (json_int_t)x->revision_number, "created_at",
                  created, "updated_at", updated);
    struct address cidr;

    json_object_set_new(rule, "port_range_min",
                        x->port_range_min_null ? json_null() : json_integer(x->port_range_min));
    json_object_set_new(rule, "port_range_max",
                        x->port_range_max_null ? json_null() : json_integer(x->port_range_max));
    if (x->remote_ip_prefix != NULL && address_parse_cidr(x->remote_ip_prefix, false, &cidr) == 0) {
        struct address first = address_first(&cidr);

        json_object_set_new(rule, "normalized_cidr",
                            json_string(address_cidr_text(call->arena, &first)));
    } else {
        json_object_set_new(rule, "normalized_cidr", json_null());
    }
    return rule;
}

static int
load(struct call *call, struct db *db, struct security_group *const *rows, size_t count,
     struct fault *f)
{
    struct texts ids = { .items = ARENA_ARRAY(call->arena, const char *, count), .count = count };
    struct group_rules_row *rules;
    size_t rules_count;

    for (size_t i = 0; i < count; i++)
        ids.items[i] = rows[i]->id;
    if (group_rules(db, &ids, &rules, &rules_count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        rows[i]->security_group_rules = json_own(call->arena, json_array());
        for (size_t j = 0; j < rules_count; j++) {
            if (str_equal(rules[j].security_group_id, rows[i]->id))
                json_array_append_new(rows[i]->security_group_rules, rule_json(call, &rules[j]));
        }
        rows[i]->shared = false;
        field_mark(&rows[i]->set, SECURITY_GROUP_F_SECURITY_GROUP_RULES);
        field_mark(&rows[i]->set, SECURITY_GROUP_F_SHARED);
    }
    return 0;
}

/* Whoever looks for his groups finds the default one, made if need be. */
static int
plan_list(struct call *call, struct list_plan *plan, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    const char *id;

    if (call->auth.project_id != NULL) {
        if (db_tx_begin(&tx, call->db, f) < 0 ||
            default_group(&tx, call->auth.project_id, &id, f) < 0 || db_tx_commit(&tx, f) < 0)
            return -1;
    }
    standard_filters(call, plan);
    return 0;
}

const struct security_group_hooks security_group_hooks = {
    .prepare_create = prepare_create,
    .after_create = after_create,
    .prepare_update = prepare_update,
    .check_delete = check_delete,
    .settle = touched_hook,
    .load = load,
    .plan_list = plan_list,
};
