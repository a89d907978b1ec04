#include "mirror_state.h"

#include <stdlib.h>

#include "base/memory.h"

void
mirror_state_init(struct mirror_state *s)
{
    *s = (struct mirror_state){ .by_uuid = map_new(NULL), .sharing_trait = -1 };
}

void
mirror_state_done(struct mirror_state *s)
{
    mirror_state_reclaim(s);
    for (size_t i = 0; i < s->trees_count; i++)
        mirror_tree_free(s->trees[i], true);
    free(s->retired);
    free(s->providers);
    free(s->trees);
    free(s->sharing);
    map_free(s->by_uuid);
    mirror_index_done(&s->index);
    mirror_names_done(&s->classes);
    mirror_names_done(&s->traits);
    mirror_names_done(&s->aggregates);
}

void
mirror_state_reclaim(struct mirror_state *s)
{
    for (size_t i = 0; i < s->retired_count; i++)
        mirror_tree_free(s->retired[i], true);
    s->retired_count = 0;
}

void
mirror_state_succeed(struct mirror_state *old, struct mirror_state *fresh)
{
    fresh->epoch = old->epoch;
    fresh->forks = old->forks;
    if (old->forks == 0)
        return;
    for (size_t i = 0; i < old->retired_count; i++) {
        fresh->retired = mirror_gap_open(fresh->retired, fresh->retired_count, fresh->retired_count,
                                         &fresh->retired_capacity);
        fresh->retired[fresh->retired_count++] = old->retired[i];
    }
    for (size_t i = 0; i < old->trees_count; i++) {
        fresh->retired = mirror_gap_open(fresh->retired, fresh->retired_count, fresh->retired_count,
                                         &fresh->retired_capacity);
        fresh->retired[fresh->retired_count++] = old->trees[i];
    }
    old->retired_count = old->trees_count = 0;
}

/* --- One provider */

static struct mirror_provider *
get(const struct mirror_state *s, int64_t id)
{
    size_t at = mirror_state_find(s, id);

    return at < s->providers_count && s->providers[at]->id == id ? s->providers[at] : NULL;
}

/* To be changed. */
static struct mirror_provider *
get_or_add(struct mirror_state *s, int64_t id)
{
    size_t at = mirror_state_find(s, id);
    struct mirror_provider *p;

    if (at < s->providers_count && s->providers[at]->id == id)
        return mirror_tree_own(s, s->providers[at]);
    p = memory_calloc(1, sizeof(*p));
    p->id = id;
    s->providers = mirror_gap_open(s->providers, at, s->providers_count, &s->providers_capacity);
    s->providers[at] = p;
    s->providers_count++;
    return p;
}

static size_t
count_spaces(const char *text, char separator)
{
    size_t n = 1;

    for (; *text != '\0'; text++)
        n += *text == separator;
    return n;
}

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
        s->sharing = mirror_gap_open(s->sharing, at, s->sharing_count, &s->sharing_capacity);
        s->sharing[at] = p;
        s->sharing_count++;
    } else {
        mirror_gap_close(s->sharing, at, s->sharing_count);
        s->sharing_count--;
    }
}

/* Returns how many it left behind in another tree. */
static size_t
take(struct mirror_state *s, const struct mirror_state_row *row)
{
    struct mirror_provider *p = get_or_add(s, row->id);
    size_t orphans = 0;

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
        orphans = mirror_tree_leave(s, p);
        p->root_id = row->root_id;
        mirror_tree_enter(s, p);
    }
    read_stocks(p, row->inventories);
    read_traits(s, p, row->traits);
    read_aggregates(s, p, row->aggregates);
    list_sharing(s, p, p->sharing);
    mirror_index_put(&s->index, mirror_state_find_tree(s, p->root_id), p->tree);
    return orphans;
}

/* Returns how many are left that stood below it. */
static size_t
drop(struct mirror_state *s, int64_t id)
{
    struct mirror_provider *p = get(s, id);
    size_t orphans;

    if (p == NULL)
        return 0;
    p = mirror_tree_own(s, p);
    orphans = mirror_tree_leave(s, p);
    list_sharing(s, p, false);
    if (map_get(s->by_uuid, p->uuid) == p) /* Not its successor of the same UUID. */
        map_remove(s->by_uuid, p->uuid);
    mirror_gap_close(s->providers, mirror_state_find(s, id), s->providers_count);
    s->providers_count--;
    mirror_provider_free(p);
    return orphans;
}

bool
mirror_state_apply(struct mirror_state *s, const struct mirror_state_row *rows, size_t count)
{
    size_t missing = 0;

    for (size_t i = 0; i < count; i++) {
        if (rows[i].uuid != NULL)
            missing += take(s, &rows[i]);
    }
    for (size_t i = 0; i < count; i++) {
        struct mirror_provider *p = rows[i].uuid == NULL ? NULL : get(s, rows[i].id);

        if (p == NULL)
            continue;
        p->parent = p->parent_id == 0 ? NULL : get(s, p->parent_id);
        if (p->parent != NULL && p->parent->tree != p->tree)
            p->parent = NULL; /* No pointer leads out of a tree: it is copied as a whole. */
        missing += (p->parent_id != 0 && p->parent == NULL) || get(s, p->root_id) == NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (rows[i].uuid == NULL && rows[i].id != 0)
            missing += drop(s, rows[i].id);
    }
    return missing == 0;
}
