/* /v3/OS-TRUST/trusts: see trusts.h. */
#include "trusts.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "delegation.h"
#include "revocations.h"

#define FORBIDDEN "You are not authorized to perform the requested action: "
#define KEEP_US (INT64_C(86400) * 1000000) /* How long one that ended may still be seen in lists. */

int
trust_load_chain(struct call *call, struct db *db, const char *id, struct trust_link_row **ret,
                 size_t *ret_count, struct fault *f)
{
    (void)call;
    if (trust_chain(db, id, ret, ret_count, f) < 0)
        return -1;
    return trust_check_alive(id, *ret, *ret_count, clock_now_us(), f);
}

int
trusts_clear(struct identity *identity, struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };

    if (db_pool_get(identity->daemon->pool, a, &db, f) < 0)
        return -1;
    return trusts_purge(&db, clock_now_us() - KEEP_US, f) < 0 ? -1 : 0;
}

/* --- Making one */

/* The trustor has in the project, now, every role that he gives away. */
static int
check_roles(struct call *call, struct db *db, const struct trust *row, const struct texts *roles,
            struct fault *f)
{
    struct texts groups = login_groups(&call->auth);
    struct effective_roles_row *held = NULL;
    struct project project = { 0 };
    size_t count = 0;

    if (row->project_id != NULL &&
        (resource_load(db, &project_resource, row->project_id, NULL, false, &project, f) < 0 ||
         effective_roles(db, row->trustor_user_id, "project", project.id, project.domain_id,
                         &groups, &held, &count, f) < 0))
        return -1;
    for (size_t i = 0; i < roles->count; i++) {
        bool found = false;

        for (size_t j = 0; j < count; j++)
            found = found || str_equal(held[j].id, roles->items[i]);
        if (!found)
            return fault_raise(f, FAULT_NOT_FOUND, "Could not find role: %.64s.", roles->items[i]);
    }
    return 0;
}

/* How often it may be handed on: never, unless that was asked for. */
static int
take_count(struct call *call, struct trust *row, struct fault *f)
{
    int64_t max = identity_of(call)->config->max_redelegation_count;
    bool given = field_given(&row->set, TRUST_F_REDELEGATION_COUNT) &&
                 !field_null(&row->set, TRUST_F_REDELEGATION_COUNT);
    bool limited = field_given(&row->set, TRUST_F_REMAINING_USES) &&
                   !field_null(&row->set, TRUST_F_REMAINING_USES);

    if (!row->allow_redelegation || (given && row->redelegation_count == 0)) {
        row->redelegation_count = 0;
    } else if (given && row->redelegation_count > max) {
        return fault_raise(f, FAULT_FORBIDDEN,
                           FORBIDDEN
                           "Requested redelegation depth of %lld is greater than allowed %lld",
                           (long long)row->redelegation_count, (long long)max);
    } else if (limited) {
        return fault_raise_field(f, "remaining_uses",
                                 "remaining_uses must not be set if redelegation is allowed");
    } else if (!given) {
        row->redelegation_count = -1; /* As often as there is left. */
    }
    field_mark(&row->set, TRUST_F_REDELEGATION_COUNT);
    return 0;
}

/* Made with a trust's own token: it hangs below that one, and is worth no more. */
static int
hang_below(struct call *call, struct db *db, struct trust *row, const struct texts *roles,
           struct fault *f)
{
    int64_t max = identity_of(call)->config->max_redelegation_count;
    struct trust_wish wish = { .project_id = row->project_id,
                               .impersonation = row->impersonation,
                               .roles = roles->items,
                               .roles_count = roles->count,
                               .uses_limited = row->remaining_uses > 0 };
    struct trust_link_row *chain;
    size_t count;

    if (trust_load_chain(call, db, call->auth.trust_id, &chain, &count, f) < 0)
        return -1;
    if (!field_given(&row->set, TRUST_F_EXPIRES) && !chain[0].expires_at_null) {
        row->expires = chain[0].expires_at;
        field_mark(&row->set, TRUST_F_EXPIRES);
    }
    wish.expires_us = row->expires;
    if (row->redelegation_count > 0 && row->redelegation_count != chain[0].redelegation_count - 1)
        return fault_raise(f, FAULT_FORBIDDEN,
                           FORBIDDEN "Modifying \"redelegation_count\" upon redelegation is "
                                     "forbidden. Omitting this parameter is advised.");
    for (size_t i = 0; i < count; i++) {
        if (trust_check_redelegation(&chain[i], &wish, max, f) < 0)
            return -1;
    }
    if (row->redelegation_count < 0)
        row->redelegation_count = chain[0].redelegation_count - 1;
    row->redelegated_trust_id = chain[0].id;
    field_mark(&row->set, TRUST_F_REDELEGATED_TRUST_ID);
    return 0;
}

static int
prepare_create(struct call *call, struct db_tx *tx, struct trust *row, struct fault *f)
{
    struct user trustee = { 0 };
    struct texts roles;

    if (delegation_check_trusts(call, f) < 0)
        return -1;
    if (row->project_id != NULL && json_array_size(row->roles) == 0)
        return fault_raise(f, FAULT_FORBIDDEN, FORBIDDEN "At least one role should be specified.");
    if (!str_equal(row->trustor_user_id, call->auth.user_id))
        return fault_raise(f, FAULT_FORBIDDEN,
                           FORBIDDEN "The authenticated user should match the trustor.");
    if (resource_load(tx->db, &user_resource, row->trustee_user_id, NULL, false, &trustee, f) < 0 ||
        delegation_read_roles(call, tx->db, row->roles, "roles", &roles, f) < 0 ||
        check_roles(call, tx->db, row, &roles, f) < 0)
        return -1;
    if (row->expires_at != NULL) {
        if (delegation_read_expiry(row->expires_at, &row->expires, f) < 0)
            return -1;
        field_mark(&row->set, TRUST_F_EXPIRES);
    }
    if (take_count(call, row, f) < 0 ||
        (call->auth.trust_id != NULL && hang_below(call, tx->db, row, &roles, f) < 0))
        return -1;
    if (row->redelegation_count < 0)
        row->redelegation_count = identity_of(call)->config->max_redelegation_count;
    return trusts_purge(tx->db, clock_now_us() - KEEP_US, f) < 0 ? -1 : 0;
}

static int
after_create(struct call *call, struct db_tx *tx, struct trust *row, struct fault *f)
{
    struct texts roles;

    if (delegation_read_roles(call, tx->db, row->roles, "roles", &roles, f) < 0)
        return -1;
    for (size_t i = 0; i < roles.count; i++) {
        if (trust_role_add(tx->db, row->id, roles.items[i], f) < 0)
            return -1;
    }
    return 0;
}

/* --- Showing */

static json_t *
role_object(struct call *call, const struct trust_roles_row *r)
{
    return json_pack("{s:s,s:s,s:s?,s:s?,s:O,s:{s:s}}", "id", r->id, "name", r->name, "domain_id",
                     r->domain_id, "description", r->description, "options", r->options, "links",
                     "self", call_url(call, "/v3/roles/%s", r->id));
}

static json_t *
roles_links(struct call *call, const char *id)
{
    return json_own(call->arena, json_pack("{s:s,s:n,s:n}", "self",
                                           call_url(call, "/v3/OS-TRUST/trusts/%s/roles", id),
                                           "next", "previous"));
}

static int
load(struct call *call, struct db *db, struct trust *const *rows, size_t count, struct fault *f)
{
    const char **ids = ARENA_ARRAY(call->arena, const char *, count);
    struct texts list = { .items = ids, .count = count };
    struct trust_roles_row *roles;
    size_t roles_count;

    for (size_t i = 0; i < count; i++) {
        ids[i] = rows[i]->id;
        rows[i]->expires_at = NULL;
        if (field_given(&rows[i]->set, TRUST_F_EXPIRES) &&
            !field_null(&rows[i]->set, TRUST_F_EXPIRES)) {
            rows[i]->expires_at = clock_format(call->arena, rows[i]->expires, CLOCK_MICRO_Z);
            field_mark(&rows[i]->set, TRUST_F_EXPIRES_AT);
        }
        rows[i]->roles = json_own(call->arena, json_array());
        field_mark(&rows[i]->set, TRUST_F_ROLES);
        rows[i]->roles_links = roles_links(call, rows[i]->id);
        field_mark(&rows[i]->set, TRUST_F_ROLES_LINKS);
    }
    if (trust_roles(db, &list, &roles, &roles_count, f) < 0)
        return -1;
    for (size_t i = 0; i < roles_count; i++) {
        for (size_t j = 0; j < count; j++) {
            if (str_equal(rows[j]->id, roles[i].trust_id))
                json_array_append_new(rows[j]->roles, role_object(call, &roles[i]));
        }
    }
    return 0;
}

const struct trust_hooks trust_hooks = {
    .prepare_create = prepare_create,
    .after_create = after_create,
    .load = load,
};

/* The trust of the path, when it is alive and 'rule' lets the caller at it. */
static int
load_allowed(struct call *call, struct db *db, const char *rule, struct trust *ret, struct fault *f)
{
    const char *id = call_param(call, "trust_id");
    struct trust_link_row *chain;
    size_t count;

    if (trust_load_chain(call, db, id, &chain, &count, f) < 0 ||
        resource_load(db, &trust_resource, id, NULL, false, ret, f) < 0 ||
        call_enforce(call, rule, &trust_resource, ret, f) < 0)
        return -1;
    return delegation_check_trusts(call, f);
}

int
trust_show(struct call *call, struct fault *f)
{
    struct trust row = { 0 };

    if (load_allowed(call, call->db, "identity:get_trust", &row, f) < 0)
        return -1;
    return resource_reply(call, &trust_resource, &row, f);
}

/* Who may see which: all of them, a trustor's or a trustee's. */
int
trust_list(struct call *call, struct fault *f)
{
    const char *rule = "identity:list_trusts";
    struct trust asked = { .trustor_user_id = call_query(call, "trustor_user_id"),
                           .trustee_user_id = call_query(call, "trustee_user_id") };
    struct list_plan plan;

    if (asked.trustor_user_id != NULL) {
        rule = "identity:list_trusts_for_trustor";
        field_mark(&asked.set, TRUST_F_TRUSTOR_USER_ID);
    } else if (asked.trustee_user_id != NULL) {
        rule = "identity:list_trusts_for_trustee";
        field_mark(&asked.set, TRUST_F_TRUSTEE_USER_ID);
    }
    if (call_enforce(call, rule, &trust_resource, &asked, f) < 0 ||
        delegation_check_trusts(call, f) < 0 ||
        list_plan_make(call, &trust_resource, VIEW_SUMMARY, &plan, f) < 0)
        return -1;
    return list_plan_reply(call, &plan, f);
}

/* With all that were handed on from it. */
int
trust_delete(struct call *call, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct trust_descendants_row *ends;
    struct trust row = { 0 };
    size_t count;

    if (db_tx_begin(&tx, call->db, f) < 0 ||
        load_allowed(call, tx.db, "identity:delete_trust", &row, f) < 0 ||
        trust_descendants(tx.db, row.id, &ends, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct revocation r = { .trust_id = ends[i].id };

        if (revoke_tokens(call, &tx, &r, f) < 0)
            return -1;
    }
    if (trust_remove(tx.db, row.id, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

/* --- Its roles */

static int
load_roles(struct call *call, const char *rule, struct trust *row, struct fault *f)
{
    struct trust *const rows[] = { row };

    if (load_allowed(call, call->db, rule, row, f) < 0)
        return -1;
    return load(call, call->db, rows, 1, f);
}

int
trust_role_list(struct call *call, struct fault *f)
{
    struct trust row = { 0 };
    struct jsonw *w;

    if (load_roles(call, "identity:list_roles_for_trust", &row, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_json(w, "roles", row.roles);
    jsonw_json(w, "links", row.roles_links);
    jsonw_end(w);
    return 0;
}

int
trust_role_show(struct call *call, struct fault *f)
{
    const char *id = call_param(call, "role_id");
    struct trust row = { 0 };
    struct jsonw *w;

    if (load_roles(call, "identity:get_role_for_trust", &row, f) < 0)
        return -1;
    for (size_t i = 0; i < json_array_size(row.roles); i++) {
        const json_t *role = json_array_get(row.roles, i);

        if (!str_equal(json_string_value(json_object_get(role, "id")), id))
            continue;
        w = call_json(call);
        jsonw_object(w, NULL);
        jsonw_json(w, "role", role);
        jsonw_end(w);
        return 0;
    }
    return fault_raise(f, FAULT_NOT_FOUND, "Could not find role: %.64s.", id);
}
