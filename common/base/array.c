#include "array.h"

#include "memory.h"

void *
array_grow(struct arena *a, void *items, size_t count, size_t *capacity, size_t item_size)
{
    if (items == NULL || count >= *capacity) {
        size_t larger = *capacity < 4 ? 8 : memory_product(*capacity, 2);
        void *moved = arena_calloc(a, larger, item_size);

        if (count > 0)
            memcpy(moved, items, count * item_size);
        *capacity = larger;
        items = moved;
    }
    /* The place may have held an item that was taken off the end. */
    memset((char *)items + count * item_size, 0, item_size);
    return items;
}
