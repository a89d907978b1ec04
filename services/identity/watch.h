/* What other identity daemons change, heard from the database: the catalogue, application credentials, revocations, keys.
 *
 * Triggers tell of each change when it commits (migrations/identity, channel virga_identity); that takes about a millisecond. A
 * daemon that cannot listen knows it within WATCH_POLL_MS * 5/2, and then answers nothing from memory that it would have to
 * hear about: so that is the bound on how old the catalogue in a token's body may be. */
#pragma once

#include "service.h"

enum { WATCH_POLL_MS = 2000 };

struct watch;

int watch_open(struct watch **ret, struct identity *identity, struct fault *f);
void watch_close(struct watch *w);

/* May what is in memory be used without asking the database? */
bool watch_is_current(const struct watch *w);
