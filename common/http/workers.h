/* Threads that run handlers, fed by a queue. Private.
 *
 * A server has two such pools: one of fixed size for requests that are complete, and one that
 * grows when needed for those whose body the handler reads as it comes, so that slow uploads
 * never keep other requests waiting. */
#pragma once

#include <stdbool.h>

#include "exchange.h"

struct workers;

/* At most 'max' threads, 'now' of them at once; their handlers' indexes start at 'first_index'. */
int workers_new(struct workers **ret, struct http_server *s, const char *name, unsigned first_index,
                unsigned now, unsigned max, struct fault *f);
/* False when the pool has been stopped: the exchange is still the caller's. */
bool workers_push(struct workers *w, struct exchange *x);
/* Lets handlers end, refuses what is queued, joins the threads. */
void workers_stop(struct workers *w);
void workers_free(struct workers *w);
void workers_count(struct workers *w, unsigned *ret_queued, unsigned *ret_busy,
                   unsigned *ret_threads);
