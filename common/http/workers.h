/* Threads that run handlers, fed by a queue. Private.
 *
 * A server has three such pools: one of fixed size for requests that are complete, and two that
 * grow when needed: one for those whose body the handler reads as it comes, so that slow uploads
 * never keep other requests waiting, and one for those whose handler says that they take long. */
#pragma once

#include <stdbool.h>

#include "exchange.h"

struct workers;

/* At most 'max' threads, 'now' of them at once; their handlers' indexes start at 'first_index'. */
int workers_new(struct workers **ret, struct http_server *s, const char *name, unsigned first_index,
                unsigned now, unsigned max, struct fault *f);
/* So many may be queued at most; 0, as at first: any number. */
void workers_limit(struct workers *w, unsigned max_queued);
enum workers_answer { WORKERS_TAKEN, WORKERS_FULL, WORKERS_STOPPED };
/* Unless it is taken, the exchange is still the caller's. */
enum workers_answer workers_push(struct workers *w, struct exchange *x);
/* Lets handlers end, refuses what is queued, joins the threads. */
void workers_stop(struct workers *w);
void workers_free(struct workers *w);
void workers_count(struct workers *w, unsigned *ret_queued, unsigned *ret_busy,
                   unsigned *ret_threads);
