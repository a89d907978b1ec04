#include "mirror_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "mirror.h"

#define NO_KIND UINT32_MAX

/* --- Kinds */

static char *
key_of(const int32_t *items, size_t count, bool single)
{
    static const char digits[] = "0123456789abcdef";
    char *key = memory_alloc(count * 8 + 2), *at = key;

    *at++ = single ? '1' : '+';
    for (size_t i = 0; i < count; i++) {
        for (int shift = 28; shift >= 0; shift -= 4)
            *at++ = digits[((uint32_t)items[i] >> shift) & 15];
    }
    *at = '\0';
    return key;
}

static uint32_t
free_kind(struct mirror_kinds *k)
{
    if (k->spare_count > 0)
        return k->spare[--k->spare_count];
    if (k->count == k->capacity) {
        k->capacity = k->capacity == 0 ? 16 : k->capacity * 2;
        k->items = memory_realloc(k->items, memory_product(k->capacity, sizeof(*k->items)));
    }
    k->items[k->count] = (struct mirror_kind){ 0 };
    return (uint32_t)k->count++;
}

static void
kind_leave(struct mirror_kinds *k, uint32_t number)
{
    struct mirror_kind *kind;
    char *key;

    if (number == NO_KIND)
        return;
    kind = &k->items[number];
    if (--kind->users > 0)
        return;
    key = key_of(kind->items, kind->count, kind->single);
    map_remove(k->known, key);
    free(key);
    free(kind->items);
    *kind = (struct mirror_kind){ 0 };
    if (k->spare_count == k->spare_capacity) {
        k->spare_capacity = k->spare_capacity == 0 ? 16 : k->spare_capacity * 2;
        k->spare = memory_realloc(k->spare, memory_product(k->spare_capacity, sizeof(*k->spare)));
    }
    k->spare[k->spare_count++] = number;
}

static uint32_t
kind_enter(struct mirror_kinds *k, const int32_t *items, size_t count, bool single)
{
    char *key = key_of(items, count, single);
    uint32_t number;

    if (k->known == NULL)
        k->known = map_new(NULL);
    number = (uint32_t)(uintptr_t)map_get(k->known, key);
    if (number-- == 0) {
        number = free_kind(k);
        k->items[number] = (struct mirror_kind){ .items = memory_calloc(count + 1, sizeof(*items)),
                                                 .count = (uint32_t)count,
                                                 .single = single };
        if (count > 0)
            memcpy(k->items[number].items, items, count * sizeof(*items));
        map_set(k->known, key, (void *)((uintptr_t)number + 1));
    }
    k->items[number].users++;
    free(key);
    return number;
}

static void
kinds_done(struct mirror_kinds *k)
{
    for (size_t i = 0; i < k->count; i++)
        free(k->items[i].items);
    free(k->items);
    free(k->spare);
    map_free(k->known);
}

bool
mirror_kind_has(const struct mirror_kind *k, int32_t item)
{
    uint32_t low = 0, high = k->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (k->items[middle] < item)
            low = middle + 1;
        else
            high = middle;
    }
    return low < k->count && k->items[low] == item;
}

static int
compare(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return x < y ? -1 : x > y;
}

static size_t
sort_unique(int32_t *items, size_t count)
{
    size_t kept = 0;

    qsort(items, count, sizeof(*items), compare);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || items[kept - 1] != items[i])
            items[kept++] = items[i];
    }
    return kept;
}

/* Most often nothing has changed but what is used. */
static void
set_kind(struct mirror_kinds *k, uint32_t *number, int32_t *items, size_t count, bool single)
{
    const struct mirror_kind *old = *number == NO_KIND ? NULL : &k->items[*number];
    uint32_t before = *number;

    count = sort_unique(items, count);
    if (old != NULL && old->single == single && old->count == count &&
        (count == 0 || memcmp(old->items, items, count * sizeof(*items)) == 0))
        return;
    *number = kind_enter(k, items, count, single);
    kind_leave(k, before);
}

static void
put_kinds(struct mirror_index *x, size_t at, const struct mirror_tree *t)
{
    size_t room = 1, traits = 0, aggregates = 0;
    int32_t fixed[256], *items = fixed;

    for (uint32_t i = 0; i < t->count; i++)
        room += t->members[i]->traits_count + t->members[i]->stocks_count +
                t->members[i]->aggregates_count;
    if (room > sizeof(fixed) / sizeof(fixed[0]))
        items = memory_calloc(room, sizeof(*items));
    for (uint32_t i = 0; i < t->count; i++) {
        const struct mirror_provider *p = t->members[i];

        for (uint32_t k = 0; k < p->traits_count; k++)
            items[traits++] = p->traits[k];
        for (uint32_t k = 0; k < p->stocks_count; k++)
            items[traits++] = MIRROR_KIND_CLASS(p->stocks[k].class_id);
    }
    set_kind(&x->traits, &x->trait_kinds[at], items, traits, t->count == 1);
    for (uint32_t i = 0; i < t->count; i++) {
        for (uint32_t k = 0; k < t->members[i]->aggregates_count; k++)
            items[aggregates++] = t->members[i]->aggregates[k];
    }
    set_kind(&x->aggregates, &x->aggregate_kinds[at], items, aggregates, t->count == 1);
    if (items != fixed)
        free(items);
}

/* --- Room */

static int32_t
give_of(const struct mirror_stock *s)
{
    double left = (double)(s->total - s->reserved) * s->allocation_ratio - (double)s->used;
    int64_t most = s->max_unit < INT32_MAX ? s->max_unit : INT32_MAX;

    if (left >= (double)most)
        return (int32_t)most;
    return left < 1 ? 0 : (int32_t)left;
}

static struct mirror_index_class *
class_of(struct mirror_index *x, int32_t class_id)
{
    struct mirror_index_class *c;

    for (size_t i = 0; i < x->classes_count; i++) {
        if (x->classes[i].class_id == class_id)
            return &x->classes[i];
    }
    if (x->classes_count == MIRROR_INDEX_CLASSES)
        return NULL;
    c = &x->classes[x->classes_count++];
    *c = (struct mirror_index_class){
        .class_id = class_id,
        .give = memory_alloc(memory_product(x->capacity, sizeof(*c->give))),
        .most = memory_alloc(memory_product(x->capacity / MIRROR_INDEX_BLOCK, sizeof(*c->most)))
    };
    memset(c->give, 0xff, x->capacity * sizeof(*c->give)); /* -1 */
    memset(c->most, 0xff, x->capacity / MIRROR_INDEX_BLOCK * sizeof(*c->most));
    return c;
}

static void
sum_block(const struct mirror_index *x, struct mirror_index_class *c, size_t block)
{
    size_t end = (block + 1) * MIRROR_INDEX_BLOCK;
    int32_t most = -1;

    for (size_t i = block * MIRROR_INDEX_BLOCK; i < end && i < x->count; i++)
        most = c->give[i] > most ? c->give[i] : most;
    c->most[block] = most;
}

static void
put_class(struct mirror_index *x, struct mirror_index_class *c, size_t at, int32_t give)
{
    size_t block = at / MIRROR_INDEX_BLOCK;
    int32_t old = c->give[at];

    c->give[at] = give;
    if (give >= c->most[block])
        c->most[block] = give;
    else if (old == c->most[block])
        sum_block(x, c, block);
}

void
mirror_index_put(struct mirror_index *x, size_t at, const struct mirror_tree *t)
{
    int32_t gives[MIRROR_INDEX_CLASSES];

    memset(gives, 0xff, sizeof(gives));
    for (uint32_t i = 0; i < t->count; i++) {
        for (uint32_t k = 0; k < t->members[i]->stocks_count; k++) {
            const struct mirror_stock *s = &t->members[i]->stocks[k];
            const struct mirror_index_class *c = class_of(x, s->class_id);
            int32_t give = give_of(s);

            if (c != NULL && give > gives[c - x->classes])
                gives[c - x->classes] = give;
        }
    }
    for (size_t k = 0; k < x->classes_count; k++)
        put_class(x, &x->classes[k], at, gives[k]);
    put_kinds(x, at, t);
}

/* --- Trees that come and go */

static void
grow(struct mirror_index *x)
{
    size_t old = x->capacity, old_blocks = old / MIRROR_INDEX_BLOCK, blocks;

    x->capacity = old == 0 ? MIRROR_INDEX_BLOCK : old * 2;
    blocks = x->capacity / MIRROR_INDEX_BLOCK;
    for (size_t k = 0; k < x->classes_count; k++) {
        struct mirror_index_class *c = &x->classes[k];

        c->give = memory_realloc(c->give, memory_product(x->capacity, sizeof(*c->give)));
        c->most = memory_realloc(c->most, memory_product(blocks, sizeof(*c->most)));
        memset(c->give + old, 0xff, (x->capacity - old) * sizeof(*c->give));
        memset(c->most + old_blocks, 0xff, (blocks - old_blocks) * sizeof(*c->most));
    }
    x->trait_kinds =
        memory_realloc(x->trait_kinds, memory_product(x->capacity, sizeof(*x->trait_kinds)));
    x->aggregate_kinds = memory_realloc(x->aggregate_kinds,
                                        memory_product(x->capacity, sizeof(*x->aggregate_kinds)));
}

static void
shift(void *items, size_t size, size_t from, size_t to, size_t count)
{
    memmove((char *)items + to * size, (char *)items + from * size, count * size);
}

/* The blocks from the one that 'at' is in, after their trees have moved. */
static void
sum_from(struct mirror_index *x, size_t at)
{
    size_t blocks = x->capacity / MIRROR_INDEX_BLOCK;

    for (size_t k = 0; k < x->classes_count; k++) {
        for (size_t b = at / MIRROR_INDEX_BLOCK; b < blocks && b * MIRROR_INDEX_BLOCK <= x->count;
             b++)
            sum_block(x, &x->classes[k], b);
    }
}

void
mirror_index_open(struct mirror_index *x, size_t at)
{
    size_t moved = x->count - at;

    if (x->count == x->capacity)
        grow(x);
    for (size_t k = 0; k < x->classes_count; k++) {
        shift(x->classes[k].give, sizeof(*x->classes[k].give), at, at + 1, moved);
        x->classes[k].give[at] = -1;
    }
    shift(x->trait_kinds, sizeof(*x->trait_kinds), at, at + 1, moved);
    shift(x->aggregate_kinds, sizeof(*x->aggregate_kinds), at, at + 1, moved);
    x->trait_kinds[at] = x->aggregate_kinds[at] = NO_KIND;
    x->count++;
    if (moved > 0)
        sum_from(x, at);
}

void
mirror_index_close(struct mirror_index *x, size_t at)
{
    size_t moved = x->count - at - 1;

    kind_leave(&x->traits, x->trait_kinds[at]);
    kind_leave(&x->aggregates, x->aggregate_kinds[at]);
    for (size_t k = 0; k < x->classes_count; k++) {
        shift(x->classes[k].give, sizeof(*x->classes[k].give), at + 1, at, moved);
        x->classes[k].give[x->count - 1] = -1;
    }
    shift(x->trait_kinds, sizeof(*x->trait_kinds), at + 1, at, moved);
    shift(x->aggregate_kinds, sizeof(*x->aggregate_kinds), at + 1, at, moved);
    x->count--;
    sum_from(x, at);
}

void
mirror_index_done(struct mirror_index *x)
{
    for (size_t k = 0; k < x->classes_count; k++) {
        free(x->classes[k].give);
        free(x->classes[k].most);
    }
    free(x->trait_kinds);
    free(x->aggregate_kinds);
    kinds_done(&x->traits);
    kinds_done(&x->aggregates);
}
