/* When a login is refused: at the same time after it began, whatever was found on the way.
 *
 * A user who is there costs other statements, rows and hashes than one who is not. Each is made to cost the same as far as that goes, but some
 * microseconds are left, and thousands of answers show them. So a refusal waits until what refusals usually take, and some more, is over. That
 * time follows the machine slowly and in steps, so nobody sees in it what a single one took. Thread-safe. */
#pragma once

#include <stdint.h>

struct refusal_pace;

struct refusal_pace *refusal_pace_new(void);
void refusal_pace_free(struct refusal_pace *p);

/* Waits in a refusal that began at 'begun_us' of clock_mono_us(). */
void refusal_pace_wait(struct refusal_pace *p, int64_t begun_us);

/* What it decides by: one that has taken 'took_us' is answered so many us after it began, or at once if that is over. */
struct refusal_times {
    int64_t usual_us, target_us; /* 0: none was seen. */
};
int64_t refusal_pace_target(struct refusal_times *t, int64_t took_us);
