/* One authentication request on its way: the methods that it names, each checked in a file of its own.
 *
 * A method is a row of the table in login.c and a function in login_<method>.c. All that is checked of one request ends up in
 * one 'struct login'; what for is scope.c's business. A refusal never says which part was wrong, and costs the same time. */
#pragma once

#include "refusal_pace.h"
#include "service.h"
#include "user_options.h"

struct login {
    int64_t issued_us;       /* When it began; what changes from then on ends its token too. */
    struct auth_context who; /* User, methods; after method "token" its chain and expiry too. */
    const char *default_project_id; /* What the user is scoped to who names no scope; or NULL. */
    const char *
        app_cred_project_id; /* What an application credential is for, whatever the request says. */
    const char *access_token_project_id; /* The same of an OAuth access token. */
    bool trust_limited;    /* The trust that it is scoped to may be used a number of times only. */
    int64_t ends_us;       /* When what he showed ends, and with it the token; 0: never. */
    const json_t *options; /* The user's: user_options.h */
    const char *totp_credential_id; /* Whose passcode of which step was shown; or NULL. */
    int64_t totp_step;
};

/* Checks one method. It fills the user of 'l' with login_take_user(), which refuses another user than an earlier method's. */
typedef int (*login_method_fn)(struct call *call, const struct auth_identity *in, struct login *l,
                               struct fault *f);

int login_password(struct call *call, const struct auth_identity *in, struct login *l,
                   struct fault *f);
int login_app_cred(struct call *call, const struct auth_identity *in, struct login *l,
                   struct fault *f);
int login_totp(struct call *call, const struct auth_identity *in, struct login *l, struct fault *f);
int login_token(struct call *call, const struct auth_identity *in, struct login *l,
                struct fault *f);

int login_oauth1(struct call *call, const struct auth_identity *in, struct login *l,
                 struct fault *f);
int login_mapped(struct call *call, const struct auth_identity *in, struct login *l,
                 struct fault *f);

/* It begins, unless it has: before anything is read of who it is. */
int login_begin(struct call *call, struct login *l, struct fault *f);

/* All methods that the request names, and those of the receipt that it carries. Returns 1 when these do not do for the user's rules: then
 * the request has been answered, with a receipt. */
int login(struct call *call, const struct auth_identity *in, struct login *ret, struct fault *f);

/* The one answer to every failed login; 'cause' is for the operator's log. */
int login_refused(struct call *call, const char *cause, struct fault *f);

/* The groups that the token itself names, for what asks which roles 'c' has; empty but for federated users. */
static inline struct texts
login_groups(const struct auth_context *c)
{
    return (struct texts){ .items = (const char **)(uintptr_t)c->group_ids,
                           .count = c->group_ids_count };
}

/* Adds it to the methods of 'c', unless it stands there. */
void login_add_method(struct call *call, struct auth_context *c, const char *name);
/* Has this cloud a method of that name? */
bool login_method_known(const char *name);

/* --- For methods. */

/* The account that "user": {...} of a method names: 1, 0 (there is none) or -1 (400: it names nobody). One that nobody has
 * used for too long is not enabled. */
int login_find_user(struct call *call, const struct user_ref *user, struct account_login_row *ret,
                    struct fault *f);
/* The same by id. */
int login_load_user(struct call *call, const char *id, struct account_login_row *ret,
                    struct fault *f);

/* May this account log in, apart from what it shows as proof: it and its domain are enabled. */
bool login_account_enabled(const struct account_login_row *row);

/* The request is this account's. */
int login_take_user(struct call *call, const struct account_login_row *row, struct login *l,
                    struct fault *f);

/* Whatever proves a user ends here: 'right' whether it did, 'row' whose it was (NULL: nobody's), 'cause' why not. Counts what
 * fails, where failures are counted, and refuses who is locked out. 0, or login_refused(), after a time that is the same for whomever it
 * refuses: 'pace' of what began at 'begun_us' (clock_mono_us()), before anything was looked up. */
int login_judge(struct call *call, const struct account_login_row *row, bool right,
                const char *cause, struct refusal_pace *pace, int64_t begun_us, struct fault *f);

/* The request is this application credential's of 'user', as if he had shown its secret. FAULT_UNAUTHORIZED: it is gone. */
int login_enter_app_cred(struct call *call, const char *id, const struct account_login_row *user,
                         struct login *l, struct fault *f);

/* The same of an OAuth access token that 'user' has authorized, as if its consumer had signed. */
int login_enter_access_token(struct call *call, const char *id,
                             const struct account_login_row *user, struct login *l,
                             struct fault *f);

/* Is this the account's password ('row' NULL: nobody's)? 0 also when it has expired, which '*ret_expired' says.
 * 'begun_us': as above. */
int login_prove_password(struct call *call, const struct account_login_row *row,
                         const char *password, int64_t begun_us, bool *ret_expired,
                         struct fault *f);
