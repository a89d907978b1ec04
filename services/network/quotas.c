#include "quotas.h"

#include "base/str.h"

struct kind {
    const char *name;
    size_t limit; /* Offset in the configuration. */
    unsigned field;
    size_t value; /* Offset in struct quota_values. */
};

#define KIND(name_, NAME)                                                                          \
    {                                                                                              \
#name_, offsetof(struct network_config, quota_##name_), QUOTA_VALUES_F_##NAME,             \
            offsetof(struct quota_values, name_)                                                   \
    }
static const struct kind kinds[] = {
    KIND(network, NETWORK),
    KIND(subnet, SUBNET),
    KIND(subnetpool, SUBNETPOOL),
    KIND(port, PORT),
    KIND(router, ROUTER),
    KIND(floatingip, FLOATINGIP),
    KIND(security_group, SECURITY_GROUP),
    KIND(security_group_rule, SECURITY_GROUP_RULE),
    KIND(rbac_policy, RBAC_POLICY),
};
#undef KIND

static int64_t
configured(const struct network_service *service, const struct kind *k)
{
    return *(const int64_t *)(const void *)((const char *)service->config + k->limit);
}

int
quota_claim(struct network_service *service, struct db_tx *tx, const char *project_id,
            const char *resource, struct fault *f)
{
    struct quota_look_row row;
    int64_t most = -1;

    if (str_empty(project_id))
        return 0;
    if (db_tx_lock(tx, arena_printf(tx->db->arena, "quota:%s", project_id), f) < 0 ||
        quota_look(tx->db, project_id, resource, &row, f) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (str_equal(kinds[i].name, resource))
            most = configured(service, &kinds[i]);
    }
    if (!row.most_null)
        most = row.most;
    if (most >= 0 && row.used >= most)
        return fault_raise_code(f, FAULT_QUOTA, "OverQuota",
                                "Quota exceeded for resources: ['%s'].", resource);
    return 0;
}

/* The project's own values over the configured ones. */
static void
write_limits(struct call *call, struct jsonw *w, const char *project_id,
             const struct quota_rows_row *rows, size_t count)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        int64_t most = configured(network_of(call), &kinds[i]);

        for (size_t j = 0; j < count; j++) {
            if (str_equal(rows[j].project_id, project_id) &&
                str_equal(rows[j].resource, kinds[i].name))
                most = rows[j].most;
        }
        jsonw_int(w, kinds[i].name, most);
    }
}

static int
reply(struct call *call, const char *project_id, struct fault *f)
{
    struct quota_rows_row *rows;
    struct jsonw *w;
    size_t count;

    if (quota_rows(call->db, project_id, &rows, &count, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_object(w, "quota");
    write_limits(call, w, project_id, rows, count);
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

int
quotas_list(struct call *call, struct fault *f)
{
    struct quota_rows_row *rows;
    const char *before = NULL;
    struct jsonw *w;
    size_t count;

    if (quota_rows(call->db, NULL, &rows, &count, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_array(w, "quotas");
    for (size_t i = 0; i < count; i++) {
        if (str_equal(rows[i].project_id, before))
            continue;
        before = rows[i].project_id;
        jsonw_object(w, NULL);
        write_limits(call, w, before, rows, count);
        jsonw_text(w, "project_id", before);
        jsonw_text(w, "tenant_id", before);
        jsonw_end(w);
    }
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

int
quotas_show(struct call *call, struct fault *f)
{
    return reply(call, call_param(call, "project_id"), f);
}

int
quotas_update(struct call *call, const struct quota_values *in, struct fault *f)
{
    const char *project_id = call_param(call, "project_id");
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };

    if (db_tx_begin(&tx, call->db, f) < 0 ||
        db_tx_lock(&tx, arena_printf(call->arena, "quota:%s", project_id), f) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        const int64_t *value = (const int64_t *)(const void *)((const char *)in + kinds[i].value);
        struct quota_look_row row;

        if (!field_given(&in->set, kinds[i].field))
            continue;
        if (in->check_limit && *value >= 0) {
            if (quota_look(tx.db, project_id, kinds[i].name, &row, f) < 0)
                return -1;
            if (row.used > *value)
                return fault_raise_code(
                    f, FAULT_INVALID, "InvalidQuotaValue",
                    "Change would make usage less than 0 for the following resources: ['%s'].",
                    kinds[i].name);
        }
        if (quota_set(tx.db, project_id, kinds[i].name, (int32_t)*value, f) < 0)
            return -1;
    }
    if (db_tx_commit(&tx, f) < 0)
        return -1;
    return reply(call, project_id, f);
}

int
quotas_delete(struct call *call, struct fault *f)
{
    int touched = quota_forget(call->db, call_param(call, "project_id"), f);

    if (touched < 0)
        return -1;
    if (touched == 0)
        return fault_raise_code(f, FAULT_NOT_FOUND, "TenantQuotaNotFound",
                                "Quota for tenant %.100s could not be found.",
                                call_param(call, "project_id"));
    return 0;
}

int
quotas_default(struct call *call, struct fault *f)
{
    struct jsonw *w = call_json(call);

    (void)f;
    jsonw_object(w, NULL);
    jsonw_object(w, "quota");
    write_limits(call, w, "", NULL, 0);
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

int
quotas_details(struct call *call, struct fault *f)
{
    const char *project_id = call_param(call, "project_id");
    struct jsonw *w = call_json(call);

    jsonw_object(w, NULL);
    jsonw_object(w, "quota");
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        struct quota_look_row row;

        if (quota_look(call->db, project_id, kinds[i].name, &row, f) < 0)
            return -1;
        jsonw_object(w, kinds[i].name);
        jsonw_int(w, "limit", row.most_null ? configured(network_of(call), &kinds[i]) : row.most);
        jsonw_int(w, "used", row.used);
        jsonw_int(w, "reserved", 0);
        jsonw_end(w);
    }
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}
