/* Opening and closing: puts the connection, the client's half and the server's half together. */
#include "rpc.h"

#include <pthread.h>

#include "../base/clock.h"
#include "../base/log.h"
#include "../base/memory.h"
#include "../base/str.h"
#include "internal.h"

#define WORKERS 4
#define DRAIN_MS 2000
#define DROP_LOG_MS 1000

static void
delivered(struct delivery *d, void *context, uint64_t generation, void *owner)
{
    struct rpc *r = owner;

    if (context == NULL)
        rpc_client_take(r->client, d);
    else
        rpc_server_take(r->server, d, context, generation);
}

static void
connected(void *owner)
{
    struct rpc *r = owner;

    rpc_client_connected(r->client);
    rpc_server_connected(r->server);
}

static void
free_parts(struct rpc *r)
{
    rpc_server_free(r->server);
    rpc_client_free(r->client);
    free(r->name);
    free(r->host);
    free(r);
}

int
rpc_open(struct rpc **ret, const struct rpc_options *options, struct fault *f)
{
    static const struct bus_hooks hooks = { .delivered = delivered, .connected = connected };
    _cleanup_(arena_freep) struct arena *a = arena_new();
    unsigned workers = options->workers > 0 ? options->workers : WORKERS;
    struct rpc *r = memory_calloc(1, sizeof(*r));
    int status;

    r->name = memory_strdup(options->name);
    r->host = memory_strdup(options->host != NULL ? options->host : "");
    r->client = rpc_client_new(r);
    status = rpc_server_open(&r->server, r, workers, f);
    if (status >= 0)
        status = bus_open(&r->bus, options->url, rpc_queue(a, r->name, r->host),
                          (uint16_t)MIN(MAX(workers, 4U), 1000U), &hooks, r, f);
    if (status < 0) {
        rpc_server_join(r->server);
        free_parts(r);
        return status;
    }
    *ret = r;
    return 0;
}

bool
rpc_drain(struct rpc *r, int wait_ms)
{
    return r == NULL || rpc_server_drain(r->server, clock_mono_ms() + wait_ms);
}

void
rpc_close(struct rpc *r)
{
    if (r == NULL)
        return;
    rpc_server_drain(r->server, clock_mono_ms() + DRAIN_MS);
    rpc_client_stop(r->client); /* Also what handlers still wait for. */
    rpc_server_join(r->server);
    bus_close(r->bus);
    free_parts(r);
}

bool
rpc_connected(const struct rpc *r)
{
    return bus_up(r->bus);
}

void
rpc_stats(const struct rpc *r, struct rpc_stats *ret)
{
    uint64_t connects = bus_generation(r->bus);

    *ret = (struct rpc_stats){
        .published = atomic_load(&r->published),
        .received = atomic_load(&r->received),
        .calls = atomic_load(&r->calls),
        .timeouts = atomic_load(&r->timeouts),
        .dropped = atomic_load(&r->dropped),
        .reconnects = connects > 0 ? connects - 1 : 0,
    };
}

char *
rpc_queue(struct arena *a, const char *name, const char *host)
{
    return str_empty(host) ? arena_strdup(a, name) : arena_printf(a, "%s.%s", name, host);
}

void
rpc_drop(struct rpc *r, const char *why, const struct delivery *d)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static int64_t next_ms GUARDED_BY(mutex);
    uint64_t count = atomic_fetch_add(&r->dropped, 1) + 1;
    int64_t now_ms = clock_mono_ms();
    bool say;

    pthread_mutex_lock(&mutex);
    say = now_ms >= next_ms;
    if (say)
        next_ms = now_ms + DROP_LOG_MS;
    pthread_mutex_unlock(&mutex);
    if (say)
        log_warn("rpc.dropped why=\"%s\" user=%s size=%zu count=%llu", why, d->user_id, d->size,
                 (unsigned long long)count);
}
