#include "metadata_clients.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/memory.h"

struct metadata_clients {
    unsigned requests_per_s, burst;
    struct arena *arena;    /* Of the directory. */
    struct map *identities; /* "netns ip" */
    struct map *instances;  /* By id; value is not NULL. */
    struct map *buckets;    /* Port id to struct bucket. */
};

struct bucket {
    double tokens;
    int64_t at_ms;
};

static void
clear_directory(struct metadata_clients *c)
{
    map_free(c->identities);
    map_free(c->instances);
    arena_free(c->arena);
    c->arena = arena_new();
    c->identities = map_new(NULL);
    c->instances = map_new(NULL);
}

struct metadata_clients *
metadata_clients_new(unsigned requests_per_s, unsigned burst)
{
    struct metadata_clients *c = memory_calloc(1, sizeof(*c));

    c->requests_per_s = requests_per_s;
    c->burst = burst;
    c->buckets = map_new(free);
    clear_directory(c);
    return c;
}

void
metadata_clients_free(struct metadata_clients *c)
{
    if (c == NULL)
        return;
    map_free(c->identities);
    map_free(c->instances);
    map_free(c->buckets);
    arena_free(c->arena);
    free(c);
}

void
metadata_clients_set(struct metadata_clients *c, const struct metadata_client *clients,
                     size_t count)
{
    struct map *ports = map_new(NULL);
    struct map_at at = { 0 };

    clear_directory(c);
    for (size_t i = 0; i < count; i++) {
        struct metadata_identity *identity = ARENA_NEW(c->arena, struct metadata_identity);

        identity->port_id = arena_strdup(c->arena, clients[i].port_id);
        identity->instance_id = arena_strdup(c->arena, clients[i].instance_id);
        map_set(c->identities, arena_printf(c->arena, "%s %s", clients[i].netns, clients[i].ip),
                identity);
        map_set(c->instances, identity->instance_id, identity);
        map_set(ports, identity->port_id, identity);
    }
    while (map_next(c->buckets, &at))
        if (!map_has(ports, at.key))
            map_remove(c->buckets, at.key);
    map_free(ports);
}

const struct metadata_identity *
metadata_clients_find(const struct metadata_clients *c, const char *netns, const char *ip)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();

    return map_get(c->identities, arena_printf(a, "%s %s", netns, ip));
}

bool
metadata_clients_has_instance(const struct metadata_clients *c, const char *instance_id)
{
    return map_has(c->instances, instance_id);
}

bool
metadata_clients_take(struct metadata_clients *c, const char *port_id, int64_t now_ms)
{
    struct bucket *b = map_get(c->buckets, port_id);

    if (b == NULL) {
        b = memory_calloc(1, sizeof(*b));
        *b = (struct bucket){ .tokens = c->burst, .at_ms = now_ms };
        map_set(c->buckets, port_id, b);
    }
    b->tokens += (double)(now_ms - b->at_ms) * c->requests_per_s / 1000;
    b->tokens = MIN(b->tokens, (double)c->burst);
    b->at_ms = now_ms;
    if (b->tokens < 1)
        return false;
    b->tokens -= 1;
    return true;
}
