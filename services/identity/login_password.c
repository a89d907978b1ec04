/* Method "password": a name, or an id, and what only the user knows. */
#include "base/clock.h"
#include "base/str.h"
#include "directory.h"
#include "passwords.h"

int
login_password(struct call *call, const struct auth_identity *in, struct login *l, struct fault *f)
{
    const struct user_ref *user = in->password == NULL ? NULL : in->password->user;
    struct account_login_row row = { 0 };
    bool right, alive;
    int found, elsewhere;

    if (user == NULL || user->password == NULL)
        return fault_raise_field(f, "password", "Expecting to find password in user.");
    if (strlen(user->password) > (size_t)identity_of(call)->config->password_max_length)
        return fault_raise_field(f, "password", "The password is too long.");
    elsewhere = directory_login(call, user, &row, &right, f);
    found = elsewhere != 0 ? elsewhere : login_find_user(call, user, &row, f);
    if (found < 0)
        return -1;
    if (elsewhere == 0)
        right = password_verify(identity_of(call)->hasher, user->password,
                                found == 1 ? row.password_hash : NULL);
    alive = found == 1 && login_account_enabled(&row) &&
            (row.password_expires_at_null || row.password_expires_at > clock_now_us());
    if (!right || !alive)
        return login_refused(call,
                             found == 0 ? "no such user"
                             : !right   ? "wrong password"
                                        : "user disabled or password expired",
                             f);
    l->default_project_id = row.default_project_id;
    return login_take_user(call, &row, l, f);
}
