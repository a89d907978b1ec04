/* How many trees each rule refuses, in the order in which the rules were met. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct arena;

struct verdict_count {
    const char *rule;
    int64_t count;
};

struct verdict_counts {
    struct verdict_count *items;
    size_t count, capacity;
};

void verdict_counts_add(struct verdict_counts *c, struct arena *a, const char *rule, int64_t more);

/* The rule that refuses most; NULL: there is none. */
const char *verdict_counts_first(const struct verdict_counts *c);
