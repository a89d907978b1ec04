#include "touched.h"

#include "base/array.h"
#include "base/json.h"
#include "base/str.h"

struct touched *
touched_of(struct call *call)
{
    struct touched *t = call->scratch;

    if (t == NULL) {
        t = ARENA_NEW(call->arena, struct touched);
        t->arena = call->arena;
        t->service = network_of(call);
        call->scratch = t;
    }
    return t;
}

static void
note(struct touched *t, struct texts *list, const char *id)
{
    const char **items;

    if (str_empty(id))
        return;
    for (size_t i = 0; i < list->count; i++) {
        if (str_equal(list->items[i], id))
            return;
    }
    if ((list->count & (list->count - 1)) == 0) { /* A power of two, or none: full. */
        items = ARENA_ARRAY(t->arena, const char *, list->count == 0 ? 1 : list->count * 2);
        for (size_t i = 0; i < list->count; i++)
            items[i] = list->items[i];
        list->items = items;
    }
    list->items[list->count++] = arena_strdup(t->arena, id);
}

void
touch_network(struct touched *t, const char *id)
{
    note(t, &t->networks, id);
}

void
touch_group(struct touched *t, const char *id)
{
    note(t, &t->groups, id);
}

void
touch_router(struct touched *t, const char *id)
{
    note(t, &t->routers, id);
}

void
touch_host(struct touched *t, const char *name)
{
    note(t, &t->hosts, name);
}

void
touch_server(struct touched *t, const char *device_owner, const char *device_id,
             const char *port_id)
{
    if (str_empty(device_id) || device_owner == NULL || !str_starts(device_owner, "compute:"))
        return;
    for (size_t i = 0; i < t->servers_count; i++) {
        if (str_equal(t->servers[i].port_id, port_id) &&
            str_equal(t->servers[i].server_id, device_id))
            return;
    }
    *ARRAY_PUSH(t->arena, t->servers, t->servers_count, t->servers_capacity) =
        (struct touched_server){ arena_strdup(t->arena, device_id),
                                 arena_strdup(t->arena, port_id) };
}

int
touched_resolve(struct touched *t, struct db_tx *tx, struct fault *f)
{
    struct hosts_concerned_row *rows;
    size_t count;

    if (t->networks.count + t->groups.count + t->routers.count == 0)
        return 0;
    if (hosts_concerned(tx->db, &t->networks, &t->groups, &t->routers, &rows, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        touch_host(t, rows[i].name);
    t->networks.count = t->groups.count = t->routers.count = 0;
    return 0;
}

static int
ring(struct touched *t, struct db_tx *tx, struct fault *f)
{
    struct outbox *outbox = t->service->daemon->outbox;
    struct hosts_count_up_row *rows;
    size_t count;

    if (t->hosts.count == 0)
        return 0;
    if (hosts_count_up(tx->db, &t->hosts, &rows, &count, f) < 0)
        return -1;
    for (size_t i = 0; outbox != NULL && i < count; i++) {
        json_t *params =
            json_own(t->arena, json_pack("{s:I}", "generation", (json_int_t)rows[i].generation));

        if (outbox_add(outbox, tx, rpc_queue(t->arena, "network-agent", rows[i].name),
                       "state_changed", "state_changed", params, f) < 0)
            return -1;
    }
    t->hosts.count = 0;
    return 0;
}

int
touched_settle(struct touched *t, struct db_tx *tx, struct fault *f)
{
    struct outbox *outbox = t->service->daemon->outbox;

    if (touched_resolve(t, tx, f) < 0 || ring(t, tx, f) < 0)
        return -1;
    for (size_t i = 0; outbox != NULL && i < t->servers_count; i++) {
        const struct touched_server *s = &t->servers[i];
        json_t *params = json_own(t->arena, json_pack("{s:s, s:s}", "server_id", s->server_id,
                                                      "port_id", s->port_id));

        if (outbox_add(outbox, tx, "compute", "server_network_changed", s->port_id, params, f) < 0)
            return -1;
    }
    t->servers_count = 0;
    return 0;
}

int
touched_hook(struct call *call, struct db_tx *tx, struct fault *f)
{
    return call->scratch == NULL ? 0 : touched_settle(call->scratch, tx, f);
}
