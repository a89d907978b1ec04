/* What the cloud asks of passwords and logins: section [security_compliance], as decisions. No function here reads a
 * database or a clock, so that every case is one line of a test table. */
#pragma once

#include "service.h"
#include "user_options.h"

struct compliance;

/* Compiles the expression. FAULT_INVALID that says what is wrong with it. '*ret' points to 'config'. */
int compliance_new(const struct identity_config *config, struct compliance **ret, struct fault *f);
void compliance_free(struct compliance *c);

/* Does a new password match the expression? FAULT_INVALID in the words of the configuration. */
int compliance_check_password(const struct compliance *c, const char *password, struct fault *f);

/* When a password set now expires; 0: never. 'by_admin': a first use may have to change it, so it has expired already. */
int64_t compliance_expiry(const struct compliance *c, const struct user_options *o, int64_t now_us,
                          bool by_admin);
/* Has a password that expires then (0: never) expired for this user? */
bool compliance_expired(const struct user_options *o, int64_t expires_us, int64_t now_us);

/* May the user change the password he set himself at 'changed_us' (0: he did not)? */
int compliance_check_age(const struct compliance *c, int64_t changed_us, int64_t now_us,
                         struct fault *f);

/* Was the user last seen so long ago that he counts as disabled? */
bool compliance_inactive(const struct compliance *c, const struct user_options *o,
                         int64_t active_us, int64_t now_us);

/* Are failed logins of this user counted? Then those since 'compliance_lockout_since' lock him out. */
bool compliance_counts(const struct compliance *c, const struct user_options *o);
int64_t compliance_lockout_since(const struct compliance *c, int64_t now_us);
