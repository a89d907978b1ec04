/* /metrics in Prometheus' text format (version 0.0.4). Labels have a fixed set of values, never
 * ids or paths. */
#include <fcntl.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/release.h"
#include "running.h"

static void
head(struct str *out, const char *name, const char *type, const char *help)
{
    str_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
counter(struct str *out, const char *name, uint64_t value, const char *help)
{
    head(out, name, "counter", help);
    str_addf(out, "%s %llu\n", name, (unsigned long long)value);
}

static void
gauge(struct str *out, const char *name, int64_t value, const char *help)
{
    head(out, name, "gauge", help);
    str_addf(out, "%s %lld\n", name, (long long)value);
}

/* Field 'number' (from 1) of /proc/self/statm, in bytes. */
static int64_t
memory_of(int number)
{
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    char text[128], *at = text;
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    for (int i = 1; i < number; i++)
        at += strcspn(at, " ") + 1;
    return strtoll(at, NULL, 10) * sysconf(_SC_PAGESIZE);
}

static void
write_process(const struct running *r, struct str *out)
{
    struct mallinfo2 heap = mallinfo2();
    struct rusage used = { 0 };

    head(out, "virga_build_info", "gauge", "What runs; always 1.");
    str_addf(out, "virga_build_info{daemon=\"%s\",version=\"%s\"} 1\n", r->d.spec->name,
             VIRGA_VERSION);
    getrusage(RUSAGE_SELF, &used);
    head(out, "process_cpu_seconds_total", "counter", "User and system CPU time.");
    str_addf(out, "process_cpu_seconds_total %.3f\n",
             (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                 (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    head(out, "process_start_time_seconds", "gauge", "When the process started, since 1970.");
    str_addf(out, "process_start_time_seconds %.3f\n", (double)r->started_us / 1e6);
    gauge(out, "process_resident_memory_bytes", memory_of(2), "Resident memory.");
    gauge(out, "process_virtual_memory_bytes", memory_of(1), "Address space.");
    gauge(out, "virga_heap_used_bytes", (int64_t)(heap.uordblks + heap.hblkhd),
          "Allocated from the heap.");
    gauge(out, "virga_heap_free_bytes", (int64_t)heap.fordblks,
          "Kept by the heap for the next allocations.");
    gauge(out, "virga_state", atomic_load(&r->state), "0: starting, 1: serving, 2: draining.");
}

static void
write_http(const struct running *r, struct str *out)
{
    struct http_server *http = r->d.api != NULL ? api_server_http(r->d.api) : NULL;
    struct http_server_stats s = { 0 };

    if (http == NULL)
        return;
    http_server_stats(http, &s);
    counter(out, "virga_http_requests_total", s.requests, "Requests begun.");
    head(out, "virga_http_responses_total", "counter", "Answers by class of status.");
    for (size_t i = 2; i < ARRAY_SIZE(s.responses); i++)
        str_addf(out, "virga_http_responses_total{class=\"%zuxx\"} %llu\n", i,
                 (unsigned long long)s.responses[i]);
    gauge(out, "virga_http_connections", s.connections, "Open connections.");
    gauge(out, "virga_http_queued", s.queued, "Requests that wait for a worker.");
    gauge(out, "virga_http_workers_busy", s.busy_workers, "Workers that run a request.");
    gauge(out, "virga_http_workers", s.workers, "Workers.");
    gauge(out, "virga_http_waiting", s.waiting,
          "Requests that take long, in work or in their queue.");
}

static void
write_database(const struct running *r, struct str *out)
{
    struct db_pool_stats s = { 0 };

    if (r->d.pool == NULL)
        return;
    db_pool_stats(r->d.pool, &s);
    counter(out, "virga_database_statements_total", db_statements(), "Statements run.");
    gauge(out, "virga_database_connections", s.open, "Open connections of the pool.");
    gauge(out, "virga_database_connections_in_use", s.in_use, "Connections that are in use.");
    gauge(out, "virga_database_connections_max", s.size, "Most connections that the pool opens.");
    counter(out, "virga_database_reconnects_total", s.reconnects,
            "Connections opened again after they broke.");
}

static void
write_rpc(const struct running *r, struct str *out)
{
    struct rpc_stats s = { 0 };

    if (r->d.rpc == NULL)
        return;
    rpc_stats(r->d.rpc, &s);
    gauge(out, "virga_rpc_connected", rpc_connected(r->d.rpc), "1: the broker is there.");
    counter(out, "virga_rpc_published_total", s.published, "Messages sent.");
    counter(out, "virga_rpc_received_total", s.received, "Messages received.");
    counter(out, "virga_rpc_calls_total", s.calls, "Calls made.");
    counter(out, "virga_rpc_timeouts_total", s.timeouts, "Calls that got no answer in time.");
    counter(out, "virga_rpc_dropped_total", s.dropped, "Messages that made no sense.");
    counter(out, "virga_rpc_reconnects_total", s.reconnects,
            "Connections to the broker after the first.");
}

static void
write_sagas(const struct running *r, struct str *out)
{
    struct saga_stats s = { 0 };

    if (r->d.sagas == NULL)
        return;
    saga_stats(r->d.sagas, &s);
    counter(out, "virga_saga_done_total", s.done, "Sagas that ended well.");
    counter(out, "virga_saga_failed_total", s.failed, "Sagas that were undone.");
    counter(out, "virga_saga_retried_total", s.retried, "Steps that were tried again.");
    gauge(out, "virga_saga_open", s.open, "Sagas under way.");
}

static void
write_outbox(const struct running *r, struct str *out)
{
    struct outbox_stats s = { 0 };

    if (r->d.outbox == NULL)
        return;
    outbox_stats(r->d.outbox, &s);
    counter(out, "virga_outbox_sent_total", s.sent, "Messages that the outbox sent.");
    gauge(out, "virga_outbox_waiting", s.waiting, "Messages that wait in the outbox.");
}

static void
write_auth(const struct running *r, struct str *out)
{
    struct authenticator_stats s = { 0 };

    if (r->d.authenticator == NULL)
        return;
    authenticator_stats(r->d.authenticator, &s);
    counter(out, "virga_auth_cache_hits_total", s.hits, "Tokens found in the cache.");
    counter(out, "virga_auth_cache_misses_total", s.misses,
            "Tokens whose signature had to be verified.");
    counter(out, "virga_auth_refused_total", s.refused, "Tokens refused.");
    counter(out, "virga_auth_fetches_total", s.fetches,
            "Keys or revocations fetched from identity.");
    gauge(out, "virga_auth_revocations",
          (int64_t)revocations_count(authenticator_revocations(r->d.authenticator)),
          "Revocations that are remembered.");
}

void
metrics_write(struct running *r, struct str *out)
{
    write_process(r, out);
    if (atomic_load(&r->state) == STATE_STARTING)
        return; /* The rest is being made. */
    write_http(r, out);
    write_database(r, out);
    write_rpc(r, out);
    write_sagas(r, out);
    write_outbox(r, out);
    write_auth(r, out);
    if (r->d.spec->metrics != NULL)
        r->d.spec->metrics(&r->d, out);
}
