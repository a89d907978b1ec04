#include "memory.h"

#include <stdint.h>

void
memory_exhausted(size_t size)
{
    /* Not through the log: it may need memory. */
    fprintf(stderr, "out of memory: wanted=%zu\n", size);
    abort();
}

void *
memory_alloc(size_t size)
{
    void *data = malloc(size == 0 ? 1 : size);

    if (data == NULL)
        memory_exhausted(size);
    return data;
}

void *
memory_calloc(size_t count, size_t size)
{
    void *data = memory_alloc(memory_product(count, size));

    memset(data, 0, count * size);
    return data;
}

void *
memory_realloc(void *data, size_t size)
{
    void *moved = realloc(data, size == 0 ? 1 : size);

    if (moved == NULL)
        memory_exhausted(size);
    return moved;
}

char *
memory_strdup(const char *text)
{
    size_t size = strlen(text) + 1;

    return memcpy(memory_alloc(size), text, size);
}

size_t
memory_product(size_t count, size_t size)
{
    size_t product;

    if (__builtin_mul_overflow(count, size, &product))
        memory_exhausted(SIZE_MAX);
    return product;
}
