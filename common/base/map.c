/* Open addressing with linear probing. A removed entry leaves a grave, so that nothing moves while somebody
 * walks; graves go when the table grows or is rebuilt. */
#include "map.h"

#include <endian.h>
#include <pthread.h>
#include <stdint.h>

#include "memory.h"
#include "random.h"

struct slot {
    char *key; /* NULL: free, or a grave when 'grave' is set. */
    void *value;
    uint64_t hash;
    bool grave;
};

struct map {
    struct slot *slots;
    size_t capacity; /* A power of two. */
    size_t count, graves;
    void (*free_value)(void *value);
};

static uint64_t key0, key1;

static void
make_key(void)
{
    key0 = random_uint64();
    key1 = random_uint64();
}

static uint64_t
rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static void
sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

/* Aumasson, Bernstein: SipHash-2-4. */
uint64_t
map_hash(const void *data, size_t size, uint64_t k0, uint64_t k1)
{
    uint64_t v[4] = { 0x736f6d6570736575U ^ k0, 0x646f72616e646f6dU ^ k1, 0x6c7967656e657261U ^ k0,
                      0x7465646279746573U ^ k1 };
    const unsigned char *at = data;
    uint64_t last = (uint64_t)size << 56, word;

    for (size_t left = size / 8; left > 0; left--, at += 8) {
        memcpy(&word, at, sizeof(word));
        word = le64toh(word);
        v[3] ^= word;
        sip_round(v);
        sip_round(v);
        v[0] ^= word;
    }
    for (size_t i = 0; i < size % 8; i++)
        last |= (uint64_t)at[i] << (8 * i);
    v[3] ^= last;
    sip_round(v);
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static uint64_t
hash_of(const char *key)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_key);
    return map_hash(key, strlen(key), key0, key1);
}

struct map *
map_new(void (*free_value)(void *value))
{
    struct map *m = memory_calloc(1, sizeof(*m));

    m->free_value = free_value;
    return m;
}

void
map_clear(struct map *m)
{
    for (size_t i = 0; i < m->capacity; i++) {
        struct slot *s = &m->slots[i];

        if (s->key != NULL && m->free_value != NULL)
            m->free_value(s->value);
        free(s->key);
    }
    free(m->slots);
    m->slots = NULL;
    m->capacity = m->count = m->graves = 0;
}

void
map_free(struct map *m)
{
    if (m == NULL)
        return;
    map_clear(m);
    free(m);
}

static struct slot *
find(const struct map *m, const char *key, uint64_t hash)
{
    if (m->capacity == 0)
        return NULL;
    for (size_t i = hash & (m->capacity - 1);; i = (i + 1) & (m->capacity - 1)) {
        struct slot *s = &m->slots[i];

        if (s->key == NULL && !s->grave)
            return NULL;
        if (s->key != NULL && s->hash == hash && strcmp(s->key, key) == 0)
            return s;
    }
}

void *
map_get(const struct map *m, const char *key)
{
    struct slot *s = find(m, key, hash_of(key));

    return s != NULL ? s->value : NULL;
}

bool
map_has(const struct map *m, const char *key)
{
    return find(m, key, hash_of(key)) != NULL;
}

/* The first slot for 'hash' that can be taken; the key is not in the map. */
static struct slot *
free_slot(struct slot *slots, size_t capacity, uint64_t hash)
{
    size_t i = hash & (capacity - 1);

    while (slots[i].key != NULL)
        i = (i + 1) & (capacity - 1);
    return &slots[i];
}

static void
rebuild(struct map *m)
{
    size_t capacity = MAX(m->capacity, (size_t)16);
    struct slot *slots;

    while (m->count + 1 > capacity / 2)
        capacity = memory_product(capacity, 2);
    slots = memory_calloc(capacity, sizeof(*slots));
    for (size_t i = 0; i < m->capacity; i++) {
        if (m->slots[i].key != NULL)
            *free_slot(slots, capacity, m->slots[i].hash) = m->slots[i];
    }
    free(m->slots);
    m->slots = slots;
    m->capacity = capacity;
    m->graves = 0;
}

void
map_set(struct map *m, const char *key, void *value)
{
    uint64_t hash = hash_of(key);
    struct slot *s = find(m, key, hash);

    if (s != NULL) {
        if (m->free_value != NULL && s->value != value)
            m->free_value(s->value);
        s->value = value;
        return;
    }
    if ((m->count + m->graves + 1) * 4 > m->capacity * 3)
        rebuild(m);
    s = free_slot(m->slots, m->capacity, hash);
    if (s->grave)
        m->graves--;
    *s = (struct slot){ .key = memory_strdup(key), .value = value, .hash = hash };
    m->count++;
}

bool
map_remove(struct map *m, const char *key)
{
    struct slot *s = find(m, key, hash_of(key));

    if (s == NULL)
        return false;
    if (m->free_value != NULL)
        m->free_value(s->value);
    free(s->key);
    *s = (struct slot){ .grave = true };
    m->count--;
    m->graves++;
    return true;
}

size_t
map_count(const struct map *m)
{
    return m->count;
}

bool
map_next(const struct map *m, struct map_at *at)
{
    while (at->index < m->capacity) {
        const struct slot *s = &m->slots[at->index++];

        if (s->key != NULL) {
            at->key = s->key;
            at->value = s->value;
            return true;
        }
    }
    return false;
}
