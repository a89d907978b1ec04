/* What broken uploads leave: rows that say 'saving' though nobody saves, files that no row names. Looked for when the
 * daemon starts and every reap_interval; also what another daemon on the same store left. */
#pragma once

#include "service.h"

/* One round, in this thread. */
int reaper_run(struct image_service *service, struct fault *f);

int reaper_start(struct reaper **ret, struct image_service *service, struct fault *f);
void reaper_stop(struct reaper *r); /* Waits for a round that is running. NULL does nothing. */
