/* Application credentials: a name and a secret by which a program acts for a user in one project, with no more than the roles he left
 * it. What they are worth is decided when they are used (login_app_cred.c): never more than the user has then.
 *
 * The secret is shown once. What is stored of one that we made is a plain digest: 64 random bytes cannot be guessed, and a program
 * logs in often. A secret that a person chose is hashed like a password. */
#include "app_cred.h"

#include <openssl/evp.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
#include "base/str.h"
#include "base/uuid.h"
#include "delegation.h"
#include "passwords.h"
#include "revocations.h"

#define DIGEST "sha256:"
#define RULES_MAX 2400 /* Bytes of text; they travel in each token. */

/* --- The secret */

static const char *
digest(struct arena *a, const char *secret)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    if (EVP_Digest(secret, strlen(secret), bytes, &size, EVP_sha256(), NULL) != 1)
        abort();
    return arena_printf(a, DIGEST "%s", str_base64url(a, bytes, size));
}

/* A wrong secret costs a password's time whatever is stored, so that time does not tell what there is. */
bool
app_cred_verify(struct call *call, const char *secret, const char *stored)
{
    struct password_hasher *hasher = identity_of(call)->hasher;

    if (str_starts(stored == NULL ? "" : stored, DIGEST)) {
        if (str_equal_secret(digest(call->arena, secret), stored))
            return true;
        stored = NULL;
    }
    return call_take_time(call) == 0 && password_verify(hasher, secret, stored);
}

static int
take_secret(struct call *call, struct application_credential *row, struct fault *f)
{
    unsigned char bytes[64];
    char *hash;

    if (str_empty(row->secret)) {
        random_bytes(bytes, sizeof(bytes));
        row->secret = str_base64url(call->arena, bytes, sizeof(bytes));
        row->secret_hash = digest(call->arena, row->secret);
    } else {
        if (call_take_time(call) < 0 ||
            password_hash(identity_of(call)->hasher, call->arena, row->secret, &hash, f) < 0)
            return -1;
        row->secret_hash = hash;
    }
    field_mark(&row->set, APPLICATION_CREDENTIAL_F_SECRET);
    field_mark(&row->set, APPLICATION_CREDENTIAL_F_SECRET_HASH);
    return 0;
}

/* --- What it is worth */

static bool
has(const char *const *list, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(list[i], text))
            return true;
    }
    return false;
}

/* The roles that it gets: those that were asked for, or the token's. Nothing that its user has not now; and with a token that is
 * itself by an application credential, nothing that that one has not. */
static int
read_roles(struct call *call, struct db *db, const struct application_credential *row,
           struct texts *ret, struct fault *f)
{
    const struct auth_context *who = &call->auth;
    struct texts groups = login_groups(who),
                 roles = { .items = (const char **)(uintptr_t)who->role_ids,
                           .count = who->roles_count };
    struct effective_roles_row *held;
    size_t count;
    bool found;

    if (json_array_size(row->roles) > 0 &&
        delegation_read_roles(call, db, row->roles, "roles", &roles, f) < 0)
        return -1;
    if (effective_roles(db, who->user_id, "project", who->project_id, who->project_domain_id,
                        &groups, &held, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < roles.count; i++) {
        if (delegation_is(who) && !has(who->role_ids, who->roles_count, roles.items[i]))
            return fault_raise_field(f, "roles",
                                     "Invalid application credential: Cannot create an application "
                                     "credential with unassigned role");
        found = false;
        for (size_t j = 0; j < count; j++)
            found = found || str_equal(held[j].id, roles.items[i]);
        if (!found)
            return fault_raise_field(
                f, "roles",
                "Invalid application credential: Could not find role assignment with role: %.64s, "
                "user or group: %.64s, project, domain, or system: %.64s.",
                roles.items[i], who->user_id, who->project_id);
    }
    *ret = roles;
    return 0;
}

static int
store_roles(struct call *call, struct db *db, const struct application_credential *row,
            struct fault *f)
{
    struct texts roles = { 0 };

    if (read_roles(call, db, row, &roles, f) < 0)
        return -1;
    for (size_t i = 0; i < roles.count; i++) {
        if (app_cred_role_add(db, row->id, roles.items[i], f) < 0)
            return -1;
    }
    return 0;
}

/* A token that may make certain requests only makes no credential that may make others. */
static int
check_own_rule(const struct auth_context *who, const struct access_rule_of_row *rule,
               struct fault *f)
{
    for (size_t i = 0; i + 2 < who->access_rules_count; i += 3) {
        if (str_equal(who->access_rules[i], rule->service) &&
            str_equal(who->access_rules[i + 1], rule->method) &&
            str_equal(who->access_rules[i + 2], rule->path))
            return 0;
    }
    if (who->access_rules_count == 0)
        return 0;
    return fault_raise(f, FAULT_FORBIDDEN,
                       "You are not authorized to perform the requested action: the access rules "
                       "must be among those of the application credential in use.");
}

/* One of his own by its id, or the one that says the same, or a new one. */
static int
ensure_rule(struct call *call, struct db *db, const struct access_rule_in *in, const char *user_id,
            const char **ret, size_t *size, struct fault *f)
{
    struct access_rule_of_row own = { in->service, in->path, in->method };
    struct access_rule_ensure_row row;
    int found = in->id == NULL ? 0 : access_rule_of(db, in->id, user_id, &own, f);

    if (found < 0)
        return -1;
    if (found == 0 && (in->service == NULL || in->path == NULL || in->method == NULL))
        return fault_raise_field(f, "access_rules",
                                 "Invalid application credential: an access rule needs service, "
                                 "method and path, or the id of one of yours.");
    if (check_own_rule(&call->auth, &own, f) < 0)
        return -1;
    *size += strlen(own.service) + strlen(own.path) + strlen(own.method) + 9;
    *ret = in->id;
    if (found == 1)
        return 0;
    if (access_rule_ensure(db, uuid_make_hex(call->arena), user_id, in->service, in->path,
                           in->method, &row, f) < 0)
        return -1;
    *ret = row.id;
    return 0;
}

static int
store_rules(struct call *call, struct db *db, const struct application_credential *row,
            struct fault *f)
{
    size_t size = 0;

    if (json_array_size(row->access_rules) == 0)
        return check_own_rule(&call->auth, &(struct access_rule_of_row){ "", "", "" }, f);
    for (size_t i = 0; i < json_array_size(row->access_rules); i++) {
        struct access_rule_in in = { 0 };
        const char *id = NULL;

        if (schema_parse(&access_rule_in_schema, json_array_get(row->access_rules, i),
                         SCHEMA_CREATE, 0, "access_rules", call->arena, &in, f) < 0 ||
            ensure_rule(call, db, &in, row->user_id, &id, &size, f) < 0)
            return -1;
        if (size > RULES_MAX)
            return fault_raise_field(f, "access_rules",
                                     "Invalid application credential: the access rules are longer "
                                     "than %d bytes together.",
                                     RULES_MAX);
        if (app_cred_rule_add(db, row->id, id, (int32_t)i, f) < 0)
            return -1;
    }
    return 0;
}

/* --- Hooks */

/* Whose it is says the path, so that the rule is asked about him. */
static int
target(struct call *call, struct db *db, struct application_credential *row, struct fault *f)
{
    (void)db;
    (void)f;
    if (call->operation->verb != VERB_CREATE)
        return 0;
    row->user_id = call_param(call, "user_id");
    field_mark(&row->set, APPLICATION_CREDENTIAL_F_USER_ID);
    return 0;
}

static int
check_limit(struct call *call, struct db_tx *tx, const char *user_id, struct fault *f)
{
    int64_t limit = identity_of(call)->config->app_cred_user_limit;
    struct app_cred_count_row row;

    if (limit < 0)
        return 0;
    if (db_tx_lock(tx, arena_printf(call->arena, "app_cred:%s", user_id), f) < 0 ||
        app_cred_count(tx->db, user_id, &row, f) < 0)
        return -1;
    if (row.count >= limit)
        return fault_raise(f, FAULT_FORBIDDEN,
                           "Unable to create additional application credentials, maximum of %lld "
                           "already exceeded for user.",
                           (long long)limit);
    return 0;
}

static int
prepare_create(struct call *call, struct db_tx *tx, struct application_credential *row,
               struct fault *f)
{
    if (delegation_check_app_creds(call, true, f) < 0)
        return -1;
    if (!str_equal(row->user_id, call->auth.user_id))
        return fault_raise(f, FAULT_FORBIDDEN,
                           "You are not authorized to perform the requested action: Cannot create "
                           "an application credential for another user.");
    if (call->auth.scope != SCOPE_PROJECT)
        return fault_raise(f, FAULT_FORBIDDEN,
                           "You are not authorized to perform the requested action: "
                           "identity:create_application_credential.");
    row->project_id = call->auth.project_id;
    field_mark(&row->set, APPLICATION_CREDENTIAL_F_PROJECT_ID);
    if (row->expires_at != NULL) {
        if (delegation_read_expiry(row->expires_at, &row->expires, f) < 0)
            return -1;
        field_mark(&row->set, APPLICATION_CREDENTIAL_F_EXPIRES);
    }
    return check_limit(call, tx, row->user_id, f) < 0 ? -1 : take_secret(call, row, f);
}

static int
after_create(struct call *call, struct db_tx *tx, struct application_credential *row,
             struct fault *f)
{
    return store_roles(call, tx->db, row, f) < 0 ? -1 : store_rules(call, tx->db, row, f);
}

static int
check_delete(struct call *call, struct db_tx *tx, const struct application_credential *row,
             struct fault *f)
{
    struct revocation r = { .app_cred_id = row->id };

    if (delegation_check_app_creds(call, true, f) < 0)
        return -1;
    return revoke_tokens(call, tx, &r, f);
}

static int
plan_list(struct call *call, struct list_plan *plan, struct fault *f)
{
    list_plan_where(plan, "user_id", OP_EQ, call_param(call, "user_id"));
    return delegation_check_app_creds(call, false, f);
}

/* --- What is shown */

static struct application_credential *
row_of(struct application_credential *const *rows, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(rows[i]->id, id))
            return rows[i];
    }
    return NULL;
}

static int
load_roles(struct call *call, struct db *db, const struct texts *ids,
           struct application_credential *const *rows, size_t count, struct fault *f)
{
    struct app_cred_roles_row *roles;
    size_t roles_count;

    if (app_cred_roles(db, ids, &roles, &roles_count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        rows[i]->roles = json_own(call->arena, json_array());
        field_mark(&rows[i]->set, APPLICATION_CREDENTIAL_F_ROLES);
    }
    for (size_t i = 0; i < roles_count; i++) {
        struct application_credential *row =
            row_of(rows, count, roles[i].application_credential_id);

        json_array_append_new(row->roles,
                              json_pack("{s:s,s:s,s:s?,s:s?,s:O}", "id", roles[i].id, "name",
                                        roles[i].name, "domain_id", roles[i].domain_id,
                                        "description", roles[i].description, "options",
                                        roles[i].options));
    }
    return 0;
}

static int
load_rules(struct call *call, struct db *db, const struct texts *ids,
           struct application_credential *const *rows, size_t count, struct fault *f)
{
    struct app_cred_rules_row *rules;
    size_t rules_count;

    if (app_cred_rules(db, ids, &rules, &rules_count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        rows[i]->access_rules = NULL;
        field_mark_null(&rows[i]->set, APPLICATION_CREDENTIAL_F_ACCESS_RULES);
    }
    for (size_t i = 0; i < rules_count; i++) {
        struct application_credential *row =
            row_of(rows, count, rules[i].application_credential_id);

        if (row->access_rules == NULL)
            row->access_rules = json_own(call->arena, json_array());
        field_mark(&row->set, APPLICATION_CREDENTIAL_F_ACCESS_RULES);
        json_array_append_new(row->access_rules,
                              json_pack("{s:s,s:s,s:s,s:s}", "id", rules[i].id, "service",
                                        rules[i].service, "path", rules[i].path, "method",
                                        rules[i].method));
    }
    return 0;
}

static int
load(struct call *call, struct db *db, struct application_credential *const *rows, size_t count,
     struct fault *f)
{
    const char **ids = ARENA_ARRAY(call->arena, const char *, count);
    struct texts list = { .items = ids, .count = count };

    if (delegation_check_app_creds(call, false, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct application_credential *row = rows[i];

        ids[i] = row->id;
        row->expires_at = NULL;
        if (field_given(&row->set, APPLICATION_CREDENTIAL_F_EXPIRES) &&
            !field_null(&row->set, APPLICATION_CREDENTIAL_F_EXPIRES)) {
            row->expires_at = clock_format(call->arena, row->expires, CLOCK_MICRO);
            field_mark(&row->set, APPLICATION_CREDENTIAL_F_EXPIRES_AT);
        }
    }
    return load_roles(call, db, &list, rows, count, f) < 0
               ? -1
               : load_rules(call, db, &list, rows, count, f);
}

const struct application_credential_hooks application_credential_hooks = {
    .target = target,
    .prepare_create = prepare_create,
    .after_create = after_create,
    .check_delete = check_delete,
    .plan_list = plan_list,
    .load = load,
};
