/* Users: passwords are hashed before the transaction's insert and never leave; a change of what a user may do ends his tokens. */
#include "base/clock.h"
#include "base/str.h"
#include "directory.h"
#include "owner.h"
#include "passwords.h"
#include "revocations.h"

static int
take_password(struct call *call, struct user *row, struct fault *f)
{
    struct identity *identity = identity_of(call);
    char *hash;

    if (!field_given(&row->set, USER_F_PASSWORD))
        return 0;
    if (row->password == NULL) {
        field_mark_null(&row->set, USER_F_PASSWORD_HASH);
        return 0;
    }
    if (strlen(row->password) > (size_t)identity->config->password_max_length)
        return fault_raise_field(f, "password", "The password is longer than %lld bytes.",
                                 (long long)identity->config->password_max_length);
    if (password_hash(identity->hasher, call->arena, row->password, &hash, f) < 0)
        return -1;
    row->password_hash = hash;
    field_mark(&row->set, USER_F_PASSWORD_HASH);
    row->password_changed_at = clock_now_us();
    field_mark(&row->set, USER_F_PASSWORD_CHANGED_AT);
    return 0;
}

static int
prepare_create(struct call *call, struct db_tx *tx, struct user *row, struct fault *f)
{
    if (owner_domain(call, tx, &row->set, USER_F_DOMAIN_ID, &row->domain_id, f) < 0 ||
        directory_check_domain(tx->db, row->domain_id, f) < 0)
        return -1;
    return take_password(call, row, f);
}

static int
prepare_update(struct call *call, struct db_tx *tx, const struct user *old, struct user *row,
               struct fault *f)
{
    bool disabled = field_given(&row->set, USER_F_ENABLED) && old->enabled && !row->enabled;

    if (directory_check_writable(old->directory_id, f) < 0 || take_password(call, row, f) < 0)
        return -1;
    if (disabled && app_creds_forget(tx->db, old->id, NULL, f) < 0)
        return -1;
    if (disabled || field_given(&row->set, USER_F_PASSWORD))
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

static int
plan_list(struct call *call, struct list_plan *plan, struct fault *f)
{
    (void)f;
    directory_read_new(call, call_query(call, "domain_id"));
    owner_narrow(call, plan);
    return 0;
}

const struct user_hooks user_hooks = {
    .prepare_create = prepare_create,
    .prepare_update = prepare_update,
    .check_delete = check_delete,
    .plan_list = plan_list,
};

/* POST /v3/users/{user_id}/password: by whoever knows the old one; no token is needed, since it may have expired. */
int
user_change_password(struct call *call, const struct password_change *in, struct fault *f)
{
    struct identity *identity = identity_of(call);
    const char *id = call_param(call, "user_id");
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct account_login_row row = { 0 };
    char *hash;
    int found = account_by_id(call->db, id, &row, f);

    if (found < 0)
        return -1;
    if (!password_verify(identity->hasher, in->original_password,
                         found == 1 ? row.password_hash : NULL) ||
        !row.enabled)
        return fault_raise(f, FAULT_UNAUTHORIZED,
                           "The request you have made requires authentication.");
    if (str_equal(in->password, in->original_password))
        return fault_raise_field(f, "password",
                                 "The new password cannot be identical to a previous one.");
    if (password_hash(identity->hasher, call->arena, in->password, &hash, f) < 0)
        return -1;
    if (db_tx_begin(&tx, call->db, f) < 0 || account_set_password(tx.db, id, hash, f) < 0 ||
        revoke_user(call, &tx, id, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}
