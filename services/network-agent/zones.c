/* Conntrack zones: see port_rules.h. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "port_rules.h"

#define ZONE_COUNT 65535

struct zones {
    struct map *by_network; /* To the zone, as a pointer. */
    bool used[ZONE_COUNT + 1];
};

struct zones *
zones_new(void)
{
    struct zones *z = memory_calloc(1, sizeof(*z));

    z->by_network = map_new(NULL);
    return z;
}

void
zones_free(struct zones *z)
{
    if (z == NULL)
        return;
    map_free(z->by_network);
    free(z);
}

unsigned
zones_get(const struct zones *z, const char *network_id)
{
    return (unsigned)(uintptr_t)map_get(z->by_network, network_id);
}

/* FNV-1a: the same in each process, unlike a map's hash. */
static unsigned
first_choice(const char *id)
{
    uint32_t hash = 2166136261U;

    for (; *id != '\0'; id++)
        hash = (hash ^ (uint8_t)*id) * 16777619U;
    return hash % ZONE_COUNT + 1;
}

void
zones_assign(struct zones *z, const struct wanted *w)
{
    struct map_at at = { 0 };

    while (map_next(z->by_network, &at))
        if (wanted_find_network(w, at.key) == NULL) {
            z->used[(uintptr_t)at.value] = false;
            map_remove(z->by_network, at.key);
        }
    for (size_t i = 0; i < w->networks_count; i++) {
        const char *id = w->networks[i].id;
        unsigned zone;

        if (map_has(z->by_network, id) || map_count(z->by_network) >= ZONE_COUNT)
            continue;
        for (zone = first_choice(id); z->used[zone]; zone = zone % ZONE_COUNT + 1)
            ;
        z->used[zone] = true;
        map_set(z->by_network, id, (void *)(uintptr_t)zone);
    }
}
