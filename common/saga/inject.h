/* Failure injection, in every build, off unless a test turns it on: points in the saga runner (before and after each
 * act and undo) where a test can fail the step, run it twice, or kill the process. See tests/lib/saga_harness.h. */
#pragma once

#include <stdbool.h>

#include "../base/fault.h"

enum inject_point { INJECT_BEFORE_ACT, INJECT_AFTER_ACT, INJECT_BEFORE_UNDO, INJECT_AFTER_UNDO };
enum inject_effect {
    INJECT_NOTHING,
    INJECT_FAIL,
    INJECT_FAIL_TRANSIENT,
    INJECT_REPEAT,
    INJECT_KILL
};

/* Arms one point: the 'nth' time (from 1) that 'saga'.'step' reaches it. NULL 'step': any. */
void inject_arm(const char *saga, const char *step, enum inject_point point,
                enum inject_effect effect, int nth);
void inject_clear(void);

/* Also armed by the environment when the daemon starts: VIRGA_INJECT="saga/step/before-act/kill/1". */
void inject_from_environment(void);

enum inject_effect inject_check(const char *saga, const char *step, enum inject_point point);
