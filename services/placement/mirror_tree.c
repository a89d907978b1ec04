/* Trees of providers. While a fork has a tree it is not changed: its place in the state is taken by a copy, which is, and
 * the tree is retired until there is no fork. A tree is copied as a whole, and no pointer leads from one tree into another. */
#include <stdlib.h>

#include "base/memory.h"
#include "mirror_state.h"

/* --- Sorted arrays of pointers */

size_t
mirror_state_find(const struct mirror_state *s, int64_t id)
{
    size_t low = 0, high = s->providers_count;

    if (high > 0 && s->providers[high - 1]->id < id) /* A new one, most often. */
        return high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (s->providers[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t
mirror_state_find_tree(const struct mirror_state *s, int64_t root_id)
{
    size_t low = 0, high = s->trees_count;

    if (high > 0 && s->trees[high - 1]->root_id < root_id)
        return high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (s->trees[middle]->root_id < root_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void *
mirror_gap_open(void *items, size_t at, size_t count, size_t *capacity)
{
    char *data = items;

    if (count == *capacity) {
        *capacity = *capacity < 8 ? 8 : *capacity * 2;
        data = memory_realloc(data, memory_product(*capacity, sizeof(void *)));
    }
    memmove(data + (at + 1) * sizeof(void *), data + at * sizeof(void *),
            (count - at) * sizeof(void *));
    return data;
}

void
mirror_gap_close(void *items, size_t at, size_t count)
{
    char *data = items;

    memmove(data + at * sizeof(void *), data + (at + 1) * sizeof(void *),
            (count - at - 1) * sizeof(void *));
}

/* --- Ends */

void
mirror_provider_free(struct mirror_provider *p)
{
    free(p->name);
    free(p->stocks);
    free(p->traits);
    free(p->aggregates);
    free(p);
}

void
mirror_tree_free(struct mirror_tree *t, bool members)
{
    for (uint32_t i = 0; members && i < t->count; i++)
        mirror_provider_free(t->members[i]);
    free(t->members);
    free(t);
}

/* --- Copies */

static void *
copy(const void *items, size_t count, size_t size)
{
    void *data;

    if (count == 0)
        return NULL;
    data = memory_alloc(memory_product(count, size));
    memcpy(data, items, count * size);
    return data;
}

static struct mirror_provider *
copy_provider(const struct mirror_provider *p, struct mirror_tree *t)
{
    struct mirror_provider *q = copy(p, 1, sizeof(*p));

    q->tree = t;
    q->name = memory_strdup(p->name);
    q->stocks = copy(p->stocks, p->stocks_count, sizeof(*p->stocks));
    q->traits = copy(p->traits, p->traits_count, sizeof(*p->traits));
    q->aggregates = copy(p->aggregates, p->aggregates_count, sizeof(*p->aggregates));
    return q;
}

/* All that points at 'p' shall point at its copy 'q'. */
static void
replace(struct mirror_state *s, const struct mirror_provider *p, struct mirror_provider *q)
{
    s->providers[mirror_state_find(s, p->id)] = q;
    if (map_get(s->by_uuid, p->uuid) == p)
        map_set(s->by_uuid, q->uuid, q);
    for (size_t i = 0; p->sharing && i < s->sharing_count; i++) {
        if (s->sharing[i] == p)
            s->sharing[i] = q;
    }
}

static struct mirror_tree *
copy_tree(struct mirror_state *s, const struct mirror_tree *t)
{
    struct mirror_tree *u = copy(t, 1, sizeof(*t));

    u->capacity = u->count;
    u->epoch = s->epoch;
    u->members = memory_calloc(u->count, sizeof(*u->members));
    for (uint32_t i = 0; i < t->count; i++) {
        u->members[i] = copy_provider(t->members[i], u);
        replace(s, t->members[i], u->members[i]);
    }
    for (uint32_t i = 0; i < u->count; i++) {
        for (uint32_t k = 0; u->members[i]->parent != NULL && k < t->count; k++) {
            if (u->members[i]->parent == t->members[k]) {
                u->members[i]->parent = u->members[k];
                break;
            }
        }
    }
    return u;
}

/* The tree at 'at', or its copy in that place. */
static struct mirror_tree *
own(struct mirror_state *s, size_t at)
{
    struct mirror_tree *t = s->trees[at];

    if (s->forks == 0 || t->epoch >= s->epoch)
        return t;
    s->trees[at] = copy_tree(s, t);
    s->retired =
        mirror_gap_open(s->retired, s->retired_count, s->retired_count, &s->retired_capacity);
    s->retired[s->retired_count++] = t;
    return s->trees[at];
}

struct mirror_provider *
mirror_tree_own(struct mirror_state *s, struct mirror_provider *p)
{
    const struct mirror_tree *t = p->tree;
    uint32_t i = 0;

    while (t->members[i] != p)
        i++;
    return own(s, mirror_state_find_tree(s, t->root_id))->members[i];
}

/* --- Coming and going */

size_t
mirror_tree_leave(struct mirror_state *s, struct mirror_provider *p)
{
    struct mirror_tree *t = p->tree;
    size_t at = 0, orphans = 0;

    if (t == NULL)
        return 0;
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->members[i]->parent == p) {
            t->members[i]->parent = NULL;
            orphans++;
        }
    }
    while (t->members[at] != p)
        at++;
    mirror_gap_close(t->members, at, t->count);
    t->count--;
    p->tree = NULL;
    p->parent = NULL;
    at = mirror_state_find_tree(s, t->root_id);
    if (t->count > 0) {
        mirror_index_put(&s->index, at, t);
        return orphans;
    }
    mirror_gap_close(s->trees, at, s->trees_count);
    s->trees_count--;
    mirror_index_close(&s->index, at);
    mirror_tree_free(t, false);
    return orphans;
}

void
mirror_tree_enter(struct mirror_state *s, struct mirror_provider *p)
{
    size_t at = mirror_state_find_tree(s, p->root_id), capacity;
    struct mirror_tree *t;

    if (at == s->trees_count || s->trees[at]->root_id != p->root_id) {
        t = memory_calloc(1, sizeof(*t));
        t->root_id = p->root_id;
        t->epoch = s->epoch;
        s->trees = mirror_gap_open(s->trees, at, s->trees_count, &s->trees_capacity);
        s->trees[at] = t;
        s->trees_count++;
        mirror_index_open(&s->index, at);
    }
    t = own(s, at);
    at = t->count;
    while (at > 0 && t->members[at - 1]->id > p->id)
        at--;
    capacity = t->capacity;
    if (capacity ==
        0) { /* Most trees are one provider for ever: 100,000 arrays of eight would be for nothing. */
        t->members = memory_alloc(sizeof(void *));
        capacity = 1;
    }
    t->members = mirror_gap_open(t->members, at, t->count, &capacity);
    t->capacity = (uint32_t)capacity;
    t->members[at] = p;
    t->count++;
    p->tree = t;
}
