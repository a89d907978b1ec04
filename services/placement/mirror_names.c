#include "mirror_names.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"

void
mirror_names_done(struct mirror_names *n)
{
    for (size_t i = 0; i < n->count; i++)
        free(n->names[i]);
    free(n->names);
    map_free(n->ids);
    *n = (struct mirror_names){ 0 };
}

void
mirror_names_set(struct mirror_names *n, int id, const char *name)
{
    size_t at = (size_t)id;

    if (n->ids == NULL)
        n->ids = map_new(NULL);
    if (at >= n->count) {
        size_t count = at + 64;

        n->names = memory_realloc(n->names, memory_product(count, sizeof(*n->names)));
        memset(n->names + n->count, 0, (count - n->count) * sizeof(*n->names));
        n->count = count;
    }
    free(n->names[at]);
    n->names[at] = memory_strdup(name);
    map_set(n->ids, name, (void *)(intptr_t)(id + 1));
}

int
mirror_names_id(const struct mirror_names *n, const char *name)
{
    return n->ids == NULL ? -1 : (int)(intptr_t)map_get(n->ids, name) - 1;
}

int
mirror_names_intern(struct mirror_names *n, const char *name)
{
    int id = mirror_names_id(n, name);

    if (id >= 0)
        return id;
    id = n->ids == NULL ? 0 : (int)map_count(n->ids);
    mirror_names_set(n, id, name);
    return id;
}

const char *
mirror_names_get(const struct mirror_names *n, int id)
{
    return id < 0 || (size_t)id >= n->count ? NULL : n->names[id];
}
