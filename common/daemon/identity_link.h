/* How a daemon that is not identity learns identity's public keys and revocations: by REST, and
 * by event while there is a broker. What common/auth needs of the rest of the framework. */
#pragma once

#include "daemon.h"

struct identity_link;

/* Opens d->authenticator, which fetches through the link. */
int identity_link_open(struct identity_link **ret, struct daemon *d, struct fault *f);
void identity_link_close(struct identity_link *l); /* After the authenticator. */

/* Revocations by event, and a poll after each reconnect; for identity's own processes too. Needs
 * d->rpc and d->authenticator, which must outlive it. */
int identity_link_subscribe(struct daemon *d, struct fault *f);
