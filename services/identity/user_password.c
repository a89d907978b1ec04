/* POST /v3/users/{user_id}/password: by whoever knows the old one. No token is needed, since an expired password gives none. */
#include "user_password.h"

#include "base/clock.h"
#include "base/str.h"
#include "compliance.h"
#include "login.h"
#include "passwords.h"
#include "revocations.h"

int
user_keep_old_password(struct call *call, struct db *db, const char *user_id, const char *hash,
                       struct fault *f)
{
    int64_t count = identity_of(call)->config->unique_last_password_count;

    if (count == 0)
        return 0;
    if (hash != NULL && old_password_add(db, user_id, hash, f) < 0)
        return -1;
    return old_passwords_forget(db, user_id, count - 1, f) < 0 ? -1 : 0;
}

/* Not one of the last: the present one, whose hash 'row' has, and those before. */
static int
check_history(struct call *call, const struct account_login_row *row, const char *password,
              struct fault *f)
{
    const struct identity *identity = identity_of(call);
    int64_t most = identity->config->unique_last_password_count;
    struct old_passwords_row *old;
    bool known;
    size_t count;

    if (most == 0)
        return 0;
    if (old_passwords(call->db, row->id, most - 1, &old, &count, f) < 0)
        return -1;
    known = password_verify(identity->hasher, password, row->password_hash);
    for (size_t i = 0; !known && i < count; i++)
        known = password_verify(identity->hasher, password, old[i].password_hash);
    if (!known)
        return 0;
    return fault_raise_field(f, "password",
                             "The new password cannot be identical to a previous password. The "
                             "total number which includes the new password must be unique is %lld.",
                             (long long)most);
}

static int
check_change(struct call *call, const struct account_login_row *row, const char *password,
             struct fault *f)
{
    const struct identity *identity = identity_of(call);
    struct user_options options = user_options_read(row->options);

    if (strlen(password) > (size_t)identity->config->max_password_length)
        return fault_raise_field(f, "password", "The password is longer than %lld bytes.",
                                 (long long)identity->config->max_password_length);
    if (compliance_check_password(identity->compliance, password, f) < 0)
        return -1;
    if (options.lock_password)
        return fault_raise_field(f, "password",
                                 "You cannot change your password at this time due to password "
                                 "policy disallowing password changes. Please contact your "
                                 "administrator to reset your password.");
    return check_history(call, row, password, f);
}

/* With the row locked: two who change at once were both right about the old one, but only one can be. */
static int
store(struct call *call, const struct account_login_row *row, const char *hash, struct fault *f)
{
    const struct compliance *compliance = identity_of(call)->compliance;
    struct user_options options = user_options_read(row->options);
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    int64_t now_us = clock_now_us(),
            expires_us = compliance_expiry(compliance, &options, now_us, false);
    struct account_password_row now;
    int found;

    if (db_tx_begin(&tx, call->db, f) < 0)
        return -1;
    found = account_password(tx.db, row->id, &now, f);
    if (found < 0)
        return -1;
    if (found == 0 || !str_equal(now.password_hash, row->password_hash))
        return login_refused(call, "the password has been changed meanwhile", f);
    if (compliance_check_age(compliance, now.self_service ? now.password_changed_at : 0, now_us,
                             f) < 0 ||
        user_keep_old_password(call, tx.db, row->id, now.password_hash, f) < 0 ||
        account_set_password(tx.db, row->id, hash, now_us, expires_us == 0 ? NULL : &expires_us,
                             f) < 0 ||
        revoke_user(call, &tx, row->id, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

int
user_change_password(struct call *call, const struct password_change *in, struct fault *f)
{
    struct account_login_row row = { 0 };
    bool expired; /* Then all the more. */
    int64_t begun_us;
    char *hash;
    int found;

    if (call_take_time(call) < 0)
        return -1;
    begun_us = clock_mono_us();
    found = login_load_user(call, call_param(call, "user_id"), &row, f);
    if (found < 0 ||
        login_prove_password(call, found == 0 ? NULL : &row, in->original_password, begun_us,
                             &expired, f) < 0 ||
        check_change(call, &row, in->password, f) < 0 ||
        password_hash(identity_of(call)->hasher, call->arena, in->password, &hash, f) < 0)
        return -1;
    return store(call, &row, hash, f);
}
