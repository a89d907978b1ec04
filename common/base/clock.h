/* Time. All of Virga reads it here, so that tests can move it.
 *
 * Wall time is microseconds since 1970 UTC in int64_t ('..._us'); time for waiting is milliseconds of a
 * clock that never steps ('..._ms'). */
#pragma once

#include <stdint.h>

#include "arena.h"

int64_t clock_now_us(void);
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);

/* For tests: fixes the wall clock ('0' frees it again) and shifts the steady one. */
void clock_set_us(int64_t now_us);
void clock_shift_ms(int64_t by_ms);

/* How services write times (RFC 3339 and its neighbours). */
enum clock_style {
    CLOCK_Z,       /* 2026-11-22T09:07:22Z (compute, network, image) */
    CLOCK_MICRO_Z, /* 2026-11-22T09:07:22.000000Z (identity) */
    CLOCK_MICRO,   /* 2026-11-22T09:07:22.000000 (block storage, some of compute) */
    CLOCK_HTTP,    /* Sun, 22 Nov 2026 09:07:22 GMT (RFC 9110) */
};
char *clock_format(struct arena *a, int64_t time_us, enum clock_style style);

/* Any RFC 3339 form, 'T' or a space between, with or without fraction and zone (none: UTC), as OpenStack's
 * clients write them; also PostgreSQL's timestamptz text. 0, or -EINVAL. */
int clock_parse(const char *text, int64_t *ret_us);
