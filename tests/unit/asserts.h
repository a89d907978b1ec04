/* What every unit test includes: cmocka, and assertions about results and faults. */
#pragma once

/* cmocka wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/fault.h"

#define assert_ok(r)                                                                               \
    do {                                                                                           \
        int _result = (r);                                                                         \
        if (_result < 0)                                                                           \
            fail_msg("%s failed: %d", #r, _result);                                                \
    } while (0)

/* 'r' is a failure whose fault 'f' is of 'kind_' and says 'part' (NULL: anything) in its message. */
#define assert_fault(r, f, kind_, part)                                                            \
    do {                                                                                           \
        const char *_part = (part);                                                                \
        if ((r) >= 0)                                                                              \
            fail_msg("%s did not fail", #r);                                                       \
        if ((f).kind != (kind_))                                                                   \
            fail_msg("fault is %s: %s", fault_kind_name((f).kind), (f).message);                   \
        if (_part != NULL && strstr((f).message, _part) == NULL)                                   \
            fail_msg("'%s' does not say '%s'", (f).message, _part);                                \
    } while (0)
