/* What became of each object in one application of the wanted state, and when a failed one is tried
 * again.
 *
 * Failures have a memory (struct retry): the first repetition comes after a second, then each after
 * twice the time, a minute at most. Until then the object is reported failed with the reason it
 * had, and nothing is tried. It takes 'now' and does no I/O. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "wanted.h"

struct retry;
struct retry *retry_new(void);
void retry_free(struct retry *r);
/* Everything may be tried again at once: the wanted state has changed. */
void retry_release(struct retry *r);
/* When the next object is due, or -1. */
int64_t retry_next_ms(const struct retry *r);
size_t retry_count(const struct retry *r); /* Objects that fail at present. */

struct outcome {
    struct arena *arena;
    struct retry *retry; /* May be NULL: all is tried always. */
    int64_t now_ms;
    const char **up, **down; /* Ids of ports. */
    size_t up_count, up_capacity, down_count, down_capacity;
    struct wanted_failure *failures;
    size_t failures_count, failures_capacity;
};

void outcome_init(struct outcome *o, struct arena *a, struct retry *retry, int64_t now_ms);
/* May the object be tried? If not, its old failure has been noted again. */
bool outcome_due(struct outcome *o, const char *kind, const char *id);
void outcome_fail(struct outcome *o, const char *kind, const char *id, const struct fault *f);
/* It works: the memory of failures is gone. */
void outcome_done(struct outcome *o, const char *kind, const char *id);
void outcome_up(struct outcome *o, const char *port_id);
void outcome_down(struct outcome *o, const char *port_id);
/* Forgets objects that were not tried in this application: they are wanted no more. Call at its
 * end. */
void outcome_finish(struct outcome *o);
bool outcome_failed(const struct outcome *o, const char *kind, const char *id);
