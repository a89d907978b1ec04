/* Method "password": a name, or an id, and what only the user knows. */
#include "base/clock.h"
#include "base/log.h"
#include "compliance.h"
#include "directory.h"
#include "passwords.h"

/* The password was right, so we have it once more: to store it as passwords are stored today. */
static void
renew_hash(struct call *call, const struct account_login_row *row, const char *password)
{
    struct password_hasher *hasher = identity_of(call)->hasher;
    struct fault f = { 0 };
    char *hash;

    if (!password_outdated(hasher, row->password_hash))
        return;
    if (password_hash(hasher, call->arena, password, &hash, &f) < 0 ||
        account_renew_hash(call->db, row->id, row->password_hash, hash, &f) < 0)
        log_warn("password.not_renewed user=%s cause=\"%s\"", row->id, f.cause);
}

int
login_prove_password(struct call *call, const struct account_login_row *row, const char *password,
                     int64_t begun_us, bool *ret_expired, struct fault *f)
{
    const struct identity *identity = identity_of(call);
    struct user_options options = user_options_read(row == NULL ? NULL : row->options);
    bool right =
        password_verify(identity->hasher, password, row == NULL ? NULL : row->password_hash);

    if (login_judge(call, row, right, "wrong password", identity->password_pace, begun_us, f) < 0)
        return -1;
    renew_hash(call, row, password);
    *ret_expired =
        compliance_expired(&options, row->password_expires_at_null ? 0 : row->password_expires_at,
                           clock_now_us());
    return 0;
}

int
login_password(struct call *call, const struct auth_identity *in, struct login *l, struct fault *f)
{
    const struct user_ref *user = in->password == NULL ? NULL : in->password->user;
    struct account_login_row row = { 0 };
    bool expired = false, right = false;
    struct refusal_pace *pace = identity_of(call)->password_pace;
    int64_t begun_us;
    int found, elsewhere;

    if (user == NULL || user->password == NULL)
        return fault_raise_field(f, "password", "Expecting to find password in user.");
    if (strlen(user->password) > (size_t)identity_of(call)->config->max_password_length)
        return fault_raise_field(f, "password", "The password is too long.");
    if (call_take_time(call) < 0 || login_begin(call, l, f) < 0)
        return -1;
    begun_us = clock_mono_us();
    elsewhere = directory_login(call, user, &row, &right, f);
    found = elsewhere != 0 ? elsewhere : login_find_user(call, user, &row, f);
    if (found < 0)
        return -1;
    if (elsewhere == 1
            ? login_judge(call, right ? &row : NULL, right, "wrong password", pace, begun_us, f) < 0
            : login_prove_password(call, found == 0 ? NULL : &row, user->password, begun_us,
                                   &expired, f) < 0)
        return -1;
    /* Only who knows the password learns this, and the id that changing it needs. */
    if (expired) {
        login_refused(call, "password expired", f);
        fault_clear(f);
        return fault_raise(f, FAULT_UNAUTHORIZED,
                           "The password is expired and needs to be changed for user: %s.", row.id);
    }
    return login_take_user(call, &row, l, f);
}
