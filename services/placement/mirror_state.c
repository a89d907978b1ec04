#include "mirror_state.h"

#include <stdlib.h>

#include "base/memory.h"

void
mirror_state_init(struct mirror_state *s)
{
    *s = (struct mirror_state){ .by_uuid = map_new(NULL), .sharing_trait = -1 };
}

static void
provider_free(struct mirror_provider *p)
{
    free(p->name);
    free(p->stocks);
    free(p->traits);
    free(p->aggregates);
    free(p);
}

void
mirror_state_done(struct mirror_state *s)
{
    for (size_t i = 0; i < s->providers_count; i++)
        provider_free(s->providers[i]);
    for (size_t i = 0; i < s->trees_count; i++) {
        free(s->trees[i]->members);
        free(s->trees[i]);
    }
    free(s->providers);
    free(s->trees);
    free(s->sharing);
    map_free(s->by_uuid);
    mirror_names_done(&s->classes);
    mirror_names_done(&s->traits);
    mirror_names_done(&s->aggregates);
}

/* --- Sorted arrays of pointers */

static size_t
find_provider(const struct mirror_state *s, int64_t id)
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

static size_t
find_tree(const struct mirror_state *s, int64_t root_id)
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

/* Makes room at 'at' in an array of 'count' pointers; returns the array. */
static void *
open_gap(void *items, size_t at, size_t count, size_t *capacity)
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

static void
close_gap(void *items, size_t at, size_t count)
{
    char *data = items;

    memmove(data + at * sizeof(void *), data + (at + 1) * sizeof(void *),
            (count - at - 1) * sizeof(void *));
}

static struct mirror_provider *
get(const struct mirror_state *s, int64_t id)
{
    size_t at = find_provider(s, id);

    return at < s->providers_count && s->providers[at]->id == id ? s->providers[at] : NULL;
}

static struct mirror_provider *
get_or_add(struct mirror_state *s, int64_t id)
{
    size_t at = find_provider(s, id);
    struct mirror_provider *p;

    if (at < s->providers_count && s->providers[at]->id == id)
        return s->providers[at];
    p = memory_calloc(1, sizeof(*p));
    p->id = id;
    s->providers = open_gap(s->providers, at, s->providers_count, &s->providers_capacity);
    s->providers[at] = p;
    s->providers_count++;
    return p;
}

/* --- Trees */

static size_t
count_spaces(const char *text, char separator)
{
    size_t n = 1;

    for (; *text != '\0'; text++)
        n += *text == separator;
    return n;
}

static void
leave_tree(struct mirror_state *s, struct mirror_provider *p)
{
    struct mirror_tree *t = p->tree;
    size_t at = 0;

    if (t == NULL)
        return;
    while (t->members[at] != p)
        at++;
    close_gap(t->members, at, t->count);
    t->count--;
    p->tree = NULL;
    if (t->count > 0)
        return;
    at = find_tree(s, t->root_id);
    close_gap(s->trees, at, s->trees_count);
    s->trees_count--;
    free(t->members);
    free(t);
}

static void
enter_tree(struct mirror_state *s, struct mirror_provider *p)
{
    size_t at = find_tree(s, p->root_id), capacity;
    struct mirror_tree *t;

    if (at == s->trees_count || s->trees[at]->root_id != p->root_id) {
        t = memory_calloc(1, sizeof(*t));
        t->root_id = p->root_id;
        s->trees = open_gap(s->trees, at, s->trees_count, &s->trees_capacity);
        s->trees[at] = t;
        s->trees_count++;
    }
    t = s->trees[at];
    at = t->count;
    while (at > 0 && t->members[at - 1]->id > p->id)
        at--;
    capacity = t->capacity;
    if (capacity ==
        0) { /* Most trees are one provider for ever: 100,000 arrays of eight would be for nothing. */
        t->members = memory_alloc(sizeof(void *));
        capacity = 1;
    }
    t->members = open_gap(t->members, at, t->count, &capacity);
    t->capacity = (uint32_t)capacity;
    t->members[at] = p;
    t->count++;
    p->tree = t;
}

/* --- One provider's parts */

static void
read_stocks(struct mirror_provider *p, const char *text)
{
    free(p->stocks);
    p->stocks = NULL;
    p->stocks_count = 0;
    if (text == NULL)
        return;
    p->stocks = memory_calloc(count_spaces(text, ';'), sizeof(*p->stocks));
    while (*text != '\0') {
        struct mirror_stock *s = &p->stocks[p->stocks_count++];
        char *end;

        s->class_id = (int32_t)strtol(text, &end, 10);
        s->total = strtoll(end, &end, 10);
        s->reserved = strtoll(end, &end, 10);
        s->min_unit = strtoll(end, &end, 10);
        s->max_unit = strtoll(end, &end, 10);
        s->step_size = strtoll(end, &end, 10);
        s->allocation_ratio = strtod(end, &end);
        s->used = strtoll(end, &end, 10);
        text = *end == ';' ? end + 1 : end;
    }
}

static void
read_traits(const struct mirror_state *s, struct mirror_provider *p, const char *text)
{
    free(p->traits);
    p->traits = NULL;
    p->traits_count = 0;
    p->sharing = false;
    if (text == NULL)
        return;
    p->traits = memory_calloc(count_spaces(text, ' '), sizeof(*p->traits));
    while (*text != '\0') {
        char *end;
        int32_t id = (int32_t)strtol(text, &end, 10);

        p->sharing = p->sharing || id == s->sharing_trait;
        p->traits[p->traits_count++] = id;
        text = *end == ' ' ? end + 1 : end;
    }
}

static void
read_aggregates(struct mirror_state *s, struct mirror_provider *p, const char *text)
{
    char uuid[UUID_TEXT];
    size_t size;

    free(p->aggregates);
    p->aggregates = NULL;
    p->aggregates_count = 0;
    if (text == NULL)
        return;
    p->aggregates = memory_calloc(count_spaces(text, ' '), sizeof(*p->aggregates));
    while (*text != '\0') {
        size = strcspn(text, " ");
        snprintf(uuid, sizeof(uuid), "%.*s", (int)size, text);
        p->aggregates[p->aggregates_count++] = mirror_names_intern(&s->aggregates, uuid);
        text += size;
        text += *text == ' ';
    }
}

static void
list_sharing(struct mirror_state *s, struct mirror_provider *p, bool add)
{
    size_t at = 0;

    while (at < s->sharing_count && s->sharing[at] != p)
        at++;
    if (add == (at < s->sharing_count))
        return;
    if (add) {
        s->sharing = open_gap(s->sharing, at, s->sharing_count, &s->sharing_capacity);
        s->sharing[at] = p;
        s->sharing_count++;
    } else {
        close_gap(s->sharing, at, s->sharing_count);
        s->sharing_count--;
    }
}

static void
take(struct mirror_state *s, const struct mirror_state_row *row)
{
    struct mirror_provider *p = get_or_add(s, row->id);

    p->generation = row->generation;
    p->updated_us = row->updated_at;
    if (p->name == NULL) {
        snprintf(p->uuid, sizeof(p->uuid), "%s", row->uuid);
        map_set(s->by_uuid, p->uuid, p);
    }
    if (p->name == NULL || strcmp(p->name, row->name) != 0) {
        free(p->name);
        p->name = memory_strdup(row->name);
    }
    p->parent_id = row->parent_id_null ? 0 : row->parent_id;
    if (p->tree == NULL || p->root_id != row->root_id) {
        leave_tree(s, p);
        p->root_id = row->root_id;
        enter_tree(s, p);
    }
    read_stocks(p, row->inventories);
    read_traits(s, p, row->traits);
    read_aggregates(s, p, row->aggregates);
    list_sharing(s, p, p->sharing);
}

/* Returns how many are left that stood below it. */
static size_t
drop(struct mirror_state *s, int64_t id)
{
    struct mirror_provider *p = get(s, id);
    size_t orphans = 0;

    if (p == NULL)
        return 0;
    for (uint32_t i = 0; i < p->tree->count; i++) {
        if (p->tree->members[i]->parent == p) {
            p->tree->members[i]->parent = NULL;
            orphans++;
        }
    }
    leave_tree(s, p);
    list_sharing(s, p, false);
    if (map_get(s->by_uuid, p->uuid) == p) /* Not its successor of the same UUID. */
        map_remove(s->by_uuid, p->uuid);
    close_gap(s->providers, find_provider(s, id), s->providers_count);
    s->providers_count--;
    provider_free(p);
    return orphans;
}

bool
mirror_state_apply(struct mirror_state *s, const struct mirror_state_row *rows, size_t count)
{
    size_t missing = 0;

    for (size_t i = 0; i < count; i++) {
        if (rows[i].uuid != NULL)
            take(s, &rows[i]);
    }
    for (size_t i = 0; i < count; i++) {
        struct mirror_provider *p = rows[i].uuid == NULL ? NULL : get(s, rows[i].id);

        if (p == NULL)
            continue;
        p->parent = p->parent_id == 0 ? NULL : get(s, p->parent_id);
        missing += (p->parent_id != 0 && p->parent == NULL) || get(s, p->root_id) == NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (rows[i].uuid == NULL && rows[i].id != 0)
            missing += drop(s, rows[i].id);
    }
    return missing == 0;
}
