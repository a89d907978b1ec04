/* Application credentials, for those who log in with them. */
#pragma once

#include "login.h"

/* Is this the secret of which 'stored' is kept (NULL: there is none)? A no takes the same time for all. */
bool app_cred_verify(struct call *call, const char *secret, const char *stored);
