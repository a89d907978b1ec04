/* When to let a guest go on that was paused by an I/O error of a volume.
 *
 * A volume's server that comes back answers again at once, but nobody tells the guest's QEMU; the first try may meet a
 * connection that is only being made. So: tries at growing intervals, for as long as the guest is paused for that reason.
 * A value that takes the time; does no I/O and is not thread-safe. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/uuid.h"

struct io_resume;

struct io_resume *io_resume_new(void);
void io_resume_free(struct io_resume *r);

/* The guest was paused by an I/O error. Soon after a try (10 s) it is that try's failure: the next is later still. */
void io_resume_paused(struct io_resume *r, const char *guest_id, int64_t now_ms);
/* It runs, or is off: nothing to try. What was learnt is kept for a while. */
void io_resume_settled(struct io_resume *r, const char *guest_id, int64_t now_ms);
/* A guest that is to be resumed now: true and its id. Its next turn is set. */
bool io_resume_due(struct io_resume *r, int64_t now_ms, char ret_guest_id[UUID_TEXT]);
/* Milliseconds until a guest is due; -1: none waits. */
int64_t io_resume_wait_ms(const struct io_resume *r, int64_t now_ms);
