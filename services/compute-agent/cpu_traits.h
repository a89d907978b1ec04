/* Traits of this host, in placement's names. */
#pragma once

#include <stddef.h>

#include "base/arena.h"

/* Of the CPU's flags as /proc/cpuinfo has them ("sse4_2 avx2 ..."); NULL: none. */
size_t cpu_traits(struct arena *a, const char *flags, const char ***ret);
/* The first "flags" line of /proc/cpuinfo, in the arena; NULL: there is none. */
char *cpu_flags_read(struct arena *a);
