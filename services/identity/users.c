/* Users: what of them is more than a row. Passwords are hashed and never leave (user_password.c has the user's own way of
 * changing his); options are checked and merged; a change of what a user may do ends his tokens. */
#include <ctype.h>

#include "base/clock.h"
#include "base/str.h"
#include "compliance.h"
#include "directory.h"
#include "federation_users.h"
#include "owner.h"
#include "passwords.h"
#include "revocations.h"
#include "user_password.h"

static int
check_password(struct call *call, const char *password, struct fault *f)
{
    const struct identity *identity = identity_of(call);

    if (password == NULL)
        return str_empty(identity->config->password_regex)
                   ? 0
                   : fault_raise_field(
                         f, "password",
                         "Password validation error: Password must be a string type.");
    if (strlen(password) > (size_t)identity->config->max_password_length)
        return fault_raise_field(f, "password", "The password is longer than %lld bytes.",
                                 (long long)identity->config->max_password_length);
    return compliance_check_password(identity->compliance, password, f);
}

/* The password that an administrator gives; 'options' are the user's as they will be. */
static int
take_password(struct call *call, struct user *row, const json_t *options, struct fault *f)
{
    const struct identity *identity = identity_of(call);
    struct user_options o = user_options_read(options);
    int64_t now_us = clock_now_us(), expires_us;
    char *hash;

    if (!field_given(&row->set, USER_F_PASSWORD))
        return 0;
    if (check_password(call, row->password, f) < 0)
        return -1;
    field_mark_null(&row->set, USER_F_PASSWORD_HASH);
    if (row->password != NULL) {
        if (call_take_time(call) < 0 ||
            password_hash(identity->hasher, call->arena, row->password, &hash, f) < 0)
            return -1;
        row->password_hash = hash;
        field_mark(&row->set, USER_F_PASSWORD_HASH);
    }
    row->password_changed_at = now_us;
    field_mark(&row->set, USER_F_PASSWORD_CHANGED_AT);
    row->password_self_service = false;
    field_mark(&row->set, USER_F_PASSWORD_SELF_SERVICE);
    field_mark_null(&row->set, USER_F_PASSWORD_EXPIRY);
    expires_us = compliance_expiry(identity->compliance, &o, now_us, true);
    if (expires_us != 0) {
        row->password_expiry = expires_us;
        field_mark(&row->set, USER_F_PASSWORD_EXPIRY);
    }
    return 0;
}

static void
trim_name(struct call *call, struct user *row)
{
    size_t size;

    if (!field_given(&row->set, USER_F_NAME))
        return;
    while (isspace((unsigned char)row->name[0]))
        row->name++;
    size = strlen(row->name);
    while (size > 0 && isspace((unsigned char)row->name[size - 1]))
        size--;
    row->name = arena_strndup(call->arena, row->name, size);
}

static int
check_default_project(struct db *db, const struct user *row, struct fault *f)
{
    struct domain domain = { 0 };

    if (!field_given(&row->set, USER_F_DEFAULT_PROJECT_ID) || row->default_project_id == NULL)
        return 0;
    if (resource_load(db, &domain_resource, row->default_project_id, NULL, false, &domain, f) == 0)
        return fault_raise_field(f, "default_project_id",
                                 "User's default project ID cannot be a domain ID: %s",
                                 row->default_project_id);
    if (f->kind != FAULT_NOT_FOUND)
        return -1;
    fault_clear(f); /* A project that is none yet, or no more, is nobody's harm. */
    return 0;
}

/* What create and update check alike. */
static int
check_members(struct call *call, struct db *db, struct user *row, struct fault *f)
{
    trim_name(call, row);
    if (field_given(&row->set, USER_F_OPTIONS) && user_options_check(row->options, f) < 0)
        return -1;
    return check_default_project(db, row, f);
}

static int
prepare_create(struct call *call, struct db_tx *tx, struct user *row, struct fault *f)
{
    if (owner_domain(call, tx, &row->set, USER_F_DOMAIN_ID, &row->domain_id, f) < 0 ||
        directory_check_domain(tx->db, row->domain_id, f) < 0 ||
        check_members(call, tx->db, row, f) < 0)
        return -1;
    row->options = user_options_merge(call->arena, NULL, row->options);
    return take_password(call, row, row->options, f);
}

static int
after_create(struct call *call, struct db_tx *tx, struct user *row, struct fault *f)
{
    (void)call;
    return federated_users_store(tx->db, row, f);
}

/* An administrator who enables a user means it: neither failed logins nor a long absence count any more. */
static void
enable(struct user *row)
{
    row->last_active_at = clock_now_us();
    field_mark(&row->set, USER_F_LAST_ACTIVE_AT);
    row->failed_logins = 0;
    field_mark(&row->set, USER_F_FAILED_LOGINS);
    field_mark_null(&row->set, USER_F_FAILED_LOGIN_AT);
}

static int
prepare_update(struct call *call, struct db_tx *tx, const struct user *old, struct user *row,
               struct fault *f)
{
    bool disabled = field_given(&row->set, USER_F_ENABLED) && old->enabled && !row->enabled;
    const json_t *options = old->options;

    if (json_object_size(json_object_get(call->body, "user")) == 0)
        return fault_raise_field(f, "user", "{} does not have enough properties");
    if (directory_check_writable(old->directory_id, f) < 0 ||
        check_members(call, tx->db, row, f) < 0)
        return -1;
    if (disabled && app_creds_forget(tx->db, old->id, NULL, f) < 0)
        return -1;
    if (field_given(&row->set, USER_F_OPTIONS))
        options = row->options = user_options_merge(call->arena, old->options, row->options);
    if (take_password(call, row, options, f) < 0 || federated_users_store(tx->db, row, f) < 0)
        return -1;
    if (field_given(&row->set, USER_F_ENABLED) && row->enabled)
        enable(row);
    if (field_given(&row->set, USER_F_PASSWORD) &&
        user_keep_old_password(call, tx->db, old->id, old->password_hash, f) < 0)
        return -1;
    if (disabled || row->federated_count > 0 ||
        (field_given(&row->set, USER_F_PASSWORD) && row->password != NULL))
        return revoke_user(call, tx, old->id, f);
    return 0;
}

static int
check_delete(struct call *call, struct db_tx *tx, const struct user *row, struct fault *f)
{
    /* One that is gone from his directory, and so disabled, may go here too. */
    if ((row->enabled && directory_check_writable(row->directory_id, f) < 0) ||
        grants_forget_actor(tx->db, "user", row->id, f) < 0)
        return -1;
    return revoke_user(call, tx, row->id, f);
}

/* --- Shown */

static int
load(struct call *call, struct db *db, struct user *const *rows, size_t count, struct fault *f)
{
    const struct compliance *compliance = identity_of(call)->compliance;

    if (federated_users_load(call, db, rows, count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct user *row = rows[i];
        struct user_options options = user_options_read(row->options);
        int64_t active_us =
            field_null(&row->set, USER_F_LAST_ACTIVE_AT) ? row->made_at : row->last_active_at;

        if (!field_null(&row->set, USER_F_PASSWORD_EXPIRY)) {
            row->password_expires_at = clock_format(call->arena, row->password_expiry, CLOCK_MICRO);
            field_mark(&row->set, USER_F_PASSWORD_EXPIRES_AT);
        }
        if (compliance_inactive(compliance, &options, active_us, clock_now_us()))
            row->enabled = false;
    }
    return 0;
}

static int
plan_list(struct call *call, struct list_plan *plan, struct fault *f)
{
    (void)f;
    directory_read_new(call, call_query(call, "domain_id"));
    owner_narrow(call, plan);
    federated_users_narrow(call, plan);
    return 0;
}

const struct user_hooks user_hooks = {
    .prepare_create = prepare_create,
    .after_create = after_create,
    .prepare_update = prepare_update,
    .check_delete = check_delete,
    .load = load,
    .plan_list = plan_list,
};
