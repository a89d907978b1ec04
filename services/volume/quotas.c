/* Limits and uses of projects: /os-quota-sets, /limits, and the claims of what is created. */
#include "quotas.h"

#include "base/array.h"
#include "base/json.h"
#include "base/str.h"

struct limit {
    const char *name;
    int64_t value, in_use;
};

/* All limits of a project: the fixed ones first, then three for each volume type. */
struct limits {
    struct limit *items;
    size_t count, capacity;
};

enum {
    LIMIT_VOLUMES,
    LIMIT_SNAPSHOTS,
    LIMIT_GIGABYTES,
    LIMIT_PER_VOLUME,
    LIMIT_BACKUPS,
    LIMIT_BACKUP_GIGABYTES,
    LIMIT_GROUPS
};

static struct limit *
find(struct limits *l, const char *name)
{
    for (size_t i = 0; i < l->count; i++) {
        if (str_equal(l->items[i].name, name))
            return &l->items[i];
    }
    return NULL;
}

static void
add(struct limits *l, struct arena *a, const char *name, int64_t value)
{
    struct limit *x = ARRAY_PUSH(a, l->items, l->count, l->capacity);

    x->name = name;
    x->value = value;
}

static int
defaults(struct call *call, struct db *db, struct limits *ret, struct fault *f)
{
    const struct volume_config *config = service_of(call)->config;
    struct arena *a = call->arena;
    struct types_names_row *types;
    size_t count;

    *ret = (struct limits){ 0 };
    if (types_names(db, &types, &count, f) < 0)
        return -1;
    add(ret, a, "volumes", config->quota_volumes);
    add(ret, a, "snapshots", config->quota_snapshots);
    add(ret, a, "gigabytes", config->quota_gigabytes);
    add(ret, a, "per_volume_gigabytes", config->quota_per_volume_gb);
    add(ret, a, "backups", 10);
    add(ret, a, "backup_gigabytes", 1000);
    add(ret, a, "groups", 10);
    for (size_t i = 0; i < count; i++) {
        add(ret, a, arena_printf(a, "volumes_%s", types[i].name), -1);
        add(ret, a, arena_printf(a, "snapshots_%s", types[i].name), -1);
        add(ret, a, arena_printf(a, "gigabytes_%s", types[i].name), -1);
    }
    return 0;
}

static void
use(struct limits *l, struct arena *a, const char *kind, const char *type_name, int64_t amount)
{
    struct limit *x = find(l, kind);

    if (x != NULL)
        x->in_use += amount;
    x = type_name == NULL ? NULL : find(l, arena_printf(a, "%s_%s", kind, type_name));
    if (x != NULL)
        x->in_use += amount;
}

static int
limits_of(struct call *call, struct db *db, const char *project_id, struct limits *ret,
          struct fault *f)
{
    struct quota_rows_row *rows;
    struct volumes_used_row *used;
    size_t count, used_count;

    if (defaults(call, db, ret, f) < 0 || quota_rows(db, project_id, &rows, &count, f) < 0 ||
        volumes_used(db, project_id, &used, &used_count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct limit *x = find(ret, rows[i].name);

        if (x != NULL)
            x->value = rows[i].value;
    }
    for (size_t i = 0; i < used_count; i++) {
        use(ret, call->arena, "volumes", used[i].type_name, used[i].volumes);
        use(ret, call->arena, "gigabytes", used[i].type_name, used[i].gigabytes);
        use(ret, call->arena, "snapshots", used[i].type_name, used[i].snapshots);
    }
    return 0;
}

/* --- Claims */

static int
over(const struct limit *x, const char *kind, int64_t wanted, struct fault *f)
{
    if (str_equal(kind, "gigabytes"))
        return fault_raise(f, FAULT_QUOTA,
                           "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds "
                           "allowed %s quota. Requested %lldG, quota "
                           "is %lldG and %lldG has been consumed.",
                           x->name, (long long)wanted, (long long)x->value, (long long)x->in_use);
    if (str_equal(kind, "snapshots"))
        return fault_raise(
            f, FAULT_QUOTA,
            "SnapshotLimitExceeded: Maximum number of snapshots allowed (%lld) exceeded",
            (long long)x->value);
    return fault_raise(
        f, FAULT_QUOTA,
        "VolumeLimitExceeded: Maximum number of volumes allowed (%lld) exceeded for quota '%s'.",
        (long long)x->value, x->name);
}

static int
check(struct limits *l, struct arena *a, const char *kind, const char *type_name, int64_t wanted,
      struct fault *f)
{
    const struct limit *both[] = {
        find(l, kind), type_name == NULL ? NULL : find(l, arena_printf(a, "%s_%s", kind, type_name))
    };

    for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
        if (both[i] != NULL && wanted > 0 && both[i]->value >= 0 &&
            both[i]->in_use + wanted > both[i]->value)
            return over(both[i], kind, wanted, f);
    }
    return 0;
}

int
quota_claim(struct call *call, struct db_tx *tx, const char *project_id,
            const struct quota_wish *wish, struct fault *f)
{
    const struct limit *single;
    struct limits l;

    if (db_tx_lock(tx, arena_printf(call->arena, "quota:%s", project_id), f) < 0 ||
        limits_of(call, tx->db, project_id, &l, f) < 0)
        return -1;
    single = &l.items[LIMIT_PER_VOLUME];
    if (wish->volume_gb > 0 && single->value >= 0 && wish->volume_gb > single->value)
        return fault_raise(f, FAULT_QUOTA,
                           "VolumeSizeExceedsLimit: Requested volume size %lldG is larger than "
                           "maximum allowed limit %lldG.",
                           (long long)wish->volume_gb, (long long)single->value);
    if (check(&l, call->arena, "volumes", wish->type_name, wish->volumes, f) < 0 ||
        check(&l, call->arena, "snapshots", wish->type_name, wish->snapshots, f) < 0)
        return -1;
    return check(&l, call->arena, "gigabytes", wish->type_name, wish->gigabytes, f);
}

/* --- /os-quota-sets */

static void
write_set(struct call *call, const struct limits *l, const char *key, const char *id, bool usage)
{
    struct jsonw *w = call_json(call);

    jsonw_object(w, NULL);
    jsonw_object(w, key);
    if (id != NULL)
        jsonw_text(w, "id", id);
    for (size_t i = 0; i < l->count; i++) {
        if (!usage) {
            jsonw_int(w, l->items[i].name, l->items[i].value);
            continue;
        }
        jsonw_object(w, l->items[i].name);
        jsonw_int(w, "limit", l->items[i].value);
        jsonw_int(w, "in_use", l->items[i].in_use);
        jsonw_int(w, "reserved", 0);
        jsonw_int(w, "allocated", 0);
        jsonw_end(w);
    }
    jsonw_end(w);
    jsonw_end(w);
}

/* A project's own members may look at its quota; others' is the operator's. */
static int
may_look(struct call *call, struct fault *f)
{
    if (call_sees_all(call) ||
        str_equal(call->auth.project_id, call_param(call, "target_project_id")))
        return call_enforce(call, call->operation->policy, NULL, NULL, f);
    return fault_raise(f, FAULT_FORBIDDEN, "Policy doesn't allow %s to be performed.",
                       call->operation->policy);
}

int
quota_show(struct call *call, struct fault *f)
{
    const char *project_id = call_param(call, "target_project_id");
    struct limits l;

    if (may_look(call, f) < 0 || limits_of(call, call->db, project_id, &l, f) < 0)
        return -1;
    write_set(call, &l, "quota_set", project_id, call_query_bool(call, "usage"));
    return 0;
}

int
quota_defaults(struct call *call, struct fault *f)
{
    struct limits l;

    if (may_look(call, f) < 0 || defaults(call, call->db, &l, f) < 0)
        return -1;
    write_set(call, &l, "quota_set", call_param(call, "target_project_id"), false);
    return 0;
}

int
quota_class_show(struct call *call, struct fault *f)
{
    struct limits l;

    if (defaults(call, call->db, &l, f) < 0)
        return -1;
    write_set(call, &l, "quota_class_set", call_param(call, "class_name"), false);
    return 0;
}

static int
take_value(const char *name, const json_t *value, int64_t *ret, struct fault *f)
{
    int64_t number = 0;
    bool good = json_is_integer(value);

    if (good)
        number = json_integer_value(value);
    else if (json_is_string(value))
        good = str_to_int64(json_string_value(value), INT64_MIN, INT64_MAX, &number) == 0;
    if (!good)
        return fault_raise_field(
            f, name, "Invalid input for field/attribute %.200s. It is not of type 'integer'.",
            name);
    if (number < -1 || number > 0x7fffffff)
        return fault_raise_field(f, name,
                                 "Invalid input for field/attribute %.200s. Value: %lld. It must "
                                 "be -1 or more and at most 2147483647.",
                                 name, (long long)number);
    *ret = number;
    return 0;
}

int
quota_update(struct call *call, const struct quota_set *in, struct fault *f)
{
    const char *project_id = call_param(call, "target_project_id"), *name;
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct limits l;
    json_t *value;

    (void)in; /* Its members are names of types too. */
    if (db_tx_begin(&tx, call->db, f) < 0 || limits_of(call, tx.db, project_id, &l, f) < 0)
        return -1;
    json_object_foreach(json_object_get(call->body, "quota_set"), name, value)
    {
        struct limit *x = find(&l, name);

        if (str_equal(name, "tenant_id") || str_equal(name, "id") ||
            str_equal(name, "skip_validation"))
            continue;
        if (x == NULL)
            return fault_raise_field(f, name, "Bad key(s) in quota set: %.200s", name);
        if (take_value(name, value, &x->value, f) < 0 ||
            quota_set_row(tx.db, project_id, x->name, x->value, f) < 0)
            return -1;
    }
    if (db_tx_commit(&tx, f) < 0)
        return -1;
    write_set(call, &l, "quota_set", NULL, false);
    return 0;
}

int
quota_delete(struct call *call, struct fault *f)
{
    return quota_forget(call->db, call_param(call, "target_project_id"), f) < 0 ? -1 : 0;
}

/* --- /limits */

int
limits_show(struct call *call, struct fault *f)
{
    const char *project_id = call->auth.project_id == NULL ? "" : call->auth.project_id;
    const char *wanted = call_at_least(call, 3, 39) ? call_query(call, "project_id") : NULL;
    static const struct {
        unsigned limit;
        const char *total, *used;
    } names[] = {
        { LIMIT_VOLUMES, "maxTotalVolumes", "totalVolumesUsed" },
        { LIMIT_SNAPSHOTS, "maxTotalSnapshots", "totalSnapshotsUsed" },
        { LIMIT_GIGABYTES, "maxTotalVolumeGigabytes", "totalGigabytesUsed" },
        { LIMIT_BACKUPS, "maxTotalBackups", "totalBackupsUsed" },
        { LIMIT_BACKUP_GIGABYTES, "maxTotalBackupGigabytes", "totalBackupGigabytesUsed" },
    };
    struct limits l;
    struct jsonw *w;

    if (wanted != NULL && call_is_admin(call))
        project_id = wanted;
    if (limits_of(call, call->db, project_id, &l, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_object(w, "limits");
    jsonw_array(w, "rate");
    jsonw_end(w);
    jsonw_object(w, "absolute");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        jsonw_int(w, names[i].total, l.items[names[i].limit].value);
        jsonw_int(w, names[i].used, l.items[names[i].limit].in_use);
    }
    jsonw_end(w);
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}
