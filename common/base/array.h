/* Arrays that grow inside an arena: three plain variables (items, count, capacity) and one macro. */
#pragma once

#include "arena.h"

/* Room for one more item: returns the array, moved to a larger place when 'count' has reached '*capacity'. */
void *array_grow(struct arena *a, void *items, size_t count, size_t *capacity, size_t item_size);

/* Appends a zeroed item and evaluates to its address:
 *   struct row *row = ARRAY_PUSH(arena, rows, rows_count, rows_capacity); */
#define ARRAY_PUSH(a, items, count, capacity)                                                      \
    ((items) = array_grow((a), (items), (count), &(capacity), sizeof(*(items))),                   \
     &(items)[(count)++])
