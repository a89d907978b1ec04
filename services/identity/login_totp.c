/* Method "totp": a passcode of the secret in a credential of type "totp". Each is good once: a step that was used, or one before it,
 * is not taken again (login.c notes it when all methods of the request have been right). */
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "credential_secret.h"
#include "login.h"
#include "totp.h"

#define CREDENTIALS_MAX 16 /* That are tried. */

/* Does one of the user's secrets give this passcode now? 1, 0, or -1. */
static int
find_step(struct call *call, const char *user_id, const char *passcode, struct login *l,
          struct fault *f)
{
    int64_t windows = identity_of(call)->config->totp_included_previous_windows;
    struct credential_row *rows;
    unsigned char *secret;
    size_t count, size;
    int found = 0;

    if (credentials_of_user(call->db, user_id, "totp", &rows, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < MIN(count, (size_t)CREDENTIALS_MAX); i++) {
        const char *text;
        int64_t step;

        if (credential_blob(call, &rows[i], &text, f) < 0)
            return -1;
        if (!totp_read_secret(call->arena, text, &secret, &size))
            continue;
        step = totp_match(secret, size, passcode, clock_now_us(), windows);
        if (step < 0)
            continue;
        l->totp_credential_id = rows[i].id;
        l->totp_step = step;
        found = 1;
    }
    return found;
}

int
login_totp(struct call *call, const struct auth_identity *in, struct login *l, struct fault *f)
{
    const struct user_ref *user = in->totp == NULL ? NULL : in->totp->user;
    struct account_login_row row = { 0 };
    int64_t begun_us = clock_mono_us();
    int found, right;

    if (user == NULL || user->passcode == NULL)
        return fault_raise_field(f, "totp", "Expecting to find passcode in user.");
    found = login_find_user(call, user, &row, f);
    if (found < 0)
        return -1;
    right = find_step(call, found == 1 ? row.id : NULL, user->passcode, l, f);
    if (right < 0 || login_judge(call, found == 1 ? &row : NULL, right == 1, "wrong passcode",
                                 identity_of(call)->passcode_pace, begun_us, f) < 0)
        return -1;
    return login_take_user(call, &row, l, f);
}
