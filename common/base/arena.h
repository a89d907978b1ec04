/* Arenas: memory that is allocated piece by piece and freed all at once.
 *
 * A request, a saga step and an RPC each have one; code that runs inside them allocates and forgets.
 * Allocation never fails (it ends the process when the system has no memory), so sizes that a client
 * controls are checked before. Not thread-safe: an arena belongs to one thread at a time. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include "compiler.h"

struct arena;

/* A new, empty arena. Free it with arena_free(). */
struct arena *arena_new(void);

/* Runs what was deferred, newest first, then frees everything. NULL does nothing. */
void arena_free(struct arena *a);

/* For _cleanup_(arena_freep). */
void arena_freep(struct arena **a);

/* As arena_free() and arena_new(), but keeps one block of at most 32 KiB for reuse. */
void arena_reset(struct arena *a);

/* 'size' zeroed bytes, aligned for any type. */
void *arena_alloc(struct arena *a, size_t size) _returns_nonnull_;

/* 'count' zeroed items of 'size' bytes; a product that overflows ends the process. */
void *arena_calloc(struct arena *a, size_t count, size_t size) _returns_nonnull_;

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, count) ((type *)arena_calloc((a), (count), sizeof(type)))

void *arena_memdup(struct arena *a, const void *data, size_t size) _returns_nonnull_;

/* Copies of text, always terminated. A NULL 'text' gives NULL. */
char *arena_strdup(struct arena *a, const char *text);
char *arena_strndup(struct arena *a, const char *text, size_t size);

char *arena_printf(struct arena *a, const char *format, ...) _printf_(2, 3) _returns_nonnull_;
char *arena_vprintf(struct arena *a, const char *format, va_list args)
    _printf_(2, 0) _returns_nonnull_;

/* Calls fn(object) when the arena is freed or reset. */
void arena_defer(struct arena *a, void (*fn)(void *object), void *object);

/* The object of the newest call that was deferred with 'fn'; NULL: none. */
void *arena_deferred(const struct arena *a, void (*fn)(void *object));

/* Bytes handed out since the arena was new or reset. */
size_t arena_used(const struct arena *a);
