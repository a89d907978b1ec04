/* Delegation by OAuth 1.0a (OS-OAUTH1): a consumer asks for a request token, a user authorizes it for a project and some of his roles,
 * the consumer gets an access token for it, and with that logs in as him (login_oauth1.c). */
#pragma once

#include "auth/oauth1.h"
#include "service.h"

/* Is this request signed by the consumer and with the secret of a token ("" where there is none), for the first time? 0, or
 * FAULT_UNAUTHORIZED 'refusal'. */
int oauth_check_signed(struct call *call, struct db *db, const struct oauth1 *o,
                       const char *token_secret, const char *refusal, struct fault *f);
