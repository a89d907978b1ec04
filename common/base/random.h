/* Randomness from the kernel (getrandom). Threads may share it; a forked child repeats nothing. */
#pragma once

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *ret, size_t size);
uint64_t random_uint64(void);
uint64_t random_below(uint64_t limit); /* Uniform in [0, limit). */
/* For tests: a repeatable sequence from here on; 0 returns to the kernel's. */
void random_seed(uint64_t seed);
