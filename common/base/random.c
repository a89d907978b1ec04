#include "random.h"

#include <assert.h>
#include <errno.h>
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

void
random_bytes(void *ret, size_t size)
{
    char *at = ret;

    while (size > 0) {
        ssize_t got;

        if (atomic_load(&seeded)) {
            uint64_t number = next_seeded();

            got = (ssize_t)(size < sizeof(number) ? size : sizeof(number));
            memcpy(at, &number, (size_t)got);
        } else {
            got = getrandom(at, size, 0);
            if (got < 0 && errno == EINTR)
                continue;
            if (got <= 0)
                abort(); /* A kernel without randomness: nothing safe can follow. */
        }
        at += got;
        size -= (size_t)got;
    }
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
