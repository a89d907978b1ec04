#include "placement.h"

#include <pthread.h>
#include <time.h>

#include "agents.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/str.h"
#include "dhcp.h"

struct placement_loop {
    struct network_service *service;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool woken GUARDED_BY(mutex), end GUARDED_BY(mutex);
};

static int
move_router(struct touched *t, struct db_tx *tx, const char *router_id, const char *from,
            const char *to, struct fault *f)
{
    struct router_ports_move_row *ports;
    size_t count;

    if (!str_equal(from, to) && router_set_host(tx->db, router_id, to, f) < 0)
        return -1;
    if (router_ports_move(tx->db, router_id, to, &ports, &count, f) < 0)
        return -1;
    touch_host(t, from);
    touch_host(t, to);
    for (size_t i = 0; i < count; i++)
        touch_network(t, ports[i].network_id);
    return 0;
}

int
router_place(struct touched *t, struct db_tx *tx, const char *router_id, struct fault *f)
{
    struct router_place_look_row look;
    struct host_fits_row fits;
    const char *host;
    int found = router_place_look(tx->db, router_id, &look, f);

    if (found <= 0)
        return found;
    if (look.ports == 0)
        return str_empty(look.host) ? 0 : move_router(t, tx, router_id, look.host, "", f);
    found = host_fits(tx->db, look.host, look.physical_network,
                      (int32_t)t->service->config->agent_down_s, &fits, f);
    if (found < 0)
        return -1;
    if (found == 1)
        return move_router(t, tx, router_id, look.host, look.host,
                           f); /* Ports that are new go to where it is. */
    found = agent_choose(t->service, tx->db, look.physical_network, &host, f);
    if (found <= 0)
        return found;
    return move_router(t, tx, router_id, look.host, host, f);
}

/* --- The loop */

/* Each thing in a transaction of its own: one that fails doesn't keep the others. */
static void
place_one(struct network_service *service, struct db *db, const char *id,
          int (*place)(struct touched *, struct db_tx *, const char *, struct fault *))
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct touched t = { .arena = db->arena, .service = service };
    struct fault f = { 0 };

    if (db_tx_begin(&tx, db, &f) < 0 || place(&t, &tx, id, &f) < 0 ||
        touched_settle(&t, &tx, &f) < 0 || db_tx_commit(&tx, &f) < 0)
        log_warn("network.placement id=%s fault=\"%s\" cause=\"%s\"", id, f.message, f.cause);
}

static void
place_all(struct network_service *service)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    int32_t seconds = (int32_t)service->config->agent_down_s;
    struct networks_unserved_row *networks;
    struct routers_unplaced_row *routers;
    size_t networks_count, routers_count;
    struct fault f = { 0 };

    if (db_pool_get(service->daemon->pool, a, &db, &f) < 0 ||
        networks_unserved(&db, seconds, &networks, &networks_count, &f) < 0 ||
        routers_unplaced(&db, seconds, &routers, &routers_count, &f) < 0) {
        log_warn("network.placement fault=\"%s\" cause=\"%s\"", f.message, f.cause);
        return;
    }
    for (size_t i = 0; i < networks_count; i++)
        place_one(service, &db, networks[i].id, dhcp_ensure);
    for (size_t i = 0; i < routers_count; i++)
        place_one(service, &db, routers[i].id, router_place);
}

static void *
loop(void *object)
{
    struct placement_loop *p = object;
    struct timespec until;

    pthread_mutex_lock(&p->mutex);
    while (!p->end) {
        p->woken = false;
        pthread_mutex_unlock(&p->mutex);
        place_all(p->service);
        pthread_mutex_lock(&p->mutex);
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += (time_t)p->service->config->placement_interval_s;
        while (!p->end && !p->woken && pthread_cond_timedwait(&p->wake, &p->mutex, &until) == 0)
            ;
    }
    pthread_mutex_unlock(&p->mutex);
    return NULL;
}

int
placement_start(struct network_service *service, struct fault *f)
{
    struct placement_loop *p = memory_calloc(1, sizeof(*p));
    pthread_condattr_t attributes;

    p->service = service;
    pthread_mutex_init(&p->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&p->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&p->thread, NULL, loop, p) != 0) {
        free(p);
        return fault_raise_cause(f, "cannot start the placement thread");
    }
    service->loop = p;
    return 0;
}

void
placement_wake(struct network_service *service)
{
    struct placement_loop *p = service->loop;

    if (p == NULL)
        return;
    pthread_mutex_lock(&p->mutex);
    p->woken = true;
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->mutex);
}

void
placement_stop(struct network_service *service)
{
    struct placement_loop *p = service->loop;

    if (p == NULL)
        return;
    pthread_mutex_lock(&p->mutex);
    p->end = true;
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->mutex);
    pthread_join(p->thread, NULL);
    service->loop = NULL;
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->mutex);
    free(p);
}
