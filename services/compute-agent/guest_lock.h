/* One call at a time for each guest, and word for the one at work that somebody waits to destroy it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"

struct guest_locks;

struct guest_locks *guest_locks_new(void);
void guest_locks_free(struct guest_locks *l); /* Nobody may hold or wait. */

/* { 0 } holds nothing. */
struct guest_hold {
    struct guest_locks *locks;
    struct guest_lock *lock;
};

/* Waits until nobody else has the guest, or until 'deadline_mono_ms': FAULT_UNAVAILABLE. 'ret' is filled in place. */
int guest_lock_claim(struct guest_locks *l, const char *guest_id, int64_t deadline_mono_ms,
                     struct guest_hold *ret, struct fault *f);
void guest_lock_release(struct guest_hold *hold); /* For _cleanup_; twice does nothing. */

/* As guest_lock_claim(), after telling who has it now. */
int guest_lock_claim_for_end(struct guest_locks *l, const char *guest_id, int64_t deadline_mono_ms,
                             struct guest_hold *ret, struct fault *f);
/* Does somebody wait to end this guest? NULL: no. */
bool guest_hold_unwanted(const struct guest_hold *hold);
