/* Regular expressions of mapping rules: PCRE2 with a bound on steps, so that no value makes one run away. */
#pragma once

#include <stdbool.h>

#include "base/fault.h"

enum { PATTERN_MAX = 1024 /* Bytes. */ };

struct pattern;

/* FAULT_INVALID with what is wrong with it. */
int pattern_compile(struct pattern **ret, const char *text, struct fault *f);
void pattern_free(struct pattern *p);
void pattern_freep(struct pattern **p); /* For _cleanup_(). */

/* 1: it is found somewhere in 'value'; 0: it is not. Negative: it took too many steps to tell. */
int pattern_find(const struct pattern *p, const char *value, struct fault *f);
