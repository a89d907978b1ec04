/* Credentials: secrets that a user leaves with identity for other ways of logging in (EC2 and S3 keys, TOTP), or for a program of
 * his. Storing them is the engine's work, hiding them credential_secret.c's; here is whose they are, and what an "ec2" one says. */
#include "credentials.h"

#include <openssl/evp.h>

#include "base/json.h"
#include "base/str.h"
#include "credential_secret.h"
#include "delegation.h"

/* What in the blob of an "ec2" credential narrows the tokens that it gives; they are what they were when it was made. */
static const char *const marks[] = { "trust_id", "app_cred_id", "access_token_id", "access_id" };

int
credential_check_primary(struct call *call, struct fault *f)
{
    if (!delegation_is(&call->auth))
        return 0;
    return fault_raise(f, FAULT_FORBIDDEN,
                       "You are not authorized to perform the requested action: Delegated tokens "
                       "cannot access credentials directly.");
}

const char *
credential_ec2_id(struct arena *a, const char *access)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    if (EVP_Digest(access, strlen(access), digest, &size, EVP_sha256(), NULL) != 1)
        abort();
    return str_hex(a, digest, size);
}

bool
credential_is_ec2(const char *type)
{
    return str_equal_nocase(type, "ec2");
}

static int
missing(const char *field, const char *what, struct fault *f)
{
    return fault_raise_field(f, field,
                             "Expecting to find %s in credential. The server could not comply with "
                             "the request since it is either malformed or otherwise incorrect. The "
                             "client is assumed to be in error.",
                             what);
}

static int
no_project(struct fault *f)
{
    return fault_raise_field(f, "project_id", "'project_id' is a required property");
}

int
credential_read_ec2(struct arena *a, const char *blob, json_t **ret, struct fault *f)
{
    struct fault why = { 0 };

    if (json_read(a, blob, strlen(blob), ret, &why) < 0)
        return fault_raise_field(f, "blob", "Invalid blob in credential");
    if (json_object_size(*ret) == 0)
        return missing("blob", "blob", f);
    if (str_empty(json_get_text(*ret, "access")))
        return missing("blob", "access", f);
    return 0;
}

int
credential_check_limit(struct call *call, struct db_tx *tx, const char *user_id, struct fault *f)
{
    int64_t most = identity_of(call)->config->credential_user_limit;
    struct credential_count_row row;

    if (most < 0)
        return 0;
    if (db_tx_lock(tx, arena_printf(call->arena, "credentials of %s", user_id), f) < 0 ||
        credential_count(tx->db, user_id, &row, f) < 0)
        return -1;
    if (row.count < most)
        return 0;
    return fault_raise(f, FAULT_FORBIDDEN,
                       "Unable to create additional credentials, maximum of %lld already exceeded "
                       "for user.",
                       (long long)most);
}

static int
target(struct call *call, struct db *db, struct credential *row, struct fault *f)
{
    (void)db;
    (void)row;
    return credential_check_primary(call, f);
}

static int
prepare_create(struct call *call, struct db_tx *tx, struct credential *row, struct fault *f)
{
    struct user user = { 0 };
    json_t *blob;

    if (resource_load(tx->db, &user_resource, row->user_id, NULL, false, &user, f) < 0)
        return -1;
    if (credential_is_ec2(row->type)) {
        if (str_empty(row->project_id))
            return no_project(f);
        if (credential_read_ec2(call->arena, row->blob, &blob, f) < 0)
            return -1;
        row->id = credential_ec2_id(call->arena, json_get_text(blob, "access"));
    }
    if (credential_check_limit(call, tx, row->user_id, f) < 0)
        return -1;
    return credential_hide(call, row, f);
}

/* With what stands in the table: the blob that 'old' has. */
static int
old_blob(struct call *call, const struct credential *old, const char **ret, struct fault *f)
{
    const struct credential_row row = { .id = old->id,
                                        .user_id = old->user_id,
                                        .type = old->type,
                                        .blob = old->open_blob,
                                        .sealed = old->sealed,
                                        .sealed_by = old->sealed_by };

    return credential_blob(call, &row, ret, f);
}

/* Neither the marks nor, where there is one, whose they are and the project they belong to. */
static int
check_marks(struct call *call, const struct credential *old, const struct credential *row,
            struct fault *f)
{
    bool project_changed = field_given(&row->set, CREDENTIAL_F_PROJECT_ID) &&
                           !str_equal(row->project_id, old->project_id);
    bool user_changed = !str_equal(row->user_id, old->user_id);
    const char *text;
    json_t *was, *will;

    if (old_blob(call, old, &text, f) < 0 || credential_read_ec2(call->arena, text, &was, f) < 0)
        return -1;
    will = was;
    if (field_given(&row->set, CREDENTIAL_F_BLOB) &&
        credential_read_ec2(call->arena, row->blob, &will, f) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
        const json_t *mark = json_object_get(was, marks[i]);
        bool marked = mark != NULL && !json_is_null(mark);

        if (!json_equal(mark == NULL ? json_null() : mark, json_object_get(will, marks[i]) == NULL
                                                               ? json_null()
                                                               : json_object_get(will, marks[i])))
            return fault_raise_field(f, "blob", "%s can not be updated for credential", marks[i]);
        if (marked && (project_changed || user_changed))
            return fault_raise_field(f, project_changed ? "project_id" : "user_id",
                                     "%s can not be updated for credential",
                                     project_changed ? "project_id" : "user_id");
    }
    return field_given(&row->set, CREDENTIAL_F_PROJECT_ID) && str_empty(row->project_id)
               ? no_project(f)
               : 0;
}

/* Given to another user: by who might change it if it were his already. */
static int
check_new_user(struct call *call, struct db_tx *tx, const struct credential *row, struct fault *f)
{
    struct user user = { 0 };

    if (call_enforce(call, call->operation->policy, &credential_resource, row, f) < 0 ||
        resource_load(tx->db, &user_resource, row->user_id, NULL, false, &user, f) < 0)
        return -1;
    return credential_check_limit(call, tx, row->user_id, f);
}

/* What was of EC2 stays so, or its marks could be changed meanwhile. What becomes so is shown as the others are and lets nobody in: its id does
 * not come of its access key. */
static int
check_type(struct call *call, const struct credential *old, const struct credential *row,
           struct fault *f)
{
    const char *project =
        field_given(&row->set, CREDENTIAL_F_PROJECT_ID) ? row->project_id : old->project_id;
    json_t *blob;

    if (credential_is_ec2(old->type) && !credential_is_ec2(row->type))
        return fault_raise_field(f, "type", "'type' cannot be changed.");
    if (!credential_is_ec2(row->type))
        return 0;
    if (credential_is_ec2(old->type))
        return check_marks(call, old, row, f);
    return str_empty(project) ? no_project(f)
                              : credential_read_ec2(call->arena, row->blob, &blob, f);
}

static int
prepare_update(struct call *call, struct db_tx *tx, const struct credential *old,
               struct credential *row, struct fault *f)
{
    if (!field_given(&row->set, CREDENTIAL_F_BLOB) && old_blob(call, old, &row->blob, f) < 0)
        return -1;
    if (!field_given(&row->set, CREDENTIAL_F_TYPE))
        row->type = old->type;
    if (!field_given(&row->set, CREDENTIAL_F_USER_ID))
        row->user_id = old->user_id;
    if (!str_equal(row->user_id, old->user_id) && check_new_user(call, tx, row, f) < 0)
        return -1;
    if (check_type(call, old, row, f) < 0)
        return -1;
    if (!field_given(&row->set, CREDENTIAL_F_BLOB) && str_equal(row->type, old->type) &&
        str_equal(row->user_id, old->user_id))
        return 0;
    return credential_hide(call, row, f); /* Bound to type and user, so sealed anew. */
}

static int
load(struct call *call, struct db *db, struct credential *const *rows, size_t count,
     struct fault *f)
{
    (void)db;
    if (credential_check_primary(call, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (old_blob(call, rows[i], &rows[i]->blob, f) < 0)
            return -1;
        field_mark(&rows[i]->set, CREDENTIAL_F_BLOB);
    }
    return 0;
}

static int
plan_list(struct call *call, struct list_plan *plan, struct fault *f)
{
    (void)f;
    if (delegation_is(&call->auth))
        list_plan_where_sql(plan, "false", NULL, 0);
    if (!call_allowed(call, "admin_required", NULL, NULL) &&
        !call_allowed(call, "system_reader", NULL, NULL))
        list_plan_where(plan, "user_id", OP_EQ, call->auth.user_id);
    return 0;
}

const struct credential_hooks credential_hooks = {
    .target = target,
    .prepare_create = prepare_create,
    .prepare_update = prepare_update,
    .load = load,
    .plan_list = plan_list,
};
