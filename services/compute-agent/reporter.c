#include "reporter.h"

#include <pthread.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/str.h"
#include "base/uuid.h"
#include "gen/compute_rpc.h"
#include "host_facts.h"
#include "service.h"

enum { RETRY_MS = 1000 };

/* A guest's change that is still to be told. */
struct change {
    enum guest_power_state state;
    const char *reason;
    int64_t at_us;
};

struct reporting {
    struct reporter *reporter;
    struct agent *agent;
    char *uuid;
    struct map *changes; /* Guest id -> struct change; under the mutex. */
    bool whole_due;      /* Under the mutex. */
    int64_t next_ms;     /* Under the mutex: of the next heartbeat, or of the next try. */
    bool started;        /* The sender's: a "start" went out. */
    char *inventory;     /* The sender's: as it was told last. */
};

struct reporter {
    struct rpc *rpc;
    int64_t interval_ms;
    pthread_t thread;
    bool running;
    pthread_mutex_t mutex;
    pthread_cond_t something;
    bool ending GUARDED_BY(mutex);
    struct reporting **hosts;
    size_t hosts_count, hosts_capacity;
    struct arena *arena; /* Of the list of hosts. */
};

/* The states are the same words on both buses' sides. */
static enum host_guest_state
wire_state(enum guest_power_state state)
{
    switch (state) {
    case GUEST_POWER_STATE_NOSTATE:
        return HOST_GUEST_STATE_NOSTATE;
    case GUEST_POWER_STATE_RUNNING:
        return HOST_GUEST_STATE_RUNNING;
    case GUEST_POWER_STATE_PAUSED:
        return HOST_GUEST_STATE_PAUSED;
    case GUEST_POWER_STATE_SHUTDOWN:
        return HOST_GUEST_STATE_SHUTDOWN;
    case GUEST_POWER_STATE_CRASHED:
        return HOST_GUEST_STATE_CRASHED;
    case GUEST_POWER_STATE_SUSPENDED:
        return HOST_GUEST_STATE_SUSPENDED;
    }
    return HOST_GUEST_STATE_NOSTATE;
}

static void
mark_all(struct field_set *set, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        field_mark(set, i);
}

static struct host_inventory *
wire_inventory(struct arena *a, const struct reporting *host, const struct driver_inventory *from)
{
    const struct compute_agent_config *config = host->agent->config;
    struct host_inventory *to = ARENA_NEW(a, struct host_inventory);

    *to = (struct host_inventory){
        .uuid = host->uuid,
        .hypervisor_hostname = from->hypervisor_hostname,
        .hypervisor_type = from->hypervisor_type,
        .hypervisor_version = from->hypervisor_version,
        .host_ip = config->host_ip,
        .architecture = from->architecture,
        .cpu_vendor = from->cpu_vendor,
        .cpu_model = from->cpu_model,
        .sockets = from->sockets,
        .cores = from->cores,
        .threads = from->threads,
        .vcpus = from->vcpus,
        .memory_mb = from->memory_mb,
        .disk_gb = from->disk_gb,
        .reserved_vcpus = MIN(config->reserved_vcpus, from->vcpus),
        .reserved_memory_mb = MIN(config->reserved_memory_mb, from->memory_mb),
        .reserved_disk_gb = MIN(config->reserved_disk_gb, from->disk_gb),
        .traits = { .items = from->traits, .count = from->traits_count },
    };
    mark_all(&to->set, HOST_INVENTORY_F_COUNT);
    return to;
}

static void
add_guests(struct arena *a, const struct guest_present *guests, size_t count,
           struct host_report_in *report)
{
    report->guests = ARENA_ARRAY(a, struct host_guest, count + 1);
    report->guests_count = count;
    for (size_t i = 0; i < count; i++) {
        report->guests[i] = (struct host_guest){ .guest_id = guests[i].guest_id,
                                                 .state = wire_state(guests[i].state) };
        mark_all(&report->guests[i].set, HOST_GUEST_F_COUNT);
    }
    field_mark(&report->set, HOST_REPORT_IN_F_GUESTS);
}

static struct host_usage *
wire_usage(struct arena *a, const struct driver_inventory *from, const struct guest_present *guests,
           size_t count)
{
    struct host_usage *usage = ARENA_NEW(a, struct host_usage);

    *usage = (struct host_usage){ .memory_free_mb = from->memory_free_mb,
                                  .disk_free_gb = from->disk_free_gb };
    mark_all(&usage->set, HOST_USAGE_F_COUNT);
    if (getloadavg(&usage->load1, 1) != 1)
        usage->load1 = 0;
    for (size_t i = 0; i < count; i++)
        usage->guests_running += guests[i].state == GUEST_POWER_STATE_RUNNING;
    return usage;
}

/* A heartbeat, or everything: when it is due, or when the inventory is not what was told last. */
static int
send_report(struct reporting *host, bool whole, struct arena *a, struct fault *f)
{
    struct hypervisor *h = host->agent->hypervisor;
    struct host_report_in report = { .host = host->agent->host,
                                     .interval_s = host->agent->config->report_interval_s };
    struct driver_inventory inventory;
    struct guest_present *guests;
    struct host_inventory *wire;
    const char *text;
    size_t count;
    int r;

    r = h->driver->inventory(h, a, &inventory, f);
    if (r == 0)
        r = h->driver->list(h, a, &guests, &count, f);
    if (r < 0)
        return r;
    wire = wire_inventory(a, host, &inventory);
    text = json_text(a, schema_json(&host_inventory_schema, wire, a));
    report.usage = wire_usage(a, &inventory, guests, count);
    report.pressure = ARENA_NEW(a, struct host_pressure);
    host_pressure_read(report.pressure);
    report.reason = HOST_REPORT_IN_REASON_HEARTBEAT;
    mark_all(&report.set, HOST_REPORT_IN_F_COUNT);
    if (whole || !str_equal(text, host->inventory)) {
        report.reason = host->started ? HOST_REPORT_IN_REASON_CHANGE : HOST_REPORT_IN_REASON_START;
        report.inventory = wire;
        add_guests(a, guests, count, &report);
    } else {
        report.set = (struct field_set){ 0 };
        field_mark(&report.set, HOST_REPORT_IN_F_HOST);
        field_mark(&report.set, HOST_REPORT_IN_F_REASON);
        field_mark(&report.set, HOST_REPORT_IN_F_INTERVAL_S);
        field_mark(&report.set, HOST_REPORT_IN_F_USAGE);
        field_mark(&report.set, HOST_REPORT_IN_F_PRESSURE);
    }
    r = host_report_cast(host->reporter->rpc, NULL, &report, f);
    if (r < 0 || report.inventory == NULL)
        return r;
    host->started = true;
    free(host->inventory);
    host->inventory = memory_strdup(text);
    return 0;
}

static int
send_change(const struct reporting *host, const char *guest_id, const struct change *change,
            struct fault *f)
{
    struct guest_event_in event = {
        .host = host->agent->host,
        .guest_id = guest_id,
        .state = wire_state(change->state),
        .reason = change->reason,
        .at = change->at_us,
    };

    mark_all(&event.set, GUEST_EVENT_IN_F_COUNT);
    return guest_event_cast(host->reporter->rpc, NULL, &event, f);
}

/* --- The thread. Everything it sends is taken out under the mutex and put back if sending fails. */

static bool
take_change(struct reporting *host, char ret_guest_id[UUID_TEXT], struct change *ret)
{
    struct map_at at = { 0 };

    if (!map_next(host->changes, &at))
        return false;
    snprintf(ret_guest_id, UUID_TEXT, "%s", at.key);
    *ret = *(struct change *)at.value;
    map_remove(host->changes, ret_guest_id);
    return true;
}

static void
keep_change(struct reporting *host, const char *guest_id, const struct change *change)
{
    struct change *kept;

    if (map_has(host->changes, guest_id))
        return; /* A newer one came meanwhile. */
    kept = memory_alloc(sizeof(*kept));
    *kept = *change;
    map_set(host->changes, guest_id, kept);
}

/* Under the mutex, which it leaves while it sends. True: it sent something. */
static bool
serve_changes(struct reporter *r, struct reporting *host)
{
    char guest_id[UUID_TEXT];
    struct change change;
    struct fault f = { 0 };
    int sent;

    if (!take_change(host, guest_id, &change))
        return false;
    pthread_mutex_unlock(&r->mutex);
    sent = send_change(host, guest_id, &change, &f);
    pthread_mutex_lock(&r->mutex);
    if (sent < 0)
        keep_change(host, guest_id, &change);
    return sent == 0;
}

/* Under the mutex, which it leaves while it sends. */
static void
serve_report(struct reporter *r, struct reporting *host)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    bool whole = host->whole_due;
    int64_t next_ms = r->interval_ms - (int64_t)random_below((uint64_t)r->interval_ms / 8 + 1);
    int sent;

    host->whole_due = false;
    pthread_mutex_unlock(&r->mutex);
    sent = send_report(host, whole, a, &f);
    if (sent < 0)
        log_debug("report.unsent host=%s error=%s cause=%s", host->agent->host, f.message, f.cause);
    pthread_mutex_lock(&r->mutex);
    host->whole_due = host->whole_due || (sent < 0 && whole);
    host->next_ms = clock_mono_ms() + (sent < 0 ? RETRY_MS : next_ms);
}

/* Under the mutex: one round over all hosts; the time until the next is due. */
static int64_t
serve_round(struct reporter *r)
{
    int64_t wait_ms = r->interval_ms;

    for (size_t i = 0; i < r->hosts_count && !r->ending; i++) {
        struct reporting *host = r->hosts[i];
        int64_t left_ms;

        while (!r->ending && serve_changes(r, host))
            ;
        if (!r->ending && clock_mono_ms() >= host->next_ms)
            serve_report(r, host);
        left_ms = host->next_ms - clock_mono_ms();
        if (map_count(host->changes) > 0)
            left_ms = MIN(left_ms, RETRY_MS);
        wait_ms = MIN(wait_ms, left_ms);
    }
    return MAX(wait_ms, 0);
}

static void
wait_ms_or_something(struct reporter *r, int64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&r->something, &r->mutex, &until);
}

static void *
run(void *argument)
{
    struct reporter *r = argument;

    pthread_mutex_lock(&r->mutex);
    while (!r->ending) {
        int64_t ms = serve_round(r);

        if (!r->ending && ms > 0)
            wait_ms_or_something(r, ms);
    }
    pthread_mutex_unlock(&r->mutex);
    return NULL;
}

/* After a reconnect the other side may have missed anything. */
static void
on_connect(void *owner)
{
    struct reporter *r = owner;

    for (size_t i = 0; i < r->hosts_count; i++)
        reporting_resync(r->hosts[i]);
}

struct reporter *
reporter_new(struct rpc *rpc, int64_t interval_s)
{
    struct reporter *r = memory_calloc(1, sizeof(*r));
    pthread_condattr_t attributes;

    r->rpc = rpc;
    r->interval_ms = interval_s * 1000;
    r->arena = arena_new();
    pthread_mutex_init(&r->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&r->something, &attributes);
    pthread_condattr_destroy(&attributes);
    return r;
}

struct reporting *
reporter_add(struct reporter *r, struct agent *agent, const char *uuid)
{
    struct reporting *host = memory_calloc(1, sizeof(*host));

    *host = (struct reporting){
        .reporter = r, .agent = agent, .uuid = memory_strdup(uuid), .whole_due = true
    };
    host->changes = map_new(free);
    *ARRAY_PUSH(r->arena, r->hosts, r->hosts_count, r->hosts_capacity) = host;
    return host;
}

int
reporter_start(struct reporter *r, struct fault *f)
{
    if (pthread_create(&r->thread, NULL, run, r) != 0)
        return fault_raise_cause(f, "no thread for the reports");
    r->running = true;
    rpc_on_connect(r->rpc, on_connect, r);
    return 0;
}

void
reporter_stop(struct reporter *r)
{
    if (r == NULL || !r->running)
        return;
    rpc_on_connect(r->rpc, NULL, NULL);
    pthread_mutex_lock(&r->mutex);
    r->ending = true;
    pthread_cond_broadcast(&r->something);
    pthread_mutex_unlock(&r->mutex);
    pthread_join(r->thread, NULL);
    r->running = false;
}

void
reporter_free(struct reporter *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->hosts_count; i++) {
        map_free(r->hosts[i]->changes);
        free(r->hosts[i]->inventory);
        free(r->hosts[i]->uuid);
        free(r->hosts[i]);
    }
    pthread_cond_destroy(&r->something);
    pthread_mutex_destroy(&r->mutex);
    arena_free(r->arena);
    free(r);
}

void
reporting_guest_changed(void *owner, const char *guest_id, enum guest_power_state state,
                        const char *reason)
{
    struct reporting *host = owner;
    struct reporter *r = host->reporter;
    struct change *change = memory_alloc(sizeof(*change));

    *change = (struct change){ state, reason, clock_now_us() };
    pthread_mutex_lock(&r->mutex);
    map_set(host->changes, guest_id, change);
    pthread_cond_broadcast(&r->something);
    pthread_mutex_unlock(&r->mutex);
}

void
reporting_resync(void *owner)
{
    struct reporting *host = owner;
    struct reporter *r = host->reporter;

    pthread_mutex_lock(&r->mutex);
    host->whole_due = true;
    host->next_ms = 0;
    pthread_cond_broadcast(&r->something);
    pthread_mutex_unlock(&r->mutex);
}
