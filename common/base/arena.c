/* An arena is a chain of blocks, newest first; allocation moves a mark in the newest one. What is larger
 * than a quarter of a block gets a block of its own behind the newest, so that the rest of the newest is
 * not lost. Under AddressSanitizer every piece is followed by a poisoned gap. */
#include "arena.h"

#include <stdint.h>

#include "memory.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif

#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define GAP 16
#define POISON(at, size) ASAN_POISON_MEMORY_REGION((at), (size))
#define UNPOISON(at, size) ASAN_UNPOISON_MEMORY_REGION((at), (size))
#else
#define GAP 0
#define POISON(at, size) ((void)(at), (void)(size))
#define UNPOISON(at, size) ((void)(at), (void)(size))
#endif

#define ALIGN 16
#define FIRST_BLOCK ((size_t)8 * 1024)
#define LARGEST_BLOCK ((size_t)256 * 1024)
#define LARGEST_KEPT ((size_t)32 * 1024) /* By a reset: most requests then need no second block. */

struct block {
    struct block *older;
    size_t size, used;
    _Alignas(ALIGN) char data[];
};

struct deferred {
    struct deferred *older;
    void (*fn)(void *object);
    void *object;
};

struct arena {
    struct block *newest;
    struct deferred *deferred;
    size_t handed_out;
};

static struct block *
block_new(size_t size)
{
    struct block *b;

    if (size > SIZE_MAX - sizeof(*b))
        memory_exhausted(size);
    b = memory_alloc(sizeof(*b) + size);
    b->older = NULL;
    b->size = size;
    b->used = 0;
    POISON(b->data, size);
    return b;
}

static void
block_free(struct block *b)
{
    UNPOISON(b->data, b->size);
    free(b);
}

struct arena *
arena_new(void)
{
    struct arena *a = memory_calloc(1, sizeof(*a));

    a->newest = block_new(FIRST_BLOCK);
    return a;
}

static void
run_deferred(struct arena *a)
{
    /* A deferred function may defer again. */
    while (a->deferred != NULL) {
        struct deferred *d = a->deferred;

        a->deferred = d->older;
        d->fn(d->object);
    }
}

void
arena_free(struct arena *a)
{
    if (a == NULL)
        return;
    run_deferred(a);
    while (a->newest != NULL) {
        struct block *b = a->newest;

        a->newest = b->older;
        block_free(b);
    }
    free(a);
}

void
arena_freep(struct arena **a)
{
    arena_free(*a);
}

void
arena_reset(struct arena *a)
{
    struct block *kept = NULL, *older;

    run_deferred(a);
    for (struct block *b = a->newest; b != NULL; b = older) {
        older = b->older;
        if (b->size <= LARGEST_KEPT && (kept == NULL || b->size > kept->size)) {
            if (kept != NULL)
                block_free(kept);
            kept = b;
        } else {
            block_free(b);
        }
    }
    a->newest = kept; /* The oldest is small enough, so there is one. */
    kept->older = NULL;
    kept->used = 0;
    POISON(kept->data, kept->size);
    a->handed_out = 0;
}

/* The block in which 'need' bytes are free. */
static struct block *
block_with(struct arena *a, size_t need)
{
    struct block *newest = a->newest;
    struct block *b;

    if (newest->size - newest->used >= need)
        return newest;
    if (need > newest->size / 4) {
        b = block_new(need);
        if (newest->older == NULL) {
            b->older = newest;
            a->newest = b;
        } else {
            b->older = newest->older;
            newest->older = b;
        }
        return b;
    }
    b = block_new(MIN(newest->size * 2, LARGEST_BLOCK));
    b->older = newest;
    a->newest = b;
    return b;
}

void *
arena_alloc(struct arena *a, size_t size)
{
    struct block *b;
    size_t need;
    void *piece;

    if (size > SIZE_MAX / 2)
        memory_exhausted(size);
    need = (size + GAP + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    b = block_with(a, need);
    piece = b->data + b->used;
    b->used += need;
    a->handed_out += size;
    UNPOISON(piece, size);
    return memset(piece, 0, size);
}

void *
arena_calloc(struct arena *a, size_t count, size_t size)
{
    return arena_alloc(a, memory_product(count, size));
}

void *
arena_memdup(struct arena *a, const void *data, size_t size)
{
    void *copy = arena_alloc(a, size);

    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}

char *
arena_strdup(struct arena *a, const char *text)
{
    if (text == NULL)
        return NULL;
    return arena_memdup(a, text, strlen(text) + 1);
}

char *
arena_strndup(struct arena *a, const char *text, size_t size)
{
    char *copy;

    if (text == NULL)
        return NULL;
    copy = arena_alloc(a, size + 1);
    memcpy(copy, text, size);
    return copy;
}

char *
arena_vprintf(struct arena *a, const char *format, va_list args)
{
    char small[256];
    va_list again;
    char *text;
    int size;

    va_copy(again, args);
    size = vsnprintf(small, sizeof(small), format, args);
    if (size < 0)
        memory_exhausted(0);
    if ((size_t)size < sizeof(small)) {
        text = arena_memdup(a, small, (size_t)size + 1);
    } else {
        text = arena_alloc(a, (size_t)size + 1);
        vsnprintf(text, (size_t)size + 1, format, again);
    }
    va_end(again);
    return text;
}

char *
arena_printf(struct arena *a, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = arena_vprintf(a, format, args);
    va_end(args);
    return text;
}

void
arena_defer(struct arena *a, void (*fn)(void *object), void *object)
{
    struct deferred *d = ARENA_NEW(a, struct deferred);

    d->fn = fn;
    d->object = object;
    d->older = a->deferred;
    a->deferred = d;
}

void *
arena_deferred(const struct arena *a, void (*fn)(void *object))
{
    const struct deferred *d = a->deferred;

    while (d != NULL && d->fn != fn)
        d = d->older;
    return d == NULL ? NULL : d->object;
}

size_t
arena_used(const struct arena *a)
{
    return a->handed_out;
}
