#include "quotas.h"

#include "base/str.h"

struct limits {
    int64_t values[16];
};

/* Names in the order clients know; 'offset' of the default in the configuration, or a constant. */
static const struct {
    const char *name;
    size_t offset; /* 0: 'constant' */
    int64_t constant;
    int until; /* Microversion; 0: always */
} names[] = {
    { "instances", offsetof(struct compute_config, quota_instances), 0, 0 },
    { "cores", offsetof(struct compute_config, quota_cores), 0, 0 },
    { "ram", offsetof(struct compute_config, quota_ram_mb), 0, 0 },
    { "metadata_items", offsetof(struct compute_config, quota_metadata), 0, 0 },
    { "key_pairs", offsetof(struct compute_config, quota_key_pairs), 0, 0 },
    { "server_groups", 0, 10, 0 },
    { "server_group_members", 0, 10, 0 },
    { "injected_files", 0, 5, 2056 },
    { "injected_file_content_bytes", 0, 10240, 2056 },
    { "injected_file_path_bytes", 0, 255, 2056 },
    { "fixed_ips", 0, -1, 2035 },
    { "floating_ips", 0, -1, 2035 },
    { "security_groups", 0, -1, 2035 },
    { "security_group_rules", 0, -1, 2035 },
};

static struct limits
defaults(const struct compute_config *config)
{
    struct limits l = { { 0 } };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        l.values[i] =
            names[i].offset == 0
                ? names[i].constant
                : *(const int64_t *)(const void *)((const char *)config + names[i].offset);
    return l;
}

static int
limits_of(struct call *call, struct db *db, const char *project_id, struct limits *ret,
          struct fault *f)
{
    struct quota_rows_row *rows;
    size_t count;

    *ret = defaults(compute_of(call)->config);
    if (quota_rows(db, project_id, &rows, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < ARRAY_SIZE(names); j++) {
            if (str_equal(names[j].name, rows[i].name))
                ret->values[j] = rows[i].value;
        }
    }
    return 0;
}

static int64_t
value_of(const struct limits *l, const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (str_equal(names[i].name, name))
            return l->values[i];
    }
    return -1;
}

int
quota_limit(struct call *call, struct db *db, const char *project_id, const char *name,
            int64_t *ret, struct fault *f)
{
    struct limits l;

    if (limits_of(call, db, project_id, &l, f) < 0)
        return -1;
    *ret = value_of(&l, name);
    return 0;
}

static int
check(const char *name, int64_t limit, int64_t used, int64_t wanted, struct fault *f)
{
    if (limit < 0 || used + wanted <= limit || wanted == 0)
        return 0;
    return fault_raise(f, FAULT_QUOTA,
                       "Quota exceeded for %s: Requested %lld, but already used %lld of %lld %s",
                       name, (long long)wanted, (long long)used, (long long)limit, name);
}

int
quota_claim(struct call *call, struct db_tx *tx, const char *project_id,
            const struct quota_wish *wish, struct fault *f)
{
    struct servers_used_row used;
    struct limits l;

    if (db_tx_lock(tx, arena_printf(call->arena, "quota:%s", project_id), f) < 0 ||
        limits_of(call, tx->db, project_id, &l, f) < 0 ||
        servers_used(tx->db, project_id, &used, f) < 0)
        return -1;
    if (check("instances", value_of(&l, "instances"), used.instances, wish->instances, f) < 0 ||
        check("cores", value_of(&l, "cores"), used.cores, wish->cores, f) < 0 ||
        check("ram", value_of(&l, "ram"), used.ram, wish->ram_mb, f) < 0)
        return -1;
    return 0;
}

/* --- /os-quota-sets */

static void
write_set(struct call *call, const struct limits *l, const char *project_id,
          const struct servers_used_row *used)
{
    struct jsonw *w = call_json(call);

    jsonw_object(w, NULL);
    jsonw_object(w, "quota_set");
    if (project_id != NULL)
        jsonw_text(w, "id", project_id);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        int64_t in_use = 0;

        if (names[i].until != 0 && call->version > names[i].until)
            continue;
        if (used == NULL) {
            jsonw_int(w, names[i].name, l->values[i]);
            continue;
        }
        in_use = i == 0 ? used->instances : i == 1 ? used->cores : i == 2 ? used->ram : 0;
        jsonw_object(w, names[i].name);
        jsonw_int(w, "limit", l->values[i]);
        jsonw_int(w, "in_use", in_use);
        jsonw_int(w, "reserved", 0);
        jsonw_end(w);
    }
    jsonw_end(w);
    jsonw_end(w);
}

/* A project's own members may look at its quota; others' is the operator's. */
static int
may_look(struct call *call, struct fault *f)
{
    if (call_is_admin(call) || str_equal(call->auth.project_id, call_param(call, "tenant_id")))
        return call_enforce(call, call->operation->policy, NULL, NULL, f);
    return fault_raise(f, FAULT_FORBIDDEN, "Policy doesn't allow %s to be performed.",
                       call->operation->policy);
}

int
quota_show(struct call *call, struct fault *f)
{
    struct limits l;

    if (may_look(call, f) < 0 ||
        limits_of(call, call->db, call_param(call, "tenant_id"), &l, f) < 0)
        return -1;
    write_set(call, &l, call_param(call, "tenant_id"), NULL);
    return 0;
}

int
quota_detail(struct call *call, struct fault *f)
{
    const char *project_id = call_param(call, "tenant_id");
    struct servers_used_row used;
    struct limits l;

    if (may_look(call, f) < 0 || limits_of(call, call->db, project_id, &l, f) < 0 ||
        servers_used(call->db, project_id, &used, f) < 0)
        return -1;
    write_set(call, &l, project_id, &used);
    return 0;
}

int
quota_defaults(struct call *call, struct fault *f)
{
    struct limits l = defaults(compute_of(call)->config);

    (void)f;
    write_set(call, &l, call_param(call, "tenant_id"), NULL);
    return 0;
}

int
quota_update(struct call *call, const struct quota_set *in, struct fault *f)
{
    const char *project_id = call_param(call, "tenant_id");
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct servers_used_row used;
    struct limits l;
    const struct {
        unsigned index;
        const char *name;
        int64_t value, in_use;
    } given[] = {
        { QUOTA_SET_F_INSTANCES, "instances", in->instances, 0 },
        { QUOTA_SET_F_CORES, "cores", in->cores, 1 },
        { QUOTA_SET_F_RAM, "ram", in->ram, 2 },
        { QUOTA_SET_F_METADATA_ITEMS, "metadata_items", in->metadata_items, 3 },
        { QUOTA_SET_F_KEY_PAIRS, "key_pairs", in->key_pairs, 3 },
        { QUOTA_SET_F_SERVER_GROUPS, "server_groups", in->server_groups, 3 },
        { QUOTA_SET_F_SERVER_GROUP_MEMBERS, "server_group_members", in->server_group_members, 3 },
    };

    if (db_tx_begin(&tx, call->db, f) < 0 || servers_used(tx.db, project_id, &used, f) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(given); i++) {
        int64_t in_use = given[i].in_use == 0   ? used.instances
                         : given[i].in_use == 1 ? used.cores
                         : given[i].in_use == 2 ? used.ram
                                                : 0;

        if (!field_given(&in->set, given[i].index))
            continue;
        if (given[i].value >= 0 && given[i].value < in_use && !in->force)
            return fault_raise_field(f, given[i].name,
                                     "Quota limit %lld for %s must be greater than or equal to "
                                     "already used and reserved %lld.",
                                     (long long)given[i].value, given[i].name, (long long)in_use);
        if (quota_set_row(tx.db, project_id, given[i].name, given[i].value, f) < 0)
            return -1;
    }
    if (limits_of(call, tx.db, project_id, &l, f) < 0 || db_tx_commit(&tx, f) < 0)
        return -1;
    write_set(call, &l, NULL, NULL);
    return 0;
}

int
quota_delete(struct call *call, struct fault *f)
{
    return quota_forget(call->db, call_param(call, "tenant_id"), f) < 0 ? -1 : 0;
}

/* --- /limits */

int
limits_show(struct call *call, struct fault *f)
{
    const char *project_id = call_query(call, "tenant_id") != NULL && call_is_admin(call)
                                 ? call_query(call, "tenant_id")
                                 : call->auth.project_id;
    struct servers_used_row used;
    struct limits l;
    struct jsonw *w;

    if (project_id == NULL)
        project_id = "";
    if (limits_of(call, call->db, project_id, &l, f) < 0 ||
        servers_used(call->db, project_id, &used, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_object(w, "limits");
    jsonw_array(w, "rate");
    jsonw_end(w);
    jsonw_object(w, "absolute");
    jsonw_int(w, "maxTotalInstances", value_of(&l, "instances"));
    jsonw_int(w, "maxTotalCores", value_of(&l, "cores"));
    jsonw_int(w, "maxTotalRAMSize", value_of(&l, "ram"));
    jsonw_int(w, "maxServerMeta", value_of(&l, "metadata_items"));
    jsonw_int(w, "maxTotalKeypairs", value_of(&l, "key_pairs"));
    jsonw_int(w, "maxServerGroups", value_of(&l, "server_groups"));
    jsonw_int(w, "maxServerGroupMembers", value_of(&l, "server_group_members"));
    if (call->version <= 2056) {
        jsonw_int(w, "maxPersonality", 5);
        jsonw_int(w, "maxPersonalitySize", 10240);
        jsonw_int(w, "maxImageMeta", value_of(&l, "metadata_items"));
    }
    if (call->version <= 2035) {
        jsonw_int(w, "maxSecurityGroups", -1);
        jsonw_int(w, "maxSecurityGroupRules", -1);
        jsonw_int(w, "maxTotalFloatingIps", -1);
        jsonw_int(w, "totalFloatingIpsUsed", 0);
        jsonw_int(w, "totalSecurityGroupsUsed", 0);
    }
    jsonw_int(w, "totalInstancesUsed", used.instances);
    jsonw_int(w, "totalCoresUsed", used.cores);
    jsonw_int(w, "totalRAMUsed", used.ram);
    jsonw_int(w, "totalServerGroupsUsed", 0);
    jsonw_end(w);
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}
