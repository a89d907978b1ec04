/* Small amounts come from a buffer of the thread, because a request id for each request would otherwise cost as much as
 * the rest of a small request. What was handed out is wiped; a child process starts with empty buffers. */
#include "random.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/random.h>

/* Steele, Lea, Flood: SplitMix64. One atomic addition per number, so threads may share it. */
static atomic_bool seeded;
static _Atomic uint64_t seed_state;

static uint64_t
next_seeded(void)
{
    uint64_t z = atomic_fetch_add(&seed_state, 0x9e3779b97f4a7c15U) + 0x9e3779b97f4a7c15U;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

void
random_seed(uint64_t seed)
{
    atomic_store(&seed_state, seed);
    atomic_store(&seeded, seed != 0);
}

static void
seeded_bytes(char *at, size_t size)
{
    while (size > 0) {
        uint64_t number = next_seeded();
        size_t some = size < sizeof(number) ? size : sizeof(number);

        memcpy(at, &number, some);
        at += some;
        size -= some;
    }
}

static void
kernel_bytes(char *at, size_t size)
{
    while (size > 0) {
        ssize_t got = getrandom(at, size, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            abort(); /* A kernel without randomness: nothing safe can follow. */
        at += got;
        size -= (size_t)got;
    }
}

enum { BUFFER = 512, SMALL = 64 };

static __thread struct {
    size_t left;
    unsigned forks; /* When it was filled. */
    char bytes[BUFFER];
} buffer;
static atomic_uint forks;
static pthread_once_t watch_once = PTHREAD_ONCE_INIT;

static void
forked(void)
{
    atomic_fetch_add(&forks, 1);
}

static void
watch_forks(void)
{
    pthread_atfork(NULL, NULL, forked);
}

static void
buffered_bytes(char *at, size_t size)
{
    unsigned now;

    pthread_once(&watch_once, watch_forks);
    now = atomic_load_explicit(&forks, memory_order_relaxed);
    if (buffer.left < size || buffer.forks != now) {
        kernel_bytes(buffer.bytes, BUFFER);
        buffer.left = BUFFER;
        buffer.forks = now;
    }
    buffer.left -= size;
    memcpy(at, buffer.bytes + buffer.left, size);
    explicit_bzero(buffer.bytes + buffer.left, size);
}

void
random_bytes(void *ret, size_t size)
{
    if (atomic_load_explicit(&seeded, memory_order_relaxed))
        seeded_bytes(ret, size);
    else if (size <= SMALL)
        buffered_bytes(ret, size);
    else
        kernel_bytes(ret, size);
}

uint64_t
random_uint64(void)
{
    uint64_t number;

    random_bytes(&number, sizeof(number));
    return number;
}

uint64_t
random_below(uint64_t limit)
{
    uint64_t unfair, number;

    assert(limit > 0);
    /* The first 2^64 mod limit numbers would make the small results likelier. */
    unfair = (0 - limit) % limit;
    do {
        number = random_uint64();
    } while (number < unfair);
    return number % limit;
}
