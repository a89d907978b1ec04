/* Heap memory that is there or the process ends: the floor under arenas, buffers and maps.
 *
 * Sizes that a client controls are checked before they come here; then having no memory is a crash like
 * any other, which sagas and the outbox make safe. */
#pragma once

#include <stddef.h>

#include "compiler.h"

/* Never NULL. Free with free(). */
void *memory_alloc(size_t size);
void *memory_calloc(size_t count,
                    size_t size); /* Zeroed; a product that overflows ends the process. */
void *memory_realloc(void *data, size_t size);
char *memory_strdup(const char *text);

/* count * size, or the end of the process. */
size_t memory_product(size_t count, size_t size);

/* Says what was wanted on standard error and aborts. */
_noreturn_ void memory_exhausted(size_t size);
