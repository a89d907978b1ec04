/* Auth receipts: a user whose rules ask for several methods shows one, gets a receipt for it, and comes back with the receipt and the
 * others. A receipt is signed like a token and is none; it lives minutes, for one user, and ends with his tokens. */
#pragma once

#include "login.h"

/* Adds to 'l' the methods of the receipt that the request carries, if it does. FAULT_UNAUTHORIZED: it is not good, or another's. */
int receipt_take(struct call *call, struct login *l, struct fault *f);

/* Answers with a receipt for what 'l' has shown, and with the rules that it begins to satisfy: 401. */
int receipt_reply(struct call *call, const struct login *l, const struct user_options *o,
                  struct fault *f);
