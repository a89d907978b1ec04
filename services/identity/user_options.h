/* "options" of a user: what excepts him from a rule of the cloud, and which methods he must log in with. Stored and shown as
 * the JSON object that they are on the wire; a null in a request takes an option away. */
#pragma once

#include "base/fault.h"
#include "base/json.h"

struct user_options {
    bool ignore_change_password_upon_first_use;
    bool ignore_password_expiry;
    bool ignore_lockout_failure_attempts;
    bool ignore_user_inactivity;
    bool lock_password;             /* Only an administrator may change the password. */
    bool multi_factor_auth_enabled; /* Absent: true. */
    const json_t *
        multi_factor_auth_rules; /* [["password", "totp"], ...]: all methods of one list; or NULL. */
};

#define USER_RULES_MAX 32   /* Lists in multi_factor_auth_rules, */
#define USER_METHODS_MAX 16 /* methods in one, */
#define USER_METHOD_MAX 64  /* and characters of one. */

/* Options of a request: known ones only, of their types. FAULT_INVALID that names the option. */
int user_options_check(const json_t *options, struct fault *f);
/* 'given' over 'old' (may be NULL). */
json_t *user_options_merge(struct arena *a, const json_t *old, const json_t *given);
/* NULL: none are set. Borrows. */
struct user_options user_options_read(const json_t *options);

/* Do these methods do for the user? 'known' says of a method whether this cloud has it: one that it hasn't is not asked for. */
bool user_rules_satisfied(const struct user_options *o, const char *const *methods,
                          size_t methods_count, bool (*known)(const char *method));
/* The rules that 'methods' begin to satisfy, without what this cloud doesn't know: for the client, who may go on. */
json_t *user_rules_begun(struct arena *a, const struct user_options *o, const char *const *methods,
                         size_t methods_count, bool (*known)(const char *method));
