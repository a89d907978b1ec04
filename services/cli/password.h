/* Passwords that stand neither in argv nor on the screen. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/fault.h"

/* Asks on the terminal, without echo, twice if 'again'; reads one line of standard input when that is no terminal. */
int password_ask(struct arena *a, const char *prompt, bool again, const char **ret,
                 struct fault *f);
