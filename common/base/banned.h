/* Functions that have a safer neighbour here: using one does not compile. Included by -include on every file. */
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* Before the first system header, in every file. */
#endif

#include <ctype.h> /* Before the poison: system headers may name what is banned. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Macros in glibc; the second with clang. */
#undef alloca
#undef sprintf
#pragma GCC poison strcpy strcat sprintf vsprintf gets popen localtime gmtime asctime ctime strtok \
    tmpnam mktemp atoi atol atoll srand alloca

/* OpenSSL's headers have parameters of this name, so only the call is banned. */
#define rand(...) rand_is_banned_use_random_h
