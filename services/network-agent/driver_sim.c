#include "driver_sim.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/memory.h"

struct driver_state {
    struct map *ports;  /* Of the last state: id to a value that is not NULL. */
    struct map *broken; /* Id to reason. */
    int64_t generation;
};

static int
sim_open(struct driver_state **ret, const struct driver_options *options, struct fault *f)
{
    struct driver_state *s = memory_calloc(1, sizeof(*s));

    (void)options;
    (void)f;
    s->ports = map_new(NULL);
    s->broken = map_new(free);
    *ret = s;
    return 0;
}

static void
sim_apply(struct driver_state *s, const struct wanted *w, struct outcome *o)
{
    map_clear(s->ports);
    s->generation = w->generation;
    for (size_t i = 0; i < w->ports_count; i++) {
        const struct wanted_port *p = &w->ports[i];
        const char *reason = map_get(s->broken, p->id);
        struct fault f = { 0 };

        if (!outcome_due(o, "port", p->id))
            continue;
        if (reason != NULL) {
            fault_raise_cause(&f, "%s", reason);
            outcome_fail(o, "port", p->id, &f);
            continue;
        }
        outcome_done(o, "port", p->id);
        map_set(s->ports, p->id, s);
        if (p->up)
            outcome_up(o, p->id);
        else
            outcome_down(o, p->id);
    }
    for (size_t i = 0; i < w->networks_count; i++)
        if (w->networks[i].dhcp != NULL)
            outcome_up(o, w->networks[i].dhcp->port_id);
    for (size_t i = 0; i < w->routers_count; i++) {
        for (size_t k = 0; k < w->routers[i].interfaces_count; k++)
            outcome_up(o, w->routers[i].interfaces[k].port_id);
        if (w->routers[i].gateway != NULL)
            outcome_up(o, w->routers[i].gateway->port_id);
    }
    outcome_finish(o);
}

static bool
sim_check(struct driver_state *s)
{
    (void)s;
    return false;
}

static void
sim_close(struct driver_state *s)
{
    if (s == NULL)
        return;
    map_free(s->ports);
    map_free(s->broken);
    free(s);
}

size_t
driver_sim_ports(const struct driver_state *s)
{
    return map_count(s->ports);
}

bool
driver_sim_has_port(const struct driver_state *s, const char *id)
{
    return map_has(s->ports, id);
}

int64_t
driver_sim_generation(const struct driver_state *s)
{
    return s->generation;
}

void
driver_sim_break(struct driver_state *s, const char *port_id, const char *reason)
{
    if (reason == NULL)
        map_remove(s->broken, port_id);
    else
        map_set(s->broken, port_id, memory_strdup(reason));
}

const struct driver driver_sim = {
    .name = "sim", .open = sim_open, .apply = sim_apply, .check = sim_check, .close = sim_close
};
